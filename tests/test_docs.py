"""README and docs as a whole: links lead somewhere, no page is lost, no command goes unchecked."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from urllib.parse import unquote

import pytest
from documented import ROOT, blocks, commands, pages, run_python

PAGES = pages()
# Which tests run what a page tells people to type. The others have no commands.
TESTED_BY = {
    "CONTRIBUTING.md": "test_docs.py",
    "README.md": "test_readme.py",
    "docs/bulk.md": "test_bulk_page.py",
    "docs/changing.md": "test_changing_page.py",
    "docs/comparison.md": "test_comparison_page.py",
    "docs/composing.md": "test_composing_page.py",
    "docs/deploy.md": "test_deploy.py",
    "docs/evaluating.md": "test_evaluating_page.py",
    "docs/fine-tuning.md": "test_finetuning_page.py",
    "docs/hub.md": "test_hub_page.py",
    "docs/library.md": "test_library_page.py",
    "docs/own-corpus.md": "test_finetuning_page.py",
    "docs/sampling.md": "test_evaluating_page.py",
    "docs/serving.md": "test_llama_export.py",
    "docs/sound.md": "test_sound_page.py",
    "docs/training.md": "test_training_page.py",
    "docs/transcribing.md": "test_transcribing_page.py",
}
# ... and which run its Python.
EXAMPLES_TESTED_BY = {
    "README.md": "test_readme.py",
    "docs/composing.md": "test_composing_page.py",
    "docs/page.md": "test_app.py",
    "docs/python.md": "test_docs.py",
    "docs/serving.md": "test_llama_export.py",
    "docs/transcribing.md": "test_transcribing_page.py",
}


def prose(text: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(text: str) -> set[str]:
    """What a link may name behind '#': the headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Where a page's links and pictures lead, without those to other hosts."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_what_is_there(page: str) -> None:
    for link in links(PAGES[page]):
        path, _, anchor = unquote(link).partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page}: {link}"


def test_every_page_is_in_the_contents() -> None:
    listed = {f"docs/{link}" for link in links(PAGES["docs/README.md"])}
    assert listed == {page for page in PAGES if page.startswith("docs/")} - {"docs/README.md"}


def test_every_page_with_commands_has_its_test() -> None:
    assert {page for page, text in PAGES.items() if commands(text)} == set(TESTED_BY)
    assert {page for page, text in PAGES.items() if blocks(text, "python")} == {*EXAMPLES_TESTED_BY}
    tests = {file.name: file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py")}
    for page, test in (TESTED_BY | EXAMPLES_TESTED_BY).items():
        assert Path(page).name in tests[test], f"{test} does not read {page}"


def test_the_commands_of_contributors_are_those_of_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    here = {command.split()[0] for command in commands(PAGES["CONTRIBUTING.md"])}
    assert here == {"python", "pip", "pre-commit", "ruff", "mypy", "lint-imports", "pytest"}
    for tool in ("ruff", "mypy", "pytest"):
        assert f'"$full/{tool}"' in ci
    assert "slow" not in ci, "CI leaves no slow test out"


def test_the_help_in_the_reference_is_that_of_the_commands() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "cli.py"))["page"]
    assert PAGES["docs/cli.md"] == page(), "out of date; run: python docs/cli.py"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    if page == "CHANGELOG.md":  # of what was
        return
    for name in re.findall(r"`((?:textmusic|training|tests|benchmarks)/[\w/.-]*)`", PAGES[page]):
        assert (ROOT / name).exists(), f"{page}: {name}"


@pytest.mark.bundled
@pytest.mark.parametrize("page", ["docs/python.md"])
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    run_python(PAGES[page], tmp_path)
    assert len(list((tmp_path / "out").iterdir())) >= 4
