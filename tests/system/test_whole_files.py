"""A file has its name only when it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from textmusic.errors import TextMusicError
from textmusic.system.whole_files import whole_file, write_text


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as partial:
        assert partial.parent == path.parent, "in the same folder, or renaming would copy"
        assert partial.suffix == ".txt"
        partial.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError, TextMusicError, OSError])
def test_what_ends_the_block_leaves_the_old_file_and_no_partial_one(
    tmp_path: Path, end: type[BaseException]
) -> None:
    def interrupted() -> None:
        with whole_file(path) as partial:
            partial.write_text("half")
            raise end("the end")

    write_text(path := tmp_path / "a.txt", "whole")
    with pytest.raises(TextMusicError if end is OSError else end, match="the end"):
        interrupted()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["whole"]


def test_a_message_names_the_file_and_not_its_temporary_name(tmp_path: Path) -> None:
    def refused() -> None:
        with whole_file(path) as partial:
            raise TextMusicError(f"'{partial}' is odd; choose another.")

    path = tmp_path / "a.txt"
    with pytest.raises(TextMusicError) as caught:
        refused()
    assert str(caught.value) == f"'{path}' is odd; choose another."


def test_the_longest_names_are_written(tmp_path: Path) -> None:
    write_text(path := tmp_path / ("夜" * 83 + ".mid"), "whole")
    assert path.read_text() == "whole"
    with pytest.raises(TextMusicError, match="could not be written"):
        write_text(tmp_path / ("夜" * 90 + ".mid"), "whole")
