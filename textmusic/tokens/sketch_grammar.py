"""What may come next in a sketch: what was asked is forced, the rest open. See `score_grammar`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from textmusic.music.chords import Chord
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.sketch import (
    BeatChord,
    Row,
    Sketch,
    beats_per_bar,
    chord_token,
    decode_chord,
    encode_sketch,
    form_token,
)
from textmusic.music.theory import DRUMS, shift_of
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.vocabulary import SCORE

OPEN = AskedRow()


class SketchGrammar:
    """From `<|sketch|>` to `<|score|>`: a row for each bar of a window of at most 64 bars.

    Bars are counted from the first of the window. A bar that repeats another has its chords. Drums
    alone have none; of other pieces the first bar, an upbeat, may be without.
    """

    def __init__(
        self,
        layout: Layout,
        plan: Plan,
        *,
        asked: Sequence[AskedRow] = (),
        given: Sequence[Row] = (),
        most: int = 384,
        bare: bool = False,
        longest: int | None = None,
    ) -> None:
        """plan: of the window. asked: what is fixed, a row a bar, () for nothing. given: rows that
        are written already. most: ids that the whole sketch may take, if what is asked and given
        fits; where they run out, chords change with the bar line only. bare: any bar may be without
        a chord, as real ones that are silent are. longest: bars that a chord which is not asked may
        last; None: as many as it likes.
        """
        assert plan.bars is not None and plan.time_signature is not None
        self.layout, self.plan, self.count = layout, plan, plan.bars
        self.rows: list[Row] = list(given)
        self.done, self._bare, self._longest = False, bare, longest
        self._asked = list(asked) + [OPEN] * (self.count - len(asked))
        self._origins: list[int] = []  # the bar that each has its chords from, by what is asked
        for bar, row in enumerate(self._asked):
            copied = bar >= len(given) and row.like is not None and row.chords is None
            self._origins.append(self._origins[row.like or 0] if copied else bar)
        self._shift = shift_of(plan.key)
        self._beats = beats_per_bar(plan.time_signature)
        self._left = most - len(encode_sketch(Sketch(tuple(given)), plan.key))
        self._harmony = plan.programs != (DRUMS,)  # whether rows may have chords
        self.expects = "bar"  # or "form", "chord", "change": of chord, or the bar line
        self._forced: list[str] = []
        self._beat = 0

    @property
    def sketch(self) -> Sketch:
        """The rows so far; the last one may not be complete."""
        return Sketch(tuple(self.rows))

    @property
    def is_open(self) -> bool:
        """Whether the next id is a choice of form or harmony, and neither asked nor implied."""
        return not self._forced and self.expects != "bar"

    @property
    def open_chords(self) -> bool:
        """Whether some bar that is still to come has chords that are not asked."""
        asked = self._asked[len(self.rows) : self.count]
        origins = self._origins[len(self.rows) : self.count]
        return self._harmony and any(
            row.chords is None and origin >= len(self.rows)
            for row, origin in zip(asked, origins, strict=True)
        )

    def last_chords(self, count: int) -> list[str]:
        """The tokens of up to so many chords before the next id, the latest last."""
        found: list[str] = []
        for row in reversed(self.rows):
            found = [chord_token(chord, self._shift) for _, chord in row.chords] + found
            if len(found) >= count:
                break
        return found[-count:]

    @property
    def away(self) -> int:
        """Bars since one that had a chord on the tonic; since before the first, if none had."""
        tonic, here = self._shift % 12, len(self.rows) - 1
        for back, row in enumerate(reversed(self.rows)):
            if any(chord is not None and chord.root == tonic for _, chord in row.chords):
                return back
        return here + 1

    @property
    def comes_to(self) -> int | None:
        """The bar whose first chord, which is asked, comes next; None where something else does."""
        if self.expects == "chord" and self._forced and not self._row.chords:
            return len(self.rows) - 1
        return None

    def __copy__(self) -> SketchGrammar:
        """A copy that goes on by itself."""
        made = SketchGrammar.__new__(SketchGrammar)
        made.__dict__.update(self.__dict__)
        made.rows, made._forced = list(self.rows), list(self._forced)
        return made

    def allowed(self) -> Mask:
        """(M,) True where an id may come next."""
        mask = np.zeros(self.layout.size, dtype=np.bool_)
        if self._forced:
            mask[self.layout.index[self._forced[0]]] = True
        else:
            _MASKS[self.expects](self, mask)
        return mask

    def advance(self, music_id: int) -> None:
        """Take the id that was chosen."""
        token = self.layout.vocabulary[music_id]
        kind, _, value = token.partition("_")
        self._left -= 1
        if self._forced:
            self._forced.pop(0)
        if token == SCORE:
            self.done = True
        elif kind == "Bar":
            self.rows.append(Row())
            self.expects = "form"
            self._force_form()
        elif kind in ("New", "Like", "Vary"):
            if kind != "New":
                name = kind.lower()
                self._change(**{name: self.count - int(value)})
            self.expects = "chord" if self._harmony else "bar"
            self._force_chords()
        elif kind == "Beat":
            self._beat, self.expects = int(value), "chord"
        else:
            beat = self._beat if self._row.chords else 0
            self._change(chords=(*self._row.chords, (beat, decode_chord(token, self._shift))))
            self.expects = "change"

    @property
    def _row(self) -> Row:
        return self.rows[-1]

    def _change(self, **fields: object) -> None:
        self.rows[-1] = replace(self.rows[-1], **fields)  # type: ignore[arg-type]

    # What is asked --------------------------------------------------------------------------------

    def _force_form(self) -> None:
        asked = self._asked[len(self.rows) - 1]
        if asked.like is not None:
            same = self._has(asked.chords, self.rows[asked.like])
            row = Row(like=asked.like) if same else Row(vary=asked.like)
            self._forced = [form_token(row, self.count)]
        elif asked.new:
            self._forced = ["New"]

    def _has(self, chords: Sequence[BeatChord] | None, row: Row) -> bool:
        """Whether a row has the chords that are asked."""
        return not self._harmony or chords is None or tuple(chords) == row.chords

    def _force_chords(self) -> None:
        """Chords that are asked, or those of the bar that this one repeats."""
        if not self._harmony:
            return
        chords = self._asked[len(self.rows) - 1].chords
        if chords is None and self._row.like is not None:
            chords = self.rows[self._row.like].chords
        if chords is not None:
            self._forced = [*self._tokens(chords), self._line()]

    def _tokens(self, chords: Sequence[BeatChord]) -> list[str]:
        tokens = []
        for beat, chord in chords:
            tokens += ([f"Beat_{beat}"] if beat else []) + [chord_token(chord, self._shift)]
        return tokens

    # What may come --------------------------------------------------------------------------------

    def _line(self) -> str:
        """What ends a row."""
        left = self.count - len(self.rows)
        return f"Bar_{left}" if left else SCORE

    def _bar_mask(self, mask: Mask) -> None:
        mask[self.layout.index[self._line()]] = True

    def _form_mask(self, mask: Mask) -> None:
        mask[self.layout.index["New"]] = True
        earlier = len(self.rows) - 1
        first = self.layout.first("Vary")  # bar 0 is the highest number
        mask[first + self.count - earlier : first + self.count] = True
        chords, room, outstayed = self._asked[earlier].chords, self._room(), self._outstayed()
        for bar, row in enumerate(self.rows[:earlier]):
            more = 0 if chords else len(self._tokens(row.chords)) - 1
            if outstayed and {chord for _, chord in row.chords} == outstayed:
                continue
            if self._has(chords, row) and (more <= 0 or self._more(more) <= room):
                mask[self.layout.index[form_token(Row(like=bar), self.count)]] = True

    def _chord_mask(self, mask: Mask) -> None:
        mask[slice(*self.layout.spans["Chord"])] = True
        if self._row.chords:  # a change is to another one
            mask[self.layout.index[chord_token(self._row.chords[-1][1], self._shift)]] = False
        elif (
            self._bare or len(self.rows) == 1
        ):  # an upbeat may have none; a weak model would stay with that
            self._bar_mask(mask)
        if not self._row.chords:
            for chord in self._outstayed():
                mask[self.layout.index[chord_token(chord, self._shift)]] = False

    def _outstayed(self) -> set[Chord | None]:
        """The chord that has lasted as long as one may when a bar begins; or nothing."""
        before = self.rows[:-1]
        if self._longest is None or len(before) < self._longest:
            return set()
        last = {chord for row in before[-self._longest :] for _, chord in row.chords}
        whole = all(row.chords for row in before[-self._longest :])
        return last if whole and len(last) == 1 else set()

    def _change_mask(self, mask: Mask) -> None:
        self._bar_mask(mask)
        beat = self._row.chords[-1][0] + 1
        if beat < self._beats and self._more(2) <= self._room():
            first = self.layout.first("Beat")
            mask[first + beat - 1 : first + self._beats - 1] = True

    # How much room there is -----------------------------------------------------------------------

    def _more(self, ids: int) -> int:
        """What ids of this bar's chords take, said again where it is asked to be repeated."""
        return ids * (1 + self._origins[len(self.rows) :].count(self._origins[len(self.rows) - 1]))

    def _room(self) -> int:
        """Ids that are left for what may be and need not: behind this bar with its one chord."""
        left = self._left
        if self.expects == "form":
            left -= 2 if self._harmony else 1
        for bar in range(len(self.rows), self.count):
            origin = self._origins[bar]
            chords = self._asked[bar].chords or ()
            if origin != bar and origin < len(self.rows):
                chords = self.rows[origin].chords
            left -= 2 + max(len(self._tokens(chords)), 1) if self._harmony else 2
        return left


# What may come next, by what is expected.
_MASKS: dict[str, Callable[[SketchGrammar, Mask], None]] = {
    "bar": SketchGrammar._bar_mask,
    "form": SketchGrammar._form_mask,
    "chord": SketchGrammar._chord_mask,
    "change": SketchGrammar._change_mask,
}
