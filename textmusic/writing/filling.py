"""Bars and instruments written anew in a piece that stands, or added to it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.language.names import instrument_name
from textmusic.language.prompt import Prompt
from textmusic.music.joins import smoothest
from textmusic.music.measure import measure
from textmusic.music.notes import Note, Notes, columns_of, joined, notes_of, sliced, to_score
from textmusic.music.outline import (
    AskedRow,
    as_asked,
    as_heard,
    come_back,
    laid,
    moved,
    seen_from,
)
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.sketch import Outline, Row, Sketch, encode_sketch
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, NO_KEY, quarters_per_bar
from textmusic.music.usual import BASSES
from textmusic.result.account import account
from textmusic.result.generation import Generation
from textmusic.tokens.folding import Struck, spelt
from textmusic.tokens.sampling import MAX_SEED, drawn
from textmusic.writing.brief import Brief
from textmusic.writing.decoding import decode_rounds
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.take import Take
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.music.midi_events import MidiEvents
    from textmusic.result.change import Change
    from textmusic.writing.loaded_model import LoadedModel
    from textmusic.writing.text_to_music import OnBar

_NEXT_TRY = 0x9E37_79B9  # from a seed to that of another try: far from all that people choose
BARS_AT_ONCE = 16  # bars of a hole that are written in one go
# Facts that the piece has, whatever is said. Drums alone have no key: what is added brings its own.
_SETTLED = ("tempo", "time_signature", "bars", "key")


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written into a hole.

    notes: times in quarter notes from where the last stretch of one time signature begins. rows: of
    the sketch of that stretch. ids: that were written. nats: mean -log p of them.
    """

    seed: int
    notes: tuple[Note, ...]
    rows: tuple[Row, ...]
    ids: int
    nats: float


class Filling:
    """A piece with a hole, and what it takes to fill it; `write` does it."""

    def __init__(
        self,
        music: LoadedModel,
        piece: OpenPiece,
        brief: Brief,
        sketch: Sketch | None = None,
        *,
        tries: int = 1,
        melody: bool = False,
    ) -> None:
        """What is asked of the bars that are filled, as for `TextToMusic.fill`.

        tries: how often the hole is filled, where it has a border; of these the one is kept whose
        joins are more as those of real pieces, see `smoothest`. melody: see `Given`.

        Raises TextMusicError for what `LoadedModel.understand` refuses, and for a sketch of another
        length.
        """
        self._music, self._piece, self._sampling = music, piece, brief.sampling
        pitched = any(program != DRUMS for program in piece.programs)
        self._keyless = pitched and piece.material.plan.key == NO_KEY
        self._prompt, self._key = self._read(brief)
        self.seed = drawn(1) if brief.seed is None else brief.seed
        first, last = piece.bars
        if sketch is not None and len(sketch.rows) != last - first:
            raise TextMusicError(
                f"the sketch has {len(sketch.rows)} rows for {last - first} bars; give one row per"
                " bar."
            )
        self._sketch, self._melody = sketch, melody
        self.tries = tries if self._borders() and pitched else 1

    def _borders(self) -> list[float]:
        """Quarter notes at which the hole begins and ends, but for the ends of the piece."""
        material, (first, last) = self._piece.material, self._piece.bars
        inside = [at for at in (first, last) if 0 < at < material.bars]
        return [at * material.bar for at in inside]

    def _read(self, brief: Brief) -> tuple[Prompt, str | None]:
        """What is said of the hole; what the piece has settled already is not used, and said so.

        With the key of what is written; None leaves it to the model.
        """
        bars = self._piece.bars[1] - self._piece.bars[0]
        settled = replace(self._piece.material.plan, bars=bars)
        names: tuple[str, ...] = _SETTLED
        if self._keyless:
            settled, names = replace(settled, key=None), tuple(n for n in _SETTLED if n != "key")
        standing = replace(settled, bars=self._piece.material.plan.bars, tempo=None)
        prompt = brief.read(self._music, bars, self._piece.metre, standing)
        unused = list(prompt.unused)
        for name, value in prompt.asked.known():
            if name in names and value != getattr(settled, name):
                unused.append(f"'{value}': the piece keeps its own {name.replace('_', ' ')}")
        others = {*(prompt.asked.programs or ())} - {*self._piece.programs}
        unused += (
            f"'{instrument_name(program)}': only the chosen instruments are written"
            for program in sorted(others)
        )
        asked = replace(prompt.asked, **dict.fromkeys((*_SETTLED, "programs")))
        key = prompt.asked.key if self._keyless else settled.key
        return replace(prompt, asked=asked, seconds=None, unused=tuple(unused)), key

    def write(self, on_bar: OnBar | None = None) -> Generation:
        """The piece with its hole filled; what is not filled is note for note as it was."""
        (filled,) = self.fill([self.seed], on_bar)
        return self.finished(filled)

    def finished(self, filled: Filled) -> Generation:
        """The piece with what was written in its hole."""
        score = self._piece.filled(filled.notes)
        if self._sketch is None:
            self._piece.name_sections(score, self._prompt.outline)
        return self.generation(filled, score)

    def fill(self, seeds: Sequence[int], on_bar: OnBar | None = None) -> list[Filled]:
        """What is written into the hole with each of some seeds, side by side."""
        first, last = self._piece.bars
        total = (last - first) * len(seeds) * self.tries
        return decode_rounds(self._music.engine, self.writing(seeds), total, on_bar)

    def writing(self, seeds: Sequence[int]) -> Generator[list[Take], None, list[Filled]]:
        """`fill` for whoever decodes by themselves: the takes that it yields are to be written."""
        going = {
            (seed, turn): self._parts((seed + turn * _NEXT_TRY) % (MAX_SEED + 1))
            for seed in seeds
            for turn in range(self.tries)
        }
        done: dict[tuple[int, int], Filled] = {}
        while going:
            takes = []
            for each, parts in list(going.items()):
                try:
                    takes.append(next(parts))
                except StopIteration as end:
                    done[each] = end.value
                    del going[each]
            if takes:
                yield takes
        kept = []
        for seed in seeds:
            filled = [done[seed, turn] for turn in range(self.tries)]
            kept.append(replace(self._smoothest(filled), seed=seed))
        return kept

    def _smoothest(self, filled: Sequence[Filled]) -> Filled:
        if len(filled) == 1:
            return filled[0]
        whole = [joined(self._piece.standing, columns_of(one.notes), 0.0) for one in filled]
        first, last = (at * self._piece.material.bar for at in self._piece.bars)
        return filled[smoothest(whole, self._borders(), (first, last))]

    def generation(
        self, filled: Filled, score: Score, *, events: MidiEvents | None = None,
        change: Change | None = None, remarks: Sequence[str] = (),
    ) -> Generation:  # fmt: skip
        """A piece whose hole is filled, with its report.

        score: all of it. events, change, remarks: see `result.generation.account`; `change` says
        how the seed gives it again.
        """
        first, last = self._piece.bars
        columns, material = notes_of(score), self._piece.material
        heard = material.heard(score, columns)
        key = heard.key if self._keyless else material.plan.key
        plan = replace(heard, key=key, begin=True, end=True)
        before = self._piece.before
        shown = Sketch(filled.rows).behind(before).rows
        return account(
            self._prompt, plan, score, filled.seed, self._music.name,
            sketch=Sketch((*([Row()] * before), *shown)), ids=filled.ids, nats=filled.nats,
            sampling=self._sampling if change else None,
            new_bars=(before + first, before + last), notes=columns, measured=heard,
            kept=material.kept(columns, filled.rows, (first, last)), events=events, change=change,
            remarks=(*remarks, *self._prompt.read_as, *material.remarks),
        ).compared(self._music.known, columns_of(filled.notes).sorted())  # fmt: skip

    # A part of the hole, in a window around it --------------------------------------------------

    def _parts(self, seed: int) -> Generator[Take, None, Filled]:
        """The takes that fill the hole, one after the other; each is written when it is resumed."""
        first, last = self._piece.bars
        asked = self._asked_rows()
        notes = self._piece.standing
        rows = list(self._piece.sketch().rows)
        new: list[Note] = []
        ids, nats = 0, 0.0
        begin, key = first, self._key
        while begin < last:
            end = self._part_end(notes, rows, begin, last)
            a, take = self._take(notes, rows, asked, begin, end, seed, key)
            yield take
            key = take.plan.key  # of all parts, if it was open
            bar = quarters_per_bar(self._piece.metre)
            written = [
                note._replace(start=note.start + begin * bar)
                for note in take.notes.sounding(take.plan.bars or 0)
            ]
            written = _single(written, BASSES.intersection(self._piece.added))
            rows[begin:end] = self._written_rows(take, rows, asked, a, begin, end)
            new += written
            ids, nats = ids + take.count, nats + take.likelihood * take.count
            notes, begin = joined(notes, columns_of(written), 0.0), end
        return Filled(seed, tuple(new), tuple(rows), ids, nats / max(ids, 1))

    def _take(
        self,
        notes: Notes,
        rows: Sequence[Row],
        asked: Sequence[AskedRow] | None,
        begin: int,
        end: int,
        seed: int,
        key: str | None,
    ) -> tuple[int, Take]:
        """The first bar of a window around a part of the hole, and the take that writes it."""
        a, b = self._window(notes, rows, begin, end)
        bar = quarters_per_bar(self._piece.metre)
        part = sliced(notes, a * bar, b * bar)
        plan = replace(self._plan(part, a, b), key=key)
        known = Sketch(tuple(rows)).cut(a, b).rows
        open_rows = asked is not None or self._sketch is not None or self._harmony_is_open(part, a)
        given = Given(
            tuple(self._struck(part, plan)),
            known[: begin - a] if open_rows else known,
            (begin - a, end - a),
            self._piece.programs,
            self._melody,
        )
        wanted: list[AskedRow] = []
        if open_rows:
            said = [AskedRow()] * (end - begin) if asked is None else asked[begin:end]
            wanted = [*map(as_heard, known[: begin - a])]
            wanted += (seen_from(row, rows, a) for row in said)
            wanted += map(as_heard, known[end - a :])
        prompt = replace(self._prompt, asked=plan, outline=Outline())
        return a, self._music.take(prompt, seed, self._sampling, given=given, asked_rows=wanted)

    def _written_rows(
        self,
        take: Take,
        rows: Sequence[Row],
        asked: Sequence[AskedRow] | None,
        a: int,
        begin: int,
        end: int,
    ) -> Sequence[Row]:
        """The rows of a part of the hole as a take has decided them.

        rows: of all bars, as they were. a: where the window begins.
        """
        after = take.sketch.behind(a).rows[begin - a : end - a]
        if asked is None:
            return after
        return [
            row if said.like is None or said.like >= a else come_back(row, said.like, rows)
            for row, said in zip(after, asked[begin:end], strict=True)
        ]

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
        room = context // (12 if self._music.tokenizer.interleaved else 6)  # it is said again there
        return shown <= context // 3 and (len(sketch) <= room or b - a == 1)

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
            plan, programs=tuple(sorted(programs)), tempo=material.tempo,
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
            rows = laid(outline, self._key, last - first, self._piece.metre)
        else:
            return None
        return [*([AskedRow()] * first), *moved(rows, -first)]


def _single(notes: Sequence[Note], programs: Collection[int]) -> list[Note]:
    """The notes without all but the lowest that some instruments strike at once.

    A bass that is added to a few high voices would else play their missing chords as well.
    """
    lowest: dict[tuple[int, float], int] = {}
    for note in notes:
        if note.program in programs:
            key = note.program, note.start
            lowest[key] = min(note.pitch, lowest.get(key, note.pitch))
    return [n for n in notes if lowest.get((n.program, n.start), n.pitch) == n.pitch]
