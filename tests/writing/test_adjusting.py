"""Changes that need no model, on pieces small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.music.midi_files import read_scores
from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS, degrees_of, range_of, tonic
from textmusic.writing.adjusting import Adjustment, adjust

SAME = Adjustment(tempo=100)  # as it is
CHORDS = ((48, 64, 67, 72), (50, 65, 69, 74), (55, 62, 67, 71), (48, 64, 67, 73))


def piece(*, drums: bool = True) -> Score:
    """Four chords on the piano, one a quarter note, and a kick drum on each."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tempos.extend([Tempo(0, 100.0), Tempo(960, 50.0)])
    piano, kit = Track(program=0), Track(is_drum=True)
    for n, chord in enumerate(CHORDS):
        piano.notes.extend([Note(480 * n, 480, pitch, 80) for pitch in chord])
        kit.notes.append(Note(480 * n, 120, 36, 90))
    score.tracks.extend([piano, kit] if drums else [piano])
    return score


def pitches(score: Score, program: int = 0) -> list[int]:
    notes = notes_of(score)
    return [int(p) for p in notes.pitch[notes.program == program]]


def test_what_is_not_asked_for_stays() -> None:
    with pytest.raises(TextMusicError, match="there is nothing to change"):
        adjust(piece(), Adjustment())
    made = adjust(piece(), SAME)
    one, two = notes_of(made.score), notes_of(piece())
    for column in ("start", "duration", "pitch", "velocity", "program"):
        assert np.array_equal(getattr(one, column), getattr(two, column))
    assert [round(t.qpm, 3) for t in made.score.tempos] == [100, 50]


def test_transposing_moves_all_but_the_drums_and_the_key() -> None:
    made = adjust(piece(), Adjustment(semitones=2))
    assert pitches(made.score) == [p + 2 for chord in CHORDS for p in chord]
    assert pitches(made.score, DRUMS) == [36] * 4
    before = adjust(piece(), SAME).plan.key
    assert tonic(made.plan.key or "") == (tonic(before or "") + 2) % 12
    high = pitches(adjust(piece(), Adjustment(semitones=24)).score)
    assert max(high) <= range_of(0)[1]
    with pytest.raises(TextMusicError, match="transpose 25 is out of range; choose -24 to 24"):
        adjust(piece(), Adjustment(semitones=25))


def test_a_tempo_keeps_the_ratio_of_later_ones() -> None:
    made = adjust(piece(), Adjustment(tempo=120))
    assert [round(t.qpm, 2) for t in made.score.tempos] == [120, 60]
    assert made.report.asked.tempo == 120
    with pytest.raises(TextMusicError, match="tempo 500 is out of range"):
        adjust(piece(), Adjustment(tempo=500))


def test_snapping_moves_each_note_to_the_nearest_tone() -> None:
    made = adjust(piece(), Adjustment(key="C major"))
    assert pitches(made.score)[-1] == 72, "C# lies between C and D, and goes down"
    assert pitches(made.score)[:-1] == [p for chord in CHORDS for p in chord][:-1]
    far = adjust(piece(), Adjustment(key="F# major"))
    scale = {(6 + d) % 12 for d in degrees_of("F# major")}
    assert {p % 12 for p in pitches(far.score)} <= scale
    assert far.plan.key == "F# major"


def test_a_piano_piece_for_four_players_goes_by_register() -> None:
    quartet = (40, 41, 42, 43)  # violin, viola, cello, double bass
    made = adjust(piece(), Adjustment(programs=quartet))
    assert pitches(made.score, 40) == [72, 74, 71, 73], "the tops of the chords"
    assert len(pitches(made.score, 43)) == 4, "the bottoms"
    notes = notes_of(made.score)
    for program in quartet:
        low, high = range_of(program)
        part = notes.pitch[notes.program == program]
        assert len(part) and part.min() >= low and part.max() <= high
    assert pitches(made.score, DRUMS) == [36] * 4


def test_many_parts_for_one_player_are_all_played() -> None:
    split = adjust(piece(drums=False), Adjustment(programs=(40, 42))).score
    made = adjust(split, Adjustment(programs=(0,)))
    assert sorted(pitches(made.score)) == sorted(p for chord in CHORDS for p in chord)
    with pytest.raises(TextMusicError, match="drums can't play"):
        adjust(piece(), Adjustment(programs=(DRUMS,)))


def test_real_pieces_stay_whole(pieces: list[Path]) -> None:
    for path, score in read_scores(pieces[:8]):
        assert not isinstance(score, str)
        made = adjust(score, Adjustment(semitones=-3, programs=(24, 73)))
        notes = notes_of(made.score)
        assert set(notes.program.tolist()) <= {24, 73, DRUMS}, path
        assert made.report.measured_seconds == pytest.approx(
            adjust(score, Adjustment(semitones=1)).report.measured_seconds, rel=0.05
        )
