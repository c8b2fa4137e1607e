"""Loops: exactly as long as they should be, and no seam between two rounds."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from symusic import Note, Score, Tempo, Track

from textmusic.sound.audio_files import sample_rate_of, write_audio
from textmusic.sound.render import SAMPLE_RATE, render

TPQ = 480
SECONDS = 2.0  # four quarter notes at 120 a minute


def score_of(rounds: int = 1) -> Score:
    """Strings held over the whole bar, an open hi-hat at its end and a closed one at its start."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    strings, drums = Track("", 48, False), Track("", 0, True)
    for start in range(0, rounds * 4 * TPQ, 4 * TPQ):
        for pitch in (48, 60, 64, 67):
            strings.notes.append(Note(start, 4 * TPQ, pitch, 90))
        drums.notes.append(Note(start, TPQ, 42, 90))
        drums.notes.append(Note(start + 3 * TPQ, TPQ, 46, 110))
        drums.notes.append(Note(start + 2 * TPQ, TPQ, 49, 110))
    score.tracks.extend([strings, drums])
    return score


def looped() -> np.ndarray:
    return render(score_of(), loop=SECONDS)


def levels(audio: np.ndarray, width: int = 441) -> np.ndarray:
    """dB of each hundredth of a second."""
    blocks = audio[:, : audio.shape[1] // width * width].reshape(2, -1, width)
    return 10 * np.log10((blocks**2).mean(axis=(0, 2)) + 1e-12)


def spectrum(audio: np.ndarray, middle: int, width: int = 2048) -> np.ndarray:
    """dB of the frequencies around a sample, from the loudest one down to 60 dB below it."""
    piece = audio.mean(axis=0)[middle - width // 2 : middle + width // 2]
    power = 20 * np.log10(np.abs(np.fft.rfft(piece * np.hanning(width))) + 1e-9)
    return np.maximum(power, power.max() - 60)


def test_it_lasts_as_long_as_its_bars_to_the_sample() -> None:
    assert looped().shape == (2, round(SECONDS * SAMPLE_RATE))
    odd = render(score_of(), loop=1.23456)
    assert odd.shape == (2, round(1.23456 * SAMPLE_RATE))
    assert render(Score(TPQ), loop=SECONDS).shape == (2, round(SECONDS * SAMPLE_RATE))


def test_it_is_a_round_of_what_is_played_again_and_again() -> None:
    """The fourth of five rounds: the tail of the third is in it, and all that chokes another."""
    played = render(score_of(5))
    length = round(SECONDS * SAMPLE_RATE)
    one = played[:, 3 * length : 4 * length]
    loop = looped()
    scale = float((one * loop).sum() / (loop * loop).sum())
    assert np.abs(one - scale * loop).max() < 1e-3


def test_level_and_spectrum_at_the_seam_are_those_of_a_performance() -> None:
    loop = looped()
    seam = loop.shape[1]
    twice = np.concatenate([loop, loop], axis=1)
    played = render(score_of(5))
    there = played[:, 2 * seam : 4 * seam] * (np.abs(twice).max() / np.abs(played).max())
    around = slice(seam - 4410, seam + 4410)
    assert np.abs(levels(twice[:, around]) - levels(there[:, around])).max() < 1
    assert np.abs(spectrum(twice, seam) - spectrum(there, seam)).mean() < 0.5
    # and what was written before was not: cut at its end, it has lost its tail
    cut = render(score_of())[:, :seam]
    cut = np.concatenate([cut, cut], axis=1)
    assert np.abs(levels(cut[:, around]) - levels(there[:, around])).max() > 1
    assert np.abs(spectrum(cut, seam) - spectrum(there, seam)).mean() > 1


def test_there_is_no_click_at_the_seam() -> None:
    """Of held notes without any attack: no step between two samples is larger than elsewhere."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    track = Track("", 52, False)
    track.notes.append(Note(TPQ, 3 * TPQ, 60, 90))
    score.tracks.append(track)
    loop = render(score, loop=SECONDS)
    steps = np.abs(np.diff(np.concatenate([loop, loop], axis=1)))
    seam = loop.shape[1]
    assert np.abs(loop[:, :100]).max() > 0.01, "the tail is heard in the beginning"
    assert steps[:, seam - 2 : seam + 2].max() <= steps.max() / 2


def test_tails_that_are_longer_than_a_round_are_heard_in_several() -> None:
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    track = Track("", 0, True)
    track.notes.append(Note(0, TPQ, 49, 110))  # a crash, which rings for more than a quarter note
    score.tracks.append(track)
    loop = render(score, loop=0.25)
    assert loop.shape == (2, round(0.25 * SAMPLE_RATE))
    many = Score(TPQ)
    many.tempos.append(Tempo(0, qpm=120))
    track = Track("", 0, True)
    track.notes.extend([Note(n * TPQ // 2, TPQ, 49, 110) for n in range(24)])
    many.tracks.append(track)
    played = render(many)
    length = loop.shape[1]
    one = played[:, 20 * length : 21 * length]
    scale = float((one * loop).sum() / (loop * loop).sum())
    assert np.abs(one - scale * loop).max() < 2e-3


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".opus"])
def test_files_last_as_long(tmp_path: Path, suffix: str) -> None:
    rate = sample_rate_of(suffix)
    audio = render(score_of(), loop=SECONDS, sample_rate=rate)
    path = tmp_path / f"a{suffix}"
    write_audio(audio, path, rate, loop=True)
    assert soundfile.info(path).frames == audio.shape[1] == round(SECONDS * rate)


@pytest.mark.parametrize("loop", [True, False])
def test_a_wav_file_says_where_it_is_repeated(tmp_path: Path, loop: bool) -> None:
    audio = looped()
    path = tmp_path / "a.wav"
    write_audio(audio, path, loop=loop)
    data = path.read_bytes()
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    chunks, place = {}, 12
    while place < len(data):
        size = struct.unpack("<I", data[place + 4 : place + 8])[0]
        chunks[data[place : place + 4]] = data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    assert (b"smpl" in chunks) == loop
    if loop:
        numbers = struct.unpack("<15I", chunks[b"smpl"])
        assert numbers[7:9] == (1, 0)
        assert numbers[11:13] == (0, audio.shape[1] - 1)
    assert len(soundfile.read(path)[0]) == audio.shape[1]
