"""A piece as the page's desk shows it: plain values, which the browser draws."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textmusic.drawing.annotations import names_over
from textmusic.drawing.piano_roll import bar_starts, colours_of, facts_of
from textmusic.errors import TextMusicError
from textmusic.language.names import drum_text, instrument_name, section_name
from textmusic.music.chords import chord_name
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import Notes, notes_of
from textmusic.music.percussion import kit_in
from textmusic.music.sketch import Sketch
from textmusic.music.tempo_map import TempoMap
from textmusic.music.theory import (
    DRUMS,
    MAJOR_SCALE,
    NATURAL_MINOR_SCALE,
    NO_KEY,
    is_minor,
    tonic,
)
from textmusic.page.piece import Piece
from textmusic.page.wording import say
from textmusic.system.values import text, whole

if TYPE_CHECKING:
    from symusic import Score

View = Mapping[str, Any]
LONGEST_CHORD = 12  # characters
_BLACK_KEYS = (1, 3, 6, 8, 10)


def view_of(
    score: Score, notes: Notes, key: str | None, sketch: Sketch,
    sections: Sequence[tuple[int, str]], language: str, *, bars: int = 1,
    tempi: TempoMap | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """What the desk needs to draw a score.

    Args:
        score: in ticks.
        notes: those of the score.
        key: what sounds; its scale is shaded.
        sketch, sections: whose names stand over the bars.
        bars: room for so many at least.
        tempi: what is heard, where that is not what is written.
        more: fields that are not of the score (see `shown` and `growing`).

    Returns:
        bars (where each begins, and where the last ends, in quarter notes), tempi ([quarter note,
        second] wherever the tempo changes, and at the end), parts, notes ([part, start, length,
        pitch, velocity] in quarter notes), chords and sections ([quarter note, name]), scale
        (semitones from the tonic), tonic (pitch class, or null), kit (names of drums by pitch),
        facts (a line), spoken (what a screen reader says).
    """
    key = None if key == NO_KEY else key
    end = float(notes.end.max()) if len(notes) else 0.0
    lines = tuple(bar_starts(score, max(end, 1e-3), bars))
    starts = [start for start, _ in lines]
    over = names_over(lines, sketch, sections, key, 1.0)
    tempi = tempi or TempoMap.of_score(score)
    colours = colours_of(notes)
    programs = list(colours)
    facts = facts_of(score, len(lines) - 1, key, language)
    names = [_part_name(program, language) for program in programs]
    drums = sorted({int(p) for p in notes.pitch[notes.program == DRUMS]})
    drum_kit = kit_in(score)
    scale: Sequence[int] = _BLACK_KEYS
    if key:
        scale = NATURAL_MINOR_SCALE if is_minor(key) else MAJOR_SCALE
    return {
        "bars": starts,
        "tempi": [
            [round(quarter, 4), round(tempi.seconds(quarter), 4)]
            for quarter in (*(q for q in tempi.starts if q < starts[-1]), starts[-1])
        ],
        "parts": [
            {"key": program, "name": name, "colour": colours[program], "drums": program == DRUMS}
            for program, name in zip(programs, names, strict=True)
        ],
        "notes": _rows(notes, programs),
        "chords": [[name.start, name.text] for name in over.chords],
        "sections": [[start, section_name(name, language)] for start, _, name in over.sections],
        "scale": list(scale),
        "tonic": tonic(key) if key else None,
        "kit": {str(pitch): drum_text(pitch, drum_kit, language) for pitch in drums},
        "facts": facts,
        "spoken": say("spoken", language).format(facts, say("comma", language).join(names)),
        "writing": "", "busy": None, "grown_from": "", "stopped": False, "fresh": None,
        "from": None, "done": len(lines) - 1, "total": len(lines) - 1, "left": None,
        "undo": False, "redo": False, **more,
    }  # fmt: skip


def shown(piece: Piece, language: str, **more: Any) -> dict[str, Any]:
    """A finished piece; the key is what sounds. more: as for `view_of`."""
    made, report = piece.generation, piece.report
    sketch, plan = made.sketch, report.measured
    if (
        not any(row.chords for row in sketch.rows)
        and plan.bars
        and len(set(_metres(made.score))) < 2
    ):
        sketch = measure_sketch(made.columns, plan.time_signature or "4/4", plan.bars, plan.key)
    fresh = list(report.new_bars) if report.new_bars else None
    starts = [
        start for start, _ in bar_starts(made.score, float(made.columns.end.max(initial=0.0)), 1)
    ]
    begin: dict[str, Any] = {"from": starts[fresh[0]] if fresh and fresh[0] < len(starts) else None}
    return view_of(
        made.score, made.columns, plan.key, sketch, made.sections, language,
        tempi=TempoMap.of_score(made.played), token=piece.token, title=piece.title,
        audio=f"piece/{piece.token}/{piece.stem}.mp3",
        stopped=piece.stopped, fresh=fresh,
        **begin | more,
    )  # fmt: skip


def with_chord(view: View, index: object, name: object) -> tuple[tuple[int, int], str]:
    """Which bars have to be written anew for a chord to be another, and their chords in words.

    view: of the piece. index: of the chord in it. name: such as "Dm7". Bars are counted from 1; the
    last one belongs to them. Raises TextMusicError for a chord that is not there.
    """
    starts, chords = view["bars"], view["chords"]
    place = whole("chord", index, 0, max(len(chords) - 1, 0))
    said = text("chord", name, LONGEST_CHORD).strip()
    if not chords or not said or any(mark in said for mark in "| \n"):
        raise TextMusicError("a chord is one name, such as Dm7; type one over the old name.")
    names = [[start, old] for start, old in chords]
    names[place][1] = said
    begin = names[place][0]
    stop = names[place + 1][0] if place + 1 < len(names) else starts[-1]
    first = bisect_right(starts, begin + 1e-6) - 1
    last = bisect_right(starts, stop - 1e-6) - 1
    return (first + 1, last + 1), chords_over(starts, names, first, last + 1)


def chords_over(
    starts: Sequence[float], names: Sequence[Sequence[Any]], first: int, stop: int
) -> str:
    """The chords of some bars, as people type them: "| Dm7 | G7 C |"; "" where one has none.

    Where no chord sounds, the one before is taken to go on, as when "N.C." is read.
    starts: of all bars, and the end. names: [quarter note, name] of every change of chord. first,
    stop: bars from 0, and the one behind the last.
    """
    rows, names = [], [(start, one) for start, one in names if one != chord_name(None)]
    for bar in range(first, stop):
        inside = [one for start, one in names if starts[bar] <= start < starts[bar + 1]]
        if not inside or all(start != starts[bar] for start, _ in names):
            before = [one for start, one in names if start < starts[bar]]
            inside = before[-1:] + inside
        rows.append(" ".join(inside))
    return "| " + " | ".join(rows) + " |" if all(rows) else ""


def growing(
    score: Score, key: str | None, sketch: Sketch, language: str, *, address: str, title: str,
    done: int, total: int, left: int | None, tempi: TempoMap | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A piece that is being written.

    address: of the sound. done, total: bars. left: seconds until it is finished; None: not known.
    """
    return view_of(
        score, notes_of(score), key, sketch, (), language, bars=total, tempi=tempi, token=address,
        title=title,
        audio=address, writing=address, done=done, total=total, left=left,
    )  # fmt: skip


def _metres(score: Score) -> list[tuple[int, int]]:
    return [(mark.numerator, mark.denominator) for mark in score.time_signatures]


def _part_name(program: int, language: str) -> str:
    return instrument_name(program, language)


def _rows(notes: Notes, programs: Sequence[int]) -> list[list[float]]:
    index = {program: n for n, program in enumerate(programs)}
    columns = (notes.program, notes.start, notes.duration, notes.pitch, notes.velocity)
    return [
        [
            index[int(program)],
            round(float(start), 3),
            round(float(length), 3),
            int(pitch),
            int(loud),
        ]
        for program, start, length, pitch, loud in zip(*columns, strict=True)
    ]
