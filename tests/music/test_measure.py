"""What a score is, by its notes: cases counted by hand, real pieces, and what may not matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.music.measure import (
    AROUSAL_EDGES,
    DENSITY_EDGES,
    VALENCE_EDGES,
    arousal_of,
    density_of,
    estimate_key,
    hardly_playing,
    key_scores,
    level,
    measure,
    pitch_class_weights,
    seconds,
    valence_of,
)
from textmusic.music.notes import Notes, notes_of, to_score
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, key_name, tonic, transposed

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)


def tune(*pitches: int, length: float = 1.0, program: int = 0, velocity: int = 80) -> Notes:
    """One note after another."""
    n = len(pitches)
    return Notes(
        np.arange(n) * length,
        np.full(n, length),
        np.array(pitches),
        np.full(n, velocity),
        np.full(n, program),
    )


def scale(degrees: tuple[int, ...], first: int = 60) -> Notes:
    """Up to the octave and a cadence, so that the tonic is plain."""
    up = [first + d for d in degrees]
    return tune(*up, first + 12, first + 7, first, first + degrees[2], first + 7, first)


def loud_piece() -> Score:
    """Two bars of 3/4 at 90: piano 0-1, 1-3 and 3-5.5 quarters, a drum at 5."""
    score = Score(480)
    score.tempos.append(Tempo(0, 90))
    score.time_signatures.append(TimeSignature(0, 3, 4))
    piano, drums = Track(program=0), Track(program=0, is_drum=True)
    for time, duration, pitch in ((0, 480, 60), (480, 960, 64), (1440, 1200, 67)):
        piano.notes.append(Note(time, duration, pitch, 80))
    drums.notes.append(Note(2400, 240, 38, 100))
    score.tracks.append(piano)
    score.tracks.append(drums)
    return score


def test_a_piece_measured_by_hand() -> None:
    plan = measure(loud_piece(), genre="jazz")
    assert plan.programs == (0, DRUMS)
    assert plan.key == "C major"
    assert plan.tempo == 90.0
    assert plan.time_signature == "3/4"
    assert plan.bars == 2
    assert plan.density == level(4 / 5.5, DENSITY_EDGES) == 1
    assert plan.genre == "jazz"
    assert plan.begin is plan.end is None
    assert seconds(loud_piece()) == pytest.approx(5.5 * 60 / 90)


def test_notes_come_in_order_of_onset_program_and_pitch() -> None:
    notes = notes_of(loud_piece())
    assert notes.start.tolist() == [0, 1, 3, 5]
    assert notes.end.tolist() == [1, 3, 5.5, 5.5]
    assert notes.program.tolist() == [0, 0, 0, DRUMS]
    assert len(notes) == 4


def test_a_score_without_notes_has_no_key_mood_or_instruments() -> None:
    empty = Score(480)
    assert measure(empty) == Plan(tempo=120.0, time_signature="4/4")
    assert seconds(empty) == 0.0
    silent = loud_piece()
    for track in silent.tracks:
        track.notes.clear()
    assert measure(silent).programs is None


def test_a_file_that_names_no_tempo_or_metre_is_120_in_4_4() -> None:
    score = to_score(tune(60, 62, 64, 65, 67), "4/4", 100.0)
    score.tempos.clear()
    score.time_signatures.clear()
    plan = measure(score)
    assert (plan.tempo, plan.time_signature, plan.bars) == (120.0, "4/4", 2)
    assert seconds(score) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("end", "metre", "bars"),
    [(4.0, "4/4", 1), (4.1, "4/4", 2), (3.0, "6/8", 1), (3.5, "7/8", 1), (3.6, "7/8", 2),
     (0.5, "4/2", 1), (24.0, "3/2", 4), (2.5, "5/8", 1)],
)  # fmt: skip
def test_bars_run_to_the_end_of_the_last_note(end: float, metre: str, bars: int) -> None:
    score = to_score(tune(60, length=1.0), metre, 100.0)
    score.tracks[0].notes[0].duration = round(end * score.ticks_per_quarter)
    assert measure(score).bars == bars


@pytest.mark.parametrize("first", range(54, 66))
def test_scales_are_in_their_keys(first: int) -> None:
    assert estimate_key(scale(MAJOR, first)) == key_name(first, minor=False)
    assert estimate_key(scale(MINOR, first)) == key_name(first, minor=True)


def test_drums_do_not_count_for_the_key() -> None:
    melody = scale(MAJOR, 62)
    drums = tune(*[37] * 60, program=DRUMS)
    both = Notes(
        *(np.concatenate([getattr(n, f) for n in (melody, drums)]) for f in Notes.__slots__)
    )
    assert estimate_key(both) == estimate_key(melody) == "D major"
    assert estimate_key(drums) == NO_KEY


def test_pitch_classes_weigh_as_long_as_they_sound() -> None:
    weights = pitch_class_weights(
        Notes(*map(np.array, ([0, 0], [3.0, 1.0], [60, 67], [80, 80], [0, 0])))
    )
    assert weights[0] == 0.75 and weights[7] == 0.25
    assert weights.sum() == 1


def test_key_scores_of_nothing_are_zero() -> None:
    assert not key_scores(np.zeros(12)).any()
    assert not key_scores(np.full(12, 1 / 12)).any()


def test_estimates_agree_with_the_pieces_own_labels(
    pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> None:
    """Exact for most; a wrong one is nearly always a fifth away or the relative key."""
    right = near = labelled = 0
    for path, row in zip(pieces, piece_rows, strict=True):
        if row["key"] is None:
            continue
        labelled += 1
        label = key_name(tonic(row["key"]), row["key"].endswith("minor"))
        estimate = estimate_key(notes_of(Score.from_midi(path.read_bytes())))
        right += estimate == label
        relative = {transposed(label, 5), transposed(label, 7)}
        shift = 3 if label.endswith("minor") else -3
        relative.add(key_name(tonic(label) + shift, not label.endswith("minor")))
        near += estimate in {label, *relative}
    print(f"{right} right, {near} near, of {labelled}")
    assert labelled >= 12
    assert right / labelled >= 0.75
    assert near / labelled >= 0.9


@pytest.mark.parametrize("shift", [-5, -1, 3, 6])
def test_transposing_changes_the_key_and_nothing_else(pieces: list[Path], shift: int) -> None:
    for path in pieces[::3]:
        score = Score.from_midi(path.read_bytes())
        before = measure(score)
        for track in score.tracks:
            if not track.is_drum:
                for note in track.notes:
                    note.pitch += shift
        after = measure(score)
        assert before.key and after == replace(before, key=transposed(before.key, shift)), path.name


def test_faster_is_more_excited_and_brighter() -> None:
    notes = scale(MAJOR)
    tempi = (40, 60, 90, 120, 160, 240)
    excited = [arousal_of(notes, tempo) for tempo in tempi]
    bright = [valence_of(notes, tempo) for tempo in tempi]
    assert excited == sorted(excited) and len(set(excited)) == len(tempi)
    assert bright == sorted(bright) and len(set(bright)) == len(tempi)


def test_major_is_brighter_than_minor() -> None:
    for first in range(54, 66):
        assert valence_of(scale(MAJOR, first), 100) > valence_of(scale(MINOR, first), 100) + 0.3


def test_louder_and_busier_are_more_excited() -> None:
    notes = scale(MAJOR)
    louder = replace(notes, velocity=notes.velocity + 30)
    busier = Notes(
        np.concatenate([notes.start, notes.start + 0.5]),
        np.full(2 * len(notes), 0.5),
        *(np.tile(getattr(notes, f), 2) for f in ("pitch", "velocity", "program")),
    )
    assert arousal_of(louder, 100) > arousal_of(notes, 100)
    assert arousal_of(busier, 100) > arousal_of(notes, 100)
    assert density_of(busier) > density_of(notes)


def test_notes_struck_together_count_once_for_density() -> None:
    one = tune(60, 62, 64, 65)
    chord = Notes(*(np.tile(getattr(one, f), 3) for f in Notes.__slots__))
    assert density_of(chord) == density_of(one) == 1.0


def test_levels_count_the_edges_below() -> None:
    assert [level(v, (1.0, 2.0, 3.0, 4.0)) for v in (0.5, 1.0, 1.1, 3.5, 9.0)] == [1, 1, 2, 4, 5]
    for edges in (VALENCE_EDGES, AROUSAL_EDGES, DENSITY_EDGES):
        assert len(edges) == 4 and list(edges) == sorted(set(edges))


def test_levels_of_mood_and_density_all_occur_in_real_music(pieces: list[Path]) -> None:
    plans = [measure(Score.from_midi(path.read_bytes())) for path in pieces]
    assert len({plan.valence for plan in plans}) >= 4
    assert len({plan.arousal for plan in plans}) >= 4
    assert len({plan.density for plan in plans}) >= 4


def test_measures_of_real_pieces_agree_with_what_their_sources_say(
    pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> None:
    for path, row in zip(pieces, piece_rows, strict=True):
        score = Score.from_midi(path.read_bytes())
        plan = measure(score)
        assert plan.time_signature == row["time_signature"], path.name
        wanted = {*row["programs"], DRUMS} if row["drums"] else set(row["programs"])
        assert plan.programs == tuple(sorted(wanted)), path.name
        assert len(notes_of(score)) == row["notes"], path.name
        if row["tempo_bpm"]:
            assert plan.tempo == pytest.approx(row["tempo_bpm"], abs=0.1), path.name
        if len(score.time_signatures) == 1:
            assert plan.bars == row["bars"], path.name
        if len(score.tempos) == 1:
            assert seconds(score) == pytest.approx(row["seconds"], rel=0.05), path.name


def test_who_hardly_plays_counted_by_hand() -> None:
    """Eight bars of 3/4; a quarter of them are two."""
    plan = Plan(programs=(0, 24, 48, 73, DRUMS), time_signature="3/4", bars=8)
    rows = [
        *((3.0 * bar, 3.0, 60, 0) for bar in range(8)),  # the piano in every bar
        *((3.0 + n, 1.0, 64, 24) for n in range(3)),  # the guitar three times in one bar
        (5.5, 1.0, 67, 48),  # strings from the second bar into the third
        (21.0, 0.5, 38, DRUMS),  # drums in the last bar alone, and then behind it
        (24.0, 0.5, 38, DRUMS),
    ]
    start, duration, pitch, program = map(np.array, zip(*sorted(rows), strict=True))
    notes = Notes(start, duration, pitch, np.full(len(rows), 80), program)
    assert hardly_playing(notes, plan) == (24, 73, DRUMS), "the flute does not play at all"
    assert hardly_playing(notes, replace(plan, bars=4)) == (73, DRUMS), "one bar of four is enough"
    assert hardly_playing(notes, Plan(programs=(0, 24), time_signature="3/4")) == (24,), "of nine"
    assert hardly_playing(notes, Plan(time_signature="3/4")) == ()


def test_a_note_that_ends_with_its_bar_does_not_sound_in_the_next() -> None:
    plan = Plan(programs=(0,), time_signature="4/4", bars=8)
    one = tune(60, length=4.0)
    assert hardly_playing(one, plan) == (0,), "a bar of eight"
    assert hardly_playing(tune(60, length=4.5), plan) == (), "it reaches into a second"
    assert hardly_playing(tune(60, length=1 / 12), replace(plan, bars=4)) == ()
    nothing = Notes(*(np.zeros(0),) * 2, *(np.zeros(0, dtype=np.int64),) * 3)
    assert hardly_playing(nothing, plan) == (0,)


def test_in_real_pieces_instruments_play(pieces: list[Path]) -> None:
    """The rule does not call ordinary music faulty."""
    found = []
    for path in pieces:
        score = Score.from_midi(path.read_bytes())
        plan = measure(score)
        found += [p in hardly_playing(notes_of(score), plan) for p in plan.programs or ()]
    print(f"{sum(found)} of {len(found)} instruments hardly play")
    assert np.mean(found) < 0.1
