"""Write the reference of the command line anew: python docs/cli.py

docs/cli.md is written by hand down to a mark, and by this script below it. The help texts come from
the commands themselves, not from what a terminal shows, which differs between versions of typer.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from typer.main import get_command

PAGE = Path(__file__).with_name("cli.md")
MARK = "<!-- Written by docs/cli.py from here on: change the help texts in the code instead. -->\n"


def reference() -> str:
    """Every command in the order of `textmusic --help`: usage, description, arguments, options."""
    entry = import_module("textmusic.__main__").main
    commands = get_command(import_module(entry.__module__).app).commands  # type: ignore[attr-defined]
    return "\n".join(_section(name, command) for name, command in commands.items())


def page() -> str:
    """The whole page as it should be."""
    return PAGE.read_text(encoding="utf-8").partition(MARK)[0] + MARK + "\n" + reference()


def _section(name: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [p for p in shown if p.param_type_name == "argument"]
    given = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)
    usage = " ".join(filter(None, ("textmusic", name, "[OPTIONS]", given)))
    rows = [_row(parameter) for parameter in shown if parameter.name != "help"]
    table = "\n".join(["| | | default |", "|---|---|---|", *rows])
    return f"## {name}\n\n    {usage}\n\n{_paragraphs(command.help)}\n\n{table}\n"


def _paragraphs(text: str) -> str:
    """A help text with each paragraph on a line, as Markdown has it."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _row(parameter: Any) -> str:
    """An argument or option: how it is written, what it does, what it is if it is left out."""
    is_argument = parameter.param_type_name == "argument"
    written = parameter.name.upper() if is_argument else _spellings(parameter)
    default = "required" if parameter.required else _default(parameter)
    said = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| `{written}` | {said} | {default} |"


def _spellings(option: Any) -> str:
    """How an option is written: "-o, --out", "--words / --no-words"."""
    separator = " / " if option.secondary_opts else ", "
    return separator.join(sorted(option.opts, key=len) + list(option.secondary_opts))


def _default(parameter: Any) -> str:
    if parameter.default is None or parameter.default is False:
        return ""
    if parameter.secondary_opts:
        return f"`{parameter.opts[0]}`"
    return f"`{parameter.default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
