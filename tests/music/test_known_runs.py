"""Fingerprints of training pieces: a run that was learnt is seen, and about as long as it is."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from library_pieces import melody, together
from safetensors.numpy import load_file, save_file

from textmusic.errors import TextMusicError
from textmusic.music.known_runs import (
    FEWEST_NOTES,
    FILE,
    WINDOW,
    WORD,
    KnownRuns,
    fingerprints,
    known_runs,
)
from textmusic.music.notes import Notes
from textmusic.music.runs import Repertoire, moves


def known(*seeds: int) -> KnownRuns:
    lines = [(n, moves(melody(seed, 120))) for n, seed in enumerate(seeds)]
    shares = [1.0, *([0.5] * 20), *([0.1] * 20)]
    return KnownRuns.of(lines, [f"tune {seed}" for seed in seeds], shares)


def mixed(seed: int, first: int, many: int) -> Notes:
    """Notes of a learnt tune, higher, faster and between others."""
    tune = melody(seed, 120)
    part = tune.chosen(np.arange(first, first + many))
    part = replace(
        part, pitch=part.pitch + 4, start=(part.start - part.start[0]) / 2 + 30,
        duration=part.duration / 2,
    )  # fmt: skip
    before = melody(77, 12)
    after = melody(78, 12)
    return together(before, part, replace(after, start=after.start + 200))


def test_a_word_in_each_window_is_kept_and_the_same_ones_anywhere() -> None:
    line = moves(melody(1, 200))
    places, hashes = fingerprints(line)
    assert np.diff(places).max() <= WINDOW, "none of its windows is without"
    assert len(places) < 0.5 * len(line)
    later, same = fingerprints(line[10:])
    inside = later[later >= WINDOW]
    assert set(inside + 10) <= set(places) and set(same.tolist()) & set(hashes.tolist())


def test_words_that_say_nothing_are_left_out() -> None:
    assert len(fingerprints(np.full(50, 128))[0]) == 0
    assert len(fingerprints(np.tile([130, 126], 25))[0]) == 0
    for short in range(WORD):
        assert len(fingerprints(np.arange(short))[0]) == 0
    assert len(fingerprints(np.arange(WORD))[0]) == 1


@pytest.mark.parametrize("many", [FEWEST_NOTES, 24, 40, 80])
@pytest.mark.parametrize("first", [0, 7, 30])
def test_what_was_learnt_is_seen_and_about_as_long(first: int, many: int) -> None:
    library = known(1, 2, 3)
    notes = mixed(2, first, many)
    run = library.longest(notes)
    exact = Repertoire([moves(melody(seed, 120)) for seed in (1, 2, 3)])
    steps = min(exact.longest_run(moves(notes)), 64)
    assert run.tune == "tune 2"
    assert run.notes <= many + 1 and run.notes >= min(steps + 2, 66) - 2 * WINDOW
    assert 30 <= run.begin < run.end <= 200
    assert run.share == (0.1 if run.notes > 20 else 0.5)


def test_what_is_new_is_not_seen() -> None:
    library = known(*range(1, 40))
    for seed in range(100, 130):
        assert library.longest(melody(seed, 100)).notes <= WORD + 2
    few = melody(1, 2)
    assert library.longest(few).notes == 0 and library.longest(few).share == 1.0


def test_a_run_does_not_go_on_in_another_tune() -> None:
    library = known(1, 2)
    one, two = melody(1, 120), melody(2, 120)
    first, second = one.chosen(np.arange(40, 60)), two.chosen(np.arange(40, 60))
    glued = together(
        replace(first, start=first.start - first.start[0]),
        replace(second, start=second.start - second.start[0] + 30),
    )
    assert library.longest(glued).notes <= 21


def test_a_file_comes_back_and_a_broken_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / FILE
    library = known(1, 2, 3)
    library.save(path)
    back = KnownRuns.load(path)
    assert len(back) == len(library)
    assert back.longest(mixed(2, 7, 24)) == library.longest(mixed(2, 7, 24))
    data = load_file(str(path))
    for broken in (
        {**data, "rest": data["rest"][:-1]},
        {**data, "format": data["format"] + 1},
        {**data, "tune": data["tune"] + 100},
        {name: column for name, column in data.items() if name != "said"},
    ):
        save_file(broken, str(path))
        with pytest.raises(TextMusicError, match=r"can't be used .*; delete it, or"):
            KnownRuns.load(path)


def test_a_model_without_a_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert known_runs(tmp_path / "model") is None
    known(1).save(tmp_path / FILE)
    known_runs.cache_clear()
    assert len(known_runs(tmp_path / "model") or ()) > 0, "it shares that of the folder above"


def test_many_pieces_are_read_and_looked_through_quickly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [(n, rng.integers(0, 4000, 400)) for n in range(5000)]
    KnownRuns.of(lines, [f"tune {n}, source" for n in range(5000)]).save(tmp_path / FILE)
    began = time.process_time()
    library = KnownRuns.load(tmp_path / FILE)
    library.longest(melody(1, 100))
    assert time.process_time() - began < 0.2
    assert (tmp_path / FILE).stat().st_size < 4.5 * len(library) + 300_000
