"""The page for everyone: by touch, by keys, without motion, and for screen readers."""

from __future__ import annotations

import importlib.resources
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import BROWSER, button, changed, click, desk, generated, keys, shot, sized, tab, until
from selenium.webdriver import Keys

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, BROWSER]
SHORT = "piano and flute in D minor, 4/4, 120 bpm, 4 bars"
OPEN = "document.querySelectorAll('.label-wrap').forEach(e => e.offsetParent && e.click())"
SMALL = """
const own = 'button, select, input:not([type=file]), textarea, a[href], [role=tab]';
return [...document.querySelectorAll(own)].filter(e => e.checkVisibility() && !e.disabled
    && !e.closest('footer, .tm-card, [aria-hidden=true]') && e.getBoundingClientRect().width)
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, b]) => {
    const label = e.closest('label')?.getBoundingClientRect();
    return Math.max(b.height, label ? Math.min(label.height, 60) : 0) < 43.5 || b.width < 43.5;
  }).map(([e, b]) => `${b.width} x ${b.height}: ` + e.outerHTML.slice(0, 120))
"""
SPILLS = """
const own = '.label-wrap, .tm-left .lg, .tab-like-container';
return [...document.querySelectorAll(own)].filter(e => e.checkVisibility()
    && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1))
  .map(e => `${e.scrollWidth} in ${e.clientWidth}, ${e.scrollHeight} in ${e.clientHeight}: `
    + e.outerHTML.slice(0, 120))
"""
STILL = """
return document.getAnimations().every(
  a => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity);
"""
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations.flatMap(
  v => v.nodes.map(n => `${v.impact} ${v.id}: ${n.html.slice(0, 120)}`))));
"""


def axe() -> str | None:
    """The source of axe-core, where a package brings it."""
    for package in ("axe_core_python", "axe_playwright_python"):
        if importlib.util.find_spec(package):
            return (importlib.resources.files(package) / "axe.min.js").read_text("utf-8")
    named = os.environ.get("TEXTMUSIC_AXE")
    return Path(named).read_text("utf-8") if named else None


@contextmanager
def touching(browser: Chrome) -> Iterator[None]:
    """A telephone: narrow, and touched."""
    sized(browser, 400, 800)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        sized(browser, 1440, 900)


@contextmanager
def media(browser: Chrome, name: str, value: str) -> Iterator[None]:
    """The page for who prefers something."""
    prefer = "Emulation.setEmulatedMedia"
    browser.execute_cdp_cmd(prefer, {"features": [{"name": name, "value": value}]})
    try:
        yield
    finally:
        browser.execute_cdp_cmd(prefer, {"features": []})


def test_everything_is_large_enough_to_touch(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    with touching(browser):
        browser = open_page()
        assert browser.execute_script(SMALL) == [] == browser.execute_script(SPILLS)
        first = generated(browser, SHORT)
        assert browser.execute_script(SMALL) == []
        browser.execute_script("textmusic.desk.roll.select([0, 1])")
        changed(browser, lambda: click(browser, "[data-do=rewrite]"))
        shot(browser, "telephone-touched")
        assert changed(browser, lambda: click(browser, "[data-do=undo]")) == first
        changed(browser, lambda: click(browser, "[data-do=redo]"))
        for name in ("Downloads", "Change", "Compare", "Create"):
            tab(browser, name)
            until(browser, "return document.querySelector('[aria-selected=true]')")
            assert browser.execute_script(SMALL) == [], name
            assert browser.execute_script(SPILLS) == [], name
        browser.execute_script(OPEN)
        until(browser, "return [...document.querySelectorAll('label')].some("
              "l => l.offsetParent && l.innerText.startsWith('Chords'))")  # fmt: skip
        until(browser, f"return !(() => {{{SPILLS}}})().length")  # once it has slid open
        assert browser.execute_script(SMALL) == []
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400


def test_names_of_chords_stand_beside_each_other(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    with touching(browser):
        browser = open_page()
        generated(browser, "piano in E minor, 4/4, 8 bars, | Em G | Em Bm | Am7 B7 | G Em |")
        edges = browser.execute_script(
            "return [...document.querySelectorAll('.tm-chord')].map(e => e.getBoundingClientRect())"
            ".map(b => [b.left, b.right])"
        )
        assert len(edges) >= 8
        assert all(right <= then + 0.5 for (_, right), (then, _) in pairwise(edges))


def test_nothing_moves_for_who_wants_that(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, SHORT)
    moving = (
        "textmusic.desk.nudge(); const s = document.querySelector('.tm-state');"
        "return [getComputedStyle(s).animationName,"
        " [...document.querySelectorAll('*')].some(e =>"
        " parseFloat(getComputedStyle(e).transitionDuration) > 0)]"
    )
    assert browser.execute_script(moving) == ["tm-nudge", True]
    with media(browser, "prefers-reduced-motion", "reduce"):
        assert browser.execute_script(moving) == ["none", False]
        browser.execute_script("scrollTo(0, document.body.scrollHeight); textmusic.desk.reveal()")
        top = browser.execute_script("return textmusic.desk.own.getBoundingClientRect().top")
        assert -5 < top < 500, "it is there at once"


def test_the_focus_is_seen_wherever_it_goes(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, SHORT)
    seen, unseen = 0, []
    browser.execute_script("document.querySelector('textarea').focus()")
    for _ in range(60):
        keys(browser, Keys.TAB)
        found = browser.execute_script(
            "const e = document.activeElement, s = getComputedStyle(e);"
            "e.getAnimations().forEach(a => a.finish());"  # a colour that is still changing
            "if (e === document.body) return null;"
            "const colour = s.outlineColor.match(/[0-9.]+/g).map(Number);"
            "return [parseFloat(s.outlineWidth) >= 2 && s.outlineStyle !== 'none'"
            " && Math.max(...colour.slice(0, 3)) < 230, e.outerHTML.slice(0, 100)]"
        )
        if found is None:
            break
        seen += 1
        if not found[0]:
            unseen.append(found[1])
    assert seen > 20 and not unseen


def test_scroll_bars_are_dark_where_the_page_is(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    with media(browser, "prefers-color-scheme", "dark"):
        browser = open_page()
        generated(browser, SHORT)
        until(browser, "return document.body.classList.contains('dark') && getComputedStyle("
              "document.querySelector('.tm-scroll')).colorScheme === 'dark'")  # fmt: skip


@pytest.mark.skipif(axe() is None, reason="needs axe-core (pip install axe-core-python)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Callable[..., Chrome], scheme: str) -> None:
    browser = open_page()
    browser.set_script_timeout(120)
    with media(browser, "prefers-color-scheme", scheme):
        browser = open_page()
        browser.execute_script(axe() or "")

        def found() -> object:
            until(browser, STILL)  # a button that fades in has less contrast on its way
            return browser.execute_async_script(AXE)

        assert found() == []
        browser.execute_script(OPEN)
        until(browser, "return [...document.querySelectorAll('label')].some("
              "l => l.offsetParent && l.innerText.startsWith('Chords'))")  # fmt: skip
        assert found() == []
        browser.execute_script(OPEN)
        generated(browser, SHORT)
        browser.execute_script("textmusic.desk.player.pause(); textmusic.desk.roll.select([0, 2])")
        assert found() == []
        for name in ("Sheet music", "Downloads", "Change", "Compare", "About"):
            tab(browser, name)
            until(browser, "return [...document.querySelectorAll('[aria-selected=true]')].some("
                  "e => e.innerText.trim() === arguments[0])", name)  # fmt: skip
            assert found() == [], name
        tab(browser, "Change")
        button(browser, "Adjust it").click()
        until(browser, "return document.querySelector('.toast-close')")
        assert found() == []
    assert desk(browser, "view.token")
