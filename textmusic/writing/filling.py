"""Bars and instruments written anew in a piece that stands, or added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.measure import measure
from textmusic.music.notes import Note, Notes, columns_of, joined, notes_of, sliced, to_score
from textmusic.music.outline import AskedRow, as_asked, as_heard, laid, moved, seen_from
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.sketch import Outline, Row, Sketch, encode_sketch
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, quarters_per_bar
from textmusic.result.generation import Generation, account
from textmusic.tokens.folding import Struck, spelt
from textmusic.tokens.sampling import drawn
from textmusic.writing.brief import Brief
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from textmusic.writing.loaded_model import LoadedModel
    from textmusic.writing.text_to_music import OnBar

BARS_AT_ONCE = 16  # bars of a hole that are written in one go
_SETTLED = ("tempo", "time_signature", "bars", "key")  # facts that the piece has, whatever is said


class Filling:
    """A piece with a hole, and what it takes to fill it; `write` does it."""

    def __init__(
        self,
        music: LoadedModel,
        piece: OpenPiece,
        brief: Brief,
        sketch: Sketch | None = None,
    ) -> None:
        """What is asked of the bars that are filled, as for `TextToMusic.fill`.

        Raises TextMusicError for what `LoadedModel.understand` refuses, and for a sketch of another
        length.
        """
        self._music, self._piece, self._sampling = music, piece, brief.sampling
        self._prompt = self._read(brief)
        self._seed = drawn(1) if brief.seed is None else brief.seed
        first, last = piece.bars
        if sketch is not None and len(sketch.rows) != last - first:
            raise TextMusicError(
                f"the sketch has {len(sketch.rows)} rows for {last - first} bars; give one row per"
                " bar."
            )
        self._sketch = sketch

    def _read(self, brief: Brief) -> Prompt:
        """What is said of the hole; what the piece has settled already is not used, and said so."""
        bars = self._piece.bars[1] - self._piece.bars[0]
        prompt = brief.read(self._music, bars, self._piece.metre)
        settled, unused = replace(self._piece.material.plan, bars=bars), list(prompt.unused)
        for name, value in prompt.asked.known():
            if name in _SETTLED and value != getattr(settled, name):
                unused.append(f"'{value}': the piece keeps its own {name.replace('_', ' ')}")
        asked = replace(prompt.asked, **dict.fromkeys((*_SETTLED, "programs")))
        return replace(prompt, asked=asked, seconds=None, unused=tuple(unused))

    def write(self, on_bar: OnBar | None = None) -> Generation:
        """The piece with its hole filled; what is not filled is note for note as it was."""
        first, last = self._piece.bars
        asked = self._asked_rows()
        notes = self._piece.standing
        rows = list(self._piece.sketch().rows)
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
            notes, begin = joined(notes, columns_of(written), 0.0), end
        filled = self._piece.filled(new)
        if self._sketch is None:
            self._piece.name_sections(filled, self._prompt.outline)
        columns = notes_of(filled)
        heard = measure(filled, notes=columns)
        plan = replace(heard, key=self._piece.material.plan.key, begin=True, end=True)
        before = self._piece.before
        shown = Sketch(tuple(rows)).behind(before).rows
        return account(
            self._prompt, plan, filled, self._seed, self._music.name,
            sketch=Sketch((*([Row()] * before), *shown)), ids=ids, nats=nats / max(ids, 1),
            new_bars=(before + first, before + last), notes=columns,
            remarks=self._piece.material.remarks,
        ).compared(self._music.known, columns_of(new).sorted())  # fmt: skip

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
        bar = quarters_per_bar(self._piece.metre)
        part = sliced(notes, a * bar, b * bar)
        plan = self._plan(part, a, b)
        known = Sketch(tuple(rows)).cut(a, b).rows
        open_rows = asked is not None or self._sketch is not None or self._harmony_is_open(part, a)
        given = Given(
            tuple(self._struck(part, plan)),
            known[: begin - a] if open_rows else known,
            (begin - a, end - a),
            self._piece.programs,
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
                f"bar {self._piece.before + begin + 1} has too many notes to add to; choose other"
                " bars, or rewrite more of its instruments."
            )
        return end

    def _fits(self, notes: Notes, rows: Sequence[Row], a: int, b: int) -> bool:
        """Whether bars can be read together: half the context, a third of that for the sketch."""
        bar, context = quarters_per_bar(self._piece.metre), self._music.engine.context
        part = sliced(notes, a * bar, b * bar)
        if b - a > COUNTED_BARS or len(part) > context // 3:
            return False
        plan = replace(self._piece.material.plan, bars=b - a)
        struck = self._struck(part, plan)
        sketch = encode_sketch(Sketch(tuple(rows)).cut(a, b), plan.key)
        shown = len(spelt(struck, 0, b - a, b - a))
        return shown <= context // 3 and (len(sketch) <= context // 6 or b - a == 1)

    def _window(self, notes: Notes, rows: Sequence[Row], begin: int, end: int) -> tuple[int, int]:
        """Bars around a part of the hole that are read: as many as fit."""
        a, b, bars = begin, end, self._piece.material.bars
        grows = True
        while grows:
            grows = False
            for low, high in ((a - 1, b), (a, b + 1)):
                low, high = min(a, low), max(b, high)
                if low >= 0 and high <= bars and self._fits(notes, rows, low, high):
                    a, b, grows = low, high, True
        return a, b

    def _plan(self, part: Notes, a: int, b: int) -> Plan:
        """The plan of a window, what is to be filled included."""
        material = self._piece.material.plan
        score = to_score(part, self._piece.metre, material.tempo or DEFAULT_TEMPO)
        heard = measure(score)
        programs = {int(p) for p in part.program} | set(self._piece.programs)
        levels = replace(heard, valence=heard.valence or 3, arousal=heard.arousal or 3)
        plan = self._prompt.asked.over(levels)
        return replace(
            plan, programs=tuple(sorted(programs)), key=material.key, tempo=material.tempo,
            time_signature=self._piece.metre, bars=b - a, begin=a == 0 and not self._piece.before,
            end=b == self._piece.material.bars,
        )  # fmt: skip

    def _struck(self, part: Notes, plan: Plan) -> list[Struck]:
        if not len(part):
            return []
        score = to_score(part, self._piece.metre, plan.tempo or DEFAULT_TEMPO)
        return self._music.tokenizer.struck(self._music.tokenizer.encode_score(score, plan))

    def _harmony_is_open(self, part: Notes, a: int) -> bool:
        """Whether nothing pitched stands in the hole, so that its chords have to be chosen."""
        bar = quarters_per_bar(self._piece.metre)
        first, last = self._piece.bars
        inside = sliced(part, (first - a) * bar, (last - a) * bar)
        return not bool((inside.program != DRUMS).any())

    def _asked_rows(self) -> list[AskedRow] | None:
        """What is asked of the rows of all bars; None where nothing is."""
        (first, last), outline = self._piece.bars, self._prompt.outline
        if self._sketch is not None:
            rows = [as_asked(row, self._sketch) for row in self._sketch.rows]
        elif outline.known:
            rows = laid(outline, self._piece.material.plan.key, last - first, self._piece.metre)
        else:
            return None
        return [*([AskedRow()] * first), *moved(rows, -first)]
