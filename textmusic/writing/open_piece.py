"""A hole in a piece: bars and instruments that are taken out, and put back written anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symusic import Note as ScoreNote
from symusic import Score, Track

from textmusic.errors import TextMusicError
from textmusic.language.controls import programs_of
from textmusic.language.names import instrument_name
from textmusic.music.harmony import chords_of
from textmusic.music.markers import name_sections
from textmusic.music.material import material_of
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import GRID, Note, Notes, sliced
from textmusic.music.plan import MAX_PROGRAMS
from textmusic.music.sketch import Outline, Row, Sketch
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.result.sections import sections_of
from textmusic.system.values import wrong_type


class OpenPiece:
    """A piece with a hole: what is to be written, and what stands around it.

    bars: the first (from 0, in the last stretch of one time signature), and the one behind the
    last. programs: those that are written in them. added: of these, those that are new. before:
    bars of the piece before that stretch. standing: the notes outside the hole, from the first bar
    of the stretch on.
    """

    def __init__(
        self,
        score: Score,
        bars: tuple[int, int] | None = None,
        instruments: Sequence[str | int] = (),
        add: Sequence[str | int] = (),
    ) -> None:
        """As `TextToMusic.fill`, which see; raises TextMusicError as it does."""
        self._score = score
        self.material = material = material_of(score)
        self.before = material.before
        self.metre = material.plan.time_signature or "4/4"
        heard = tuple(sorted({int(p) for p in material.tail(material.bars).program}))
        total = self.before + material.bars
        if bars is not None and not (isinstance(bars, Sequence) and len(bars) == 2):
            raise wrong_type("bars", bars, "the first and the last")
        first, last = bars or (self.before + 1, total)
        if isinstance(first, bool) or not (isinstance(first, int) and isinstance(last, int)):
            raise wrong_type("bars", (first, last), "the first and the last")
        if not 1 <= first <= last <= total:
            raise TextMusicError(
                f"bars {first} to {last} do not exist; choose from bars 1 to {total}."
            )
        if first <= self.before:
            raise TextMusicError(
                f"bar {first} is before the last change of time signature; choose bars from"
                f" {self.before + 1} on."
            )
        named, new = set(programs_of(instruments) or ()), set(programs_of(add) or ())
        if missing := named - set(heard):
            players = ", ".join(instrument_name(p) for p in heard)
            raise TextMusicError(
                f"the piece has no {instrument_name(min(missing))}, but {players}; name it as an"
                " instrument to add."
            )
        if there := new & set(heard):
            raise TextMusicError(
                f"the {instrument_name(min(there))} already plays; rewrite it instead of adding it."
            )
        programs = tuple(sorted(named | new)) or heard
        if len((set(heard) | new) - {DRUMS}) > MAX_PROGRAMS:
            raise TextMusicError(
                f"a MIDI file has room for only {MAX_PROGRAMS} instruments and drums; add fewer."
            )
        if set(programs) >= set(heard) and last - first + 1 == material.bars:
            raise TextMusicError(
                "this would rewrite the whole piece; choose fewer bars or instruments, or generate"
                " a new piece."
            )
        self.bars = (first - 1 - self.before, last - self.before)
        self.programs, self.added = programs, tuple(sorted(new))
        self.standing = self._standing()

    def _standing(self) -> Notes:
        """The notes outside the hole, from the first bar of the last stretch on."""
        notes = self.material.tail(self.material.bars)
        bar = quarters_per_bar(self.metre)
        first, last = (at * bar for at in self.bars)
        out = (notes.start >= first - 1e-6) & (notes.start < last - 1e-6)
        for program in self.programs:
            keep = ~(out & (notes.program == program))
            notes, out = notes.chosen(keep), out[keep]
        return notes

    def sketch(self) -> Sketch:
        """Form that is heard in what stands, and harmony that is heard in the piece as it is.

        A hole that is silent would take the chords of its neighbours along, and the training
        examples have those of the whole. In bars in which nothing pitched is left they are open.
        """
        bars, key = self.material.bars, self.material.plan.key
        if not len(self.standing):
            return Sketch(tuple(Row() for _ in range(bars)))
        form = measure_sketch(self.standing, self.metre, bars, key).rows
        chords = chords_of(self.material.tail(bars), self.metre, bars, key)
        first, last = self.bars
        beside = sliced(self.standing, first * self.material.bar, last * self.material.bar)
        if not (beside.program != DRUMS).any():
            chords[first:last] = [()] * (last - first)
        rows: list[Row] = []
        for row, own in zip(form, chords, strict=True):
            rows.append(replace(row, chords=own if row.like is None else rows[row.like].chords))
        return Sketch(tuple(rows))

    def filled(self, new: Sequence[Note]) -> Score:
        """A copy of the score whose hole holds the new notes; nothing else in it has changed.

        new: in quarter notes from where the last stretch of one time signature begins.
        """
        filled = self._score.copy()
        quarter, bar = filled.ticks_per_quarter, quarters_per_bar(self.metre)
        origin = self.material.begin
        first, last = (round((origin + at * bar) * GRID) for at in self.bars)
        by_program: dict[int, list[Note]] = {program: [] for program in self.programs}
        for note in new:
            by_program[note.program].append(note)
        for track in filled.tracks:
            program = DRUMS if track.is_drum else track.program
            if program in by_program:
                # a note that is played a little early belongs to the bar that it is heard in
                kept = [
                    n for n in track.notes if not first <= int(n.time * GRID / quarter + 0.5) < last
                ]
                track.notes.clear()
                track.notes.extend(kept)
        for program, notes in by_program.items():
            track = _track(filled, program)
            for note in notes:
                time, length = (origin + note.start) * quarter, note.duration * quarter
                track.notes.append(
                    ScoreNote(round(time), max(1, round(length)), note.pitch, note.velocity)
                )
            track.notes.sort(key=lambda n: (n.time, n.pitch))
        return filled

    def name_sections(self, filled: Score, outline: Outline) -> None:
        """Name the sections that are asked of the hole; what stands keeps its own names.

        So where other instruments go on playing in the hole, markers that are there stay.
        """
        bar = self.material.bar
        beside = sliced(self.standing, *(at * bar for at in self.bars))
        if not outline.form or (len(beside) and len(filled.markers)):
            return

        quarter: int = filled.ticks_per_quarter

        def tick(at: int) -> int:
            return round((self.material.begin + at * bar) * quarter)

        sections = sections_of(outline, Sketch(), self.bars)
        name_sections(filled, [(tick(at), name) for at, name in sections], *map(tick, self.bars))


def _track(score: Score, program: int) -> Track:
    """The first track of an instrument, created if necessary."""
    for track in score.tracks:
        if (DRUMS if track.is_drum else track.program) == program:
            return track
    drums = program == DRUMS
    name = instrument_name(program).capitalize()
    score.tracks.append(Track(name=name, program=0 if drums else program, is_drum=drums))
    return score.tracks[-1]
