"""Bars and instruments written anew in a piece that stands, or added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from symusic import Note as ScoreNote
from symusic import Score, Track

from textmusic.errors import TextMusicError
from textmusic.language.controls import programs_of
from textmusic.language.names import instrument_name
from textmusic.language.prompt import Prompt
from textmusic.music.markers import name_sections
from textmusic.music.material import Material, material_of
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import GRID, Note, Notes, sliced, to_score
from textmusic.music.outline import AskedRow, as_asked, as_heard, laid, moved, seen_from
from textmusic.music.plan import COUNTED_BARS, MAX_PROGRAMS, Plan
from textmusic.music.sketch import Outline, Row, Sketch, encode_sketch
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, quarters_per_bar
from textmusic.result.generation import Generation, account, sections_of
from textmusic.tokens.folding import Struck, spelt
from textmusic.tokens.layout import Mask
from textmusic.tokens.sampling import Sampling, drawn
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from textmusic.writing.text_to_music import OnBar, TextToMusic

BARS_AT_ONCE = 16  # bars of a hole that are written in one go
_KEPT = ("tempo", "time_signature", "bars", "key")  # facts that the piece has, whatever is said


@dataclass(frozen=True, slots=True)
class Rectangle:
    """What is to be written. bars: the first (from 0), and the one behind the last."""

    bars: tuple[int, int]
    programs: tuple[int, ...]


class Filling:
    """A piece with a hole, and what it takes to fill it; `write` does it."""

    def __init__(
        self,
        music: TextToMusic,
        score: Score,
        *,
        bars: tuple[int, int] | None = None,
        instruments: Sequence[str | int] = (),
        add: Sequence[str | int] = (),
        text: str = "",
        controls: Plan = Plan(),
        outline: Outline = Outline(),
        sketch: Sketch | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
    ) -> None:
        """As `TextToMusic.fill`, which see; raises what it raises."""
        self._music, self._score, self._sampling = music, score, sampling
        self._material = material = material_of(score)
        self._before = _bars_before(score, material)
        heard = tuple(sorted({int(p) for p in material.tail(material.bars).program}))
        self.hole = self._hole(bars, heard, instruments, add)
        self._metre = material.plan.time_signature or "4/4"
        self._prompt = self._read(text, controls, outline)
        self._seed = drawn(1) if seed is None else seed
        first, last = self.hole.bars
        if sketch is not None and len(sketch.rows) != last - first:
            raise TextMusicError(
                f"the sketch has {len(sketch.rows)} rows for {last - first} bars; give one row per"
                " bar."
            )
        self._sketch = sketch

    def _hole(
        self,
        bars: tuple[int, int] | None,
        heard: tuple[int, ...],
        instruments: Sequence[str | int],
        add: Sequence[str | int],
    ) -> Rectangle:
        total = self._before + self._material.bars
        first, last = bars or (self._before + 1, total)
        if not 1 <= first <= last <= total:
            raise TextMusicError(
                f"bars {first} to {last} do not exist; choose from bars 1 to {total}."
            )
        if first <= self._before:
            raise TextMusicError(
                f"bar {first} is before the last change of time signature; choose bars from"
                f" {self._before + 1} on."
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
        if set(programs) >= set(heard) and last - first + 1 == self._material.bars:
            raise TextMusicError(
                "this would rewrite the whole piece; choose fewer bars or instruments, or generate"
                " a new piece."
            )
        return Rectangle((first - 1 - self._before, last - self._before), programs)

    def _read(self, text: str, controls: Plan, outline: Outline) -> Prompt:
        """What is said of the hole; what the piece has settled already is not used, and said so."""
        bars = self.hole.bars[1] - self.hole.bars[0]
        prompt = self._music.understand(
            text, controls=controls, outline=outline, room=(bars, self._metre)
        )
        settled, unused = replace(self._material.plan, bars=bars), list(prompt.unused)
        for name, value in prompt.asked.known():
            if name in _KEPT and value != getattr(settled, name):
                unused.append(f"'{value}': the piece keeps its own {name.replace('_', ' ')}")
        asked = replace(prompt.asked, **dict.fromkeys((*_KEPT, "programs")))
        return replace(prompt, asked=asked, seconds=None, unused=tuple(unused))

    def write(self, on_bar: OnBar | None = None) -> Generation:
        """The piece with its hole filled; what is not filled is note for note as it was."""
        first, last = self.hole.bars
        asked = self._asked_rows()
        notes = self._standing()
        rows = list(self._heard(notes).rows)
        new: list[Note] = []
        ids, nats = 0, 0.0
        begin = first
        while begin < last:
            end = self._part_end(notes, rows, begin, last)
            written, rows[begin:end], count, likelihood = self._part(
                notes, rows, asked, begin, end, (last - first, begin - first), on_bar
            )
            new += written
            ids, nats = ids + count, nats + likelihood * count
            notes, begin = _with(notes, written), end
        filled = self._filled(new)
        self._name_sections(filled)
        plan = replace(measure(filled), key=self._material.plan.key, begin=True, end=True)
        before = self._before
        shown = Sketch(tuple(rows)).behind(before).rows
        return account(
            self._prompt, plan, filled, self._seed, self._music.name,
            sketch=Sketch((*([Row()] * before), *shown)), ids=ids, nats=nats / max(ids, 1),
            new_bars=(before + first, before + last), remarks=self._material.remarks,
        )  # fmt: skip

    # A part of the hole, in a window around it --------------------------------------------------

    def _part(
        self,
        notes: Notes,
        rows: Sequence[Row],
        asked: Sequence[AskedRow] | None,
        begin: int,
        end: int,
        progress: tuple[int, int],
        on_bar: OnBar | None,
    ) -> tuple[list[Note], list[Row], int, float]:
        """New notes (quarters from the first bar), their rows, how many ids, and nats an id."""
        music = self._music
        a, b = self._window(notes, rows, begin, end)
        bar = quarters_per_bar(self._metre)
        part = sliced(notes, a * bar, b * bar)
        plan = self._plan(part, a, b)
        known = Sketch(tuple(rows)).cut(a, b).rows
        open_rows = asked is not None or self._sketch is not None or self._harmony_is_open(part, a)
        given = Given(
            tuple(self._struck(part, plan)),
            known[: begin - a] if open_rows else known,
            (begin - a, end - a),
            self.hole.programs,
        )
        wanted: list[AskedRow] | None = None
        if open_rows:
            said = [AskedRow()] * (end - begin) if asked is None else asked[begin:end]
            wanted = [*map(as_heard, known[: begin - a])]
            wanted += (seen_from(row, rows, a) for row in said)
            wanted += map(as_heard, known[end - a :])
        prompt = replace(self._prompt, asked=plan, outline=Outline())
        take = music.take(prompt, self._seed, self._sampling, given=given, asked_rows=wanted or [])
        found: list[Note] = []
        for _, done in decode(music.engine, in_turn([take]), 1):
            found += (note._replace(start=note.start + begin * bar) for note in done.notes)
            if on_bar:
                on_bar(progress[1] + done.index + 1, progress[0])
        after = take.sketch.behind(a).rows[begin - a : end - a]
        if asked is not None:  # a window can't name what lies before it
            after = tuple(
                row if said.like is None or said.like >= a else replace(row, like=said.like)
                for row, said in zip(after, asked[begin:end], strict=True)
            )
        return found, list(after), take.count, take.likelihood

    def _part_end(self, notes: Notes, rows: Sequence[Row], begin: int, last: int) -> int:
        """The bar behind the last one that is written in one go with a bar."""
        end = begin
        while end < min(begin + BARS_AT_ONCE, last) and self._fits(notes, rows, begin, end + 1):
            end += 1
        if end == begin:
            raise TextMusicError(
                f"bar {self._before + begin + 1} has too many notes to add to; choose other bars,"
                " or rewrite more of its instruments."
            )
        return end

    def _fits(self, notes: Notes, rows: Sequence[Row], a: int, b: int) -> bool:
        """Whether bars can be read together: half the context, a third of that for the sketch."""
        bar, context = quarters_per_bar(self._metre), self._music.engine.context
        part = sliced(notes, a * bar, b * bar)
        if b - a > COUNTED_BARS or len(part) > context // 3:
            return False
        plan = replace(self._material.plan, bars=b - a)
        struck = self._struck(part, plan)
        sketch = encode_sketch(Sketch(tuple(rows)).cut(a, b), plan.key)
        shown = len(spelt(struck, 0, b - a, b - a))
        return shown <= context // 3 and (len(sketch) <= context // 6 or b - a == 1)

    def _window(self, notes: Notes, rows: Sequence[Row], begin: int, end: int) -> tuple[int, int]:
        """Bars around a part of the hole that are read: as many as fit."""
        a, b = begin, end
        grows = True
        while grows:
            grows = False
            for low, high in ((a - 1, b), (a, b + 1)):
                low, high = min(a, low), max(b, high)
                if low >= 0 and high <= self._material.bars and self._fits(notes, rows, low, high):
                    a, b, grows = low, high, True
        return a, b

    def _plan(self, part: Notes, a: int, b: int) -> Plan:
        """The plan of a window, what is to be filled included."""
        material = self._material.plan
        score = to_score(part, self._metre, material.tempo or DEFAULT_TEMPO)
        heard = measure(score)
        programs = {int(p) for p in part.program} | set(self.hole.programs)
        levels = replace(heard, valence=heard.valence or 3, arousal=heard.arousal or 3)
        plan = self._prompt.asked.over(levels)
        return replace(
            plan, programs=tuple(sorted(programs)), key=material.key, tempo=material.tempo,
            time_signature=self._metre, bars=b - a, begin=a == 0 and not self._before,
            end=b == self._material.bars,
        )  # fmt: skip

    def _struck(self, part: Notes, plan: Plan) -> list[Struck]:
        if not len(part):
            return []
        score = to_score(part, self._metre, plan.tempo or DEFAULT_TEMPO)
        return self._music.tokenizer.struck(self._music.tokenizer.encode_score(score, plan))

    def _harmony_is_open(self, part: Notes, a: int) -> bool:
        """Whether nothing pitched stands in the hole, so that its chords have to be chosen."""
        bar = quarters_per_bar(self._metre)
        first, last = self.hole.bars
        inside = sliced(part, (first - a) * bar, (last - a) * bar)
        return not bool((inside.program != DRUMS).any())

    # The piece ----------------------------------------------------------------------------------

    def _asked_rows(self) -> list[AskedRow] | None:
        """What is asked of the rows of all bars; None where nothing is."""
        (first, last), outline = self.hole.bars, self._prompt.outline
        if self._sketch is not None:
            rows = [as_asked(row, self._sketch) for row in self._sketch.rows]
        elif outline.known:
            rows = laid(outline, self._material.plan.key, last - first, self._metre)
        else:
            return None
        return [*([AskedRow()] * first), *moved(rows, -first)]

    def _standing(self) -> Notes:
        """The notes outside the hole, from the first bar of the last stretch on."""
        notes = self._material.tail(self._material.bars)
        bar = quarters_per_bar(self._metre)
        first, last = (at * bar for at in self.hole.bars)
        out = (notes.start >= first - 1e-6) & (notes.start < last - 1e-6)
        for program in self.hole.programs:
            keep = ~(out & (notes.program == program))
            notes, out = _chosen(notes, keep), out[keep]
        return notes

    def _heard(self, notes: Notes) -> Sketch:
        plan = self._material.plan
        if not len(notes):
            return Sketch(tuple(Row() for _ in range(self._material.bars)))
        return measure_sketch(notes, self._metre, self._material.bars, plan.key)

    def _filled(self, new: Sequence[Note]) -> Score:
        """A copy of the score whose hole holds the new notes; nothing else in it has changed."""
        filled = self._score.copy()
        quarter, bar = filled.ticks_per_quarter, quarters_per_bar(self._metre)
        origin = self._material.begin
        first, last = (round((origin + at * bar) * GRID) for at in self.hole.bars)
        by_program: dict[int, list[Note]] = {program: [] for program in self.hole.programs}
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

    def _name_sections(self, filled: Score) -> None:
        """Name the sections that are asked of the hole; what stands keeps its own names.

        So where other instruments go on playing in the hole, markers that are there stay.
        """
        outline, bar = self._prompt.outline, self._material.bar
        standing = sliced(self._standing(), *(at * bar for at in self.hole.bars))
        if not outline.form or self._sketch is not None or (len(standing) and len(filled.markers)):
            return

        quarter: int = filled.ticks_per_quarter

        def tick(at: int) -> int:
            return round((self._material.begin + at * bar) * quarter)

        sections = sections_of(outline, Sketch(), self.hole.bars)
        name_sections(
            filled, [(tick(at), name) for at, name in sections], *map(tick, self.hole.bars)
        )


def _track(score: Score, program: int) -> Track:
    """The first track of an instrument, created if necessary."""
    for track in score.tracks:
        if (DRUMS if track.is_drum else track.program) == program:
            return track
    drums = program == DRUMS
    name = instrument_name(program).capitalize()
    score.tracks.append(Track(name=name, program=0 if drums else program, is_drum=drums))
    return score.tracks[-1]


def _bars_before(score: Score, material: Material) -> int:
    """Bars before the last stretch of one time signature."""
    changes = [
        (mark.time / score.ticks_per_quarter, mark.numerator, mark.denominator)
        for mark in score.time_signatures
    ] or [(0.0, 4, 4)]
    bars = 0
    for (at, top, bottom), after in zip(changes, [*changes[1:], None], strict=True):
        if at >= material.begin - 1e-6:
            break
        end = material.begin if after is None else min(after[0], material.begin)
        bars += ceil((end - at) / (top * 4 / bottom) - 1e-6)
    return bars


def _chosen(notes: Notes, keep: Mask) -> Notes:
    return Notes(
        notes.start[keep], notes.duration[keep], notes.pitch[keep], notes.velocity[keep],
        notes.program[keep],
    )  # fmt: skip


def _with(notes: Notes, new: Sequence[Note]) -> Notes:
    """Notes and new ones, in order."""
    columns = list(zip(*new, strict=True)) or [()] * 5
    start, duration, pitch, velocity, program = (
        np.concatenate([old, np.array(more, dtype=old.dtype)])
        for old, more in zip(
            (notes.start, notes.duration, notes.pitch, notes.velocity, notes.program),
            columns,
            strict=True,
        )
    )
    order = np.lexsort((pitch, program, start))
    return Notes(start[order], duration[order], pitch[order], velocity[order], program[order])
