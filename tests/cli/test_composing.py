"""rewrite, add and vary on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import assert_refused, call, files
from symusic import Score

from textmusic.language.bars import parse_bars
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data"
SONG = DATA / "midi" / "trio.mid"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("5-8", (5, 8)),
        (" 5 - 8 ", (5, 8)),
        ("5–8", (5, 8)),
        ("5", (5, 5)),
        (None, None),
        ("", None),
    ],
)
def test_bars_as_they_are_typed(said: str | None, read: tuple[int, int] | None) -> None:
    assert parse_bars(said) == read


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("rewrite", SONG), "give bars such as 5-8, or instruments"),
        (("rewrite", SONG, "--bars", "5-"), "'5-' does not name bars"),
        (("rewrite", SONG, "--bars", "five"), "'five' does not name bars"),
        (("rewrite", SONG, "--bars", "8-5"), "bars 8 to 5 do not exist"),
        (("rewrite", SONG, "--bars", "0-5"), "bars 0 to 5 do not exist"),
        (("rewrite", SONG, "--bars", "3-300"), "choose from bars 1 to 8"),
        (("rewrite", SONG, "--instrument", "oboe"), "the piece has no oboe"),
        (("rewrite", SONG, "--bars", "3", "--variations", "0"), "variations 0 is out of range"),
        (("rewrite", SONG, "--bars", "3", "--chords", "H7"), "H7"),
        (("rewrite", SONG, "--bars", "3", "--format", "mpx"), "'mpx' is not a format"),
        (("add", SONG), "there is nothing to add"),
        (("add", SONG, "something more"), "there is nothing to add"),
        (("add", SONG, "--instrument", "viola"), "the viola already plays"),
        (("add", SONG, "--instrument", "flute", "--bars", "9-12"), "choose from bars 1 to 8"),
        (("vary", SONG, "--key", "H major"), "H major"),
        (("vary", DATA / "midi" / "missing.mid"), "can't be read"),
    ],
)
def test_what_can_t_be_done_is_refused_before_a_model_is_loaded(
    command: tuple[str | Path, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(TextToMusic, "from_pretrained", load)
    assert_refused(call(*command, "-o", tmp_path / "out"), said)
    assert not files(tmp_path / "out")


def test_an_empty_piece_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mid"
    Score(480).dump_midi(empty)
    for command in (("rewrite", "--bars", "1"), ("add", "--instrument", "bass"), ("vary",)):
        name, *more = command
        done = call(name, empty, *more, "-o", tmp_path / "out")
        assert_refused(done, "no notes")
    assert not files(tmp_path / "out")


def test_versions_never_overwrite_a_file(tiny_model: Path, tmp_path: Path) -> None:
    again = ("rewrite", SONG, "--bars", "2", "--seed", "1", "--format", "mid", "-o", tmp_path)
    for _ in range(2):
        done = call(*again, "--variations", "2", "--model", tiny_model)
        assert done.returncode == 0, done.stderr
    names = ["trio-rewritten", *(f"trio-rewritten-{n}" for n in (2, 3, 4))]
    assert sorted(files(tmp_path)) == sorted(f"{name}.mid" for name in names)
    first, third = (tmp_path / f"{names[n]}.mid" for n in (0, 2))
    assert first.read_bytes() == third.read_bytes()


def test_the_words_can_name_what_is_added(tiny_model: Path, tmp_path: Path) -> None:
    words = "walking bass and brushed drums"
    done = call("add", SONG, words, "--seed", "1", "--format", "mid", "-o", tmp_path, "--model",
                tiny_model)  # fmt: skip
    assert "acoustic bass, violin, viola, drums" in done.stdout
