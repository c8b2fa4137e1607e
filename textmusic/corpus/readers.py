"""The bytes of a file -> the pieces in it, as symusic scores.

MIDI is read by symusic; MusicXML, ABC and Humdrum kern by music21 (`score` extra). Both run in
processes that may die (`crew`). Only notes are read: no lyrics, markers, chord symbols or grace
notes. Repeats are written once.
"""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.corpus.descriptions import decoded
from textmusic.corpus.files import LARGEST_MUSIC_FILE, MUSIC, RATIO
from textmusic.drawing.sheet_music import DRUM_KIT, require
from textmusic.errors import TextMusicError
from textmusic.music.midi_files import LARGEST_MIDI_FILE, parsed
from textmusic.music.sanity import insanity
from textmusic.music.theory import DRUMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORE_TICKS = 5040  # a quarter note: divides by 3, 5, 7, 9 and 16
USUAL_VELOCITY = 80  # where a score states no dynamics


class UnreadableError(ValueError):
    """A file that can't be read; the message follows the file's name: "is cut short"."""


@dataclass(frozen=True, slots=True)
class ParsedPiece:
    """A piece as its file gives it. key: "D minor", where the file says so with its mode.

    tempo: whether it states one. filled: measures that were filled up with silence.
    """

    score: Score
    title: str = ""
    key: str | None = None
    tempo: bool = True
    filled: int = 0


def tunes_in(data: bytes) -> list[str]:
    """The reference numbers ("X:") of the tunes in an ABC file, each once; [""] without any."""
    return list(_tunes(data)) or [""]


def read(data: bytes, suffix: str, tune: str = "") -> ParsedPiece:
    """The piece in a file. suffix: ".mid", as `files.MUSIC` has them. tune: which one, of ABC.

    Raises UnreadableError. A broken file may also crash the process, or hang it.
    """
    kind = MUSIC[suffix]
    if kind == "MIDI":
        if len(data) > LARGEST_MIDI_FILE:
            size = f"{len(data) / 1e6:.1f} MB, at most {LARGEST_MIDI_FILE / 1e6:.0f}"
            raise UnreadableError(f"is too large ({size})")
        score = parsed(data)
        if isinstance(score, str):
            raise UnreadableError(score)
        return ParsedPiece(score)
    if kind == ".mxl":
        data = _unpacked(data)
    if kind in (".mxl", ".musicxml"):
        if not re.search(rb"<score-(?:partwise|timewise)", data.replace(b"\0", b"")[:20_000]):
            raise UnreadableError("is not MusicXML")
        return _notation(_in_utf8(data), "musicxml")
    if kind == "ABC":
        tunes = _tunes(data)
        return _notation(tunes.get(tune) or decoded(data), "abc")
    return _notation(decoded(data), "humdrum")


@lru_cache(maxsize=2)  # the tunes of a book are read one after another
def _tunes(data: bytes) -> dict[str, str]:
    """Reference number -> the tune, with the file's own head before it."""
    parts = re.split(r"(?m)^(?=X:)", decoded(data))
    head = "".join(line for line in parts[0].splitlines(True) if re.match(r"[A-Za-z]:", line))
    tunes: dict[str, str] = {}
    for part in parts[1:]:
        number = part[2:].partition("\n")[0].partition("%")[0].strip()
        while number in tunes:
            number += "'"
        body = re.split(r"\n[ \t]*\n", part)[0]  # an empty line ends a tune
        first, _, rest = body.partition("\n")
        tunes[number] = f"{first}\n{head}{rest}\n"
    return tunes


def _unpacked(data: bytes) -> bytes:
    """The score in a compressed MusicXML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                member
                for member in archive.infolist()
                if member.filename.lower().endswith((".xml", ".musicxml"))
                and not member.filename.startswith(("META-INF", "__MACOSX"))
            ]
            if not members:
                raise UnreadableError("is not compressed MusicXML: it has no score")
            member = members[0]
            if member.file_size > min(LARGEST_MUSIC_FILE, RATIO * max(len(data), 1)):
                raise UnreadableError(f"is too large ({member.file_size / 1e6:,.0f} MB unpacked)")
            return archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise UnreadableError("is not compressed MusicXML: it can't be unpacked") from None


def _in_utf8(xml: bytes) -> bytes:
    """XML in UTF-16, as some programs write it, in the encoding that music21 reads."""
    if not xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        return xml
    text = xml.decode("utf-16", "replace")
    return re.sub(r"""encoding=["'][^"']*["']""", 'encoding="UTF-8"', text, count=1).encode()


# music21 ------------------------------------------------------------------------------------------


@lru_cache
def _music21() -> Any:
    require("music21")
    import music21

    return music21


def _notation(data: bytes | str, format_: str) -> ParsedPiece:
    music21 = _music21()
    try:
        found = music21.converter.parseData(data, format=format_)
        pieces = list(found.scores) if isinstance(found, music21.stream.Opus) else [found]
        if not pieces:
            raise UnreadableError("has no music")
        reading = _reading(pieces[0])
    except (UnreadableError, TextMusicError):
        raise
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    except Exception as problem:  # music21 raises all kinds of exceptions for broken files
        why = " ".join(str(problem).split())[:100] or type(problem).__name__
        raise UnreadableError(f"can't be read by music21 ({why})") from None
    if wrong := insanity(reading.score):
        raise UnreadableError(wrong)
    return reading


def _reading(piece: Any) -> ParsedPiece:
    """A music21 stream as a symusic score: a track a part and instrument."""
    m = _music21()
    piece.toSoundingPitch(inPlace=True)
    score: Score = Score(SCORE_TICKS)
    parts = list(piece.parts) or [piece]
    flats = [part.flatten() for part in parts]
    metres, moves = _bars(parts[0], flats[0])
    for time, top, bottom in metres:
        score.time_signatures.append(TimeSignature(time, top, bottom))
    tempi: dict[int, float] = {}
    for flat in flats:
        for mark in flat.getElementsByClass(m.tempo.MetronomeMark):
            if mark.number and (quarters := mark.getQuarterBPM()):
                tempi.setdefault(_moved(mark.offset, moves), float(quarters))
    for time, qpm in sorted(tempi.items()):
        score.tempos.append(Tempo(time, qpm))
    for part, flat in zip(parts, flats, strict=True):
        score.tracks.extend(_tracks(part, flat, moves))
    title = piece.metadata.bestTitle if piece.metadata else None
    return ParsedPiece(score, str(title or ""), _key(flats), bool(tempi), filled=len(moves) - 1)


def _ticks(quarters: float | Fraction) -> int:
    return round(quarters * SCORE_TICKS)


def _moved(quarters: float | Fraction, moves: Sequence[tuple[int, int]]) -> int:
    """The tick to which an offset in the file moves."""
    time = _ticks(quarters)
    return time + int(_latest(moves, time, 0))


def _key(flats: Iterable[Any]) -> str | None:
    """The first key that is stated with its mode."""
    m = _music21()
    for flat in flats:
        for key in flat.getElementsByClass(m.key.Key):
            if key.mode in ("major", "minor"):
                return f"{key.tonic.name.replace('-', 'b')} {key.mode}"
    return None


def _bars(part: Any, flat: Any) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """Time signatures (tick, numerator, denominator), and moves (tick in the file, ticks later).

    A measure that is shorter than its time signature is filled up with silence, so that bar lines
    stand where a count of bars puts them: at its front, where it is the first or under half a bar
    (a pickup), else at its end. Two that add up to a bar, as around a repeat sign, count as one;
    a measure that is too long gets a time signature of its own.
    """
    m = _music21()
    moves = [(0, 0)]
    measures = list(part.getElementsByClass(m.stream.Measure))
    if not measures:
        said = flat.getElementsByClass(m.meter.TimeSignature)
        return [(_ticks(ts.offset), ts.numerator, ts.denominator) for ts in said], moves
    ends = [*(measure.offset for measure in measures[1:])]
    ends.append(measures[-1].offset + measures[-1].highestTime)
    metres: list[tuple[int, int, int]] = []
    signature = (4, 4)
    left = 0  # ticks missing in a bar that a short measure began
    for place, (measure, stop) in enumerate(zip(measures, ends, strict=True)):
        if measure.timeSignature is not None:
            signature = (measure.timeSignature.numerator, measure.timeSignature.denominator)
            left = 0
        bar = SCORE_TICKS * 4 * signature[0] // signature[1]
        start, end = _ticks(measure.offset), _ticks(stop)
        length, moved = end - start, moves[-1][1]
        if length == 0:
            continue
        if left and length <= left:
            left -= length
            continue
        last = place == len(measures) - 1
        following = 0 if last else _ticks(ends[place + 1]) - end
        halves = place > 0 and length + following == bar
        left = bar - length if halves else 0
        wanted = signature if length < bar or length % bar == 0 else _as_metre(length)
        if not metres or metres[-1][1:] != wanted:
            metres.append((start + moved, *wanted))
        if length < bar and not halves and not last:
            front = place == 0 or length * 2 < bar
            moves.append((start if front else end, moved + bar - length))
    return metres, moves


def _as_metre(ticks: int) -> tuple[int, int]:
    """A time signature as long as a measure that is no whole bar: (3, 8)."""
    for bottom in (4, 8, 16, 32):
        if ticks * bottom % (4 * SCORE_TICKS) == 0:
            return ticks * bottom // (4 * SCORE_TICKS), bottom
    return max(round(ticks * 8 / SCORE_TICKS), 1), 32


def _tracks(part: Any, flat: Any, moves: Sequence[tuple[int, int]]) -> Iterator[Track]:
    """The notes of a part, a track for each of its instruments."""
    m = _music21()
    players = [(p.offset, _program(p)) for p in flat.getElementsByClass(m.instrument.Instrument)]
    if not players:
        own = part.getInstrument(returnDefault=False)
        players = [(0.0, _program(own) if own is not None else 0)]
    loudness = [
        (mark.offset, round(mark.volumeScalar * 127))
        for mark in flat.getElementsByClass(m.dynamics.Dynamic)
        if mark.volumeScalar
    ]
    columns: dict[int, list[tuple[int, int, int, int]]] = {}
    open_ties: dict[tuple[int, int], int] = {}  # (program, pitch) -> place in its column
    for element in flat.notes:
        if element.duration.isGrace or isinstance(element, m.harmony.Harmony):
            continue
        start, length = _moved(element.offset, moves), _ticks(element.quarterLength)
        velocity = int(_latest(loudness, element.offset, USUAL_VELOCITY))
        for note, pitch, drum in _struck(element):
            program = DRUMS if drum else int(_latest(players, element.offset, players[0][1]))
            column = columns.setdefault(program, [])
            tie = note.tie.type if note.tie is not None else None
            before = open_ties.pop((program, pitch), None)
            if tie in ("stop", "continue") and before is not None:
                time, held, *same = column[before]
                if time + held == start:
                    column[before] = (time, held + length, *same)  # type: ignore[assignment]
                    if tie == "continue":
                        open_ties[program, pitch] = before
                    continue
            if tie in ("start", "continue"):
                open_ties[program, pitch] = len(column)
            column.append((start, max(length, 1), pitch, velocity))
    for program, notes in columns.items():
        drums = program == DRUMS
        track = Track(program=0 if drums else program, is_drum=drums)
        table: NDArray[np.int32] = np.array(notes, dtype=np.int32)
        small = table[:, 2:].astype(np.int8)
        track.notes = Note.from_numpy(*table[:, :2].T, *small.T, ttype="tick")
        yield track


def _latest(marks: Sequence[tuple[Any, Any]], offset: Any, otherwise: Any) -> Any:
    """The value in force at an offset."""
    place = bisect_right(marks, offset, key=lambda mark: mark[0])
    return marks[place - 1][1] if place else otherwise


def _struck(element: Any) -> Iterator[tuple[Any, int, bool]]:
    """(note, MIDI pitch, whether it is a drum) of each note in a chord."""
    m = _music21()
    members = element.notes if isinstance(element, m.chord.ChordBase) else (element,)
    for note in members:
        if isinstance(note, m.note.Unpitched):
            if (pitch := _drum(note)) is not None:
                yield note, pitch, True
        elif isinstance(_played_by(note), m.instrument.UnpitchedPercussion):
            yield note, int(note.pitch.midi), True
        elif 0 <= note.pitch.midi < 128:
            yield note, int(note.pitch.midi), False


def _played_by(note: Any) -> Any:
    m = _music21()
    return note.storedInstrument or note.getContextByClass(m.instrument.Instrument)


def _drum(note: Any) -> int | None:
    """The drum that an unpitched note stands for: by its instrument, or else by its place."""
    named = getattr(note.storedInstrument, "percMapPitch", None)
    if named is not None:
        return int(named)
    place, head = f"{note.displayStep}{note.displayOctave}", note.notehead
    kit = {(stroke.place, stroke.head): pitch for pitch, stroke in reversed(DRUM_KIT.items())}
    return kit.get((place, head)) or kit.get((place, "normal"))


def _program(instrument: Any) -> int:
    m = _music21()
    if isinstance(instrument, m.instrument.UnpitchedPercussion):
        return DRUMS
    return int(instrument.midiProgram or 0)
