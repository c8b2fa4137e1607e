"""Lay a form and a chord progression over bars: which bar repeats which, and the chords of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lcm

from textmusic.errors import TextMusicError
from textmusic.music.chords import Chord
from textmusic.music.plan import COUNTED_BARS
from textmusic.music.sketch import BeatChord, Outline, Row, Sketch, beats_per_bar
from textmusic.music.theory import NO_KEY, tonic

_PHRASE = 4  # bars in a section, where there is room


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What is asked of a bar.

    like: index (from 0) of the earlier bar that it has to repeat. new: it may repeat none. Neither:
    the model decides. chords: (beat, chord) of each change, from beat 0; None leaves them open.
    """

    like: int | None = None
    new: bool = False
    chords: tuple[BeatChord, ...] | None = None


def laid(outline: Outline, key: str | None, bars: int, time_signature: str) -> list[AskedRow]:
    """An outline over so many bars, a row each.

    A section that comes back repeats the bars of its first occurrence, and their chords; the first
    half of a section that is new after another one is new, so that it is heard as such, and the
    rest of it may come back to itself. Chords are played over and over: from the beginning of each
    section if they fit into one, else from the beginning of the piece; where some would never come
    because sections are repeated, two a bar in each section, if that makes room for all. Where bar
    lines are not given and there are more chords than bars, they are spread over the beats of the
    piece. The last chord fills the last bar. Roots are as they sound in the key (None: from C).

    See `check` for what cannot be laid.
    """
    rows = _laid(outline, key, bars, time_signature)
    if not _missing(rows, outline, key):
        return rows
    closer = _laid(outline, key, bars, time_signature, per_bar=2)
    return rows if _missing(closer, outline, key) else closer


def left_out(outline: Outline, key: str | None, bars: int, time_signature: str) -> list[Chord]:
    """The chords that find no place in so many bars, as they sound, in their order."""
    return _missing(laid(outline, key, bars, time_signature), outline, key)


def bars_for_all(outline: Outline, key: str | None, bars: int, time_signature: str) -> int | None:
    """The fewest bars, more than `bars` and as many for each section, with room for every chord.

    None where no number up to 128 has.
    """
    step = max(len(outline.form), 1)
    return next(
        (
            more
            for more in range((bars // step + 1) * step, 2 * COUNTED_BARS + 1, step)
            if not left_out(outline, key, more, time_signature)
        ),
        None,
    )


def _missing(rows: Sequence[AskedRow], outline: Outline, key: str | None) -> list[Chord]:
    """The chords of an outline that are in no row."""
    there = {chord for row in rows for _, chord in row.chords or ()}
    wanted = dict.fromkeys(chord for bar in outline.sounding(key) for chord in bar)
    return [chord for chord in wanted if chord not in there]


def _laid(
    outline: Outline, key: str | None, bars: int, time_signature: str, per_bar: int = 1
) -> list[AskedRow]:
    """As `laid`. per_bar: 2 puts two of the chords that stand alone in their bars into one."""
    if per_bar > 1:
        alone = all(len(bar) == 1 for bar in outline.chords)
        if not alone or beats_per_bar(time_signature) < 4:
            return []
        pairs = zip(outline.chords[::2], [*outline.chords[1::2], ()], strict=False)
        outline = replace(outline, chords=tuple((*one, *two) for one, two in pairs))
    played = _played(outline, key, bars, time_signature)
    rows = [AskedRow(chords=played[bar] if played else None) for bar in range(bars)]
    period = len(outline.chords)
    first: dict[str, tuple[int, int]] = {}  # letter -> (first bar, length)
    begin = 0
    for letter, length in zip(outline.form, section_lengths(len(outline.form), bars), strict=True):
        if letter in first:
            origin, known = first[letter]
            for step in range(min(length, known)):
                rows[begin + step] = AskedRow(like=origin + step, chords=rows[origin + step].chords)
        else:
            fresh = (length + 1) // 2 if first else 1
            first[letter] = (begin, length)
            for step in range(length):
                chords = rows[begin + step].chords
                if played and 0 < period <= length and period <= bars:
                    chords = played[step % period]
                rows[begin + step] = AskedRow(new=step < fresh, chords=chords)
        begin += length
    if outline.last is not None and bars:
        up = 0 if key is None or key == NO_KEY else tonic(key)
        final: tuple[BeatChord, ...] = ((0, outline.last.moved(up)),)
        if rows[-1].chords != final:
            rows[-1] = replace(rows[-1], like=None, chords=final)
    return rows


def check(outline: Outline, bars: int, time_signature: str) -> None:
    """Raise TextMusicError for an outline that so many bars can't hold."""
    if len(outline.form) > bars:
        raise TextMusicError(
            f"a form of {len(outline.form)} sections does not fit into {_bars(bars)}; ask for at"
            f" least {len(outline.form)} bars, or for fewer sections."
        )
    beats = beats_per_bar(time_signature)
    most = max(map(len, outline.chords), default=0)
    if most > beats:
        raise TextMusicError(
            f"{most} chords do not fit into a bar of {time_signature}, which has {beats} beats;"
            " use more bar lines."
        )
    if most == 1 and len(outline.chords) > bars * beats:
        raise TextMusicError(
            f"{len(outline.chords)} chords do not fit into {_bars(bars)} of {time_signature}, which"
            f" have {bars * beats} beats; ask for more bars, or for fewer chords."
        )


def multiple_of(outline: Outline) -> int | None:
    """What an open number of bars should be a multiple of, so that sections and progression come
    out even; None for nothing in particular.

    AABA over four chords: 16, a section for each time they are played.
    """
    period, sections = len(outline.chords), len(outline.form)
    if not period and not sections:
        return None
    if not sections:
        return period if period <= COUNTED_BARS else None
    if period >= _PHRASE * sections and period % sections == 0:
        return period  # rhythm changes: the progression is the form
    for multiple in (sections * lcm(period or 1, _PHRASE), sections * period, sections * _PHRASE):
        if 0 < multiple <= COUNTED_BARS:
            return multiple
    return sections


def section_lengths(sections: int, bars: int) -> list[int]:
    """Bars of each section: as even as possible, phrases of four where there is room, and the rest
    in the last one; 16 bars for AABA are 4, 4, 4 and 4, 30 bars 8, 8, 8 and 6.

    More sections than bars: those that find no room have none.
    """
    if not sections:
        return []
    for phrase in (_PHRASE, 2, 1):
        nearest = round(bars / sections / phrase) * phrase
        for size in (nearest, bars // sections // phrase * phrase):
            rest = bars - size * (sections - 1)
            if size and size <= 2 * rest and rest <= 2 * size:
                return [size] * (sections - 1) + [rest]
    size, over = divmod(bars, sections)
    return [size + 1] * over + [size] * (sections - over)


def moved(rows: Sequence[AskedRow], bars: int) -> list[AskedRow]:
    """Rows whose bars are counted from so many bars later."""
    return [row if row.like is None else replace(row, like=row.like - bars) for row in rows]


def seen_from(row: AskedRow, rows: Sequence[Row], begin: int) -> AskedRow:
    """What is asked of a bar, as a window says it that begins at a bar; rows: of all bars.

    What repeats a bar before the window is new in it, with that bar's chords: with none where that
    has none, as a bar that repeats one inside the window.
    """
    if row.like is None:
        return row
    if row.like >= begin:
        return replace(row, like=row.like - begin)
    return AskedRow(new=True, chords=rows[row.like].chords if row.chords is None else row.chords)


def come_back(row: Row, source: int, rows: Sequence[Row]) -> Row:
    """A row that a window has written, as one that repeats a bar which the window could not name.

    source: that bar; rows: of all bars so far. With other chords than that bar's it varies it.
    """
    if row.chords == rows[source].chords:
        return replace(row, like=source, vary=None)
    return replace(row, like=None, vary=source)


def as_asked(row: Row, sketch: Sketch) -> AskedRow:
    """A row as what is asked; other chords over a bar that is repeated make it one that varies."""
    source = row.vary
    if source is not None and sketch.rows[source].chords != row.chords:
        return AskedRow(source, chords=row.chords or None)
    return as_heard(row)


def as_heard(row: Row) -> AskedRow:
    """A row as what is asked, whole."""
    return AskedRow(row.like, row.like is None and row.vary is None, row.chords or None)


def _played(
    outline: Outline, key: str | None, bars: int, time_signature: str
) -> list[tuple[BeatChord, ...]]:
    """The chords of each bar, the progression played over and over; [] if they are open."""
    sounding = outline.sounding(key)
    if not sounding:
        return []
    beats = beats_per_bar(time_signature)
    if len(sounding) > bars and all(len(bar) == 1 for bar in sounding):
        return _spread([bar[0] for bar in sounding], bars, beats)
    return [_in_bar(sounding[bar % len(sounding)], beats) for bar in range(bars)]


def _in_bar(chords: tuple[Chord, ...], beats: int) -> tuple[BeatChord, ...]:
    """Chords of one bar, evenly on its beats; those that find no beat are left out."""
    count = min(len(chords), beats)
    return tuple((step * beats // count, chords[step]) for step in range(count))


def _bars(count: int) -> str:
    return f"{count} bar{'s' * (count != 1)}"


def _spread(chords: list[Chord], bars: int, beats: int) -> list[tuple[BeatChord, ...]]:
    """Chords evenly on the beats of a piece; each bar begins with the chord that sounds then."""
    chords = chords[: bars * beats]
    rows: list[list[BeatChord]] = [[] for _ in range(bars)]
    for step, chord in enumerate(chords):
        bar, beat = divmod(step * bars * beats // len(chords), beats)
        rows[bar].append((beat, chord))
    sounding = chords[0]
    for row in rows:
        if not row or row[0][0] > 0:
            row.insert(0, (0, sounding))
        sounding = row[-1][1] or sounding
    return [tuple(row) for row in rows]
