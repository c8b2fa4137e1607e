"""The room: how it decays, that it can be heard piece by piece, and stems that add up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from symusic import Note, Score, Tempo, Track

from textmusic.music.theory import DRUMS
from textmusic.sound.render import SAMPLE_RATE, render, render_stems
from textmusic.sound.room import SECONDS, Chorus, Reverb, around, impulse_response
from textmusic.sound.stage import BRUSHES, STANDARD, kit_of, place_of

TPQ = 480


def band() -> Score:
    """Piano, violin, drums: eight quarter notes at 120 a minute."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    for name, program, drums, pitch in (
        ("Piano", 0, False, 60), ("Violin", 40, False, 76), ("Drums", 0, True, 38),
    ):  # fmt: skip
        track = Track(name, program, drums)
        for n in range(8):
            track.notes.append(Note(n * TPQ, TPQ, pitch + (0 if drums else n), 60 + 8 * n))
        score.tracks.append(track)
    return score


def test_the_room_falls_by_60_db_in_the_stated_time() -> None:
    response = impulse_response(SAMPLE_RATE)
    energy = (response.astype(np.float64) ** 2).sum(axis=0)
    left = 10 * np.log10(np.cumsum(energy[::-1])[::-1] / energy.sum())  # Schroeder's curve
    at = [int(np.argmax(left < level)) / SAMPLE_RATE for level in (-5, -35)]
    assert 2 * (at[1] - at[0]) == pytest.approx(SECONDS, rel=0.25)
    sides = np.corrcoef(response)[0, 1]
    assert abs(sides) < 0.2  # wide


@pytest.mark.parametrize("effect", [Reverb, Chorus])
def test_effects_do_not_depend_on_the_pieces(effect: type[Reverb | Chorus]) -> None:
    dice = np.random.default_rng(1)
    sent = dice.normal(size=150_000).astype(np.float32)
    whole = effect(SAMPLE_RATE)(sent)
    cuts = [0, 10, 4000, 4000, 91_000, 150_000]
    by_piece = effect(SAMPLE_RATE)
    pieces = [by_piece(sent[a:b]) for a, b in pairwise(cuts)]
    assert np.abs(np.concatenate(pieces, axis=1) - whole).max() < 1e-4


@pytest.mark.parametrize("seconds", [0.3, 2.5])
def test_the_room_of_a_loop_is_that_of_many_rounds(seconds: float) -> None:
    length = round(seconds * SAMPLE_RATE)
    sent = np.random.default_rng(2).normal(size=length).astype(np.float32)
    rounds = int(3 / seconds) + 2
    many = Reverb(SAMPLE_RATE)(np.tile(sent, rounds))[:, -length:]
    assert np.abs(around(sent, SAMPLE_RATE) - many).max() < 1e-3


@pytest.mark.parametrize("how", [{}, {"dry": True}, {"loop": 4.0}])
def test_stems_add_up_to_the_mix(how: dict[str, float]) -> None:
    mix, stems = render_stems(band(), **how)
    assert [stem.name for stem in stems] == ["Piano", "Violin", "Drums"]
    assert np.abs(sum(stem.audio for stem in stems) - mix).max() < 1e-3
    assert np.array_equal(mix, render(band(), **how))
    assert all(np.abs(stem.audio).max() > 0.01 for stem in stems)


def test_the_end_fades_to_nothing() -> None:
    for dry in (False, True):
        audio = render(band(), dry=dry)
        assert np.abs(audio[:, -1]).max() == 0
        assert np.abs(audio[:, -2000:]).max() < 0.01


def test_seats() -> None:
    quartet = (40, 41, 42)
    pans = [place_of(program, False, quartet).pan for program in quartet]
    assert pans == sorted(pans) and pans[0] < 0 < pans[-1]
    assert place_of(40, False, (40,)).pan == 0
    for playing in ((0, 33, DRUMS), (26, 32, DRUMS, 66)):
        assert place_of(33, False, playing).pan == place_of(0, True, playing).pan == 0
    for program in range(128):
        assert abs(place_of(program, False, (program, 0)).pan) <= 0.5


def test_ballads_have_brushes() -> None:
    assert kit_of("jazz", 72.0) == kit_of("ballad", 66.0) == BRUSHES
    assert kit_of("jazz", 180.0) == kit_of("rock", 72.0) == kit_of(None, 72.0) == STANDARD
