"""Text, plan, sketch and music in one id space.

    [text ids] <|plan|> plan ids <|sketch|> a row a bar <|score|> REMI ids <|end|>
    [text ids] <|plan|> ... <|score|> bars that stand <|fill|> who, and the missing bars <|end|>

Text ids are the pretrained LLM's own, untouched; music ids are new rows behind them, from `offset`
on. The REMI part is MidiTok's, said more briefly: see `folding`. In format 4 each row of the
sketch is said again behind its bar's line in the score: see `interleaving`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.music.notes import grid_signature, score_of
from textmusic.music.plan import Plan, encode_plan
from textmusic.music.sketch import Sketch, encode_sketch
from textmusic.music.theory import shift_of
from textmusic.tokens.folding import Struck, fold, struck
from textmusic.tokens.interleaving import interleaved, rows_of
from textmusic.tokens.layout import layout_of
from textmusic.tokens.text_tokenizers import CAPTIONS, TextTokenizer, open_text, text_file
from textmusic.tokens.vocabulary import (
    NOTE_KINDS,
    PLAN,
    SCORE,
    SKETCH,
    is_remi,
    is_vocabulary,
    known_tokens,
)

if TYPE_CHECKING:
    from symusic import Score

IGNORED = -100
SEQUENCE = "sequence.json"  # how a model's sequences are written; older models have none


def remi_file() -> Path:
    """tokenizers/remi.json, MidiTok's own configuration: in the package, or beside a checkout.

    12 positions a beat (so that triplets exist), 16 velocities, durations up to 16 beats (by
    twelfths up to 4, by quarters beyond), one stream for all instruments with program changes.
    """
    return _data_file("remi.json")


def captions_file() -> Path:
    """tokenizers/captions.model: the LSTM's text tokenizer, by training/train_tokenizers.py."""
    return _data_file(CAPTIONS)


def _data_file(name: str) -> Path:
    package = Path(str(resources.files("textmusic")))
    places = (package / "tokenizers" / name, package.parent / "tokenizers" / name)
    return next((place for place in places if place.exists()), places[0])


def make_remi() -> Any:
    """A fresh MidiTok REMI tokenizer."""
    from miditok import REMI

    return REMI(params=remi_file())


def create_tokenizer(text_tokenizer: Path, folder: Path, *, interleaved: bool = True) -> Tokenizer:
    """Write a model folder's tokenizer files: an LLM's tokenizer.json or a captions.model.

    interleaved: see `Tokenizer`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    captions = text_tokenizer.suffix == ".model"
    shutil.copy(text_tokenizer, folder / (CAPTIONS if captions else "tokenizer.json"))
    shutil.copy(remi_file(), folder / "remi.json")
    (folder / "vocabulary.json").write_text(json.dumps(make_vocabulary(make_remi())))
    _write_sequence(folder, interleaved)
    return Tokenizer(folder)


def copy_tokenizer(source: Path, folder: Path, *, interleaved: bool | None = None) -> None:
    """Put the files that say what a model's ids mean beside its weights.

    interleaved: see `Tokenizer`; by default as the source has it.
    """
    if source.resolve() != folder.resolve():
        for file in (text_file(source), source / "vocabulary.json", source / "remi.json"):
            shutil.copy(file, folder / file.name)
    _write_sequence(folder, is_interleaved(source) if interleaved is None else interleaved)


def _write_sequence(folder: Path, interleaved: bool) -> None:
    text = json.dumps({"interleaved": interleaved}) + "\n"
    (folder / SEQUENCE).write_text(text, encoding="utf-8")


def is_interleaved(folder: Path) -> bool:
    """Whether a model's folder says that its sequences are interleaved, see `Tokenizer`.

    Raises TextMusicError where it says something else.
    """
    try:
        said = json.loads((folder / SEQUENCE).read_text(encoding="utf-8"))
        if not isinstance(said, dict) or type(said.get("interleaved")) is not bool:
            raise ValueError("it does not say whether the sketch is interleaved")
    except FileNotFoundError:
        return False
    except (OSError, ValueError, RecursionError) as problem:
        raise _broken_file(folder, SEQUENCE, problem) from None
    return bool(said["interleaved"])


def _broken_file(folder: Path, name: str, problem: object) -> TextMusicError:
    """The error for a file of a model's folder that can't be read."""
    return TextMusicError(
        f"'{folder}' is not a complete textmusic model ({name}: {problem}); download it again."
    )


def make_vocabulary(remi: Any) -> list[str]:
    """All music tokens: marks, plan, counted bars, sketch, then MidiTok's own."""
    return [*known_tokens(), *(t for t in remi.vocab if t.split("_")[0] in NOTE_KINDS)]


class Tokenizer:
    """The id space of one model folder: a text tokenizer, vocabulary.json, remi.json.

    interleaved: whether its sequences have each row of the sketch behind its bar's line in the
    score, too (sequence.json says so).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        vocabulary = self._json("vocabulary.json")
        if not is_vocabulary(vocabulary):
            raise self._broken("vocabulary.json", "not this version's list of music tokens")
        # MidiTok reads it when it is needed: importing that takes a second
        if not is_remi(self._json("remi.json"), remi_file()):
            raise self._broken("remi.json", "not this version's settings of MidiTok")
        self.vocabulary: tuple[str, ...] = tuple(vocabulary)
        self.index = {token: i for i, token in enumerate(self.vocabulary)}
        self.interleaved = is_interleaved(folder)
        self._latest: tuple[str, list[int]] = ("", [])  # a text and its ids: takes share captions

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            raise self._broken(name, problem) from None

    def _broken(self, name: str, problem: object) -> TextMusicError:
        return _broken_file(self.folder, name, problem)

    @cached_property
    def _text(self) -> TextTokenizer:
        try:
            return open_text(self.folder)
        except Exception as problem:  # the library raises bare Exception
            raise self._broken(text_file(self.folder).name, problem) from None

    @cached_property
    def _remi(self) -> Any:
        from miditok import REMI

        try:
            return REMI(params=self.folder / "remi.json")
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise self._broken("remi.json", problem) from None

    @cached_property
    def offset(self) -> int:
        """Where the music rows begin: the size of the text vocabulary."""
        return self._text.size

    def encode_text(self, text: str) -> list[int]:
        """Text ids, no special tokens."""
        known, ids = self._latest
        if text != known:
            ids = self._text.encode(text)
            self._latest = (text, ids)
        return list(ids)

    def beginning(self, text: str, longest: int) -> str:
        """As much of a text as `longest` ids spell."""
        whole = len(self.encode_text(text)) <= longest
        return text if whole else self._text.beginning(text, longest)

    def music_ids(self, tokens: list[str]) -> list[int]:
        """Music ids (0 = first music row, without the offset) of token strings."""
        return [self.index[token] for token in tokens]

    def encode_plan(self, plan: Plan) -> list[int]:
        """Music ids of a plan's known fields."""
        return self.music_ids(encode_plan(plan))

    def encode_sketch(self, sketch: Sketch, key: str | None) -> list[int]:
        """Music ids of a sketch's rows."""
        return self.music_ids(encode_sketch(sketch, key))

    def sequence(
        self,
        text: str,
        plan: Plan,
        sketch: Sequence[int] | None = None,
        score: Sequence[int] | None = None,
    ) -> tuple[list[int], int]:
        """What a model reads and writes: caption, plan, sketch and score ids, in one id space.

        sketch, score: music ids. What is not given is not begun: without a sketch the sequence ends
        behind the plan, with one and no score behind the sketch's last row; an empty one ends
        behind the mark that begins it. Returns the ids, and the place of the first of the score;
        where the tokenizer is `interleaved`, ids of the sketch stand among those of the score.
        """
        music = self.music_ids([PLAN]) + self.encode_plan(plan)
        if sketch is not None:
            music += [*self.music_ids([SKETCH]), *sketch]
        if score is not None:
            if self.interleaved:
                score = interleaved(score, rows_of(sketch or (), layout_of(self.vocabulary)))
            music += [*self.music_ids([SCORE]), *score]
        ids = [*self.encode_text(text), *(i + self.offset for i in music)]
        return ids, len(ids) - len(score or ())

    def encode_score(self, score: Score, plan: Plan) -> list[int]:
        """Music ids of a score of one time signature, from the first bar to `<|end|>`.

        plan.bars and plan.time_signature must be known, plan.key where there is one; bars without
        notes are written too.
        """
        assert plan.time_signature is not None and plan.bars is not None
        copy = score.copy()
        top, bottom = map(int, grid_signature(plan.time_signature).split("/"))
        from symusic import TimeSignature

        copy.time_signatures.clear()
        copy.time_signatures.append(TimeSignature(0, top, bottom))
        return self.music_ids(fold(self._remi(copy).tokens, plan.bars, shift_of(plan.key)))

    def struck(self, ids: Sequence[int]) -> list[Struck]:
        """The notes that music ids of whole bars spell, from bar 0 on."""
        return struck([self.vocabulary[i] for i in ids])

    def decode_score(self, ids: Sequence[int], plan: Plan) -> Score:
        """The Score that music ids spell, with the plan's tempo and metre, a track an instrument.

        MidiTok would read `unfold`'s stream to the same notes, but importing it takes longer than
        writing a short piece.
        """
        return score_of((note.sounding(plan) for note in self.struck(ids)), plan)


def read_vocabulary(folder: Path) -> list[str]:
    """The music tokens of a model folder, of whatever format, in the order of their ids."""
    try:
        return [str(token) for token in json.loads((folder / "vocabulary.json").read_text())]
    except (OSError, ValueError, TypeError, RecursionError) as problem:
        raise _broken_file(folder, "vocabulary.json", problem) from None


def check_vocabulary(tokenizer: Tokenizer, other: Tokenizer) -> None:
    """Raise TextMusicError, with the first music token that differs, unless they have the same."""
    if tokenizer.vocabulary != other.vocabulary:
        pairs = zip_longest(tokenizer.vocabulary, other.vocabulary, fillvalue="nothing")
        mine, theirs = next(pair for pair in pairs if pair[0] != pair[1])
        raise TextMusicError(
            f"'{tokenizer.folder}' has the music token {mine} where '{other.folder}' has {theirs};"
            " use files that the same textmusic version made."
        )
