"""A person's own descriptions of their pieces: texts, and facts that override measured ones.

They are in `captions.csv` or `captions.jsonl` (`file`, `text`, and fields of a plan) in any folder,
for the files beside and below it, or in `piece.txt` beside `piece.mid`.
"""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from textmusic.corpus.files import File
from textmusic.errors import TextMusicError
from textmusic.language.controls import read_controls
from textmusic.language.prompt import MAX_CHARACTERS, Prompt, read_prompt
from textmusic.music.plan import Plan

TABLES = ("captions.csv", "captions.jsonl")
# Always measured in each window: what is true of a whole piece need not be true of a part.
MEASURED = ("bars", "seconds", "density")
FIELDS = ("key", "tempo", "time_signature", "instruments", "mood", "genre", *MEASURED)
COLUMNS = ("file", "text", "title", "licence", *FIELDS)


@dataclass(frozen=True, slots=True)
class Description:
    """A description of a piece. facts: as a plan; None is not stated."""

    texts: tuple[str, ...] = ()
    facts: Plan = Plan()
    title: str | None = None
    licence: str | None = None

    def and_then(self, more: Description) -> Description:
        """Both together; where both state a fact, the first wins."""
        return Description(
            tuple(dict.fromkeys((*self.texts, *more.texts))),
            self.facts.over(more.facts),
            self.title or more.title,
            self.licence or more.licence,
        )


NOTHING = Description()


@dataclass(frozen=True, slots=True)
class Descriptions:
    """Descriptions by file name. notes: sentences on what could not be used."""

    said: Mapping[str, Description]
    notes: tuple[str, ...] = ()

    def of(self, name: str, tune: str | None = None) -> Description:
        """That of a file; tune: the number of one of several in it, "tunes.abc#3" in a table."""
        about = self.said.get(name, Description())
        return self.said.get(f"{name}#{tune}", Description()).and_then(about) if tune else about


def read_descriptions(
    tables: Sequence[File], texts: Sequence[File], music: Sequence[File]
) -> Descriptions:
    """Read the descriptions in the tables and in the text files beside the music.

    Raises TextMusicError, naming the line, for a table that can't be read.
    """
    said: dict[str, Description] = {}
    notes: list[str] = []
    known = {file.name for file in music}
    for table in tables:
        lost: list[tuple[int, str]] = []
        columns: set[str] = set()
        for line, record in _records(table):
            columns |= {name for name, value in record.items() if value not in (None, "")}
            name = _place(table, record["file"])
            if name.partition("#")[0] not in known:
                lost.append((line, record["file"]))
            about = _described(record, f"line {line} of '{table.name}'")
            said[name] = said[name].and_then(about) if name in said else about
        if lost:
            line, name = lost[0]
            notes.append(
                f"{table.name}: {len(lost):,} of its lines name a file that does not exist (line"
                f" {line}: '{name}'); paths are relative to the table's folder, e.g. jazz/piece.mid"
            )
        if unused := sorted(columns - set(COLUMNS)):
            notes.append(f"{table.name}: ignored columns: {', '.join(unused)}")
        if measured := sorted(columns & set(MEASURED)):
            notes.append(
                f"{table.name}: {', '.join(measured)} {'is' if len(measured) == 1 else 'are'}"
                " measured from the notes of each stretch, not taken from the table"
            )
    stems = {posixpath.splitext(file.name)[0]: file for file in texts}
    for file in music:
        if side := stems.get(posixpath.splitext(file.name)[0]):
            try:
                paragraphs = tuple(_paragraphs(side.read().decode("utf-8-sig")))
            except UnicodeDecodeError:
                notes.append(f"{side.name}: ignored, since it is not UTF-8 text; save it as UTF-8")
                continue
            if any(len(text) > MAX_CHARACTERS for text in paragraphs):
                notes.append(
                    f"{side.name}: a text of more than {MAX_CHARACTERS:,} characters is ignored;"
                    " separate texts with empty lines"
                )
            short = tuple(text for text in paragraphs if len(text) <= MAX_CHARACTERS)
            own = Description(short)
            said[file.name] = said[file.name].and_then(own) if file.name in said else own
    return Descriptions(said, tuple(notes))


def _place(table: File, name: str) -> str:
    """A name in a table as the name of a file of the whole folder."""
    inside = name.strip().replace("\\", "/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(table.name), inside))


def _paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        if text := " ".join(part.split()):
            yield text


# Tables -------------------------------------------------------------------------------------------


def _records(table: File) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, record with a file) of each line of a table."""
    try:
        text = table.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TextMusicError(f"'{table.name}' is not UTF-8 text; save it as UTF-8.") from None
    read = _json_lines if table.name.endswith(".jsonl") else _rows
    for line, record in read(text, table.name):
        if not isinstance(record.get("file"), str) or not record["file"].strip():
            raise TextMusicError(
                f"line {line} of '{table.name}' names no file; write e.g. jazz/piece.mid."
            )
        yield line, record


def _rows(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)  # as spreadsheets write them in all countries
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or ()]
    if "file" not in reader.fieldnames:
        raise TextMusicError(
            f"line 1 of '{name}' has no column 'file'; start it with file,text and optionally"
            " key,tempo,time_signature,instruments,mood,genre."
        )
    try:
        for row in reader:
            if None in row:
                raise TextMusicError(
                    f"line {reader.line_num} of '{name}' has more fields than the first line; put"
                    ' quotation marks around a text with commas: "slow, sad".'
                )
            yield reader.line_num, {column: value for column, value in row.items() if value}
    except csv.Error as problem:
        raise TextMusicError(
            f"line {reader.line_num} of '{name}' is not valid CSV ({problem}); fix it."
        ) from None


def _json_lines(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, said in enumerate(text.split("\n"), 1):
        if not said.strip():
            continue
        try:
            record = json.loads(said)
        except (ValueError, RecursionError):
            raise TextMusicError(f"line {line} of '{name}' is not valid JSON; fix it.") from None
        if not isinstance(record, dict):
            raise TextMusicError(
                f'line {line} of \'{name}\' is not a JSON object; write e.g. {{"file": "a.mid",'
                ' "text": "calm piano"}.'
            )
        yield line, record


def _described(record: dict[str, Any], place: str) -> Description:
    for name in ("text", "title", "licence"):
        if not isinstance(record.get(name), str | None):
            raise TextMusicError(f'{place}: {name} is not a string; write e.g. "calm piano".')
    text = record.get("text") or ""
    if len(text) > MAX_CHARACTERS:
        raise TextMusicError(
            f"{place}: the text has {len(text):,} characters; use at most {MAX_CHARACTERS:,}."
        )
    fields = {name: record[name] for name in FIELDS if record.get(name) not in (None, "")}
    for name, kind in (("bars", int), ("seconds", float)):
        if isinstance(fields.get(name), str):
            try:
                fields[name] = kind(fields[name])
            except ValueError:
                raise TextMusicError(
                    f"{place}: {name} '{fields[name]}' is not a number; fix it or leave it out."
                ) from None
    if isinstance(fields.get("instruments"), str):
        fields["instruments"] = re.split(r"\s*[,;]\s*", fields["instruments"])
    try:
        facts = read_controls(fields).plan()
    except TextMusicError as problem:
        raise TextMusicError(f"{place}: {problem}") from None
    texts = (" ".join(text.split()),) if text.strip() else ()
    measured = replace(facts, bars=None, density=None)
    return Description(texts, measured, record.get("title"), record.get("licence"))


# Truth --------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def prompt_of(text: str) -> Prompt:
    """The text, read as a prompt."""
    return read_prompt(text[:MAX_CHARACTERS])


def facts_of(text: str) -> Plan:
    """The facts that a text states."""
    return prompt_of(text).asked


def untrue(text: str, plan: Plan) -> list[str]:
    """The fields in which a text contradicts a plan.

    A tempo may be off by a fourth, as words such as "andante" are; of the instruments some may be
    named and others not. The genre is a label, and is not judged.
    """
    prompt = prompt_of(text)
    facts, players = prompt.asked, set(plan.programs or ())
    wrong = [
        name
        for name in ("key", "time_signature", "bars")
        if getattr(facts, name) not in (None, getattr(plan, name))
    ]
    if facts.tempo and plan.tempo and not 0.8 < facts.tempo / plan.tempo < 1.25:
        wrong.append("tempo")
    if not set(facts.programs or ()) <= players or players & set(prompt.without):
        wrong.append("instruments")
    return wrong
