"""A piece with notes changed by hand, and the same again from its recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from symusic import Score
from typer.testing import CliRunner

from textmusic.cli.main import app
from textmusic.errors import TextMusicError
from textmusic.music.midi_editing import NoteEdit, Place
from textmusic.music.midi_files import read_events
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note, notes_of
from textmusic.music.theory import DRUMS
from textmusic.result.recipe import Recipe, read_recipe, same_piece
from textmusic.writing.editing import HOW, MOST_EDITS, edit, read_edits
from textmusic.writing.repeating import again, source_of

TRIO = Path(__file__).parents[1] / "data" / "midi" / "trio.mid"


def edits() -> list[NoteEdit]:
    """One note moved, one deleted, and one struck on a kit that was not there."""
    columns = notes_of(_score())
    first, second = (
        Place(int(columns.program[n]), float(columns.start[n]), int(columns.pitch[n]))
        for n in (0, 1)
    )
    moved = Note(first.start + 1, 0.5, first.pitch + 2, 90, first.program)
    return [NoteEdit(first, moved), NoteEdit(second, None),
            NoteEdit(None, Note(2.0, 0.25, 38, 70, DRUMS))]  # fmt: skip


def _score() -> Score:
    return to_score(read_events(TRIO))


def test_the_changed_piece_and_its_report() -> None:
    made = edit(read_events(TRIO), edits())
    before = notes_of(_score())
    assert made.report.notes == len(before) == len(made.columns)
    assert made.report.change is not None and made.report.change.how == HOW
    assert DRUMS in made.columns.program and (made.report.sampling, made.report.seed) == (None, 0)
    assert made.report.measured.programs is not None and DRUMS in made.report.measured.programs


def test_a_changed_piece_is_made_again_without_a_model(tmp_path: Path) -> None:
    made = edit(read_events(TRIO), edits())
    files = made.save(tmp_path, formats=("mid", "json"), stem="trio-changed")
    for file in files:
        recipe = read_recipe(file)
        assert recipe.change is not None
        repeated = again(recipe, source_of(recipe.change, TRIO, []), None)
        assert repeated.midi() == made.midi() and same_piece(file, repeated)
    # more by hand upon that
    more = edit(read_events(files[0]), [NoteEdit(None, Note(0.0, 1.0, 100, 80, 0))])
    assert more.midi().count(b"textmusic recipe") == 1


def test_the_command_line_replays_it_without_loading_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = edit(read_events(TRIO), edits())
    (file,) = made.save(tmp_path, formats=("mid",), stem="trio-changed")

    def loaded(*_: object, **__: object) -> None:
        raise AssertionError("no model is needed")

    monkeypatch.setattr("textmusic.writing.text_to_music.TextToMusic.from_pretrained", loaded)
    out = tmp_path / "again"
    more = ["--source", str(TRIO), "-o", str(out), "--format", "mid"]
    done = CliRunner().invoke(app, ["replay", str(file), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (out / file.name).read_bytes() == file.read_bytes()


def test_edits_are_read_as_browsers_and_recipes_have_them() -> None:
    pairs = [[[0, 1.5, 60], [0, 2, 0.5, 61, 80]], [None, [128, 0, 0.25, 38, 1]]]
    said = [{"old": old, "note": note} for old, note in pairs]
    read = read_edits(said)
    assert read == read_edits(pairs)
    assert read == [NoteEdit(Place(0, 1.5, 60), Note(2.0, 0.5, 61, 80, 0)),
                    NoteEdit(None, Note(0.0, 0.25, 38, 1, DRUMS))]  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        None, "x", [], {}, [5], [None], [{}], [{"old": None, "note": None}], [[1]],
        [{"old": [0, 1]}], [{"old": [0, -1, 60]}], [{"old": [129, 0, 60]}], [{"old": [0, 0, 128]}],
        [{"note": [0, 0, 0, 60, 80]}], [{"note": [0, 0, 1, 60, 0]}], [{"note": [0, 0, 1, 60, "x"]}],
        [{"note": [0, float("nan"), 1, 60, 80]}], [{"note": [0, 0, 10**9, 60, 80]}], [{"old": 5}],
        [{"note": [0, 0, 1, 60, 80]}] * (MOST_EDITS + 1),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_no_edit_is_refused(said: object) -> None:
    with pytest.raises(TextMusicError):
        read_edits(said)


@pytest.mark.parametrize("options", [{}, {"edits": 5}, {"edits": [[[0, 0, 60]]]}, {"edits": [{}]}])
def test_forged_recipes_are_refused(options: dict[str, Any]) -> None:
    made = edit(read_events(TRIO), edits())
    assert made.report.change is not None
    recipe = Recipe.of(replace(made.report, change=replace(made.report.change, options=options)))
    assert recipe is not None
    with pytest.raises(TextMusicError):
        again(recipe, read_events(TRIO), None)
