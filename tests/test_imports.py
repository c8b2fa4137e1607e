"""The first tune comes soon after the command: nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from doctest import DocTestFinder
from importlib import import_module, resources
from pathlib import Path

import pytest

import textmusic
from textmusic.writing.text_to_music import TextToMusic

PACKAGE = Path(str(resources.files("textmusic")))
TRAINING = {"torch", "transformers", "peft", "accelerate", "datasets", "onnxruntime_genai"}
HEAVY = TRAINING | {
    "gradio", "matplotlib", "music21", "miditok", "verovio", "pandas", "scipy", "librosa", "numba",
    "sklearn", "sentencepiece",
}  # fmt: skip
PAGE = {
    f"{name}.py"
    for name in (
        "calls",
        "changing",
        "comparisons",
        "compositions",
        "creating",
        "desk",
        "endpoints",
        "events",
        "forms",
        "launch",
        "layout",
        "microphone",
        "recordings",
        "showing",
    )
}  # of page/
MODULES = sorted(
    file.relative_to(PACKAGE.parent)
    for file in PACKAGE.rglob("*.py")
    if file.relative_to(PACKAGE).parts[0] not in ("models", "learning")
    and file.name != "without_torch.py"  # for worker processes, which need MidiTok at once
)
EXAMPLES = [module for module in MODULES if ">>> " in (PACKAGE.parent / module).read_text("utf-8")]


def modules_after(code: str) -> set[str]:
    """Top-level modules that are imported after some code, in a fresh interpreter."""
    code += "\nimport json, sys\nprint()\nprint(json.dumps([m.split('.')[0] for m in sys.modules]))"
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_textmusic_is_light() -> None:
    loaded = modules_after("import textmusic")
    assert not loaded & (HEAVY | {"numpy", "symusic", "onnxruntime", "tokenizers"})


def test_help_is_light() -> None:
    loaded = modules_after(
        "import runpy, sys\nsys.argv = ['textmusic', '--help']\n"
        "try: runpy.run_module('textmusic', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"onnxruntime", "symusic"})


def test_everything_that_is_offered_can_be_imported_and_needs_no_torch() -> None:
    loaded = modules_after("from textmusic import *\nassert TextToMusic and Plan and Generation")
    assert not loaded & HEAVY
    for name in textmusic.__all__:
        assert getattr(textmusic, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        textmusic.Nothing  # noqa: B018


def test_what_is_offered_is_what_the_documents_promise() -> None:
    assert textmusic.__all__ == [
        "Bar", "Chord", "Generation", "Outline", "Plan", "Prompt", "Report", "Row", "Sampling",
        "Sketch", "TextMusicError", "TextToMusic", "__version__",
    ]  # fmt: skip


@pytest.mark.bundled
@pytest.mark.parametrize("module", EXAMPLES, ids=str)
def test_examples_in_docstrings_run(
    module: Path, tiny: TextToMusic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # they write files
    loaded = import_module(".".join(module.with_suffix("").parts))
    examples = [e for found in DocTestFinder().find(loaded) for e in found.examples]
    known = vars(loaded) | {"music": tiny}
    assert examples
    for example in examples:
        exec(example.source, known)


def test_a_first_piece_needs_no_torch_and_no_transformers(tiny_model: Path) -> None:
    """Nor MidiTok, which takes a second and imports torch too where that is installed."""
    loaded = modules_after(
        "from textmusic import TextToMusic\n"
        f"music = TextToMusic.from_pretrained({str(tiny_model)!r})\n"
        "music.generate('calm piano, 2 bars', seed=1).score.dumps_midi()"
    )
    assert not loaded & HEAVY


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """(top-level module, whether it is imported when the file is) of every import."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_types(function)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            yield name, id(node) not in inside


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_outside_models_and_learning_needs_the_train_extra(module: Path) -> None:
    tree = ast.parse((PACKAGE.parent / module).read_text(encoding="utf-8"))
    for name, at_once in imports(tree):
        top = name.split(".")[0]
        assert top not in TRAINING, name
        page = module.parent.name == "page" and module.name in PAGE and top == "gradio"
        assert not at_once or top not in HEAVY or page, f"{name} at module level"
        assert not at_once or not name.startswith(("textmusic.models", "textmusic.learning")), name


def test_the_package_is_typed_and_carries_its_data() -> None:
    assert (PACKAGE / "py.typed").exists()
    for name in (
        "words.jsonl", "genres.json", "artists.json", "tempo.json", "instruments.json",
        "moods_zh.json",
    ):  # fmt: skip
        assert (PACKAGE / "data" / name).exists()
