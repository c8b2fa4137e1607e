"""The recurrent baseline: a text encoder whose last state starts a music decoder.

LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000), GRU (Cho et al.
2014) or plain tanh cells (Elman 1990), in the encoder-decoder form of Sutskever et al. 2014. It
learns the same pairs as the LLM, and is decoded by the same loop under the same grammar.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from textmusic.errors import TextMusicError
from textmusic.tokens.tokenizer import IGNORED, copy_tokenizer

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(frozen=True, slots=True)
class RecurrentConfig:
    """What a recurrent model is like. The fields are keys of the config file."""

    text: int  # text ids
    music: int  # music ids
    cell: str = "lstm"  # lstm, gru or rnn
    width: int = 384  # of the embeddings
    hidden: int = 768  # of each layer's state
    layers: int = 2  # of the encoder, and of the decoder


class MusicRNN(nn.Module):
    """Reads text and music ids, and predicts music ids only; the same calls as `MusicLLM`."""

    def __init__(self, shape: RecurrentConfig) -> None:
        super().__init__()
        if shape.cell not in CELLS:
            raise TextMusicError(
                f"'{shape.cell}' is not a known cell; choose one of {', '.join(CELLS)}."
            )
        self.shape = shape
        self.offset = shape.text
        # one more row, which starts every text, so that even an empty one is read
        self.text_embed = nn.Embedding(shape.text + 1, shape.width)
        self.music_embed = nn.Embedding(shape.music, shape.width)
        cell: Any = CELLS[shape.cell]
        self.encoder = cell(shape.width, shape.hidden, shape.layers, batch_first=True)
        self.decoder = cell(shape.width, shape.hidden, shape.layers, batch_first=True)
        self.narrow = nn.Linear(shape.hidden, shape.width)  # the head's rows are the embedding's
        self.bias = nn.Parameter(torch.zeros(shape.music))
        nn.init.normal_(self.text_embed.weight, std=0.1)
        nn.init.normal_(self.music_embed.weight, std=0.1)
        if shape.cell == "lstm":
            for layers in (self.encoder, self.decoder):
                for k in range(shape.layers):  # remember at first (Jozefowicz et al. 2015)
                    bias = getattr(layers, f"bias_hh_l{k}")
                    nn.init.ones_(bias.data[shape.hidden : 2 * shape.hidden])

    def forward(self, ids: Tensor, labels: Tensor) -> Tensor:
        """Summed loss in nats over the labelled places. ids, labels: (B, T), -100 is ignored."""
        hidden, places = self._hidden(ids)
        behind = places < ids.shape[1]
        labels = labels.gather(1, places.clamp(max=ids.shape[1] - 1))
        counted = behind & (labels != IGNORED)
        return F.cross_entropy(self._head(hidden[counted]), labels[counted], reduction="sum")

    def logits(self, ids: Tensor) -> Tensor:
        """Music logits (B, T, M) at every music place, 0 at the text's."""
        hidden, places = self._hidden(ids)
        out = torch.zeros(*ids.shape, self.shape.music, device=ids.device)
        for row, (found, where) in enumerate(zip(self._head(hidden), places, strict=True)):
            inside = where < ids.shape[1]
            out[row, where[inside]] = found[inside]
        return out

    def _hidden(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Decoder outputs (B, S, H) at the music places, and where in ids these are, (B, S)."""
        start = (ids >= self.offset).int().argmax(dim=1)  # (B,) where the music begins
        begin = torch.full_like(ids[:, :1], self.shape.text)
        text = torch.cat([begin, ids[:, : int(start.max())].clamp(max=self.offset - 1)], dim=1)
        packed = pack_padded_sequence(
            self.text_embed(text), (start + 1).cpu(), batch_first=True, enforce_sorted=False
        )
        _, state = self.encoder(packed)
        steps = torch.arange(ids.shape[1] - int(start.min()), device=ids.device)
        places = start[:, None] + steps  # (B, S), beyond the end in rows with a long text
        music = ids.gather(1, places.clamp(max=ids.shape[1] - 1)) - self.offset
        hidden, _ = self.decoder(self.music_embed(music.clamp(min=0)), state)
        return hidden, places

    def _head(self, hidden: Tensor) -> Tensor:
        return self.narrow(hidden) @ self.music_embed.weight.T + self.bias


def save_recurrent(model: MusicRNN, folder: Path, tokenizer_folder: Path) -> None:
    """Weights (safetensors), shape and tokenizer files as one model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.partial"
    save_file(model.state_dict(), partial)
    partial.replace(folder / "model.safetensors")
    (folder / "recurrent.json").write_text(json.dumps(asdict(model.shape), indent=1) + "\n")
    copy_tokenizer(tokenizer_folder, folder)


def load_recurrent(folder: Path) -> MusicRNN:
    """The model of a folder written by `save_recurrent`."""
    try:
        shape = RecurrentConfig(
            **json.loads((folder / "recurrent.json").read_text(encoding="utf-8"))
        )
        model = MusicRNN(shape)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as problem:
        first = str(problem).splitlines()[0]
        raise TextMusicError(
            f"'{folder}' is not a complete recurrent model ({first}); give a folder written by"
            " training."
        ) from None
    return model
