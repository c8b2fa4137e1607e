"""Config files of runs: read, checked, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from textmusic.errors import TextMusicError
from textmusic.learning.config import RunConfig, RunOptions, Training, given
from textmusic.system.whole_files import write_text

# Made here and now: HfArgumentParser writes other types into the fields of its dataclasses.
CONFIG = TypeAdapter(RunConfig)
UNION = ("int", "list[int]")  # the kinds of `layers`, which pydantic adds to the field's name


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises TextMusicError where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise TextMusicError(
            f"'{path}' can't be read ({problem.strerror}); choose another config file."
        ) from None
    except ValueError as problem:
        raise TextMusicError(f"'{path}' is not valid JSON ({problem}); correct it.") from None
    if not isinstance(found, dict):
        raise TextMusicError(f"'{path}' is not a JSON object; write its fields in braces.")
    return found


def checked(found: Mapping[str, Any], source: str = "the config") -> RunConfig:
    """A config from the fields of a JSON object. source: what an error calls it.

    Raises TextMusicError where a field is unknown or of another type.
    """
    try:
        return CONFIG.validate_json(json.dumps(found), strict=True)
    except ValidationError as problem:
        raise TextMusicError(_complaint(problem, source)) from None


def read_config(path: Path) -> RunConfig:
    """A config file. Raises TextMusicError where it can't be read or a field is wrong."""
    return checked(read_json(path), f"'{path}'")


def with_options(config: RunConfig, options: Mapping[str, Any]) -> RunConfig:
    """A config whose options are these; names that are no options of a run are passed over."""
    own, training = (
        {field.name: options[field.name] for field in fields(kind) if field.name in options}
        for kind in (RunOptions, Training)
    )
    return replace(config, **own, training=replace(config.training, **training))


def write_config(config: RunConfig, path: Path) -> None:
    """Write a config file that `read_config` reads."""
    write_text(path, json.dumps(given(config), indent=1) + "\n")


def _complaint(problem: ValidationError, source: str) -> str:
    """The first of the problems, in a sentence."""
    first = problem.errors(include_url=False)[0]
    *place, name = [str(part) for part in first["loc"] if part not in UNION]
    full = ".".join([*place, name])
    if first["type"] == "unexpected_keyword_argument":
        kind = {"training": Training}.get(".".join(place), RunConfig)
        near = get_close_matches(name, [field.name for field in fields(kind)], 1)
        remedy = f"write '{near[0]}'" if near else "leave it out"
        return f"{source} has an unknown field '{full}'; {remedy}."
    expected = first["msg"].removeprefix("Input ").rstrip(".")
    return f"in {source}, '{full}' {expected}, not {json.dumps(first['input'])}; correct it."
