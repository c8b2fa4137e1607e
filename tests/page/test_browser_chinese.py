"""The page in Chinese, in a real browser: no state of it says anything in English."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    DONE,
    button,
    changed,
    click,
    describe,
    desk,
    english,
    generated,
    keys,
    slide,
    tab,
    until,
)
from selenium.webdriver import Keys

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, BROWSER]
OPEN = "document.querySelectorAll('.label-wrap').forEach(e => e.offsetParent && e.click())"
OPTIONS = "const l = [...document.querySelectorAll('[role=option]')].map(e => e.innerText.trim());"
CHOICES = {"密度": "稀疏", "风格": "爵士", "调性": "D小调", "乐器": "小提琴"}
TOAST = "return document.querySelector('.toast-body, .toast-text')?.innerText"


def told(browser: Chrome, text: str) -> None:
    """A message comes, in Chinese, and is taken away."""
    until(browser, f"{TOAST}?.includes(arguments[0])", text)
    assert english(browser) == []
    browser.execute_script("document.querySelectorAll('.toast-close').forEach(b => b.click())")
    until(browser, "return !document.querySelector('.toast-close')")


def test_no_tab_says_anything_in_english(open_page: Callable[..., Chrome]) -> None:
    browser = open_page("zh-CN")
    until(browser, "return document.body.innerText.includes('生成')")
    assert english(browser) == []
    browser.execute_script(OPEN)
    for label, choice in CHOICES.items():
        listed = f"input[aria-label='{label}']"
        click(browser, listed)
        until(browser, f"{OPTIONS} return l.some(t => t.includes(arguments[0]))", choice)
        assert english(browser) == [], label
        keys(browser, Keys.ESCAPE)
    for name in ("修改", "比较", "关于"):
        tab(browser, name)
        until(browser, "return document.querySelector('[aria-selected=true]')?.innerText.trim()"
              " === arguments[0]", name)  # fmt: skip
        assert english(browser) == [], name


def test_no_state_of_a_piece_says_anything_in_english(
    open_page: Callable[..., Chrome], slowly: None
) -> None:
    browser = open_page("zh-CN")
    describe(browser, "激动的E小调摇滚，钢琴和鼓，主歌 副歌，8小节，天外飞仙")
    until(browser, "return document.querySelector('.tm-facts')?.innerText.includes('E小调')")
    assert english(browser) == []
    click(browser, ".tm-generate")
    until(browser, "return textmusic.desk.view?.writing")
    assert english(browser) == []
    until(browser, DONE, None)
    assert [name for _, name in desk(browser, "view.sections")] == ["主歌", "副歌"]
    assert re.search("[大小]调.*每分钟.*拍.*小节", desk(browser, "view.facts"))
    for name in ("报告", "下载", "乐谱"):
        tab(browser, name)
        assert english(browser) == [], name
    browser.execute_script("textmusic.desk.roll.select([0, 1])")
    assert english(browser) == []
    click(browser, "[data-do=add]")
    told(browser, "没有要添加的内容")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    click(browser, "[data-do=pencil]")
    assert english(browser) == []
    click(browser, ".tm-pieces [data-do=delete]")
    assert english(browser) == []
    named = "const b = document.querySelector('.tm-pieces [data-do=delete]');"
    shown = f"{named} return [b.innerText, b.getAttribute('aria-label'), b.title]"
    assert browser.execute_script(shown) == ["确认删除？"] * 3, "read aloud as it is shown"
    until(browser, f"{named} return b.innerText === '✕' && b.getAttribute('aria-label') === '删除'")


def test_notes_of_what_was_done_are_chinese(
    open_page: Callable[..., Chrome], pieces: list[Path]
) -> None:
    browser = open_page("zh-CN")
    generated(browser, "平静的D小调钢琴, 2小节")
    said = until(browser, "return document.querySelector('.tm-report')?.innerText")
    assert "要求" in said
    tab(browser, "修改")
    button(browser, "调整").click()
    told(browser, "没有要修改的内容")
    slide(browser, "移调", 2)
    changed(browser, button(browser, "调整").click)
    assert english(browser) == []
    browser.execute_script("textmusic.desk.roll.select([0, textmusic.desk.view.bars.length - 1])")
    changed(browser, lambda: click(browser, "[data-do=vary]"))
    until(browser, "return document.querySelector('.tm-report')?.innerText.includes('第1变奏')")
    assert english(browser) == []
    browser.execute_script("textmusic.desk.roll.select([0, textmusic.desk.view.bars.length - 1])")
    click(browser, "[data-is=theme]")
    changed(browser, lambda: click(browser, "[data-do=vary]"))
    until(
        browser, "return document.querySelector('.tm-report')?.innerText.includes('小节：第1变奏')"
    )
    assert [name for _, name in desk(browser, "view.sections")] == ["主题", "第1变奏"]
    assert english(browser) == []
    browser.find_element("css selector", "input[type=file]").send_keys(str(pieces[0]))
    until(browser, DONE, desk(browser, "view.token"))
    slide(browser, "新增小节数", 1)
    changed(browser, button(browser, "续写").click)
    assert english(browser) == []
