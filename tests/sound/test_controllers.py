"""What a file's controllers do to the sound: pedal, volume, expression, pan, bend, sends, kits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from heard import frequency, level, sine_soundfont
from symusic import ControlChange, Note, PitchBend, Score, Tempo, Track

from textmusic.sound.render import SAMPLE_RATE, render
from textmusic.sound.soundfont import open_soundfont
from textmusic.sound.voices import voice_strikes

TPQ = 480
PEDAL, VOLUME, EXPRESSION, PAN, REVERB, CHORUS = 64, 7, 11, 10, 91, 93
Controls = Iterable[tuple[float, int, int]]


def score_of(
    *notes: tuple[float, float, int],
    controls: Controls = (),
    bends: Iterable[tuple[float, int]] = (),
    drums: bool = False,
    program: int = 0,
) -> Score:
    """A part at 120 quarter notes a minute; times in quarter notes."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    track = Track("", program, drums)
    for start, length, pitch in notes:
        track.notes.append(Note(round(start * TPQ), round(length * TPQ), pitch, 90))
    for time, number, value in controls:
        track.controls.append(ControlChange(round(time * TPQ), number, value))
    for time, value in bends:
        track.pitch_bends.append(PitchBend(round(time * TPQ), value))
    score.tracks.append(track)
    return score


@pytest.fixture
def sine(tmp_path: Path) -> Path:
    return sine_soundfont(tmp_path / "sine.sf2")


def stops(score: Score, font: Path) -> list[float]:
    return [strike.stop for strike in voice_strikes(score, open_soundfont(font))]


def test_the_pedal_holds_notes_until_it_is_lifted(sine: Path) -> None:
    notes = (0, 1, 60), (1, 1, 64)
    assert stops(score_of(*notes), sine) == [0.5, 1.0]
    down = score_of(*notes, controls=[(0.5, PEDAL, 127), (6, PEDAL, 0)])
    assert stops(down, sine) == [3.0, 3.0]
    half = score_of(*notes, controls=[(0.5, PEDAL, 63), (6, PEDAL, 0)])
    assert stops(half, sine) == [0.5, 1.0]


def test_a_key_struck_again_ends_its_own_sound(sine: Path) -> None:
    score = score_of((0, 1, 60), (4, 1, 60), controls=[(0, PEDAL, 127), (8, PEDAL, 0)])
    assert stops(score, sine) == [2.0, 4.0]


def test_a_pedal_that_is_never_lifted_ends_with_the_last_note(sine: Path) -> None:
    assert stops(score_of((0, 1, 60), (4, 1, 64), controls=[(0, PEDAL, 127)]), sine) == [2.5, 2.5]


@pytest.mark.parametrize("number", [VOLUME, EXPRESSION])
def test_volume_and_expression_are_heard_while_a_note_sounds(sine: Path, number: int) -> None:
    full = 100 if number == VOLUME else 127
    score = score_of((0, 8, 72), controls=[(0, number, full), (4, number, full // 2)])
    audio = render(score, soundfont=sine, dry=True)
    ratio = level(audio, 2.5, 3.5) / level(audio, 0.5, 1.5)
    assert ratio == pytest.approx((full // 2 / full) ** 2, rel=0.03)
    steps = np.abs(np.diff(audio[0, 44100:100000]))
    assert steps.max() < 1.2 * np.abs(audio).max() * 2 * np.pi * 500 / SAMPLE_RATE  # no click


def test_pan_and_places(sine: Path) -> None:
    left = render(score_of((0, 2, 72), controls=[(0, PAN, 0)]), soundfont=sine, dry=True)
    assert np.abs(left[1]).max() < 0.02 * np.abs(left[0]).max()
    alone = render(score_of((0, 2, 72)), soundfont=sine, dry=True)
    assert np.allclose(alone[0], alone[1], atol=1e-4)


def test_the_pitch_wheel_bends_within_its_range(sine: Path) -> None:
    up = [(0, 8191)]
    two = render(score_of((0, 6, 72), bends=up), soundfont=sine, dry=True)
    assert frequency(two) == pytest.approx(500 * 2 ** (2 / 12), rel=0.003)
    octave = [(0, 101, 0), (0, 100, 0), (0, 6, 12)]
    twelve = render(score_of((0, 6, 72), bends=up, controls=octave), soundfont=sine, dry=True)
    assert frequency(twelve) == pytest.approx(1000, rel=0.003)
    later = render(score_of((0, 8, 72), bends=[(4, 4096)]), soundfont=sine, dry=True)
    assert frequency(later[:, : 2 * SAMPLE_RATE]) == pytest.approx(500, rel=0.003)
    second = later[:, 2 * SAMPLE_RATE : 4 * SAMPLE_RATE]
    assert frequency(second) == pytest.approx(500 * 2 ** (1 / 12), rel=0.003)


def test_sends_to_reverb_and_chorus(sine: Path) -> None:
    def tail(value: int) -> float:
        audio = render(score_of((0, 2, 72), controls=[(0, REVERB, value)]), soundfont=sine)
        ringing = np.pad(audio, ((0, 0), (0, 2 * SAMPLE_RATE)))
        return level(ringing, 1.5, 1.7) / level(audio, 0.2, 0.8)

    assert tail(127) > 2 * tail(40) > 20 * tail(0)
    plain = render(score_of((0, 4, 72)), soundfont=sine, dry=True)
    moving = render(score_of((0, 4, 72), controls=[(0, CHORUS, 127)]), soundfont=sine, dry=True)
    assert np.allclose(plain[0], plain[1], atol=1e-4)
    assert np.abs(moving[0] - moving[1]).max() > 0.01


def test_a_drum_kit_is_the_one_that_the_file_names() -> None:
    sticks = render(score_of((0, 1, 38), drums=True), dry=True)
    brushes = render(score_of((0, 1, 38), drums=True, program=40), dry=True)
    unknown = render(score_of((0, 1, 38), drums=True, program=99), dry=True)
    size = min(sticks.shape[1], brushes.shape[1])
    assert np.abs(sticks[:, :size] - brushes[:, :size]).max() > 0.05
    assert np.array_equal(sticks, unknown)
