"""Chords proposed for a melody, and four voices under it: worked out by hand where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from textmusic.music.chords import Chord
from textmusic.music.harmonising import LEAST_APART, fit, propose
from textmusic.music.harmony import on_beats
from textmusic.music.notes import Note, Notes, columns_of
from textmusic.music.voice_leading import faults, moments, parallels
from textmusic.music.voicing import slots_of, voiced

C, F, G7, AM = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "7"), Chord(9, "min")


def line(*pitches: int, length: float = 1.0) -> Notes:
    """A melody of notes of one length."""
    return columns_of([Note(n * length, length, p, 80, 73) for n, p in enumerate(pitches)])


# C E G C | F A C A | G B D G | C
CADENCE = line(60, 64, 67, 72, 65, 69, 72, 69, 67, 71, 74, 67, 60, 60, 60, 60)


def test_a_melody_of_broken_chords_gets_those_chords() -> None:
    found = propose(CADENCE, "4/4", 4, "C major")
    first = [row[0][1] for row in found[0].rows]
    assert first[0] == C and first[1] == F and first[3] == C
    assert first[2] is not None and first[2].root == 7
    assert found[0].fit == pytest.approx(1.0)


def test_proposals_really_differ_and_the_first_is_the_likeliest() -> None:
    found = propose(CADENCE, "4/4", 4, "C major")
    assert len(found) == 3
    assert found[0].expected == max(made.expected for made in found)
    roots = [[c and c.root for c in on_beats(made.rows, 4, "4/4")] for made in found]
    for one in range(3):
        for two in range(one):
            assert np.mean([a != b for a, b in zip(*(roots[one], roots[two]), strict=True)]) >= (
                LEAST_APART
            )


def test_fit_is_the_share_on_chord_tones_and_strong_beats_count_more() -> None:
    rows = (((0, C),),)
    assert fit(line(60, 64, 67, 72), rows, "4/4") == 1.0
    # weights by beat: 4 2 3 2; a D on the first beat costs 4 of 11, one on the last 2
    assert fit(line(62, 64, 67, 72), rows, "4/4") == pytest.approx(7 / 11)
    assert fit(line(60, 64, 67, 74), rows, "4/4") == pytest.approx(9 / 11)
    assert fit(line(60), ((),), "4/4") == 0.0


def test_no_bar_of_a_melody_is_without_a_chord_and_a_pickup_may_be() -> None:
    chromatic = line(*range(60, 76))
    for made in propose(chromatic, "4/4", 4, "C major"):
        assert None not in on_beats(made.rows, 4, "4/4")


def test_transposed_melodies_get_transposed_chords() -> None:
    up = Notes(CADENCE.start, CADENCE.duration, CADENCE.pitch + 3, CADENCE.velocity,
               CADENCE.program)  # fmt: skip
    plain, moved = propose(CADENCE, "4/4", 4, "C major"), propose(up, "4/4", 4, "Eb major")
    for one, two in zip(plain, moved, strict=True):
        assert [[(b, c and c.moved(3)) for b, c in row] for row in one.rows] == [
            list(row) for row in two.rows
        ]


@pytest.mark.parametrize(
    ("upper", "lower", "found"),
    [
        ((67, 69), (60, 62), 1),  # G-A over C-D: fifths
        ((72, 74), (60, 62), 1),  # octaves
        ((67, 67), (60, 60), 0),  # nothing moves
        ((67, 65), (60, 62), 0),  # against each other
        ((67, 68), (60, 62), 0),  # to a diminished fifth
        ((79, 81), (60, 62), 1),  # a twelfth counts as a fifth
        ((67, 79), (60, 72), 0),  # both an octave up: the same tones
    ],
)
def test_parallels(upper: tuple[int, int], lower: tuple[int, int], found: int) -> None:
    assert len(parallels(np.array([upper, lower]).T)) == found


def test_faults_are_counted_by_hand() -> None:
    # soprano, alto, tenor, bass; the second chord: alto above soprano, bass too low
    sounding = np.array([[72, 67, 64, 48], [69, 71, 62, 38], [72, 67, 52, 48]])
    counted = faults(sounding)
    assert counted["crossing"] == 1 and counted["range"] == 1 and counted["spacing"] == 1
    voices = [[(0, 1, 71), (1, 2, 69)], [(0, 2, 67)], [(0, 2, 62)], [(0, 1, 55), (1, 2, 48)]]
    assert faults(moments(voices), [G7, C, C], "C major")["leading tone"] == 1


def test_music21_finds_the_same_parallels() -> None:
    music21 = pytest.importorskip("music21", reason="needs the score extra (music21)")
    rng = np.random.default_rng(3)
    white = [p for p in range(45, 76) if p % 12 in (0, 2, 4, 5, 7, 9, 11)]  # spelt in one way
    found = 0
    for _ in range(1000):
        a = rng.choice([p for p in white if p >= 60], 2)
        b = rng.choice([p for p in white if p < 60], 2)
        pitches = [music21.pitch.Pitch(int(p)) for p in (*a, *b)]
        quartet = music21.voiceLeading.VoiceLeadingQuartet(*pitches)
        both = bool(quartet.parallelFifth() or quartet.parallelOctave())
        # ours are those heard most: both voices move the same way, and not by an octave
        theirs = both and (a[1] - a[0]) * (b[1] - b[0]) > 0 and (a[1] - a[0]) % 12 != 0
        assert bool(parallels(np.stack([a, b], axis=1))) == theirs
        found += theirs
    assert found > 5


def test_voicings_keep_the_rules_where_they_can() -> None:
    melody = (67, 69, 67, 65, 64, 62, 62, 60)
    chords = [C, F, C, F, AM, Chord(2, "min"), G7, C]
    slots = slots_of([(p,) for p in melody], chords, [False] * 8, "C major")
    others = voiced(slots, "C major")
    sounding = np.column_stack([np.array(melody), np.array(others)])
    assert faults(sounding, chords, "C major") == dict.fromkeys(
        ("fifths", "octaves", "range", "crossing", "spacing", "leading tone"), 0
    )
    assert sounding[-1, 3] % 12 == 0, "the last chord stands on its root"
    for row, chord in zip(sounding, chords, strict=True):
        third = (chord.root + (3 if chord.quality == "min" else 4)) % 12
        assert third in row % 12 and set(row % 12) <= chord.tones
