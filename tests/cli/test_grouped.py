"""Groups of options: a dataclass in a command's signature is an option a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.main import get_command
from typer.testing import CliRunner

from textmusic.cli.grouped import ungrouped
from textmusic.cli.main import app


@dataclass(frozen=True, slots=True)
class Size:
    """A group."""

    length: Annotated[int, typer.Option(help="How long.")]
    wide: Annotated[bool, typer.Option("--wide/--narrow", help="How wide.")] = True


def draw(
    name: Annotated[str, typer.Argument(help="What.")],
    *,
    size: Size,
    colour: Annotated[str | None, typer.Option("--colour", "-c", help="Which.")] = None,
) -> None:
    """Draw a thing."""
    typer.echo(f"{name} {size} {colour}")


def drawn(*arguments: str) -> tuple[int, str]:
    made = typer.Typer()
    made.command()(ungrouped(draw))
    done = CliRunner().invoke(made, arguments)
    return done.exit_code, done.stdout


def test_a_group_is_filled_from_its_options() -> None:
    assert drawn("box", "--length", "3") == (0, "box Size(length=3, wide=True) None\n")
    said = drawn("box", "--narrow", "-c", "red", "--length", "3")
    assert said == (0, "box Size(length=3, wide=False) red\n")


def test_what_is_required_in_a_group_is_required() -> None:
    assert drawn("box")[0] == 2 and drawn("box", "--length", "long")[0] == 2


def test_options_stand_where_the_group_stands() -> None:
    made = typer.Typer()
    made.command()(ungrouped(draw))
    parameters = [p for p in get_command(made).params if "completion" not in str(p.name)]
    assert [p.name for p in parameters] == ["name", "length", "wide", "colour"]
    assert getattr(parameters[1], "help", None) == "How long."
    assert ungrouped(draw).__doc__ == draw.__doc__


def test_an_option_means_the_same_in_every_command() -> None:
    """Options that are declared once have one help; those that differ do so on purpose."""
    helps: dict[str, set[str]] = {}
    for command in get_command(app).commands.values():  # type: ignore[attr-defined]
        for option in command.params:
            if option.param_type_name == "option":
                helps.setdefault(option.opts[0], set()).add(option.help)
    shared = ("--format", "--soundfont", "--chords", "--form", "--temperature", "--top-p",
              "--harmony-strength", "--form-strength", "--workers", "--ray", "--threads",
              "--host", "--port", "--seeds", "--words", "--sounds", "--examples")  # fmt: skip
    assert {name: len(helps[name]) for name in shared} == dict.fromkeys(shared, 1)
