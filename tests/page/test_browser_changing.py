"""Pieces are changed, in a real browser: continued, adjusted, rewritten, edited by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    DONE,
    SHORT,
    button,
    changed,
    chord,
    click,
    desk,
    drag,
    generated,
    keys,
    painted,
    place,
    shot,
    slide,
    tab,
    toast,
    until,
)
from selenium.webdriver import Keys

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.slow,
    BROWSER,
]


def test_an_own_file_is_continued_and_adjusted_with_undo(
    open_page: Callable[..., Chrome], pieces: list[Path]
) -> None:
    browser = open_page()
    tab(browser, "Change")
    until(browser, "return document.querySelector('input[type=file]')")
    browser.find_element("css selector", "input[type=file]").send_keys(str(pieces[0]))
    first = until(browser, DONE, None)
    assert desk(browser, "view.title") == pieces[0].stem and painted(browser) > 50
    disabled = "return ['undo', 'redo'].map(n => document.querySelector(`[data-do=${n}]`).disabled)"
    assert browser.execute_script(disabled) == [True, True]
    keys(browser, Keys.ESCAPE)
    browser.execute_script("textmusic.desk.player.play()")
    until(browser, "return textmusic.desk.player.time > 0.1")

    bars = len(desk(browser, "view.bars")) - 1
    slide(browser, "New bars", 2)
    more = changed(browser, button(browser, "Continue it").click)
    assert desk(browser, "view.fresh") == [bars, bars + 2]
    until(browser, "const d = textmusic.desk; return !d.roll.fresh.hidden && d.player.time"
          " >= d.roll.seconds(d.view.from) - .05")  # fmt: skip
    shot(browser, "continued")

    button(browser, "Adjust it").click()
    toast(browser, "there is nothing to change")
    slide(browser, "Transpose", 2)
    changed(browser, button(browser, "Adjust it").click)
    until(browser, "return document.querySelector(\"input[type=number][aria-label*='Transpose']\")"
          ".value === '0'")  # fmt: skip
    slide(browser, "Transpose", -1)
    last = changed(browser, button(browser, "Adjust it").click)
    assert desk(browser, "view.title") == f"{pieces[0].stem} (adjusted)"
    assert browser.execute_script(disabled) == [False, True]
    changed(browser, lambda: click(browser, "[data-do=undo]"))
    assert changed(browser, lambda: click(browser, "[data-do=undo]")) == more
    assert changed(browser, lambda: click(browser, "[data-do=undo]")) == first
    assert browser.execute_script(disabled) == [True, False]
    for _ in range(3):
        changed(browser, lambda: click(browser, "[data-do=redo]"))
    assert desk(browser, "view.token") == last
    assert browser.execute_script(disabled) == [False, True]


def test_bars_are_selected_looped_and_rewritten(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, "piano and flute in D minor, 4/4, 120 bpm, 6 bars")
    drag(browser, [place(browser, 5), place(browser, 8), place(browser, 11)])
    assert desk(browser, "roll.selection") == [1, 3]
    until(browser, "return document.querySelector('.tm-choice b').innerText === 'Bars 2–3'")
    keys(browser, Keys.ARROW_RIGHT)
    assert desk(browser, "roll.selection") == [2, 4]
    chord(browser, Keys.SHIFT, Keys.ARROW_LEFT)
    assert desk(browser, "roll.selection") == [2, 3]
    click(browser, "[data-do=loop]")
    until(browser, "return textmusic.desk.player.playing")
    browser.execute_script("textmusic.desk.player.time = 5.7")
    until(browser, "const t = textmusic.desk.player.time; return t >= 3.9 && t < 5")
    click(browser, "[data-do=loop]")
    shot(browser, "selected")
    before = desk(browser, "view.notes")
    changed(browser, lambda: click(browser, "[data-do=rewrite]"))
    assert desk(browser, "view.fresh") == [2, 3]

    def outside(notes: list[Any]) -> list[Any]:
        return sorted((*note[:2], *note[3:5]) for note in notes if not 8 <= note[1] < 12)

    after = desk(browser, "view.notes")
    assert outside(after) == outside(before) and after != before
    changed(browser, lambda: click(browser, "[data-do=undo]"))
    assert desk(browser, "view.notes") == before


def test_notes_are_added_moved_and_deleted(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, SHORT)
    start, total = 0.5, len(desk(browser, "view.notes"))
    free = browser.execute_script(
        "const r = textmusic.desk.roll; for (let p = r.low + 4; p < r.high - 4; p += 1)"
        " if (!r.view.notes.some(n => Math.abs(n[3] - p) < 4)) return p; return r.high - 3"
    )

    def there() -> list[list[float]]:
        return [note[:4] for note in desk(browser, "view.notes") if note[3] in (free, free + 2)]

    click(browser, "[data-do=pencil]")
    changed(browser, lambda: drag(browser, [place(browser, start + 0.1, free)]))
    assert there() == [[0, 0.5, 1, free]]
    changed(browser, lambda: drag(browser, [
        place(browser, start + 0.3, free), place(browser, start + 1, free + 1),
        place(browser, start + 1.3, free + 2)]))  # fmt: skip
    assert there() == [[0, 1.5, 1, free + 2]]
    changed(browser, lambda: drag(browser, [
        place(browser, start + 1.95, free + 2), place(browser, start + 2.2, free + 2),
        place(browser, start + 2.45, free + 2)]))  # fmt: skip
    assert there() == [[0, 1.5, 1.5, free + 2]], "its end was drawn out"
    shot(browser, "pencil")
    drag(browser, [place(browser, start + 1.3, free + 2)])
    changed(browser, lambda: keys(browser, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_LEFT))
    assert there() == [[0, 1.25, 1.5, free]], "one step of undo"
    drag(browser, [place(browser, start + 1, free)])
    changed(browser, lambda: keys(browser, Keys.DELETE))
    assert there() == [] and len(desk(browser, "view.notes")) == total
    browser.execute_script("textmusic.desk.player.pause(); textmusic.desk.player.time = 1")
    changed(browser, lambda: keys(browser, "n"))
    assert len(desk(browser, "view.notes")) == total + 1
    same = changed(browser, lambda: chord(browser, Keys.CONTROL, "z"))
    assert len(desk(browser, "view.notes")) == total
    # what is undone at once has never been sent
    keys(browser, "n")
    assert len(desk(browser, "view.notes")) == total + 1
    chord(browser, Keys.CONTROL, "z")
    until(browser, "return textmusic.desk.view.notes.length === arguments[0]", total)
    time.sleep(1)
    assert desk(browser, "view.token") == same
    changed(browser, lambda: keys(browser, Keys.TAB, Keys.DELETE))
    assert len(desk(browser, "view.notes")) == total - 1
