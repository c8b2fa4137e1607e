"""Chord and section names of a piece: where they stand, and how a MIDI file carries them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textmusic.chords import Chord, chord_name, parse_symbol
from textmusic.plan import Plan, quarters_per_bar
from textmusic.sketch import Row, Sketch, quarters_per_beat

if TYPE_CHECKING:
    from symusic import Score

CHORD_TRACK = "Chords"


class Change(NamedTuple):
    """A chord that begins, or the end of all harmony (None). bar: from 0. beat: of that bar."""

    bar: int
    beat: int
    chord: Chord | None


def changes(sketch: Sketch) -> list[Change]:
    """Where the harmony of a sketch changes, in order.

    A chord that is said again while it sounds is no change. A bar without chords ends the one
    before it, as `Sketch.chord_at` has it; silence before the first chord is no change.
    """
    found: list[Change] = []
    sounding: Chord | None = None
    for bar, row in enumerate(sketch.rows):
        for beat, chord in row.chords or ((0, None),):
            if chord != sounding:
                found.append(Change(bar, beat, chord))
                sounding = chord
    return found


def marked(
    score: Score,
    sketch: Sketch,
    sections: Sequence[tuple[int, str]],
    key: str | None,
    time_signature: str,
) -> Score:
    """A copy of a score that names its sections and chords, for sequencers to show.

    Sections are marker events (FF 06). Chords are lyric events (FF 05: the only text that symusic
    writes) on a track of their own, without notes, at the end; there is none without chords.
    Names that would stand behind the last note are left out, for a piece may have been stopped. A
    chord track that is there is replaced, since it names what no longer sounds; markers that are
    there are a person's own, and stay alone.

    Args:
        score: in ticks.
        sketch: its chords as they sound.
        sections: (first bar from 0, name) of each.
        key: one of `plan.KEYS`, for the chords' spelling; None or "none": the usual mixture.
        time_signature: of all bars, as in "6/8".
    """
    from symusic import TextMeta, Track

    score = score.copy()
    end = score.end()
    quarter = score.ticks_per_quarter
    bar_ticks = round(quarters_per_bar(time_signature) * quarter)
    beat_ticks = round(quarters_per_beat(time_signature) * quarter)
    for track in [t for t in score.tracks if t.name == CHORD_TRACK and not len(t.notes)]:
        score.tracks.remove(track)
    for bar, name in sections if not len(score.markers) else ():
        if bar * bar_ticks < end:
            score.markers.append(TextMeta(bar * bar_ticks, name))
    names = [
        TextMeta(time, chord_name(chord, key))
        for bar, beat, chord in changes(sketch)
        if (time := bar * bar_ticks + beat * beat_ticks) < end
    ]
    if names:
        # symusic begins every track with a program change, and gives the sixteenth the channel of
        # another. On the drums' own channel, with their own program, it changes nothing.
        kit = next((track.program for track in score.tracks if track.is_drum), 0)
        track = Track(CHORD_TRACK, kit, is_drum=True)
        track.lyrics.extend(names)
        score.tracks.append(track)
    return score


def marks_of(score: Score, plan: Plan) -> tuple[Sketch, list[tuple[int, str]]]:
    """`read_marks` of a piece by its plan; nothing of one whose metre changes on the way."""
    metres = {(mark.numerator, mark.denominator) for mark in score.time_signatures}
    if len(metres) > 1 or plan.bars is None:
        return Sketch(), []
    return read_marks(score, plan.bars, plan.time_signature or "4/4")


def read_marks(
    score: Score, bars: int, time_signature: str
) -> tuple[Sketch, list[tuple[int, str]]]:
    """The chords and sections that `marked` wrote, of so many bars: inverse of it.

    What each bar repeats is not in a file. Names that are no chord symbol count as none.
    """
    bar_quarters = quarters_per_bar(time_signature)
    beat_quarters = quarters_per_beat(time_signature)
    quarter = score.ticks_per_quarter
    events = [
        (event.time / quarter, event.text)
        for track in score.tracks
        if track.name == CHORD_TRACK and not len(track.notes)
        for event in track.lyrics
    ]
    inside: list[list[tuple[int, Chord | None]]] = [[] for _ in range(bars)]
    for time, name in sorted(events):
        bar = int(time / bar_quarters + 1e-6)
        beat = round((time - bar * bar_quarters) / beat_quarters)
        if bar < bars:
            read = parse_symbol(name)
            inside[bar].append((beat, read and read[0]))
    rows: list[Row] = []
    sounding: Chord | None = None
    for found in inside:
        if sounding and (not found or found[0][0]):
            found.insert(0, (0, sounding))
        rows.append(Row(chords=tuple(found)))
        sounding = found[-1][1] if found else None
    sections = [
        (bar, mark.text)
        for mark in sorted(score.markers, key=lambda mark: int(mark.time))
        if (bar := int(mark.time / quarter / bar_quarters + 1e-6)) < bars
    ]
    return Sketch(tuple(rows)), sections
