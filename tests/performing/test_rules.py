"""The rules of a performance: order of loudness, tempo, swing, pedal, lengths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmusic.music.notes import Note, columns_of
from textmusic.music.playing import Playing
from textmusic.music.theory import DRUMS
from textmusic.performing.articulation import held
from textmusic.performing.features import Metre
from textmusic.performing.pedal import pedalled
from textmusic.performing.performer import TICKS, Performer, Piece
from textmusic.performing.tempo import BREATHING, Breathing
from textmusic.performing.timing import Swing, swing_of
from textmusic.performing.touch import CAP, in_order, touch_model

FOUR, THREE, SIX_EIGHT = (Metre.of(metre) for metre in ("4/4", "3/4", "6/8"))


@given(st.lists(st.tuples(st.sampled_from([63, 71, 79, 87]), st.floats(1, 127)), min_size=1))
def test_louder_written_is_never_softer_played(pairs: list[tuple[int, float]]) -> None:
    written, wanted = (np.array(column) for column in zip(*pairs, strict=True))
    made = in_order(written, wanted.astype(np.float64))
    for level in np.unique(written):
        louder = made[written > level]
        assert not len(louder) or louder.min() >= made[written == level].max()
    if len(np.unique(written)) == 1:
        assert (made == wanted).all()


def test_metres_weigh_their_beats() -> None:
    assert FOUR.weight(np.arange(8) / 2).tolist() == [1, 0.25, 0.5, 0.25, 0.75, 0.25, 0.5, 0.25]
    assert THREE.weight(np.arange(3.0)).tolist() == [1, 0.5, 0.5]
    assert SIX_EIGHT.weight(np.array([0, 0.5, 1.5, 2.0])).tolist() == [1, 0, 0.75, 0]


@pytest.mark.parametrize("genre", ["rock", "pop", "dance", "celtic", "folk", "funk", None])
def test_a_steady_genre_keeps_its_tempo(genre: str | None) -> None:
    breathing = Breathing.of(Playing(1.0, 1, genre), FOUR, 16)
    assert breathing.factors() == [] and breathing.longer() == 1


def test_drums_and_loops_keep_the_tempo() -> None:
    assert Breathing.of(Playing(1.0, 1, "romantic", steady=True), FOUR, 16).factors() == []


@pytest.mark.parametrize("metre", [FOUR, THREE, SIX_EIGHT, Metre.of("2/4"), Metre.of("5/8")])
@pytest.mark.parametrize("genre", sorted(BREATHING))
def test_a_tempo_breathes_around_the_written_one(genre: str, metre: Metre) -> None:
    breathing = Breathing.of(Playing(1.0, 1, genre), metre, 16)
    quarters, factors = zip(*breathing.factors(), strict=True)
    assert list(quarters) == sorted(set(quarters)) and quarters[-1] < 16 * metre.length
    inner = factors[: -2 * breathing.beats]
    assert abs(np.mean(inner) - 1) < 0.02 and min(inner) > 0.85 and max(inner) < 1.05
    assert factors[-1] < min(inner), "it ends slower than any phrase does"
    assert 1 < breathing.longer() < 1.1
    half = Breathing.of(Playing(0.5, 1, genre), metre, 16)
    assert 1 < half.longer() < breathing.longer()


def test_jazz_swings_like_triplets_and_straighter_when_it_is_fast() -> None:
    assert swing_of("jazz", 100, FOUR) == pytest.approx(2 / 3)
    assert 0.5 < swing_of("swing", 220, FOUR) < swing_of("swing", 140, FOUR) < 2 / 3
    assert swing_of("jazz", 300, FOUR) == swing_of("rock", 100, FOUR) == 0.5
    assert swing_of("jazz", 100, SIX_EIGHT) == 0.5


def test_a_beat_with_sixteenths_or_triplets_is_played_as_written() -> None:
    start = np.array([0, 0.5, 1, 1.25, 1.5, 2, 2 + 1 / 3, 3, 3.5])
    swing = Swing.of(start, FOUR, 2 / 3)
    assert swing.halves == pytest.approx([2 / 3, 0.5, 0.5, 2 / 3])
    assert swing(start) == pytest.approx([0, 2 / 3, 1, 1.25, 1.5, 2, 2 + 1 / 3, 3, 3 + 2 / 3])
    assert swing(np.array([4.0, 4.5, 7.5])).tolist() == [4.0, 4.5, 7.5], "another bar's own"


def test_the_pedal_changes_with_the_bass_and_is_not_down_under_steps() -> None:
    broken = [(0, 48), (0.5, 64), (1, 67), (1.5, 64), (2, 43), (2.5, 62), (3, 67), (3.5, 62)]
    start, pitch = np.array([at for at, _ in broken]), np.array([p for _, p in broken])
    length = np.full(8, 0.5)
    assert pedalled("pop", 0.7, start, length, pitch, FOUR) == [(0, 2), (2, 4)]
    for genre, amount in (("baroque", 0.7), ("ragtime", 1.0), ("pop", 0.1)):
        assert pedalled(genre, amount, start, length, pitch, FOUR) == []
    scale = np.array([48, 50, 52, 53, 55, 57, 59, 60])
    assert pedalled("pop", 0.7, start, length, scale, FOUR) == []
    whole = np.array([0.0]), np.array([4.0]), np.array([60])
    assert pedalled("pop", 0.7, *whole, FOUR) == [], "what lasts needs none"


def test_lengths_by_instrument() -> None:
    start, duration, pitch = np.array([0, 1, 2.0]), np.array([1, 1, 2.0]), np.array([60, 60, 62])
    flute = held(73, "pop", start, duration, pitch, FOUR, 3)
    assert flute[0] < 0.9 < flute[1] and flute[2] < 0.9, "tongued again; a breath at the end"
    assert held(73, "pop", start, duration, pitch, FOUR, 2)[2] > 0.95
    assert (held(46, "pop", start, duration, pitch, FOUR, 0) == 1).all(), "a harp rings"
    short = np.full(3, 0.5)
    march, song = (held(0, of, start, short, pitch, FOUR, 0) for of in ("march", "pop"))
    assert (march < song).all()


def test_a_bar_depends_on_those_before_it_alone() -> None:
    notes = [Note(bar * 4 + n, 1, 60 + 4 * n + bar, 79, 0) for bar in range(6) for n in range(4)]
    notes += [Note(float(n), 0.5, 42, 79, DRUMS) for n in range(24)]
    bars = [columns_of([n for n in notes if n.start // 4 == bar]) for bar in range(6)]
    whole, some = (Performer(Piece("4/4", 100, 6), Playing(1.0, 3, "pop")) for _ in range(2))
    played = [whole.bar(bar, n) for n, bar in enumerate(bars)]
    for n, bar in enumerate(bars[:3]):
        again = some.bar(bar, n)
        for name in ("start", "stop", "velocity"):
            np.testing.assert_array_equal(getattr(again, name), getattr(played[n], name))
        assert again.start.min() >= n * 4 * TICKS, "nothing before the bar line"
    velocities = np.concatenate([bar.velocity for bar in played])
    assert len(np.unique(velocities)) > 5 and abs(velocities - 79).max() <= CAP


@pytest.mark.parametrize("kind", ["melodic", "drums"])
def test_the_networks_are_small_and_say_about_nothing_on_the_average(kind: str) -> None:
    model = touch_model(kind)
    said = model(np.tile(model.mean, (3, 1)))
    assert said.shape == (3,) and np.isfinite(said).all() and abs(said).max() < 40
