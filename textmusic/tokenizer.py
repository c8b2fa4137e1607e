"""Text, plan and music in one id space.

    [text ids] <|plan|> plan ids <|score|> REMI ids <|end|>

Text ids are the pretrained LLM's own, untouched; music ids are new rows behind them, from `offset`
on. The REMI part is MidiTok's, folded in three places: a bar's time signature and the tempo stand
in the plan and are not said again in every bar; bars are numbered by how many are left
(`Bar_16` ... `Bar_1`), so that the model always knows where the end is, in pieces of any length;
and pitches are spelt as if the tonic were C, so that what is learnt in one key is known in all.
`unfold` restores MidiTok's own stream.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, cached_property
from importlib import resources
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from textmusic.errors import TextMusicError
from textmusic.plan import (
    COUNTED_BARS,
    DRUMS,
    TEMPO_MARKS,
    Plan,
    decode_plan,
    encode_plan,
    field_vocabulary,
    quarters_per_bar,
    shift_of,
    tempo_mark,
)
from textmusic.texts import CAPTIONS, TextTokenizer, open_text, text_file

if TYPE_CHECKING:
    from symusic import Score

PLAN, SCORE, END = "<|plan|>", "<|score|>", "<|end|>"
# A half-note beat would make MidiTok's grid (12 positions a beat) too coarse for sixteenths, so
# half-note metres are written on the quarter-note grid of the same length.
_GRID = {"2/2": "4/4", "3/2": "6/4", "4/2": "8/4"}


def grid_signature(time_signature: str) -> str:
    """The time signature whose grid REMI writes a bar on: "3/2" -> "6/4", "3/4" -> "3/4"."""
    return _GRID.get(time_signature, time_signature)


def positions_per_beat(time_signature: str) -> tuple[int, int]:
    """(steps in a bar, steps in a quarter note) of the REMI grid: "6/8" -> (72, 24)."""
    top, bottom = map(int, grid_signature(time_signature).split("/"))
    return 12 * top, 3 * bottom


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


def create_tokenizer(text_tokenizer: Path, folder: Path) -> Tokenizer:
    """Write a model folder's tokenizer files: an LLM's tokenizer.json or a captions.model."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = text_tokenizer.suffix == ".model"
    shutil.copy(text_tokenizer, folder / (CAPTIONS if captions else "tokenizer.json"))
    shutil.copy(remi_file(), folder / "remi.json")
    (folder / "vocabulary.json").write_text(json.dumps(make_vocabulary(make_remi())))
    return Tokenizer(folder)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Put the files that say what a model's ids mean beside its weights, if they are not there."""
    for file in (text_file(source), source / "vocabulary.json", source / "remi.json"):
        if file.resolve() != (folder / file.name).resolve():
            shutil.copy(file, folder / file.name)


def make_vocabulary(remi: Any) -> list[str]:
    """All music tokens: marks, plan, counted bars, then MidiTok's own."""
    plan = [token for tokens in field_vocabulary().values() for token in tokens]
    bars = [f"Bar_{n}" for n in range(1, COUNTED_BARS + 1)]
    kinds = ("Position", "Pitch", "PitchDrum", "Velocity", "Duration")
    notes = [token for token in remi.vocab if token.split("_")[0] in kinds]
    return [PLAN, SCORE, END, *plan, *bars, *notes]


class Note(NamedTuple):
    """A note. Times in quarter notes from the beginning; program 128 is the drum kit."""

    start: float
    duration: float
    pitch: int
    velocity: int
    program: int


class Tokenizer:
    """The id space of one model folder: a text tokenizer, vocabulary.json, remi.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        vocabulary = self._json("vocabulary.json")
        if not (isinstance(vocabulary, list) and {PLAN, SCORE, END} <= set(map(str, vocabulary))):
            raise self._broken("vocabulary.json", "no list of music tokens")
        self._json("remi.json")  # MidiTok reads it when it is needed: importing that takes a second
        self.vocabulary: tuple[str, ...] = tuple(vocabulary)
        self.index = {token: i for i, token in enumerate(self.vocabulary)}

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise self._broken(name, problem) from None

    def _broken(self, name: str, problem: object) -> TextMusicError:
        return TextMusicError(
            f"'{self.folder}' is not a whole textmusic model ({name}: {problem}); fetch it again."
        )

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
        return self._text.encode(text)

    def beginning(self, text: str, longest: int) -> str:
        """As much of a text as `longest` ids spell."""
        return self._text.beginning(text, longest)

    def music_ids(self, tokens: list[str]) -> list[int]:
        """Music ids (0 = first music row, without the offset) of token strings."""
        return [self.index[token] for token in tokens]

    def encode_plan(self, plan: Plan) -> list[int]:
        """Music ids of a plan's known fields."""
        return self.music_ids(encode_plan(plan))

    def decode_plan(self, ids: list[int]) -> Plan:
        """The plan that music ids spell."""
        return decode_plan([self.vocabulary[i] for i in ids])

    def sequence(self, text: str, plan: Plan, score: Sequence[int] | None) -> tuple[list[int], int]:
        """What a model reads and writes: caption, plan and score ids, in one id space.

        score: music ids. An empty score ends behind `<|score|>`, none at all behind the plan.
        Returns the ids, and the place of the first of the score.
        """
        begin, behind = self.music_ids([PLAN, SCORE])
        music = [begin, *self.encode_plan(plan), *(() if score is None else (behind, *score))]
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

    def decode_score(self, ids: list[int], plan: Plan) -> Score:
        """The Score that music ids spell, with the plan's tempo and metre, a track an instrument.

        MidiTok would read `unfold`'s stream to the same notes, but importing it takes longer than
        writing a short piece.
        """
        return score_of(self._notes(ids, plan), plan)

    def _notes(self, ids: list[int], plan: Plan) -> list[Note]:
        tokens = [self.vocabulary[i] for i in ids if self.vocabulary[i] != END]
        lines = [i for i, token in enumerate(tokens) if token.startswith("Bar_")]
        notes: list[Note] = []
        for bar, (begin, end) in enumerate(pairwise([*lines, len(tokens)])):
            program = notes[-1].program if notes else 0
            notes += notes_of_bar(tokens[begin:end], plan, bar, program)
        return notes


def check_vocabulary(tokenizer: Tokenizer, other: Tokenizer) -> None:
    """Raise TextMusicError, with the first music token that differs, unless they have the same."""
    if tokenizer.vocabulary != other.vocabulary:
        pairs = zip_longest(tokenizer.vocabulary, other.vocabulary, fillvalue="nothing")
        mine, theirs = next(pair for pair in pairs if pair[0] != pair[1])
        raise TextMusicError(
            f"'{tokenizer.folder}' has the music token {mine} where '{other.folder}' has {theirs};"
            " use what one version of textmusic made."
        )


def fold(tokens: list[str], bars: int, shift: int = 0) -> list[str]:
    """MidiTok's REMI stream as ours: bars counted down, metre and tempo left to the plan.

    shift: how far pitches are written below where they sound (`plan.shift_of`).
    """
    left, folded = bars, []
    for token in tokens:
        if token == "Bar_None":
            folded.append(f"Bar_{min(left, COUNTED_BARS)}")
            left -= 1
        elif (ours := _folded(token, shift)) is not None:
            folded.append(ours)
    folded += [f"Bar_{min(n, COUNTED_BARS)}" for n in range(left, 0, -1)]
    return [*folded, END]


@cache  # 14 shifts of some 700 tokens, each met a million times in a corpus
def _folded(token: str, shift: int) -> str | None:
    kind, _, value = token.partition("_")
    if kind == "Program":
        return f"Program_{DRUMS if value == '-1' else value}"
    if kind == "Pitch":
        return f"Pitch_{int(value) - shift}"
    return None if kind == "TimeSig" else token


def unfold(tokens: list[str], time_signature: str, shift: int = 0) -> list[str]:
    """Inverse of `fold`: the stream that MidiTok decodes."""
    metre = f"TimeSig_{grid_signature(time_signature)}"
    unfolded: list[str] = []
    for token in tokens:
        kind, _, value = token.partition("_")
        if kind == "Bar":
            unfolded += ["Bar_None", metre]
        elif kind == "Program":
            unfolded.append(f"Program_{-1 if int(value) == DRUMS else value}")
        elif kind == "Pitch":
            unfolded.append(f"Pitch_{int(value) + shift}")
        elif token != END:
            unfolded.append(token)
    return unfolded


def rounded(plan: Plan) -> Plan:
    """The plan as its tokens can say it: the tempo on its nearest mark, bars up to 64."""
    tempo = None if plan.tempo is None else TEMPO_MARKS[tempo_mark(plan.tempo)]
    bars = None if plan.bars is None else min(plan.bars, COUNTED_BARS)
    return replace(plan, tempo=tempo, bars=bars)


def seconds_of(plan: Plan) -> float:
    """Length of a complete plan in seconds."""
    assert plan.bars is not None and plan.tempo is not None and plan.time_signature is not None
    return plan.bars * quarters_per_bar(plan.time_signature) * 60 / plan.tempo


def score_of(notes: Iterable[Note], plan: Plan) -> Score:
    """A Score of these notes, with the plan's tempo and metre, a track an instrument.

    A key signature is not written here: `generation.finish` adds what a MIDI file should carry.
    """
    from symusic import Note as ScoreNote
    from symusic import Score, Tempo, TimeSignature, Track

    assert plan.time_signature is not None and plan.tempo is not None
    _, per_quarter = positions_per_beat(plan.time_signature)
    score: Score = Score(per_quarter)
    top, bottom = map(int, plan.time_signature.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    score.tempos.append(Tempo(0, plan.tempo))
    played: dict[int, list[Note]] = {}
    for note in notes:
        played.setdefault(note.program, []).append(note)
    for program in sorted(played):
        drums = program == DRUMS
        track = Track(program=0 if drums else program, is_drum=drums)
        for start, duration, pitch, velocity, _ in played[program]:
            time, length = round(start * per_quarter), round(duration * per_quarter)
            track.notes.append(ScoreNote(time, length, pitch, velocity))
        score.tracks.append(track)
    return score


def notes_of_bar(tokens: list[str], plan: Plan, bar: int, program: int = 0) -> tuple[Note, ...]:
    """The notes that one bar's tokens spell, for showing music while it is being written.

    tokens: from the Bar token on. bar: its index, from 0. program: the one that played last before
    it, which goes on until a Program token. `Tokenizer.decode_score` makes the score.
    """
    assert plan.time_signature is not None
    steps, per_quarter = positions_per_beat(plan.time_signature)
    shift = shift_of(plan.key)
    notes: list[Note] = []
    position = pitch = velocity = 0
    for token in tokens:
        kind, _, value = token.partition("_")
        if kind == "Position":
            position = int(value)
        elif kind == "Program":
            program = int(value)
        elif kind in ("Pitch", "PitchDrum"):
            pitch = int(value) + (shift if kind == "Pitch" else 0)
        elif kind == "Velocity":
            velocity = int(value)
        elif kind == "Duration":
            beats, part, parts = map(int, value.split("."))
            length = (beats + part / parts) * 12 / per_quarter
            start = (bar * steps + position) / per_quarter
            notes.append(Note(start, length, pitch, velocity, program))
    return tuple(notes)
