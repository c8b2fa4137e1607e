"""The judge of notes: each limit, kept and broken, with its bar."""

from __future__ import annotations

import pytest

from textmusic.music.grade_check import Verdict, in_a_line, judge
from textmusic.music.notes import Note, columns_of
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice

PLAN = Plan(key="C major", time_signature="4/4", bars=4, programs=(0,))
GRADE_1 = Practice("piano", 1)
# right hand, right hand, left hand, left hand
KEPT = [
    *((float(n), 1.0, p) for n, p in enumerate((60, 62, 64, 65))),
    (4.0, 2.0, 67), (6.0, 2.0, 64),
    *((8.0 + n, 1.0, p) for n, p in enumerate((55, 53, 52, 50))),
    (12.0, 4.0, 48),
]  # fmt: skip


def broken(
    notes: list[tuple[float, float, int]], practice: Practice = GRADE_1, plan: Plan = PLAN,
    program: int = 0,
) -> dict[str, int | None]:  # fmt: skip
    columns = columns_of([Note(s, d, p, 80, program) for s, d, p in notes])
    return {v.limit: v.bar for v in judge(columns, plan, practice) if not v.kept}


def changed(at: int, *note: float) -> list[tuple[float, float, int]]:
    start, duration, pitch = note
    return [*KEPT[:at], (start, duration, int(pitch)), *KEPT[at + 1 :]]


def test_a_piece_that_keeps_them_all() -> None:
    assert broken(KEPT) == {}


@pytest.mark.parametrize(
    ("notes", "limit", "bar"),
    [
        (changed(1, 1.0, 1.0, 63), "notes of the key", 1),
        (changed(4, 4.0, 2.0, 84), "compass", 2),
        (changed(4, 4.0, 2.0, 69), "five-finger position", 2),
        (changed(5, 6.0, 2.25, 64), "note values", 2),
        (changed(5, 6.0, 3.0, 64), "no ties over bar lines", 2),
        ([*KEPT, (8.0, 1.0, 48)], "notes at once", 3),
        ([*KEPT, (12.0, 4.0, 60)], "hands apart", 4),
        (changed(10, 12.0, 4.0, 50), "ending on the tonic", 4),
    ],
)
def test_each_limit_is_seen_where_it_is_broken(
    notes: list[tuple[float, float, int]], limit: str, bar: int
) -> None:
    assert broken(notes).get(limit) == bar


def test_leaps_are_counted_in_a_hand() -> None:
    wide = Practice("violin", 1)
    plan = Plan(key="D major", time_signature="4/4", bars=1, programs=(40,))
    near, far = [(0.0, 2.0, 62), (2.0, 2.0, 69)], [(0.0, 2.0, 62), (2.0, 2.0, 74)]
    assert "leaps" not in broken(near, wide, plan, 40)
    assert broken(far, wide, plan, 40)["leaps"] == 1
    assert broken([*KEPT[:6], (8.0, 1.0, 48), *KEPT[7:]]) == {}, "between the hands none is"


def test_facts_are_judged_too() -> None:
    assert broken(KEPT, plan=Plan(key="E major", time_signature="4/4", bars=4))["key"] == 1
    assert broken(KEPT, program=6)["instrument"] == 1
    assert broken(KEPT, Practice("piano", 1, only=(0, 2, 4, 5)))["notes of the key"] == 2


def test_what_the_report_says() -> None:
    assert in_a_line((Verdict("leaps"),), GRADE_1) == "grade 1 piano: kept"
    verdicts = (Verdict("leaps", 5), Verdict("compass"), Verdict("note values", 2))
    said = in_a_line(verdicts, GRADE_1)
    assert said == "grade 1 piano: broken: leaps in bar 5, note values in bar 2"
