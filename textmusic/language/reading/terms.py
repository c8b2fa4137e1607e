"""The names of instruments and ensembles, and what they stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from textmusic.language.reading.text import LEFT, RIGHT, Span, by_first_letter
from textmusic.music.data_files import load_data


@dataclass(frozen=True, slots=True)
class Term:
    """What a name stands for. kind: "instrument", "ensemble", "near" (a substitute) or "absent"."""

    programs: tuple[int, ...]
    kind: str = "instrument"
    instead: str = ""  # for "absent": the name of something similar


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text."""

    word: str  # as `squash` leaves it
    term: Term
    span: Span
    negated: bool = False
    simile: bool = False  # "a flute that sounds like a violin"
    left_out: bool = False  # of a choice: "flute or violin"


def squash(word: str) -> str:
    """A name without case, spaces and hyphens: "Pan-Flute" and "panflute" are one."""
    return re.sub(r"[\s-]+", "", word.lower())


@cache
def terms() -> dict[str, Term]:
    """Every known name, squashed -> what it stands for."""
    data = load_data("instruments.json")
    known: dict[str, Term] = {}
    for word, instead in data["absent"].items():
        known[squash(word)] = Term((), "absent", instead)
    for word, program in (data["near"] | data["near_zh"]).items():
        known[squash(word)] = Term((program,), "near")
    ensembles = data["ensembles"] | data["ensembles_also"] | data["ensembles_zh"]
    for word, programs in ensembles.items():
        known[squash(word)] = Term(tuple(programs), "ensemble")
    for program, entry in data["program"].items():
        for word in (*entry["say"], *entry.get("also", ()), *entry["zh"]):
            known[squash(word)] = Term((int(program),))
    return known


@cache
def name(program: int) -> str:
    """The ordinary name of a General MIDI program, or of the drums (128)."""
    return str(load_data("instruments.json")["program"][str(program)]["name"])


def english_names() -> list[str]:
    """Every English name of an instrument or ensemble, as it is written."""
    data = load_data("instruments.json")
    words = [w for group in ("absent", "near", "ensembles", "ensembles_also") for w in data[group]]
    return words + [w for e in data["program"].values() for w in (*e["say"], *e.get("also", ()))]


@cache
def pattern() -> re.Pattern[str]:
    """Every name, in English singular or plural."""
    data = load_data("instruments.json")
    words = sorted(english_names(), key=len, reverse=True)
    latin = by_first_letter(re.sub(r"\\ |\\-", r"[\\s-]?", re.escape(w)) for w in words)
    han = [w for group in ("near_zh", "ensembles_zh") for w in data[group]]
    han += [w for e in data["program"].values() for w in e["zh"]]
    chinese = "|".join(sorted(han, key=len, reverse=True))
    return re.compile(rf"{LEFT}(?:{latin})(?:e?s)?{RIGHT}|{chinese}", re.IGNORECASE)


def lookup(word: str) -> Term | None:
    """What a whole phrase names, singular or plural; None if nothing."""
    key = squash(word)
    for shorter in (key, key.removesuffix("s"), key.removesuffix("es")):
        if shorter in terms():
            return terms()[shorter]
    return None
