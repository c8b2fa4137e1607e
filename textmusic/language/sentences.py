"""Errors and remarks in Chinese: the library writes them in English, and the page translates them.

data/sentences_zh.json has each sentence with `{}` for what is filled in, which is translated too
where it is known: "bars {} to {} do not exist; ...".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from textmusic.language.notes import in_chinese, note_text
from textmusic.language.reading.text import CJK
from textmusic.music.data_files import load_data

_LONGEST = 4_000  # characters of a sentence that is translated


def error_text(sentence: str, language: str = "en") -> str:
    """An error's sentence in a language of `names.LANGUAGES`; English if it is not known."""
    if language == "en" or len(sentence) > _LONGEST:
        return sentence
    found = _translated(sentence, "errors")
    if found is None:  # a note can be an error, too
        note = note_text(sentence.rstrip(".?"), language)
        found = f"{note}。" if re.search(f"[{CJK}]", note) else sentence
    return found


def remark_text(remark: str, language: str = "en") -> str:
    """A remark or a note of a report, likewise."""
    if language == "en" or len(remark) > _LONGEST:
        return remark
    return _translated(remark, "remarks") or note_text(remark, language)


@cache
def _table(kind: str) -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Sentences as they are, and those with holes, the ones with the most words first."""
    known = load_data("sentences_zh.json")[kind]
    holed = [
        (re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL), chinese)
        for english, chinese in sorted(known.items(), key=lambda pair: -len(pair[0]))
        if "{}" in english
    ]
    return known, tuple(holed)


def _translated(sentence: str, kind: str) -> str | None:
    known, holed = _table(kind)
    if sentence in known:
        return known[sentence]
    for pattern, chinese in holed:
        if match := pattern.fullmatch(sentence):
            return chinese.format(*map(_part, match.groups()))
    return None


def _part(said: str) -> str:
    """What fills a hole: a name, a number, a list, or half a sentence of its own."""
    if found := _translated(said, "parts"):
        return found
    if ", " in said:
        return "、".join(map(_part, said.split(", ")))
    if found := _translated(said, "pieces"):
        return found
    if listed := re.fullmatch(r"(\d+) (.+?)(?: \((.+)\))?", said):  # a part of a piece
        return f"{listed[1]} {in_chinese((listed[3] or listed[2]).lower())}"
    return "、".join(map(in_chinese, said.split(" and ")))
