"""What is done with bars that are selected on the roll, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    changed,
    chord,
    click,
    desk,
    generated,
    keys,
    place,
    shot,
    sized,
    toast,
    typed,
    until,
)
from selenium.webdriver import Keys

from textmusic.music.chords import Chord, parse_symbol

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, BROWSER]
TWO = "piano and flute in D minor, 4/4, 120 bpm, 4 bars"
CHORDS = "return textmusic.desk.view.chords"


def select(browser: Chrome, first: int, stop: int, part: str = "") -> None:
    """Select bars, from 0, and the part of a name; "": all."""
    browser.execute_script(
        "textmusic.desk.roll.select([arguments[0], arguments[1]],"
        " arguments[2] ? textmusic.desk.view.parts.findIndex(p => p.name === arguments[2]) : null)",
        first, stop, part or None,
    )  # fmt: skip


def names(browser: Chrome) -> list[str]:
    return [part["name"] for part in desk(browser, "view.parts")]


def sounding(name: str) -> Chord | None:
    """A chord however it is spelt: F#7 in D major is Gb7 in D minor."""
    read = parse_symbol(name)
    return read and read[0]


def of_part(browser: Chrome, name: str) -> list[Any]:
    at = names(browser).index(name)
    return sorted((*note[1:2], *note[3:5]) for note in desk(browser, "view.notes") if note[0] == at)


def undone(browser: Chrome, before: list[Any]) -> None:
    changed(browser, lambda: click(browser, "[data-do=undo]"))
    assert desk(browser, "view.notes") == before


def test_bars_and_the_whole_are_varied(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, TWO)
    before, chords = desk(browser, "view.notes"), browser.execute_script(CHORDS)
    select(browser, 1, 2)
    changed(browser, lambda: click(browser, "[data-do=vary]"))
    assert desk(browser, "view.fresh") == [1, 2]
    kept = [sounding(name) for start, name in browser.execute_script(CHORDS) if 4 <= start < 8]
    known = [sounding(name) for start, name in chords if 4 <= start < 8]
    assert kept == known or not known, "chords are kept where the bar named any"
    assert desk(browser, "view.title") == f"{TWO} (varied)"
    undone(browser, before)
    click(browser, "[data-do=bar]")
    click(browser, "[data-do=all]")
    assert desk(browser, "roll.selection") == [0, 4]
    said = set()
    for _ in range(2):  # each time another of the usual variations
        changed(browser, lambda: click(browser, "[data-do=vary]"))
        report = until(browser, "const t = document.querySelector('.tm-report')?.innerText;"
                       "return t?.includes('variation ') && t")  # fmt: skip
        said.add(report.partition("variation ")[2].partition("\n")[0])
        undone(browser, before)
        browser.execute_script("textmusic.desk.roll.select([0, 4])")
    assert len(said) == 2


def test_a_variation_can_stand_after_its_theme(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, TWO)
    before, end = desk(browser, "view.notes"), desk(browser, "view.bars")[-1]
    select(browser, 1, 2)
    box = "return textmusic.desk.find('with-theme').offsetParent !== null"
    assert not browser.execute_script(box), "some bars are varied in their place"
    select(browser, 0, 4)
    assert browser.execute_script(box)
    shot(browser, "theme")
    click(browser, "[data-is=theme]")
    changed(browser, lambda: click(browser, "[data-do=vary]"))
    after = desk(browser, "view.notes")
    kept = [note for note in after if note[1] < end]
    assert sorted(note[1:5] for note in kept) == sorted(note[1:5] for note in before)
    assert len(after) > len(kept) and len(desk(browser, "view.bars")) == 2 * 4 + 1


def test_a_part_is_added(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, TWO)
    before, players = desk(browser, "view.notes"), names(browser)
    select(browser, 0, 2)
    click(browser, "[data-do=add]")
    toast(browser, "there is nothing to add; name instruments")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    browser.execute_script("const s = textmusic.desk.find('player'); s.value = 32")
    changed(browser, lambda: click(browser, "[data-do=add]"))
    assert set(names(browser)) == {*players, "acoustic bass"}
    assert {note[1] < 8 for note in desk(browser, "view.notes")
            if names(browser)[note[0]] == "acoustic bass"} == {True}  # fmt: skip
    undone(browser, before)
    browser.execute_script("textmusic.desk.find('player').value = ''")
    select(browser, 0, 4)
    typed(browser.execute_script("return textmusic.desk.find('wish')"), "a cello")
    changed(browser, lambda: click(browser, "[data-do=add]"))
    assert set(names(browser)) == {*players, "cello"}


def test_a_melody_is_harmonised(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, TWO)
    before, flute = desk(browser, "view.notes"), of_part(browser, "flute")
    select(browser, 1, 3)
    click(browser, "[data-do=harmonise]")
    toast(browser, "there are several parts; select the one that has the melody")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    select(browser, 1, 3, "flute")
    changed(browser, lambda: click(browser, "[data-do=harmonise]"))
    assert of_part(browser, "flute") == flute
    assert desk(browser, "view.fresh") == [1, 3]
    assert desk(browser, "view.title") == f"{TWO} (harmonised)"
    undone(browser, before)
    generated(browser, "solo flute in D minor, 4/4, 3 bars")
    alone = of_part(browser, "flute")
    select(browser, 0, 3)
    changed(browser, lambda: click(browser, "[data-do=harmonise]"))
    assert set(names(browser)) == {"flute", "piano"} and of_part(browser, "flute") == alone
    shot(browser, "harmonised")


def test_the_form_is_changed(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, "piano in D minor, 4/4, 120 bpm, 8 bars")
    before = desk(browser, "view.notes")
    select(browser, 0, 8)
    click(browser, "[data-do=form]")
    toast(browser, "no form is given")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    typed(browser.execute_script("return textmusic.desk.find('form')"), "verse chorus")
    changed(browser, lambda: click(browser, "[data-do=form]"))
    assert [name for _, name in desk(browser, "view.sections")] == ["verse", "chorus"]
    assert (
        len(desk(browser, "view.bars")) == 9 and abs(desk(browser, "view.tempi")[-1][1] - 16) < 1
    ), "in a performance's own tempo"
    click(browser, ".tm-names button.tm-section:nth-of-type(2)")
    assert desk(browser, "roll.selection") == [4, 8]
    undone(browser, before)
    select(browser, 4, 8)
    typed(browser.execute_script("return textmusic.desk.find('form')"), "AB\n")
    until(browser, "return textmusic.desk.view.fresh")
    assert desk(browser, "view.fresh") == [4, 8]


def test_bars_are_selected_by_touch(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    sized(browser, 400, 800)
    try:
        generated(browser, "piano in D minor, 4/4, 4 bars")
        browser.execute_script("textmusic.desk.player.pause(); textmusic.desk.player.time = 0")
        click(browser, "[data-do=bar]")
        assert desk(browser, "roll.selection") == [0, 1]
        click(browser, "[data-do=more]")
        assert desk(browser, "roll.selection") == [0, 2]
        click(browser, "[data-do=fewer]")
        assert desk(browser, "roll.selection") == [0, 1]
        browser.execute_script(
            "const r = textmusic.desk.roll; r.scroll.scrollLeft = r.x(9) - r.scroll.clientWidth / 2"
        )  # a bar with many chords is wide
        x, y = place(browser, 9)
        for kind in ("touchStart", "touchEnd"):
            points = [{"x": x, "y": y}] if kind == "touchStart" else []
            browser.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )
        until(browser, "return String(textmusic.desk.roll.selection) === '0,3'")
    finally:
        sized(browser, 1440, 900)


def test_keys_alone_select_bars_and_change_a_chord(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    before = generated(browser, TWO)
    browser.execute_script("textmusic.desk.player.pause(); textmusic.desk.player.time = 0")
    stops = 0
    while not browser.execute_script(
        "return document.activeElement.classList.contains('tm-scroll')"
    ):
        keys(browser, Keys.TAB)
        stops += 1
        assert stops < 30
    keys(browser, Keys.ARROW_RIGHT)
    chord(browser, Keys.SHIFT, Keys.ARROW_RIGHT)
    first, stop = desk(browser, "roll.selection")
    assert stop - first == 2
    stops = 0
    while not browser.execute_script("return document.activeElement.dataset.do === 'vary'"):
        keys(browser, Keys.TAB)
        stops += 1
        assert stops < 15, "chords are no stops on the way"
    varied = changed(browser, lambda: keys(browser, Keys.ENTER))
    assert varied != before and desk(browser, "view.fresh") == [first, stop]
    assert changed(browser, lambda: chord(browser, Keys.CONTROL, "z")) == before
    browser.execute_script("textmusic.desk.roll.scroll.focus()")
    keys(browser, "c")
    assert browser.execute_script("return document.activeElement.className") == "tm-chord"
    browser.switch_to.active_element.send_keys("Gm")
    changed(browser, lambda: browser.switch_to.active_element.send_keys("\n"))
    assert "Gm" in [name for _, name in browser.execute_script(CHORDS)]
