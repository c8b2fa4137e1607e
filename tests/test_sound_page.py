"""docs/sound.md: its commands, and what is in the files that they write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from documented import ROOT, TINY, commands, walk

from textmusic.listening.pairs import read_pairs
from textmusic.listening.votes import Votes
from textmusic.result.recipe import read_recipe
from textmusic.sound.loudness import PEAK, TARGET, loudness, true_peak

OLD_AND_NEW = ("old", "new")
PAGE = (ROOT / "docs" / "sound.md").read_text(encoding="utf-8")
TEXT = "slow jazz ballad for saxophone, piano and drums"
ROAD = {
    f'textmusic generate "{TEXT}" --format wav,mp3 --stems --sample-rate 48000': (
        f" --bars 2 --seed 1 --model {TINY}"
    ),
    'textmusic generate "calm piano in D minor" --format flac --dry': (
        f" --bars 2 --seed 1 --model {TINY}"
    ),
    "python benchmarks/old_and_new.py -o pairs": f" --model {TINY} two.txt",
    "textmusic listen benchmarks/sound_prompts.txt --answers pairs/old --answers pairs/new": (
        " --database votes.sqlite --csv votes.csv"
    ),
}


@pytest.mark.slow
def test_every_command_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    assert commands(PAGE) == list(ROAD), "in this order"
    (tmp_path / "two.txt").write_text("piano, 2 bars\nflute and drums, 2 bars\n", "utf-8")
    Votes(tmp_path / "votes.sqlite")
    walk(ROAD, tmp_path)
    pairs, broken = read_pairs(tmp_path / "two.txt", [tmp_path / "pairs" / n for n in OLD_AND_NEW])
    assert len(pairs) == 2 and not broken
    for pair in pairs:
        assert pair.first.audio and pair.second.audio
        performed = [read_recipe(side.midi).performance for side in (pair.first, pair.second)]
        assert performed == [0.0, 0.7]
    out = tmp_path / "out"
    mixes = [path for path in out.glob("*.wav") if len(path.suffixes) == 1]
    stems = [path for path in out.glob("*.wav") if len(path.suffixes) == 2]
    assert len(mixes) == 1 and stems
    assert len(list(out.glob("*.mp3"))) == 1 + len(stems)
    mix, rate = soundfile.read(mixes[0], dtype="float32")
    assert rate == 48000
    assert loudness(mix.T, rate) == pytest.approx(TARGET, abs=0.5)
    assert true_peak(mix.T) <= PEAK
    together = sum(soundfile.read(path, dtype="float32")[0] for path in stems)
    assert np.abs(together - mix).max() < 1e-3
    for path in (*mixes, *out.glob("*.mp3"), *out.glob("*.flac")):
        with soundfile.SoundFile(path) as file:
            assert file.title.startswith((TEXT, "calm piano")), path
            assert "seed: 1" in file.comment, path
