"""Chord and section names of a piece: their positions, and how a MIDI file carries them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from textmusic.music.bars import TICKS, bars_until
from textmusic.music.chords import Chord, chord_name, parse_symbol
from textmusic.music.midi_events import MARKER, MidiEvents, meta
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch, quarters_per_beat
from textmusic.music.theory import quarters_per_bar

if TYPE_CHECKING:
    from symusic import Score

CHORD_TRACK = "Chords"
LOOP_MARKS = ("loopStart", "loopEnd")  # as game engines know them
_NAME = b"\xff\x03" + bytes([len(CHORD_TRACK)]) + CHORD_TRACK.encode()  # its event in a file
_ALONE = b"MThd\0\0\0\6\0\0\0\1\1\xe0"  # the header of a file of one track


class ChordChange(NamedTuple):
    """A chord that begins, or the end of all harmony (None). bar: from 0. beat: of that bar."""

    bar: int
    beat: int
    chord: Chord | None


def changes(sketch: Sketch) -> list[ChordChange]:
    """Where the harmony of a sketch changes, in order.

    Repeating the chord that sounds is no change. A bar without chords ends the one before it, as
    `Sketch.chord_at` has it; silence before the first chord is no change.
    """
    found: list[ChordChange] = []
    sounding: Chord | None = None
    for bar, row in enumerate(sketch.rows):
        for beat, chord in row.chords or ((0, None),):
            if chord != sounding:
                found.append(ChordChange(bar, beat, chord))
                sounding = chord
    return found


def named_midi(
    score: Score,
    sketch: Sketch,
    sections: Sequence[tuple[int, str]],
    key: str | None,
    time_signature: str,
) -> bytes:
    """The MIDI file of a score, with its sections and chords named for sequencers to show.

    Sections are markers. Chords are text events (FF 01) in a track of their own, without notes, at
    the end; not lyrics, which one would sing. There is no such track without chords. Names that
    would stand behind the last note are left out, for a piece may have been stopped. A chord track
    that is there is replaced, since it names what no longer sounds; markers that are there are a
    person's own, and stay alone.

    Args:
        score: in ticks; it is left as it is.
        sketch: its chords as they sound.
        sections: (first bar from 0, name) of each.
        key: one of `theory.KEYS`, for the chords' spelling; None or "none": the usual mixture.
        time_signature: of all bars, as in "6/8"; of the last ones, where the score has several.
    """
    from symusic import TextMeta

    score = score.copy()
    end = score.end()
    quarter = score.ticks_per_quarter
    starts = _bar_ticks(score, len(sketch.rows), time_signature)
    beat_ticks = round(quarters_per_beat(time_signature) * quarter)
    for track in [t for t in score.tracks if t.name == CHORD_TRACK and not len(t.notes)]:
        score.tracks.remove(track)
    for bar, name in sections if not len(score.markers) else ():
        if bar < len(starts) and starts[bar] < end:
            score.markers.append(TextMeta(starts[bar], name))
    names = [
        (time, chord_name(chord, key))
        for bar, beat, chord in changes(sketch)
        if (time := starts[bar] + beat * beat_ticks) < end
    ]
    midi: bytes = score.dumps_midi()
    if not names:
        return midi
    kit = next((track.program for track in score.tracks if track.is_drum), 0)
    count = int.from_bytes(midi[10:12], "big") + 1
    return midi[:10] + count.to_bytes(2, "big") + midi[12:] + _chord_track(names, kit)


def _chord_track(names: Sequence[tuple[int, str]], kit: int) -> bytes:
    """The chunk of a track that names chords at their ticks.

    Like every track that symusic writes, it begins with a program change; on the drums' own
    channel, with their own program (kit), it changes nothing.
    """
    times = [0, *(time for time, _ in names)]
    body = b"\0" + _NAME + bytes([0, 0xC9, kit])
    body += b"".join(
        _text_event(after - before, name)
        for (before, after), (_, name) in zip(pairwise(times), names, strict=True)
    )
    body += b"\1\xff\x2f\0"
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def _bar_ticks(score: Score, bars: int, time_signature: str) -> list[int]:
    """The ticks at which so many bars begin: in the score's own metres, where it has several."""
    quarter = score.ticks_per_quarter
    metres = [
        (round(mark.time * TICKS / quarter), mark.numerator, mark.denominator)
        for mark in score.time_signatures
    ]
    length = quarters_per_bar(time_signature) * quarter
    if len({metre[1:] for metre in metres}) < 2:
        return [round(bar * length) for bar in range(bars)]
    spans = bars_until(round(score.end() * TICKS / quarter), metres)[:bars]
    starts = [round(span.start * quarter / TICKS) for span in spans]
    return starts + [round(starts[-1] + n * length) for n in range(1, bars - len(starts) + 1)]


def sections_marked(score: Score) -> list[tuple[int, str]]:
    """(bar from 0, name) of each marker of a score that stands before its end."""
    end, grid = score.end(), TICKS / score.ticks_per_quarter
    marks = sorted(
        (mark.time, str(mark.text))
        for mark in score.markers
        if mark.time < end and mark.text not in LOOP_MARKS
    )
    metres = [(round(m.time * grid), m.numerator, m.denominator) for m in score.time_signatures]
    starts = [bar.start for bar in bars_until(round(end * grid), metres)] if marks else []
    return [(bisect_right(starts, round(time * grid)) - 1, name) for time, name in marks]


def name_sections(score: Score, sections: Sequence[tuple[int, str]], begin: int, end: int) -> None:
    """Give a score markers, (tick, name) of each, for those between two ticks.

    A section that continues after them gets its own name again there.
    """
    from symusic import TextMeta

    marks = sorted((mark.time, mark.text) for mark in score.markers)
    before = [(time, name) for time, name in marks if time < end]
    kept = [(time, name) for time, name in marks if not begin <= time < end]
    goes_on = any(note.time >= end for track in score.tracks for note in track.notes)
    if before and goes_on and end not in (time for time, _ in kept):
        kept.append((end, before[-1][1]))
    score.markers.clear()
    score.markers.extend(TextMeta(time, name) for time, name in sorted([*kept, *sections]))


def marked(midi: MidiEvents, marks: Sequence[tuple[int, str]]) -> MidiEvents:
    """The piece with more markers in its first track, a tick and a text of each."""
    made = midi.copy()
    first = made.tracks[0]
    added = [meta(tick, MARKER, text.encode()) for tick, text in marks]
    first.events = sorted([*added, *first.events], key=lambda event: event.tick)
    first.end = max([first.end, *(tick for tick, _ in marks)])
    return made


def ended(midi: MidiEvents, tick: int, *, loop: bool = False) -> MidiEvents:
    """The piece with the ends of its tracks at a tick, or at their last events behind it.

    loop: with markers at its beginning and at the tick, between which players repeat it.
    """
    made = midi.copy()
    if loop:
        start, stop = (name.encode() for name in LOOP_MARKS)
        first = made.tracks[0]
        first.events = [meta(0, MARKER, start), *first.events, meta(tick, MARKER, stop)]
        first.events.sort(key=lambda event: event.tick)
    for track in made.tracks:
        track.end = max([tick, *(event.tick for event in track.events[-1:])])
    return made


def with_texts(midi: bytes, texts: Sequence[str]) -> bytes:
    """A MIDI file with text events (FF 01) at the beginning of its first track.

    midi: as symusic writes it. All else stays byte for byte.
    """
    added = b"".join(_text_event(0, text) for text in texts)
    track = 8 + int.from_bytes(midi[4:8], "big")  # behind the header chunk
    size = int.from_bytes(midi[track + 4 : track + 8], "big") + len(added)
    body = track + 8
    return midi[: track + 4] + size.to_bytes(4, "big") + added + midi[body:]


def _text_event(wait: int, text: str) -> bytes:
    """A text event, so many ticks after the one before it."""
    said = text.encode("utf-8")
    return _length(wait) + b"\xff\x01" + _length(len(said)) + said


def _length(value: int) -> bytes:
    """A variable-length quantity of MIDI: seven bits a byte, the highest first."""
    if value < 0:
        raise ValueError(f"events are out of order: {value} ticks apart")
    digits, left = [value & 0x7F], value >> 7
    while left:
        digits.insert(0, left & 0x7F | 0x80)
        left >>= 7
    return bytes(digits)


def as_lyrics(midi: bytes) -> bytes:
    """A MIDI file whose chord names are lyrics (FF 05), for symusic, which leaves text events out.

    Of a track named "Chords" without notes; all else stays byte for byte. Old files are so already.
    Bytes that are no MIDI file, or a broken one, stay as they are.
    """
    if _NAME not in midi:
        return midi
    parts = []
    place = 0
    while place < len(midi):
        end = place + 8 + int.from_bytes(midi[place + 4 : place + 8], "big")
        chunk = midi[place:end]
        if chunk[:4] == b"MTrk" and _NAME in chunk and end <= len(midi):
            chunk = _sung(chunk)
        parts.append(chunk)
        place = end
    return b"".join(parts)


def read_midi(midi: bytes) -> Score:
    """The score in a MIDI file of ours, with its chords for `markers_of`."""
    from symusic import Score

    return Score.from_midi(as_lyrics(midi))


def _sung(chunk: bytes) -> bytes:
    """A chord track whose text events have become lyrics."""
    from mido import KeySignatureError, MetaMessage, MidiFile

    try:
        file = MidiFile(file=BytesIO(_ALONE + chunk), charset="utf-8")
    except (EOFError, LookupError, OSError, TypeError, ValueError, KeySignatureError):
        return chunk  # broken, or not of ours
    (track,) = file.tracks
    if track.name != CHORD_TRACK or any(message.type == "note_on" for message in track):
        return chunk
    track[:] = [
        MetaMessage("lyrics", text=message.text, time=message.time)
        if message.type == "text"
        else message
        for message in track
    ]
    out = BytesIO()
    file.save(file=out)
    return out.getvalue()[len(_ALONE) :]


def markers_of(score: Score, plan: Plan) -> tuple[Sketch, list[tuple[int, str]]]:
    """`read_markers` of a piece by its plan; nothing of one whose metre changes on the way."""
    metres = {(mark.numerator, mark.denominator) for mark in score.time_signatures}
    if len(metres) > 1 or plan.bars is None:
        return Sketch(), []
    return read_markers(score, plan.bars, plan.time_signature or "4/4")


def read_markers(
    score: Score, bars: int, time_signature: str
) -> tuple[Sketch, list[tuple[int, str]]]:
    """The chords and sections that `named_midi` wrote, of so many bars: inverse of it.

    Of a file, what `read_midi` or `midi_files.read_score` gives. What each bar repeats is not in
    it. Names that are no chord symbol count as none.
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
        and mark.text not in LOOP_MARKS
    ]
    return Sketch(tuple(rows)), sections
