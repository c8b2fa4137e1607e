"""Sheet music for tests: a band, and what music21 reads in MusicXML."""

from __future__ import annotations

from typing import Any

import pytest
from symusic import Note, Score, Tempo, TimeSignature, Track

music21 = pytest.importorskip("music21", reason="needs the score extra (music21)")

SVG = "{http://www.w3.org/2000/svg}"


def read(xml: str) -> Any:
    return music21.converter.parseData(xml, format="musicxml")


def notes(staff: Any) -> dict[tuple[float, int], float]:
    """Length of every note by (onset, pitch), tied ones joined; in quarter notes."""
    found: dict[tuple[float, int], float] = {}
    held: dict[int, tuple[float, int]] = {}
    elements = staff.recurse().notes
    for element in sorted(elements, key=lambda e: e.getOffsetInHierarchy(staff)):
        onset = round(float(element.getOffsetInHierarchy(staff)), 4)
        for note in element.notes if element.isChord else (element,):
            tie = note.tie.type if note.tie else None
            key = held[note.pitch.midi] if tie in ("continue", "stop") else (onset, note.pitch.midi)
            assert key not in found or tie in ("continue", "stop")
            found[key] = found.get(key, 0.0) + float(element.quarterLength)
            if tie == "start":
                held[note.pitch.midi] = key
    return found


def a_band(bars: int = 2) -> Score:
    """A piano with both hands, a bass and a drum kit in 4/4; B flat and C sharp in the melody."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tempos.append(Tempo(0, 96.4))
    piano, bass = Track(program=0, name="Piano"), Track(program=33, name="Electric bass")
    drums = Track(is_drum=True, name="Drums")
    for beat in range(4 * bars):
        start = 480 * beat
        piano.notes.append(Note(start, 480, (74, 70, 73, 69)[beat % 4], 80))
        piano.notes.append(Note(start, 480, 50, 80))
        bass.notes.append(Note(start, 240, 38, 80))
        drums.notes.append(Note(start, 40, 36 if beat % 2 == 0 else 38, 80))
        drums.notes.append(Note(start, 40, 42, 80))
        drums.notes.append(Note(start + 240, 40, 42, 80))
    score.tracks.extend([piano, bass, drums])
    return score
