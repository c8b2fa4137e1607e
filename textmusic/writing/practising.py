"""Several practice pieces: what each of them is asked to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textmusic.drawing.engraved_pages import pdf
from textmusic.music.grades import HIGHEST, grade_of
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, check
from textmusic.system.values import whole

if TYPE_CHECKING:
    from textmusic.result.generation import Generation

MOST_PIECES = 24
_RISE = 2  # grades from the first piece to the last


def asked_pieces(
    practice: Practice, pieces: int, controls: Plan = Plan(), text: str = "", *,
    progression: bool = False,
) -> list[tuple[Practice, Plan, str]]:  # fmt: skip
    """(practice, controls, text) of each piece.

    progression: the grade rises evenly over the pieces, by two at most. Raises what
    `practice.check` raises.
    """
    whole("number of pieces", pieces, 1, MOST_PIECES)
    whole("grade", practice.grade, 1, HIGHEST)
    rise = min(_RISE, HIGHEST - practice.grade) if progression else 0
    wanted = []
    for number in range(pieces):
        grade = practice.grade + (round(rise * number / (pieces - 1)) if pieces > 1 else 0)
        one = replace(practice, grade=grade)
        plan = replace(controls, programs=(grade_of(one.instrument, grade).program,))
        check(one, plan)
        wanted.append((one, plan, text or f"grade {grade} {one.instrument} piece"))
    return wanted


def sheet(pieces: Sequence[Generation], title: str) -> bytes:
    """The pieces engraved one below the other, as one PDF.

    Raises TextMusicError where a library for sheet music is not installed.
    """
    return pdf([page for piece in pieces for page in piece.pages()], title)
