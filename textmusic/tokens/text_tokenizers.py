"""Text -> text ids: a pretrained LLM's own tokenizer, or a SentencePiece model of captions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

CAPTIONS = "captions.model"  # the LSTM's; an LLM brings tokenizer.json


class TextTokenizer(Protocol):
    """What the id space needs of a text tokenizer. No special tokens are ever added."""

    @property
    def size(self) -> int:
        """How many text ids there are."""

    def encode(self, text: str) -> list[int]:
        """Text ids of a text."""

    def beginning(self, text: str, longest: int) -> str:
        """As much of a text as `longest` ids spell."""


class HuggingFaceText:
    """A tokenizer.json, read by the tokenizers library."""

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(file))

    @property
    def size(self) -> int:
        """How many text ids there are."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Text ids of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def beginning(self, text: str, longest: int) -> str:
        """As much of a text as `longest` ids spell."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return text if len(encoded.ids) <= longest else text[: encoded.offsets[longest][0]]


class SentencePieceText:
    """A unigram model (Kudo 2018) with byte fallback, read by the sentencepiece library."""

    def __init__(self, file: Path) -> None:
        from sentencepiece import SentencePieceProcessor

        self._processor: Any = SentencePieceProcessor(model_file=str(file))

    @property
    def size(self) -> int:
        """How many text ids there are."""
        return int(self._processor.vocab_size())

    def encode(self, text: str) -> list[int]:
        """Text ids of a text."""
        return list(self._processor.encode(text))

    def beginning(self, text: str, longest: int) -> str:
        """As much of a text as `longest` ids spell."""
        low, high = 0, len(text)  # the library gives no offsets into what it normalises
        while low < high:
            middle = (low + high + 1) // 2
            if len(self.encode(text[:middle])) <= longest:
                low = middle
            else:
                high = middle - 1
        return text[:low]


def open_text(folder: Path) -> TextTokenizer:
    """The text tokenizer of a model folder; the libraries' own exceptions where it is broken."""
    file = text_file(folder)
    return SentencePieceText(file) if file.name == CAPTIONS else HuggingFaceText(file)


def text_file(folder: Path) -> Path:
    """The file that `open_text` reads."""
    captions = folder / CAPTIONS
    return captions if captions.exists() else folder / "tokenizer.json"
