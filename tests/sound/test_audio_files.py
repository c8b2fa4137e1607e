"""Audio files say what the piece is, whatever people have called it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from textmusic.sound.audio_files import write_audio


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("calm piano", "calm piano"),
        ("安静的钢琴", "安静的钢琴"),
        ("\0", ""),
        ("a\nb\0c", "abc"),
        ("", ""),
    ],
)
def test_titles_are_lines(suffix: str, said: str, kept: str, tmp_path: Path) -> None:
    path = tmp_path / f"piece.{suffix}"
    write_audio(np.zeros((2, 4410), np.float32), path, tags={"title": said})
    with soundfile.SoundFile(path) as file:
        assert file.title == kept
