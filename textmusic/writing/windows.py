"""Where the windows of a piece begin and stop."""

from __future__ import annotations

from collections.abc import Sequence

from textmusic.music.outline import AskedRow
from textmusic.music.plan import COUNTED_BARS
from textmusic.music.sketch import Row, Sketch, encode_sketch
from textmusic.tokens.folding import Struck, spelt
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.tokens.vocabulary import FILL
from textmusic.writing.bar_notes import BarNotes

WINDOW_OVERLAP_BARS = 16  # bars at most that a new window repeats of the last one


def window_begin(notes: BarNotes, rows: Sequence[Row], bar: int, last: int, context: int) -> int:
    """Where a window that goes on with a bar begins: how far it looks back.

    last: the bar behind the last whose notes it shows. context: ids that can be looked back on.
    """
    base = bar
    while base > max(0, bar - WINDOW_OVERLAP_BARS):
        sketch = Sketch(tuple(rows[base - 1 : bar + 1]))
        shown = len(spelt(notes.between(base - 1, last), base - 1, last, bar + COUNTED_BARS))
        if shown > context // 4 or len(encode_sketch(sketch, None)) > context // 8:
            break
        base -= 1
    return base


def window_stop(
    rows: Sequence[Row],
    asked: Sequence[AskedRow],
    base: int,
    *,
    begun: int,
    bars: int,
    context: int,
) -> int:
    """Where a window that begins at a bar stops: its sketch takes a quarter of the context.

    rows, asked: of all bars, as far as they are known. begun: the bar that is being written, which
    has to be in it with the next one. bars: of the piece.
    """
    room = context // 4
    for bar in range(base, min(bars, base + COUNTED_BARS)):
        known = rows[bar : bar + 1] or asked[bar : bar + 1]
        room -= 2 + 2 * max(len(known[0].chords or ()) if known else 0, 1)
        if room < 0 and bar > begun + 1:
            return bar
    return min(bars, base + COUNTED_BARS)


def what_stands(
    notes: BarNotes, programs: Sequence[int] | None, score: ScoreGrammar, base: int, stop: int
) -> tuple[list[Struck], list[str]]:
    """The new notes that a window shows, and all tokens that stand in it before the next one.

    programs: of the instruments that are filled in; None where the whole score is written. base,
    stop: bars of the window.
    """
    bar, begun = score.bar, score.expects == "inside"
    if programs is None:
        shown = notes.between(base, bar + 1)
        return shown, spelt(shown, base, bar + 1, stop)
    there = notes.between(base, stop)
    shown = [note for note in there if begun and note.bar == bar and notes.is_new(note)]
    standing = [note for note in there if note not in shown]
    tokens = [*spelt(standing, base, stop, stop), FILL, *(f"Program_{p}" for p in programs)]
    return shown, tokens + spelt(shown, bar, bar + begun, stop)
