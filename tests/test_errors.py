"""Errors end alike: "what is wrong; what to do about it.", in one sentence.

The messages are read from the source, with "{}" for what is filled in. A message that is put
together elsewhere is followed to its parts: returned strings, and names assigned in the function.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from textmusic.errors import TextMusicError, first_line, one_line
from textmusic.language.controls import parse_key, parse_tempo

ROOT = Path(str(resources.files("textmusic")))
# What the source alone does not tell, with where it comes from.
ELSEWHERE = {
    "reading.unused[0]": "a note about the prompt; see the last test here",
    "say('no_piece', language_for(request))": "a string of the page, in two languages",
    "odd": "one of `read_progression`'s notes, which `_no_chord` writes",
    "str(problem).replace(str(partial), str(path))": "a TextMusicError, passed on",
    "str(problem).replace(str(described), model)": "a TextMusicError, passed on",
    "problem.of(path.name)": "an UnfitError as a sentence; see tests/language/test_sentences.py",
    "problem": "a TextMusicError, passed on with a place in front",
    "ray.get(done)": "what worker processes answer, not a message",
    "outcome.problem": "a TextMusicError, passed on from another process",
}

NAMES = {"Muon", "Ray", "TEXTMUSIC_MAX_BARS"}  # a message may begin with

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Messages:
    """Every message that the product can raise as a TextMusicError, and where."""

    def __init__(self) -> None:
        trees = {
            file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8"))
            for file in sorted(ROOT.rglob("*.py"))
        }
        self.functions: defaultdict[str, list[Function]] = defaultdict(list)
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, Function):
                    self.functions[node.name].append(node)
        self.found: list[tuple[str, str]] = []
        for file, tree in trees.items():
            self._visit(tree, None, file)

    def _visit(self, node: ast.AST, function: Function | None, file: Path) -> None:
        if isinstance(node, Function):
            function = node
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "TextMusicError":
            for text in self.texts(node.args[0], function):
                self.found.append((f"{file}:{node.lineno}", text))
        for child in ast.iter_child_nodes(node):
            self._visit(child, function, file)

    def texts(self, node: ast.expr, function: Function | None) -> Iterator[str]:
        """What an expression can say."""
        if ast.unparse(node) in ELSEWHERE:
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from self._joined(node, function)
        elif isinstance(node, ast.IfExp):
            yield from self.texts(node.body, function)
            yield from self.texts(node.orelse, function)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for called in self.functions[node.func.id]:
                for returned in ast.walk(called):
                    if isinstance(returned, ast.Return) and returned.value is not None:
                        yield from self.texts(returned.value, called)
        elif isinstance(node, ast.Name) and (values := _assigned(node.id, function)):
            for value in values:
                yield from self.texts(value, function)
        else:
            yield ast.unparse(node)  # which the tests below refuse

    def _joined(self, node: ast.JoinedStr, function: Function | None) -> Iterator[str]:
        parts = [part.value if isinstance(part, ast.Constant) else part for part in node.values]
        stop = str(parts.pop()) if parts[-1] == "." else ""
        last = parts[-1]
        start = "".join(part if isinstance(part, str) else "{}" for part in parts[:-1])
        if isinstance(last, ast.FormattedValue) and not start.partition("; ")[2]:
            said = self.texts(last.value, function)  # the remedy is written elsewhere
            yield from (start + end + stop for end in said)
        else:
            yield start + (last if isinstance(last, str) else "{}") + stop


def _assigned(name: str, function: Function | None) -> list[ast.expr]:
    return [
        node.value
        for node in (ast.walk(function) if function else ())
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]


MESSAGES = Messages().found


def test_the_messages_are_found() -> None:
    said = {text for _, text in MESSAGES}
    assert len(MESSAGES) > 150
    assert "the prompt excludes all instruments; allow at least one." in said  # plain
    assert "'{}' is not a complete textmusic model ({}); download it again." in said  # by function
    assert "tempo {} is outside the range of tempos; choose {} to {} bpm." in said
    assert "there is no soundfont at {}; choose another with --soundfont or TEXTMUSIC_SOUNDFONT," \
           " or give none." in said  # by name  # fmt: skip


@pytest.mark.parametrize(("place", "text"), MESSAGES)
def test_an_error_is_one_sentence_that_ends_in_the_remedy(place: str, text: str) -> None:
    problem, _, remedy = text.partition("; ")
    assert problem and remedy, "say what to do after a semicolon"
    assert text.endswith((".", "?")) and not text.endswith(("..", ".?")), "end with a full stop"
    assert not text.endswith("?") or "did you mean" in remedy, "only a guess ends in a question"
    assert not re.search(r"[.!?]['\"]?\s+[A-Z]", text), "one sentence"
    assert "\n" not in text and text == text.strip()
    assert text[0] in "'\"{-" or text[0].islower() or text.split()[0] in NAMES


@pytest.mark.parametrize(
    ("parse", "said"),
    [(parse_tempo, "andante at 900 bpm"), (parse_tempo, "9000 bpm"), (parse_key, "D lydian b9")],
)
def test_notes_that_are_raised_end_alike_too(parse: object, said: str) -> None:
    assert callable(parse)
    with pytest.raises(TextMusicError) as problem:
        parse(said)
    assert re.fullmatch(r"[^;]+; [^;]+\.", str(problem.value))


def test_what_a_library_says_fits_into_a_sentence() -> None:
    said = ValueError("bad header:\n  4 bytes  missing.")
    assert one_line(said) == "bad header: 4 bytes missing"
    assert one_line(said, 10) == "bad header"
    assert first_line(said) == "bad header"
    assert one_line(ValueError()) == first_line(ValueError()) == "ValueError"
