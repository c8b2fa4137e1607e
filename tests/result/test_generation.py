"""Keeping a piece: every format, whole files only, and names that stay in the folder."""

from __future__ import annotations

import errno
import json
import signal
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic import Score

from textmusic.drawing.piano_roll import piano_roll
from textmusic.errors import TextMusicError
from textmusic.language.prompt import read_prompt
from textmusic.music.markers import read_midi
from textmusic.music.midi_files import read_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, KEYS, is_minor, sharps, tonic
from textmusic.result.formats import DEFAULT_FORMATS, NEEDED
from textmusic.result.formats import FORMATS as ALL_FORMATS
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.writing.text_to_music import TextToMusic

FORMATS = tuple(
    name for name in ALL_FORMATS if all(map(find_spec, NEEDED.get(name, ())))
)  # those that this installation can write
MAGIC = {"mid": b"MThd", "wav": b"RIFF", "flac": b"fLaC", "png": b"\x89PNG", "svg": b"<svg",
         "ogg": b"OggS", "opus": b"OggS"}  # fmt: skip


@pytest.fixture(scope="module")
def piece(tiny: TextToMusic) -> Generation:
    return tiny.generate("calm piano and drums in D minor, 2 bars, 120 bpm, 4/4", seed=7)


def named(piece: Generation, text: str) -> Generation:
    """The same piece for another prompt."""
    return replace(piece, prompt=replace(piece.prompt, text=text))


def test_every_format_is_written_under_one_name(piece: Generation, tmp_path: Path) -> None:
    paths = piece.save(tmp_path, formats=FORMATS)
    stem = "calm-piano-and-drums-in-d-minor-2-bars-120-bpm-4-7"
    assert [path.name for path in paths] == [f"{stem}.{name}" for name in FORMATS]
    assert sorted(tmp_path.iterdir()) == sorted(paths), "nothing else is left in the folder"
    for path in paths:
        assert path.stat().st_size > 100
        assert path.read_bytes().startswith(MAGIC.get(path.suffix[1:], b""))


def test_the_usual_formats_and_a_chosen_name(piece: Generation, tmp_path: Path) -> None:
    paths = piece.save(tmp_path / "new" / "folder", stem="first")
    assert [path.name for path in paths] == [f"first.{name}" for name in DEFAULT_FORMATS]


def test_the_midi_file_holds_the_piece(piece: Generation, tmp_path: Path) -> None:
    [path] = piece.save(tmp_path, formats=["mid"])
    score = read_midi(path.read_bytes())
    assert score.ticks_per_quarter == 480
    assert sorted(notes_of(score).pitch) == sorted(notes_of(piece.score).pitch)
    assert np.array_equal(notes_of(read_score(path)).start, notes_of(piece.score).start)
    assert sorted(track.name for track in score.tracks) == ["Chords", "Drums", "Piano"]
    assert [(s.numerator, s.denominator) for s in score.time_signatures] == [(4, 4)]
    assert [(k.key, k.tonality) for k in score.key_signatures] == [(-1, 1)]


def test_a_roll_and_a_rank_do_not_read_the_notes_again(
    piece: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_again(_: Score) -> None:
        raise AssertionError("the piece has its notes already")

    expected = piano_roll(
        piece.score, key=piece.plan.key, title=piece.prompt.text, sketch=piece.sketch,
        sections=piece.sections,
    )  # fmt: skip
    for module in ("drawing.piano_roll", "result.generation"):
        monkeypatch.setattr(f"textmusic.{module}.notes_of", read_again)
    assert piece.piano_roll() == expected
    assert piece.rank[1] == piece.nats


def test_the_json_file_is_the_report(piece: Generation, tmp_path: Path) -> None:
    [path] = piece.save(tmp_path, formats=["json"])
    data = json.loads(path.read_text(encoding="utf-8"))
    assert Report.from_dict(data) == replace(piece.report, performance=0.7)
    assert data["rows"][0]["field"] == "key"


def test_saving_again_replaces_what_was_there(piece: Generation, tmp_path: Path) -> None:
    [path] = piece.save(tmp_path, formats=["mid"], stem="a")
    path.write_text("old")
    piece.save(tmp_path, formats=["mid"], stem="a")
    assert path.read_bytes().startswith(b"MThd")


def test_an_unknown_format_is_refused_before_anything_is_written(
    piece: Generation, tmp_path: Path
) -> None:
    with pytest.raises(TextMusicError, match="'doc' is not a format; choose from mid, wav"):
        piece.save(tmp_path / "out", formats=["mid", "doc"])
    assert not (tmp_path / "out").exists()


def test_a_bad_soundfont_leaves_nothing_half_done(piece: Generation, tmp_path: Path) -> None:
    with pytest.raises(TextMusicError):
        piece.save(tmp_path / "out", soundfont=tmp_path / "none.sf2")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_said(piece: Generation, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("I am a file")
    for folder in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(TextMusicError, match="choose another folder with -o"):
            piece.save(folder, formats=["mid"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_leaves_no_partial_file_and_keeps_the_old_one(
    piece: Generation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    old = tmp_path / f"a.{name}"
    old.write_text("old")

    def half(self: Generation, *said: Any) -> None:
        next(path for path in said if isinstance(path, Path)).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("textmusic.result.saving._write", half)
    monkeypatch.setattr("textmusic.result.saving._write_audio", half)
    with pytest.raises(TextMusicError, match=r"No space left on device.*free some space"):
        piece.save(tmp_path, formats=[name], stem="a")
    assert [path.name for path in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "old"


@pytest.mark.parametrize("name", FORMATS)
def test_a_disk_that_is_really_full_is_noticed(
    piece: Generation, tmp_path: Path, name: str
) -> None:
    """A limit on the size of files stands for the disk: writing beyond it fails in the same way."""
    resource = pytest.importorskip("resource", reason="needs a Unix system")
    [whole] = piece.save(tmp_path, formats=[name], stem="whole")
    limit = whole.stat().st_size // 2
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(TextMusicError, match=r"full\.") as caught:
            piece.save(tmp_path, formats=[name], stem="full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert ".part" not in str(caught.value), "people know the file by its own name"
    assert [path.name for path in tmp_path.iterdir()] == [whole.name]


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Calm piano in D minor", "calm-piano-in-d-minor"),
        ("", "untitled"),
        ("🎹🎻", "untitled"),
        ("...", "untitled"),
        ("../../etc/passwd", "etc-passwd"),
        ("/root/.ssh/key", "root-ssh-key"),
        ("C:\\Windows\\x", "c-windows-x"),
        ("a\x00b\nc", "a-b-c"),
        ("平静的钢琴曲", "平静的钢琴曲"),
        ("x" * 2000, "x" * 48),
    ],
)
def test_a_prompt_as_a_file_name(piece: Generation, text: str, slug: str) -> None:
    assert named(piece, text).slug == slug


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=2000))
def test_no_prompt_leads_out_of_the_folder(text: str) -> None:
    slug = Generation.slug.fget(named_only(text))  # type: ignore[attr-defined]
    folder = Path("/somewhere/out")
    path = folder / f"{slug}-1.mid"
    assert path.parent == folder and path.name == f"{slug}-1.mid"
    assert slug and not slug.startswith(".") and not set(slug) & set('/\\:*?"<>|\x00\n')
    assert len(f".{slug}-4294967295.4194304.part.json".encode()) <= 255, "file names have a limit"


def named_only(text: str) -> Any:
    """Just enough of a Generation to have a slug."""

    class Bare:
        prompt = read_prompt(text)

    return Bare()


def test_odd_prompts_are_saved_under_their_names(piece: Generation, tmp_path: Path) -> None:
    for text in ("../up", "平静的钢琴曲" * 30, "a\ud800b", "CON", "🎹"):
        for path in named(piece, text).save(tmp_path, formats=["mid", "svg", "json"]):
            assert path.parent == tmp_path and path.exists()


def test_pretty_midi_has_the_same_notes(piece: Generation) -> None:
    midi = piece.to_pretty_midi()
    pitches = sorted(note.pitch for part in midi.instruments for note in part.notes)
    assert pitches == sorted(notes_of(piece.score).pitch)
    assert {part.is_drum for part in midi.instruments} == {True, False}


def test_audio_lasts_as_long_as_the_piece_and_is_not_silent(piece: Generation) -> None:
    audio = piece.audio()
    assert audio.shape[0] == 2 and audio.dtype == np.float32
    assert audio.shape[1] / 44100 >= piece.report.measured_seconds
    assert 0.1 < np.abs(audio).max() <= 1.0


@pytest.mark.parametrize("key", KEYS)
def test_key_signatures_have_the_right_number_of_sharps(key: str) -> None:
    """Every fifth up is one sharp more; a minor key has its relative major's signature."""
    major = (tonic(key) + 3) % 12 if is_minor(key) else tonic(key)
    assert (sharps(key) - major * 7) % 12 == 0
    assert -6 <= sharps(key) <= 6


@pytest.mark.parametrize(
    ("key", "signature"),
    [("C major", 0), ("A minor", 0), ("D minor", -1), ("G major", 1), ("F# major", 6),
     ("Eb minor", -6), ("Db major", -5), ("C# minor", 4), ("B major", 5), ("Bb minor", -5)],
)  # fmt: skip
def test_known_key_signatures(key: str, signature: int) -> None:
    assert sharps(key) == signature


def test_drums_alone_have_no_key_signature(tiny: TextToMusic) -> None:
    made = tiny.generate("", controls=Plan(programs=(DRUMS,), bars=2), seed=1)
    assert len(made.score.key_signatures) == 0
    assert [track.name for track in made.score.tracks] == ["Drums"]
