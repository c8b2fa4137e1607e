"""What is refused: speech, and drums however soft; and what is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recordings import RATE, TUNE, cymbals, hummed, plucked, saved

from textmusic.transcription.recordings import UnfitError
from textmusic.transcription.traits import Traits, refusal
from textmusic.transcription.transcribing import transcribe

pytest.importorskip("swift_f0", reason="needs the audio-in extra (swift-f0)")
# As measured in clips of ten seconds.
PIANO = Traits(
    notes=60, sung=20, sure=0.93, voiced=0.7, swaying=0.05, steady=0.9, consonants=0.004,
    bursts=0.0001, flatness=0.04,
)  # fmt: skip
SPEECH = Traits(  # in Mandarin, by a soft voice whose pitch hardly moves within a syllable
    notes=54, sung=39, sure=0.826, voiced=0.730, swaying=0.173, steady=0.889, consonants=0.05,
    bursts=0.004, flatness=0.09,
)  # fmt: skip
HUM = Traits(  # out of tune and restless, with nothing that hisses
    notes=40, sung=20, sure=0.83, voiced=0.88, swaying=0.251, steady=0.534, consonants=0.0,
    bursts=0.0, flatness=0.0,
)  # fmt: skip


@pytest.mark.parametrize("below", [0, 10])
def test_drums_under_a_tune_are_noticed(tmp_path: Path, below: int) -> None:
    tune = plucked()
    struck = np.resize(cymbals(), len(tune))
    level = np.sqrt(np.mean(tune**2) / np.mean(struck**2)) * 10 ** (-below / 20)
    with pytest.raises(UnfitError, match="has drums in it"):
        transcribe(saved(tune + struck * level, tmp_path / "band.wav"))


@pytest.mark.parametrize("sound", [plucked(), hummed()])
def test_steady_noise_is_no_drum(tmp_path: Path, sound: np.ndarray) -> None:
    noise = np.random.default_rng(4).normal(size=len(sound))
    noisy = sound + noise * np.sqrt(np.mean(sound**2)) * 0.1
    made = transcribe(saved(noisy, tmp_path / "noisy.wav", RATE))
    assert len(made.heard) >= len(TUNE) - 1


def test_speech_that_hardly_sways_is_speech() -> None:
    assert str(refusal(SPEECH)).startswith("sounds like speech")


def test_what_is_music_is_not_refused() -> None:
    assert refusal(PIANO) is None
    assert refusal(HUM) is None, "a restless hum has no consonants"
