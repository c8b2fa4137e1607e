"""Audio: what is played, how loud, how long; files; soundfonts, good and broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from heard import frequency, level, sine_soundfont
from symusic import Note, Score, Tempo, Track

from textmusic.errors import TextMusicError
from textmusic.sound.audio_files import sample_rate_of, write_audio
from textmusic.sound.loudness import PEAK, TARGET, loudness, true_peak
from textmusic.sound.render import SAMPLE_RATE, TAIL, soundfont_path
from textmusic.sound.render import render as render_in_a_room
from textmusic.sound.soundfont import BUNDLED

TPQ = 480


def render(score: Score, **how: Any) -> np.ndarray:
    """Without the room, which would blur what these tests look at."""
    return render_in_a_room(score, **{"dry": True, **how})


def score_of(*notes: tuple[float, float, int, int], program: int = 0, drums: bool = False) -> Score:
    """One instrument at 120 quarter notes a minute; notes are (start, length, pitch, velocity)."""
    score = Score(TPQ)
    score.tempos.append(Tempo(0, qpm=120))
    track = Track("", program, drums)
    for start, length, pitch, velocity in notes:
        track.notes.append(Note(round(start * TPQ), round(length * TPQ), pitch, velocity))
    score.tracks.append(track)
    return score


def test_sounds_in_stereo_at_the_stated_peak_and_length() -> None:
    score = score_of((0, 1, 60, 90), (1, 1, 64, 60), (2, 2, 67, 110))  # 4 quarters = 2 seconds
    audio = render_in_a_room(score)
    assert audio.dtype == np.float32
    assert audio.shape[0] == 2
    assert np.isfinite(audio).all()
    assert loudness(audio, SAMPLE_RATE) == pytest.approx(TARGET, abs=0.1)
    assert true_peak(audio) <= PEAK
    assert 2 * SAMPLE_RATE <= audio.shape[1] <= (2 + TAIL) * SAMPLE_RATE
    assert level(audio, 0, 2) > 0.02
    assert not np.array_equal(*render(score, dry=False))


def test_does_not_depend_on_the_run() -> None:
    score = score_of((0, 1, 60, 90), (0, 2, 48, 90), program=48)
    assert np.array_equal(render(score), render(score))


def test_velocity_is_loudness() -> None:
    audio = render(score_of((0, 1, 60, 127), (4, 1, 60, 64), (8, 1, 60, 32)))
    loud, middle, soft = level(audio, 0, 0.5), level(audio, 2, 2.5), level(audio, 4, 4.5)
    assert loud / middle == pytest.approx((127 / 64) ** 2, rel=0.02)
    assert middle / soft == pytest.approx(4, rel=0.02)


def test_a_piano_fades_and_an_organ_does_not() -> None:
    piano, organ = render(score_of((0, 8, 60, 90))), render(score_of((0, 8, 60, 90), program=19))
    assert level(piano, 2.5, 3) < 0.3 * level(piano, 0, 0.5)
    assert level(organ, 2.5, 3) > 0.7 * level(organ, 0.5, 1)


def test_drums_sound_and_ring_on() -> None:
    for pitch in (36, 38, 42, 49):
        audio = render(score_of((0, 0.25, pitch, 100), drums=True))
        assert level(audio, 0, 0.1) > 0.01, pitch
    crash = render(score_of((0, 0.25, 49, 100), drums=True))
    assert crash.shape[1] > SAMPLE_RATE


def test_a_closed_hi_hat_cuts_an_open_one_off() -> None:
    open_hat, closed_hat, later = (0, 0.25, 46, 100), (0.5, 0.25, 42, 20), (4, 1, 38, 20)
    alone = render(score_of(open_hat, later, drums=True))
    choked = render(score_of(open_hat, closed_hat, later, drums=True))
    assert level(alone, 0.4, 0.6) > 10 * level(choked, 0.4, 0.6)


def test_every_program_sounds() -> None:
    silent = [
        p for p in range(128) if level(render(score_of((0, 1, 60, 90), program=p)), 0, 1) < 0.001
    ]
    assert silent == []


def test_tempo_changes_count() -> None:
    score = score_of((0, 4, 60, 90), (4, 1, 60, 90))
    score.tempos.append(Tempo(4 * TPQ, qpm=30))
    assert render(score).shape[1] >= (2 + 2) * SAMPLE_RATE


def test_scores_in_other_time_units() -> None:
    score = score_of((0, 1, 60, 90))
    for unit in ("second", "quarter"):
        assert np.array_equal(render(score.to(unit)), render(score))


@pytest.mark.parametrize("score", [Score(TPQ), score_of(), score_of((0, 1, 60, 0))])
def test_no_notes_is_silence(score: Score) -> None:
    audio = render(score)
    assert audio.shape == (2, SAMPLE_RATE)
    assert not audio.any()


def test_very_soft_and_very_short_notes() -> None:
    soft = render(score_of((0, 1, 60, 1)))
    assert loudness(soft, SAMPLE_RATE) == pytest.approx(TARGET, abs=0.5)
    assert np.isfinite(render(score_of((0, 0, 60, 90)))).all()


@pytest.mark.parametrize("compressed", [False, True], ids=["sf2", "sf3"])
def test_soundfont_pitch_and_loop(tmp_path: Path, compressed: bool) -> None:
    font = sine_soundfont(tmp_path / "sine.sf2", compressed=compressed)
    for pitch, hertz in ((72, 500), (60, 250), (79, 500 * 2 ** (7 / 12))):
        audio = render(score_of((0, 6, pitch, 90)), soundfont=font)  # 3 s of a 1 s recording
        assert frequency(audio) == pytest.approx(hertz, rel=0.002)
        assert level(audio, 2.5, 2.9) == pytest.approx(level(audio, 0.1, 0.5), rel=0.02)
        steps = np.abs(np.diff(audio[0, SAMPLE_RATE // 100 : 3 * SAMPLE_RATE]))
        assert (
            steps.max() < 1.2 * np.abs(audio).max() * 2 * np.pi * hertz / SAMPLE_RATE
        )  # no click at the loop


def test_soundfont_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    font = sine_soundfont(tmp_path / "sine.sf2")
    monkeypatch.setenv("TEXTMUSIC_SOUNDFONT", str(font))
    assert soundfont_path() == font
    assert frequency(render(score_of((0, 4, 72, 90)))) == pytest.approx(500, rel=0.002)
    monkeypatch.delenv("TEXTMUSIC_SOUNDFONT")
    assert soundfont_path() == BUNDLED and BUNDLED.is_file()
    assert soundfont_path("~/x.sf2") == Path.home() / "x.sf2"


def test_sample_rate() -> None:
    half = render(score_of((0, 4, 69, 90)), sample_rate=SAMPLE_RATE // 2)
    assert frequency(half) / 2 == pytest.approx(440, rel=0.005)


@pytest.mark.parametrize("content", [None, b"", b"not a soundfont", b"RIFF\x10\0\0\0sfbkLIST"])
def test_broken_soundfonts_say_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.sf2"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TextMusicError, match=r"broken\.sf2.*choose another"):
        render(score_of((0, 1, 60, 90)), soundfont=path)


def test_truncated_soundfont_says_so(tmp_path: Path) -> None:
    path = sine_soundfont(tmp_path / "cut.sf2")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TextMusicError, match="not a complete SF2"):
        render(score_of((0, 1, 60, 90)), soundfont=path)


@pytest.mark.parametrize(
    ("suffix", "tolerance"),
    [(".wav", 1e-4), (".flac", 1e-4), (".mp3", 0.1), (".WAV", 1e-4), (".ogg", 0.1), (".opus", 0.1)],
)
def test_files_hold_the_audio(tmp_path: Path, suffix: str, tolerance: float) -> None:
    wanted = sample_rate_of(suffix)
    audio = render(score_of((0, 1, 60, 90), (1, 1, 67, 90)), sample_rate=wanted)
    path = tmp_path / f"a{suffix}"
    write_audio(audio, path, wanted)
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == wanted == (48000 if suffix == ".opus" else SAMPLE_RATE)
    assert read.shape[1] == 2
    assert abs(len(read) - audio.shape[1]) < 3000  # mp3 pads its blocks
    size = min(len(read), audio.shape[1])
    assert np.abs(read[:size].T - audio[:, :size]).max() < tolerance


def test_unknown_suffix_and_missing_folder(tmp_path: Path) -> None:
    silence = np.zeros((2, 100), dtype=np.float32)
    with pytest.raises(TextMusicError, match=r"\.aac.*use \.wav, .*\.opus"):
        write_audio(silence, tmp_path / "a.aac")
    with pytest.raises(TextMusicError, match=r"\.opus holds no 44,100 .*; render 48,000"):
        write_audio(silence, tmp_path / "a.opus")
    with pytest.raises(OSError, match="such file"):
        write_audio(silence, tmp_path / "nowhere" / "a.wav")
