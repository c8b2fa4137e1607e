"""What a MIDI file says of how it was made, and the same piece again from it."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mido import MetaMessage, MidiFile
from symusic import Score

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls
from textmusic.music.midi_files import read_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.result.recipe import MARK, Recipe, embed, read_recipe, same_piece
from textmusic.result.report import Report
from textmusic.tokens.sampling import Sampling
from textmusic.writing.text_to_music import TextToMusic

TEXT = "sad 欢快 waltz <b>, 2 bars, no drums"


@pytest.fixture
def midi(tiny: TextToMusic, tmp_path: Path) -> Path:
    made = tiny.generate(
        TEXT, seed=7, controls=Plan(programs=(0, 40)), sampling=Sampling(temperature=0.8)
    )
    midi, _ = made.save(tmp_path, formats=("mid", "json"), stem="piece")
    return midi


def forged(midi: Path, **changes: Any) -> Path:
    """The file with another recipe in it."""
    file = MidiFile(midi, charset="utf-8")
    (place,) = [
        i for i, m in enumerate(file.tracks[0]) if m.type == "text" and m.text.startswith(MARK)
    ]
    recipe = json.loads(file.tracks[0][place].text[len(MARK) :]) | changes
    file.tracks[0][place] = MetaMessage("text", text=MARK + json.dumps(recipe))
    file.save(midi)
    return midi


def test_the_notes_are_not_touched_and_any_program_reads_the_file(
    tiny: TextToMusic, midi: Path
) -> None:
    import pretty_midi

    made = tiny.generate(
        TEXT, seed=7, controls=Plan(programs=(0, 40)), sampling=Sampling(temperature=0.8)
    )
    one, two = notes_of(read_score(midi)), notes_of(made.score)
    assert np.array_equal(one.start, two.start) and np.array_equal(one.pitch, two.pitch)
    assert Score(midi).time_signatures == made.score.time_signatures
    assert Score(midi).key_signatures == made.score.key_signatures
    named = [track.name for track in pretty_midi.PrettyMIDI(str(midi)).instruments]
    assert named == [track.name for track in made.score.tracks]
    first = MidiFile(midi, charset="utf-8").tracks[0][0]
    assert first.type == "text" and "seed 7" in first.text and TEXT in first.text


@pytest.mark.parametrize("suffix", [".mid", ".json"])
def test_a_file_says_how_it_was_made(midi: Path, tiny_model: Path, suffix: str) -> None:
    recipe = read_recipe(midi.with_suffix(suffix))
    assert (recipe.text, recipe.seed, recipe.model) == (TEXT, 7, tiny_model.name)
    assert recipe.asked == Plan(time_signature="3/4", genre="waltz", programs=(0, 40), bars=2)
    assert recipe.sampling == Sampling(temperature=0.8)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_replay_writes_the_same_piece(
    midi: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in (midi, midi.with_suffix(".json")):
        out = tmp_path / source.suffix[1:]
        words = ["replay", source, "-o", out, "--format", "mid", "--model", tiny_model]
        assert main([str(word) for word in words]) == 0, capsys.readouterr().err
        (again,) = out.iterdir()
        assert again.read_bytes() == midi.read_bytes()


def test_a_piece_that_does_not_come_out_the_same_is_not_written(
    midi: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["replay", forged(midi, seed=8), "-o", tmp_path / "out", "--model", tiny_model]
    assert main([str(word) for word in words]) == 2
    assert "does not match what was written again" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "chords", "form"),
    [
        ("piano, 8 bars", "Am F C G", "AABA"),
        ("piano in Eb major, 6 bars", "I-V-vi-IV", None),
        ("piano, 8 bars, chords Dm A7", None, "verse chorus"),
        ("piano, verse chorus verse chorus, 8 bars", "| Dm7 G7 | C |", None),
        ("minor blues for piano in A minor, 12 bars", "12-bar blues", None),
        ("drums, 4 bars, AABB", "C G", None),
        ("piano, 4 bars, ends on the dominant", None, None),
    ],
)
def test_chords_and_form_are_replayed_note_for_note(
    text: str, chords: str | None, form: str | None, tiny: TextToMusic, tiny_model: Path,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    controls = Controls(chords=chords, form=form)
    made = tiny.generate(text, outline=controls.outline(), seed=3)
    assert made.prompt.outline.known
    for path in made.save(tmp_path, formats=("mid", "json"), stem="piece"):
        recipe = read_recipe(path)
        assert recipe.outline == made.prompt.outline
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
        out = tmp_path / path.suffix[1:]
        words = ["replay", path, "-o", out, "--format", "mid", "--model", tiny_model]
        assert main([str(word) for word in words]) == 0, capsys.readouterr().err
        (again,) = out.iterdir()
        assert again.read_bytes() == (tmp_path / "piece.mid").read_bytes()


@pytest.mark.parametrize("suffix", [".mid", ".json"])
def test_a_recipe_of_before_the_sketch_is_refused_in_one_sentence(
    midi: Path, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"temperature": 0.95, "top_p": 0.95, "key_strength": 0.3}
    path = midi.with_suffix(suffix)
    if suffix == ".json":
        data = json.loads(path.read_text("utf-8")) | {"sampling": old, "version": "0.1.0"}
        for name in ("outline", "sketch", "kept"):
            del data[name]
        path.write_text(json.dumps(data))
        assert Report.from_dict(data).sampling is None, "its figures can still be read"
    else:
        forged(path, sampling=old, version="0.1.0")
    assert main(["replay", str(path), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "written by an older textmusic (0.1.0)" in said and "replay it with that version" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"outline": {"chords": [[[12, "maj"]]]}},
        {"outline": {"chords": [[[0, "major"]]]}},
        {"outline": {"chords": [[]]}},
        {"outline": {"chords": [[[0, "maj"]]] * 2000}},
        {"outline": {"chords": "C"}},
        {"outline": {"last": [0]}},
        {"outline": {"form": ["A"] * 99}},
        {"outline": {"form": ["A", "B"], "names": ["verse"]}},
        {"outline": {"form": [3]}},
        {"outline": {"minor": "yes"}},
        {"outline": {"evil": 1}},
        {"outline": None},
        {"asked": {"bars": 10**9}},
        {"asked": {"key": "H minor"}},
        {"asked": {"tempo": 0}},
        {"asked": {"programs": ["x"]}},
        {"asked": {"evil": 1}},
        {"asked": None},
        {"seed": -1},
        {"seed": "1"},
        {"seconds": 1e9},
        {"text": 3},
        {"sampling": {"temperature": 99}},
        {"more": 1},
    ],
)
def test_a_forged_recipe_is_refused(midi: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(TextMusicError, match="does not say how it was made"):
        read_recipe(forged(midi, **changes))


@pytest.mark.parametrize("data", [b"", b"MThd", b"\x89PNG", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk"])
@pytest.mark.parametrize("name", ["x.mid", "x.json"])
def test_a_file_without_a_recipe_is_refused(data: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TextMusicError, match="does not say how it was made"):
        read_recipe(tmp_path / name)
    with pytest.raises(TextMusicError, match="can't be read"):
        read_recipe(tmp_path / "missing.mid")


def test_files_of_others_say_nothing(pieces: list[Path]) -> None:
    with pytest.raises(TextMusicError, match="does not say how it was made"):
        read_recipe(pieces[0])


def test_what_no_language_model_wrote_has_no_recipe(tiny: TextToMusic) -> None:
    data = tiny.generate("piano, 2 bars", seed=1).score.dumps_midi()
    assert embed(data, None) == data
    texts = [m for m in MidiFile(file=BytesIO(data)).tracks[0] if m.type == "text"]
    assert not texts


def test_a_changed_note_is_noticed(tiny: TextToMusic, tmp_path: Path) -> None:
    piece = tiny.generate("piano, 2 bars", seed=1)
    (path,) = piece.save(tmp_path, formats=("mid",))
    assert same_piece(path, piece)
    score = Score(path)
    score.tracks[0].notes[0].pitch += 1
    path.write_bytes(score.dumps_midi())
    assert not same_piece(path, piece)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"seed": ' + "9" * 5_000 + "}", '{"sampling": [1]}', "[]", "5"]
)
def test_a_report_of_anything_else_is_no_recipe(content: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(TextMusicError, match="does not say how it was made"):
        read_recipe(path)
