"""Bars of a person's file written anew, or instruments added to it; all else in it stays."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.language.controls import parse_instrument
from textmusic.language.names import instrument_name
from textmusic.music.midi_events import MidiEvents, mended_words
from textmusic.music.midi_replacing import Hole, let_go, replace_notes
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, named
from textmusic.system.values import whole
from textmusic.tokens.sampling import check_seed, drawn
from textmusic.writing.brief import Brief
from textmusic.writing.decoding import decode_rounds
from textmusic.writing.filling import Filled, Filling
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.sources import events_of
from textmusic.writing.take import Take

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.writing.loaded_model import LoadedModel
    from textmusic.writing.text_to_music import OnBar

REWRITE, ADD = "rewrite", "add"  # what a recipe calls them
MOST_VARIATIONS = 16
_TRIES = 2  # of which the one that joins more smoothly is kept
_FAMILIES = {program: program // 8 for program in range(128)} | dict.fromkeys(range(48, 52), 5)


class OpenFile:
    """A person's file with a hole: some bars of some instruments, which are to be written.

    piece: what the model reads. midi: the file, without what is held over into the hole.
    """

    def __init__(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        how: str,
        bars: tuple[int, int] | None = None,
        instruments: Sequence[str | int] = (),
    ) -> None:
        """how: `REWRITE` or `ADD`; the rest as for `TextToMusic.rewrite` and `add`, which see.

        Raises TextMusicError as they do, but for what the words ask: no model is needed.
        """
        events = events_of(source)
        options = {"bars": bars and list(bars), "instruments": list(instruments)}
        self.change = Change.of(how, events, options)
        self.mended = events.mended
        self.midi = without_recipe(events)
        score = to_score(self.midi)
        if how == ADD:
            chosen: dict[str, Sequence[str | int]] = {"add": instruments}
        else:
            chosen = {"instruments": _in_piece(instruments, score)}
        self.piece = OpenPiece(score, bars, **chosen)
        division = self.midi.division
        begin, bar = self.piece.material.begin, self.piece.material.bar
        first, last = (begin + at * bar for at in self.piece.bars)
        self._hole = Hole.of(first, last, self.piece.programs, division)
        free = let_go(self.midi, self._hole)
        if any(a.events != b.events for a, b in zip(free.tracks, self.midi.tracks, strict=True)):
            self.midi = free
            self.piece = OpenPiece(to_score(free), bars, **chosen)

    def rewriting(self, music: LoadedModel, brief: Brief, n: int = 1) -> Rewriting:
        """What it takes to fill the hole; see `Rewriting`."""
        return Rewriting(music, self, brief, n)

    def filled(self, filled: Filled) -> MidiEvents:
        """The file with what was written in the hole."""
        begin = self.piece.material.begin
        notes = [note._replace(start=note.start + begin) for note in filled.notes]
        names = {program: instrument_name(program).capitalize() for program in self.piece.programs}
        return replace_notes(self.midi, self._hole, notes, names)


def open_to_rewrite(
    source: MidiEvents | Score | str | PathLike[str],
    bars: tuple[int, int] | None,
    instruments: Sequence[str | int],
) -> OpenFile:
    """A file whose bars or instruments are to be written anew."""
    if bars is None and not instruments:
        raise TextMusicError(
            "rewriting needs to know where; give bars such as 5-8, or instruments."
        )
    return OpenFile(source, REWRITE, bars, instruments)


def open_to_add(
    source: MidiEvents | Score | str | PathLike[str],
    bars: tuple[int, int] | None,
    instruments: Sequence[str | int],
) -> OpenFile:
    """A file to which instruments are to be added."""
    if not instruments:
        raise TextMusicError(
            "there is nothing to add; name instruments, for example bass and drums."
        )
    return OpenFile(source, ADD, bars, instruments)


class Rewriting:
    """A file with a hole, and what is asked of it; written once or several times."""

    def __init__(self, music: LoadedModel, file: OpenFile, brief: Brief, n: int = 1) -> None:
        """n: how many, 1 to 16, with the seeds seed, seed + 1, ...

        Raises TextMusicError for what `LoadedModel.understand` refuses.
        """
        whole("variations", n, 1, MOST_VARIATIONS)
        self._music, self._file = music, file
        seed = drawn(n) if brief.seed is None else check_seed(brief.seed, n)
        self._seeds = range(seed, seed + n)
        self._filling = Filling(music, file.piece, replace(brief, seed=seed), tries=_TRIES)

    @property
    def length(self) -> int:
        """How many bars are new in a version."""
        first, last = self._file.piece.bars
        return last - first

    @property
    def bars(self) -> int:
        """How many bars are written, all versions and tries together."""
        return self.length * len(self._seeds) * self._filling.tries

    def write(self, on_bar: OnBar | None = None) -> list[Generation]:
        """The files with new notes in the hole."""
        return decode_rounds(self._music.engine, self.writing(), self.bars, on_bar)

    def writing(self) -> Generator[list[Take], None, list[Generation]]:
        """`write` for whoever decodes by themselves: the takes that it yields are to be written."""
        filled = yield from self._filling.writing(self._seeds)
        return [self._generation(one) for one in filled]

    def _generation(self, filled: Filled) -> Generation:
        midi = self._file.filled(filled)
        remarks = list(mended_words(self._file.mended))
        if before := self._file.piece.before:
            remarks.append(
                f"bars 1 to {before} stay as they are: what is written is in"
                f" {self._file.piece.metre}, the last time signature"
            )
        return self._filling.generation(
            filled, named(to_score(midi)), events=midi, change=self._file.change, remarks=remarks
        )


def _in_piece(instruments: Sequence[str | int], score: Score) -> list[str | int]:
    """Instruments as the piece has them: its fingered bass where a bass is named."""
    heard = sorted({int(program) for program in notes_of(score).program})
    found: list[str | int] = []
    for said in instruments:
        for program in parse_instrument(str(said)):
            near = [p for p in heard if program != DRUMS and _alike(p, program)]
            found += [program] if program in heard or not near else near
    return found


def _alike(one: int, two: int) -> bool:
    """Whether two programs are of one family of General MIDI: basses, guitars, strings."""
    return DRUMS not in (one, two) and _FAMILIES[one] == _FAMILIES[two]
