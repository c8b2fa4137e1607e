"""Notes and patches: real pieces there and back, and what a GAN is told of a patch."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from gan_music import WALTZ, real_windows

from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import Window
from textmusic.learning.examples import Examples
from textmusic.learning.gan_runs import batches
from textmusic.models import gan_patches as p
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, TIME_SIGNATURES, quarters_per_bar, shift_of
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    return real_windows(tokenizer, pieces, piece_rows)


@pytest.fixture(scope="module")
def music(windows: list[Window], tokenizer: Tokenizer) -> list[tuple[Notes, Plan]]:
    """Real notes and their plans."""
    return [(notes_of(tokenizer.decode_score(list(w.ids), w.plan)), w.plan) for w in windows]


@pytest.fixture(scope="module")
def examples(windows: list[Window], tokenizer: Tokenizer) -> Examples:
    return Examples(windows, tokenizer, Captioner())


def test_every_metre_fits_its_cells() -> None:
    for metre in TIME_SIGNATURES:
        steps, cells = p.cells_of(metre)
        assert steps <= p.CELL
        assert steps * cells == quarters_per_bar(metre) * p.STEPS_PER_QUARTER
        plan = replace(WALTZ, time_signature=metre, bars=5)
        roll = np.random.default_rng(0).random((2, p.CHANNELS, p.total_steps(plan), p.PITCHES))
        cut = p.patches_of(roll, plan)
        assert cut.shape == (p.total_patches(plan), p.PLANES, p.LENGTH, p.PITCHES)
        assert np.array_equal(p.joined(cut, plan), roll), metre
        assert np.count_nonzero(cut) == np.count_nonzero(roll), "the rest is padding"


def test_real_pieces_come_back_from_their_patches(music: list[tuple[Notes, Plan]]) -> None:
    exact = 0
    for notes, plan in music:
        roll = p.joined(p.patches_of(p.roll_of(notes, plan), plan), plan)
        assert np.array_equal(roll, p.roll_of(notes, plan))
        back = p.notes_of_roll(roll, plan)
        assert np.array_equal(p.roll_of(back, plan), roll), "rolls lose nothing"
        drums = notes.program == DRUMS
        shift = np.where(drums, 0, shift_of(plan.key))
        inside = (notes.pitch - shift >= p.LOW) & (notes.pitch - shift < p.LOW + p.PITCHES)
        on_grid = np.all(notes.start * p.STEPS_PER_QUARTER % 1 == 0) and np.all(
            notes.end * p.STEPS_PER_QUARTER % 1 == 0
        )
        assert plan.programs
        alone = len({p.channel_of(program) for program in plan.programs}) == len(plan.programs)
        if inside.all() and on_grid and alone:
            exact += 1
            for name in ("start", "duration", "pitch", "program"):
                assert np.array_equal(getattr(back, name), getattr(notes, name)), name
    assert exact > len(music) / 4, "of these pieces nothing at all is lost but loudness"


def test_off_the_grid_notes_go_to_the_nearest_step_and_last(
    music: list[tuple[Notes, Plan]],
) -> None:
    def struck(notes: Notes, plan: Plan) -> set[tuple[int, int, int]]:
        steps = np.minimum(
            np.rint(notes.start * p.STEPS_PER_QUARTER), p.total_steps(plan) - 1
        ).astype(int)
        degrees = (notes.pitch - np.where(notes.program == DRUMS, 0, shift_of(plan.key))) % 12
        channels = [p.channel_of(int(program)) for program in notes.program]
        return set(zip(steps.tolist(), degrees.tolist(), channels, strict=True))

    for notes, plan in music:
        back = p.notes_of_roll(p.roll_of(notes, plan), plan)
        assert struck(back, plan) == struck(notes, plan)
        assert back.duration.min() >= 1 / p.STEPS_PER_QUARTER


def test_a_channel_s_instruments_share_its_notes_by_register() -> None:
    rows = np.array([30, 60, 31, 61, 45, 60])
    assert p.deal(rows, [40, 42]).tolist() == [42, 40, 42, 40, 42, 40], "the cello is below"
    assert set(p.deal(rows, [40, 41, 42, 43])) == {40, 41, 42, 43}
    assert set(p.deal(np.array([5, 5]), [40, 42])) == {42}, "one row is one instrument's"
    assert not len(p.deal(np.array([], dtype=int), [40]))


def test_a_condition_says_what_the_plan_says() -> None:
    vector = p.condition(WALTZ, 1, np.ones(p.SUMMARY, dtype=np.float32))
    assert vector.shape == (p.CONDITION,) and vector.dtype == np.float32
    assert vector[p.part("channels")].tolist() == [1, 0, 0, 1, 0, 0], "keys and strings"
    flute, tuba = (p.condition(replace(WALTZ, programs=(one,)), 0) for one in (73, 58))
    assert flute[p.part("registers")][4] > tuba[p.part("registers")][4] > 0
    assert vector[p.part("metre")].argmax() == TIME_SIGNATURES.index("3/4")
    assert vector[p.part("cells")].tolist() == [0, 1, 0, 0], "two of six bars are left"
    assert vector[p.part("mode")].tolist() == [0, 1]
    assert vector[p.part("place")].tolist() == [0, 1, 1], "it ends here"
    assert vector[p.part("previous")].all() and vector[p.part("follows")] == 1
    bare = Plan(programs=(DRUMS,), key=NO_KEY, tempo=100.0, time_signature="4/4", bars=1)
    vector = p.condition(bare, 0)
    for name in ("genre", "valence", "arousal", "density", "mode", "follows", "previous"):
        assert not vector[p.part(name)].any(), name


def test_batches_repeat_and_can_be_skipped(examples: Examples) -> None:
    feed = batches(examples, tokens=4 * p.LENGTH, seed=3, windows=2)
    first = list(itertools.islice(feed, 6))
    again = list(itertools.islice(batches(examples, tokens=4 * p.LENGTH, seed=3, windows=2,
                                            skip=4), 2))  # fmt: skip
    for one, two in zip(first[4:], again, strict=True):
        assert np.array_equal(one["ids"], two["ids"])
        assert np.array_equal(one["labels"], two["labels"])
    assert first[0]["ids"].shape[1:] == (p.PLANES, p.LENGTH, p.PITCHES)
    assert first[0]["ids"].max() == 1


def test_a_note_that_sounds_on_is_tied_from_patch_to_patch() -> None:
    plan = replace(WALTZ, bars=8, programs=(0,))
    roll = np.zeros((2, p.CHANNELS, p.total_steps(plan), p.PITCHES), dtype=bool)
    roll[0, 0, 40, 30] = True
    roll[1, 0, 40:60, 30] = True  # the second patch begins at step 48
    roll[1, 0, 70:80, 31] = True  # never struck
    notes = p.notes_of_roll(p.joined(p.patches_of(roll, plan), plan), plan)
    assert notes.start.tolist() == [10] and notes.duration.tolist() == [5]
