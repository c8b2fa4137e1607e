"""Recordings -> scores: the right notes, beats and key; and a sentence for what can't be heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recordings import RATE, TUNE, cymbals, hummed, plucked, saved

from textmusic.music.notes import notes_of
from textmusic.transcription.recordings import UnfitError, read_recording
from textmusic.transcription.transcribing import transcribe

pytest.importorskip("swift_f0", reason="needs the audio-in extra (swift-f0)")
pytest.importorskip("soxr", reason="needs the audio-in extra (soxr)")


def test_plucked_notes_are_written_as_they_are(tmp_path: Path) -> None:
    made = transcribe(saved(plucked(), tmp_path / "tune.wav"))
    notes = notes_of(made.score)
    assert notes.pitch.tolist() == list(TUNE)
    assert np.diff(notes.start).tolist() == [1.0] * (len(TUNE) - 1), "quarter notes"
    assert abs(made.account.tempo - 120) < 1 and made.account.key == "C major"
    assert not made.account.voice and made.account.sure > 0.8 and not made.account.doubts
    assert made.name == "tune.wav" and len(made.sha256) == 64


def test_chords_are_heard_whole(tmp_path: Path) -> None:
    chords = [(48, 64, 67), (53, 60, 69), (55, 62, 71), (48, 64, 67)] * 3
    made = transcribe(saved(plucked(chords, 0.6), tmp_path / "chords.flac"))
    notes = notes_of(made.score)
    heard = [tuple(notes.pitch[notes.start == at].tolist()) for at in np.unique(notes.start)]
    assert len(heard) == len(chords)
    for notes_heard, chord in zip(heard, chords, strict=True):
        assert set(chord) <= set(notes_heard), "none is missed"
        octaves = {pitch % 12 for pitch in chord}
        assert all(pitch % 12 in octaves for pitch in notes_heard), "at most octaves are too many"


def test_a_hum_is_heard_as_one_voice(tmp_path: Path) -> None:
    made = transcribe(saved(hummed(), tmp_path / "hum.ogg"))
    assert made.account.voice
    assert notes_of(made.score).pitch.tolist() == list(TUNE)
    assert abs(made.account.tempo - 120) < 3


def test_mains_hum_in_a_pause_is_no_note(tmp_path: Path) -> None:
    phase = 2 * np.pi * 100 * np.arange(RATE) / RATE
    buzz = sum(np.sin(k * phase + k**2) for k in range(1, 21)) * 0.0025  # 33 dB below the voice
    made = transcribe(saved(np.concatenate([hummed(), buzz]), tmp_path / "hum.wav"))
    assert made.account.voice and made.heard.pitch.tolist() == list(TUNE)


def test_what_is_known_is_used(tmp_path: Path) -> None:
    path = saved(plucked(), tmp_path / "tune.wav")
    made = transcribe(path, tempo=60, metre="3/4")
    assert made.account.metre == "3/4" and abs(made.account.tempo - 60) < 1
    assert made.account.known == ("tempo", "metre")
    assert np.diff(notes_of(made.score).start).tolist() == [0.5] * (len(TUNE) - 1)


def test_a_recording_that_is_out_of_tune_keeps_its_intervals(tmp_path: Path) -> None:
    made = transcribe(saved(plucked(cents=30), tmp_path / "sharp.wav"))
    assert notes_of(made.score).pitch.tolist() == list(TUNE)


def test_denoising_keeps_the_notes(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).normal(size=len(plucked())) * 0.02
    made = transcribe(saved(plucked() + noise, tmp_path / "noisy.wav"), denoise=True)
    assert made.account.denoised and notes_of(made.score).pitch.tolist() == list(TUNE)


def test_bytes_are_the_same_as_their_file(tmp_path: Path) -> None:
    path = saved(plucked(), tmp_path / "tune.mp3")
    one, two = transcribe(path), transcribe(path.read_bytes(), ".mp3")
    assert one.score.dumps_midi() == two.score.dumps_midi() and one.sha256 == two.sha256


@pytest.mark.parametrize(
    ("rate", "subtype"), [(8000, "PCM_U8"), (48000, "FLOAT"), (44100, "PCM_24")]
)
def test_every_rate_and_depth_is_read(tmp_path: Path, rate: int, subtype: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    path = saved(np.stack([tone, tone], axis=1), tmp_path / "a.wav", rate, subtype=subtype)
    audio = read_recording(path).audio
    assert abs(len(audio) - RATE) < 50 and 0.4 < float(np.abs(audio).max()) < 0.6


def test_numbers_that_are_none_do_no_harm(tmp_path: Path) -> None:
    audio = plucked()
    audio[1000:1010], audio[2000] = np.nan, np.inf
    path = saved(audio, tmp_path / "a.wav", subtype="FLOAT")
    assert np.isfinite(read_recording(path).audio).all()


@pytest.mark.parametrize(
    ("name", "audio", "why"),
    [
        ("silent.wav", np.zeros(RATE * 2), "is silent"),
        ("short.wav", np.ones(500) * 0.1, "is shorter than"),
        ("hiss.wav", np.random.default_rng(3).normal(size=RATE * 3) * 0.1, "hardly a note"),
        ("drums.wav", cymbals(), "hardly a note|has drums"),
    ],
)  # fmt: skip
def test_what_holds_no_music_is_refused(
    tmp_path: Path, name: str, audio: np.ndarray, why: str
) -> None:
    with pytest.raises(UnfitError, match=why):
        transcribe(saved(audio, tmp_path / name))


def test_two_hours_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    saved(np.zeros(4000 * 1800, dtype=np.int16), path, 4000, subtype="PCM_16")
    with pytest.raises(UnfitError, match="lasts 30 minutes, more than the 10"):
        transcribe(path)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.wav", b"", "is empty"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "is not a sound file"),
        ("a.mp3", b"\0" * 3000, "is not a sound file"),
        ("a.mp4", b"\0\0\0 ftypisom", "save the sound as WAV"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UnfitError, match=why):
        transcribe(tmp_path / name)
