"""The list of pieces, in a real browser: what lasts, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    LISTED,
    SHORT,
    button,
    changed,
    click,
    describe,
    desk,
    generated,
    painted,
    severe,
    shot,
    slide,
    tab,
    toast,
    typed,
    until,
)

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.slow,
    BROWSER,
]


def test_pieces_last_and_a_link_opens_one(open_page: Callable[..., Chrome], address: str) -> None:
    browser = open_page()
    token = generated(browser, SHORT)
    there = "return window.textmusic?.desk?.view?.token === arguments[0]"
    text = "return document.querySelector('textarea').value === arguments[0]"
    for comes_back in (browser.refresh, browser.back):
        if comes_back == browser.back:
            browser.get("about:blank")
        comes_back()
        until(browser, there, token)
        until(browser, text, SHORT)
        assert browser.execute_script(f"return {LISTED}.length") == 1
    severe(browser)  # what was being asked when it went away
    click(browser, ".tm-pieces [data-do=link]")
    link = until(browser, "return document.querySelector('.tm-link input')?.value")
    assert link == f"{address}?piece={token}"

    other = open_page("zh-CN")
    other.get(link)
    until(other, there, token)
    assert desk(other, "view.title") == SHORT and painted(other) > 50
    assert not other.execute_script(f"return {LISTED}.length"), "it is somebody else's"
    other.execute_script("textmusic.desk.trigger('act', {what: 'delete', token: arguments[0]})",
                         token)  # fmt: skip
    toast(other, "只有作者本人能修改这首作品")
    click(browser, ".tm-link [data-do=renew]")
    until(browser, "return textmusic.desk.view.token !== arguments[0]", token)
    severe(other)
    other.refresh()
    toast(other, "这首作品已不在这里")
    severe(other)
    assert desk(other, "view") is None


def test_pieces_are_renamed_favoured_used_again_and_deleted(
    open_page: Callable[..., Chrome],
) -> None:
    browser = open_page()
    generated(browser, SHORT)
    generated(browser, "flute, 2 bars")
    texts = f"return {LISTED}.map(li => li.innerText)"
    one, other = browser.execute_script(texts)
    assert "flute" in one and "D minor" in other and "seed" in one
    click(browser, ".tm-pieces li:nth-child(2) [data-do=settings]")
    until(browser, "return document.querySelector('textarea').value === arguments[0]", SHORT)
    browser.execute_script("document.querySelectorAll('.label-wrap')[0].click()")
    seed = other.partition("seed ")[2].split()[0]
    until(browser, "return [...document.querySelectorAll('input, textarea')].some("
          "b => b.value === arguments[0])", seed)  # fmt: skip
    click(browser, ".tm-pieces li:nth-child(1) [data-do=rename]")
    typed(browser.switch_to.active_element, "Waltz\n")
    until(browser, f"return {LISTED}[0].querySelector('b')?.textContent === 'Waltz'")
    until(browser, "return document.querySelector('.tm-desk h2').textContent === 'Waltz'")
    click(browser, ".tm-pieces li:nth-child(2) [data-do=favour]")
    until(browser, f"return {LISTED}[0].querySelector('[aria-pressed=true]')"
          f" && {LISTED}[0].innerText.includes('D minor')")  # fmt: skip
    for left in (1, 0):
        click(browser, ".tm-pieces [data-do=delete]")
        click(browser, ".tm-pieces .tm-sure")
        until(browser, f"return {LISTED}.length === {left}")
    until(browser, "return textmusic.desk.view === null && textmusic.desk.own.hidden")


def test_variations_are_heard_side_by_side_and_one_is_kept(
    open_page: Callable[..., Chrome],
) -> None:
    browser = open_page()
    browser.execute_script("document.querySelectorAll('.label-wrap')[0].click()")
    slide(browser, "Variations", 3)
    generated(browser, SHORT)
    assert browser.execute_script(f"return {LISTED}.length") == 3
    assert len({take["name"] for take in desk(browser, "view.takes")}) == 3
    shot(browser, "variations")
    kept = changed(browser, lambda: click(browser, ".tm-takes button:nth-child(2)"))
    assert kept == desk(browser, "view.takes")[1]["token"]
    until(browser, "return textmusic.desk.player.playing")
    button(browser, "Keep this one, delete the others").click()
    until(browser, f"return {LISTED}.length === 1")
    assert desk(browser, "view.token") == kept and desk(browser, "view.takes").__len__() <= 1


def test_compared_pieces_are_pieces(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    tab(browser, "Compare")
    describe(browser, "calm piano, 2 bars")
    click(browser, "button.primary")
    until(browser, f"return {LISTED}.length === 2 && textmusic.desk.view?.takes?.length === 2")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    assert browser.execute_script(
        f"return {LISTED}.map(li => li.querySelector('b').textContent)"
    ) == ["calm piano, 2 bars (lstm)", "calm piano, 2 bars (default)"]
    models = [take["name"].partition(" · ")[0] for take in desk(browser, "view.takes")]
    assert models == ["default", "lstm"]
    shot(browser, "compare")
