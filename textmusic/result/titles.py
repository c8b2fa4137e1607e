"""What a piece is called: in headlines, and as a file."""

from __future__ import annotations

import re
from pathlib import Path

from textmusic.result.change import Change

# What a title says of a changed file, by `Change.how`.
_DONE = {
    "add": "with more", "adjust": "adjusted", "continue": "continued", "edit": "edited",
    "harmonise": "harmonised", "rewrite": "rewritten", "vary": "varied",
}  # fmt: skip
_BEHIND = ("with-more", "variation", "variations", "chorale", *_DONE.values())
_ENDINGS = re.compile(rf"(?:-(?:{'|'.join(_BEHIND)})(?:-\d+)?)+$")


def title_of(text: str, change: Change | None) -> str:
    """A headline: the prompt, and of a changed file its name and what was done."""
    if change is None:
        return text or "untitled"
    done = f"{without_endings(Path(change.name).stem)}, {_DONE.get(change.how, change.how)}"
    return f"{done}: {text}" if text else done


def without_endings(stem: str) -> str:
    """The name of a file without what earlier changes have put behind it: "song-rewritten-2"."""
    return _ENDINGS.sub("", stem) or stem


def slug_of(text: str) -> str:
    """A text as a file name; "untitled" where nothing is left of it."""
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:48].strip("-")
    return words or "untitled"
