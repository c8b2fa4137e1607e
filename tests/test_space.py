"""The Hugging Face Space: its settings, and the folder that space/build.py puts together."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDS = {need.name: need for need in map(Requirement, PROJECT["dependencies"])}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "space" / "build.py", "-o", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "below" / "space"
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d MB, \d+ files", done.stdout)
    return folder


def test_settings(space: Path) -> None:
    data = SpaceCard.load(space / "README.md").data.to_dict()
    assert data["sdk"] == "gradio"
    assert data["sdk_version"] in NEEDS["gradio"].specifier
    assert data["license"] == PROJECT["license"].lower()
    assert f"Programming Language :: Python :: {data['python_version']}" in PROJECT["classifiers"]
    assert f"python:{data['python_version']}-slim" in (ROOT / "Dockerfile").read_text("utf-8")
    assert {data["colorFrom"], data["colorTo"]} <= COLOURS
    assert len(data["emoji"]) == 1 and not data["emoji"].isascii()
    assert (space / data["app_file"]).read_bytes() == (ROOT / "app.py").read_bytes()
    assert data["title"] and data["tags"] and data["pinned"] is False
    card = (ROOT / "textmusic" / "bundled" / "README.md").read_text("utf-8")
    assert [f"base_model: {name}" in card for name in data["models"]] == [True]


def test_pypi_has_all_the_rest(space: Path) -> None:
    lines = (space / "requirements.txt").read_text("utf-8").splitlines()
    assert {need.name: need for need in map(Requirement, lines[1:])} == NEEDS
    assert lines[0].startswith("#") and "torch" not in NEEDS


def test_the_package_is_whole(space: Path) -> None:
    for source, target in (("textmusic", "textmusic"), ("tokenizers", "textmusic/tokenizers")):
        for file in (ROOT / source).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                copy = space / target / file.relative_to(ROOT / source)
                assert copy.stat().st_size == file.stat().st_size, copy
    assert not list(space.rglob("__pycache__"))
    assert (space / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    code = (
        "import textmusic; from textmusic.tokens.tokenizer import remi_file;"
        "print(textmusic.__file__, remi_file())"
    )
    told = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=space, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [
        str(space / "textmusic" / "__init__.py"),
        str(space / "textmusic" / "tokenizers" / "remi.json"),
    ]


def test_its_own_folder_is_made_anew(space: Path, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    shutil.copytree(space, folder)
    (folder / "textmusic" / "of_an_older_version.py").touch()
    (folder / "LICENSE").unlink()
    assert build(folder).returncode == 0
    assert not (folder / "textmusic" / "of_an_older_version.py").exists()
    assert (folder / "LICENSE").exists()
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("name", [".git/config", "packages.txt", "textmusic/of_mine.py"])
def test_a_folder_of_others_stays(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")
    done = build(folder)
    assert done.returncode == 2 and "holds other things; choose another folder" in done.stderr
    assert [file for file in folder.rglob("*") if file.is_file()] == [folder / name]
    assert (folder / name).read_text() == "mine"


def test_its_own_folder_stays_if_others_put_something_there(space: Path, tmp_path: Path) -> None:
    folder = tmp_path / "space"
    shutil.copytree(space, folder)
    (folder / ".git").mkdir()
    assert build(folder).returncode == 2
    assert (folder / ".git").is_dir()


def test_neither_a_file_nor_the_checkout_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for place in (file, file / "below", ROOT):
        assert build(place).returncode == 2, place
    assert file.read_text() == "mine"


def test_half_a_space_is_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script: dict[str, Any] = runpy.run_path(str(ROOT / "space" / "build.py"))
    folder = tmp_path / "space"
    folder.mkdir()
    copy, copies = shutil.copyfile, iter(range(3))

    def full_disk(source: Path, target: Path) -> None:
        if next(copies, None) is None:
            raise OSError(28, "No space left on device")
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", full_disk)
    with pytest.raises(OSError, match="No space"):
        script["build"](folder)
    assert list(tmp_path.rglob("*")) == [folder]
