"""Packages have doors: what others may use of one is in its `__all__`, and nothing else is used.

Which package may use which is the contract of import-linter, in pyproject.toml.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path

import pytest

ROOT = Path(str(resources.files("textmusic")))
PACKAGES = sorted(file.parent.name for file in ROOT.glob("*/__init__.py"))
# The scripts come in by the doors, too; they are there in a checkout only.
SCRIPTS = [Path(__file__).parents[1] / name for name in ("training", "benchmarks", "space")]
FILES = sorted(file for folder in (ROOT, *SCRIPTS) for file in folder.rglob("*.py"))


def used(file: Path) -> Iterator[tuple[str, str]]:
    """(package, module) of everything that a file imports of the library's packages."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("textmusic."):
            continue
        _, package, *modules = str(node.module).split(".")
        if package in PACKAGES:
            for name in [modules[0]] if modules else [alias.name for alias in node.names]:
                yield package, name


def test_there_is_a_package_for_everything() -> None:
    assert {file.name for file in ROOT.glob("*.py")} == {
        "__init__.py", "__main__.py", "errors.py", "version.py",
    }  # fmt: skip
    assert len(PACKAGES) == 22


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_says_what_it_is_for_and_what_others_may_use(name: str) -> None:
    package = import_module(f"textmusic.{name}")
    there = {path.stem for path in (ROOT / name).iterdir() if path.suffix in ("", ".py")}
    assert package.__doc__ and package.__all__ == sorted(package.__all__)
    assert set(package.__all__) <= there - {"__init__"}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_others_are_used_by_their_doors(file: Path) -> None:
    mine = file.relative_to(ROOT).parts[0] if file.is_relative_to(ROOT) else ""
    for package, module in used(file):
        if package != mine:
            assert module in import_module(f"textmusic.{package}").__all__, (package, module)


def test_no_module_uses_what_another_keeps_to_itself() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textmusic"):
                hidden = [alias.name for alias in node.names if alias.name.startswith("_")]
                assert set(hidden) <= {"__version__"}, (file, hidden)
