"""Pieces that are kept as loops, and what every MIDI file says for sequencers."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import mido
import pytest
import soundfile

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.music.markers import read_midi, sections_marked
from textmusic.music.notes import notes_of
from textmusic.result.generation import Generation
from textmusic.writing.text_to_music import TextToMusic


@pytest.fixture(scope="module")
def piece(tiny: TextToMusic) -> Generation:
    """Two violins, drums, and a bass; 8 s."""
    text = "violin, flute, bass and drums in D minor, 4 bars, 120 bpm, 4/4"
    return tiny.generate(text, seed=7)


def opened(piece: Generation) -> mido.MidiFile:
    return mido.MidiFile(file=BytesIO(piece.midi()), charset="utf-8")


def ends(file: mido.MidiFile) -> list[int]:
    return [sum(message.time for message in track) for track in file.tracks]


def marks(file: mido.MidiFile) -> list[tuple[int, str]]:
    found, now = [], 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "marker":
            found.append((now, message.text))
    return found


def ringing(piece: Generation) -> Generation:
    """The same with a note that is held into a fifth bar."""
    score = piece.score.copy()
    note = score.tracks[0].notes[-1]
    note.duration = 4 * 1920 + 700 - note.time
    return replace(piece, score=score, columns=notes_of(score))


def test_tracks_end_with_the_last_bar(piece: Generation) -> None:
    file = opened(piece)
    assert ends(file) == [4 * 1920] * len(file.tracks)
    assert file.length == pytest.approx(8.0)
    assert not [name for _, name in marks(file) if name.startswith("loop")]


def test_a_loop_ends_with_its_last_bar_and_says_so(piece: Generation) -> None:
    assert max(ends(opened(ringing(piece)))) == 4 * 1920 + 700
    loop = ringing(piece).looped()
    file = opened(loop)
    assert ends(file) == [4 * 1920] * len(file.tracks)
    found = marks(file)
    assert (0, "loopStart") in found and (4 * 1920, "loopEnd") in found
    assert sections_marked(read_midi(loop.midi())) == piece.sections
    assert loop.report.measured_seconds == 8.0
    assert loop.audio().shape == (2, 8 * 44_100)


def test_a_performed_loop_lasts_its_bars_in_a_steady_tempo(piece: Generation) -> None:
    romantic = replace(piece, plan=replace(piece.plan, genre="romantic", programs=(0,)))
    loop = ringing(romantic).looped().performed(1.0)
    assert len(read_midi(romantic.performed(1.0).midi()).tempos) > 4, "otherwise it breathes"
    assert len(read_midi(loop.midi()).tempos) == 1
    assert ends(opened(loop)) == [4 * 1920] * len(opened(loop).tracks)
    heard = notes_of(loop.played)
    assert (heard.velocity != loop.columns.velocity).any() and heard.end.max() <= 16
    assert loop.audio().shape == (2, 8 * 44_100)


def test_what_stood_before_is_no_loop(piece: Generation) -> None:
    continued = replace(piece, report=replace(piece.report, new_bars=(2, 4)))
    with pytest.raises(TextMusicError, match="only a piece that was written as a whole"):
        continued.looped()


def test_every_part_has_a_volume_and_a_place(piece: Generation) -> None:
    found: dict[str, dict[int, int]] = {}
    for track in opened(piece).tracks:
        controls = {m.control: m.value for m in track if m.type == "control_change"}
        if controls:
            found[track.name] = controls
    assert len(found) == 4
    assert {controls[7] for controls in found.values()} == {100}
    pans = {name: controls[10] for name, controls in found.items()}
    assert (pans.pop("Violin"), pans.pop("Flute")) == (48, 77)  # a band's seats: there are drums
    assert set(pans.values()) == {64}


def test_one_instrument_stays_in_the_middle(tiny: TextToMusic) -> None:
    made = tiny.generate("piano, 2 bars", seed=1)
    pans = [m.value for t in opened(made).tracks for m in t if m.is_cc(10)]
    assert pans == [64]


def call(*args: Any) -> int:
    return main([str(arg) for arg in args])


def test_generate_and_replay_a_loop(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--model", tiny_model, "-o", tmp_path, "--format", "mid,wav,json", "--seed", "4")
    asked = ("piano and drums", "--bars", "4", "--tempo", "120", "--time-signature", "4/4")
    assert call("generate", *asked, "--loop", *more) == 0
    wav, midi = tmp_path / "piano-and-drums-4.wav", tmp_path / "piano-and-drums-4.mid"
    assert soundfile.info(wav).frames == 8 * 44_100
    assert mido.MidiFile(midi, charset="utf-8").length == pytest.approx(8.0)
    assert json.loads(wav.with_suffix(".json").read_text("utf-8"))["loop"] is True
    again = tmp_path / "again"
    assert call("replay", midi, "--model", tiny_model, "-o", again, "--format", "mid,wav") == 0
    assert (again / midi.name).read_bytes() == midi.read_bytes()
    assert (again / wav.name).read_bytes() == wav.read_bytes()
    assert call("replay", wav.with_suffix(".json"), "--model", tiny_model, "-o", again) == 0


def test_loops_of_a_batch(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"bars": 2, "tempo": 120, "time_signature": "4/4", "instruments": ["piano"]}
    lines = [{"text": "a", "loop": True}, {"text": "b", "loop": False}, {"text": "c", "loop": "x"}]
    file = tmp_path / "prompts.jsonl"
    file.write_text("\n".join(json.dumps({**line, **asked}) for line in lines), encoding="utf-8")
    out = tmp_path / "out"
    args = ("batch", file, "-o", out, "--model", tiny_model, "--format")
    assert call(*args, "mid") == 1
    said = capsys.readouterr().err
    assert said == 'prompt 3 failed: loop "x" has the wrong type; give true or false.\n'
    assert call(*args, "mid,wav") == 1
    assert "2 rendered from their MIDI files" in capsys.readouterr().out
    assert soundfile.info(out / "0001.wav").frames == 4 * 44_100
    assert soundfile.info(out / "0002.wav").frames != 4 * 44_100
    named = [any(t.type == "marker" for t in mido.MidiFile(out / f"000{n}.mid").tracks[0])
             for n in (1, 2)]  # fmt: skip
    assert named == [True, False]
