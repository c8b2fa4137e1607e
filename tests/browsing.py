"""A real browser on the page: starting it, and what tests do with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
BROWSER = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs chromium and chromedriver (apt install chromium-driver)",
)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
FREE = "--autoplay-policy=no-user-gesture-required"
STRICT = "--autoplay-policy=user-gesture-required"
SECONDS = 60
SHORT = "calm piano in D minor, 4/4, 120 bpm, 4 bars"
LISTED = "[...document.querySelectorAll('.tm-pieces li')]"
DONE = (
    "const v = window.textmusic?.desk?.view; return v && v.token !== arguments[0] && !v.writing"
    " && !v.busy && v.token"
)
MIDDLE = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})"
Point = tuple[float, float]


def started(language: str = "en", autoplay: str = FREE, *flags: str) -> Chrome:
    """A browser without a page. flags: more of chromium's."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, autoplay, *flags, f"--lang={language}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(str(DRIVER)))
    sized(browser, 1440, 900)
    return browser


def sized(browser: Chrome, width: int, height: int) -> None:
    """Give the window a size; chromium's own can't be as narrow as a telephone."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def opened(browser: Chrome, address: str) -> Chrome:
    """The page, as somebody sees it who has never been there."""
    browser.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"}
    )
    browser.get(address)
    until(browser, "return window.textmusic?.desk && document.querySelector('textarea')")
    until(browser, "return localStorage.getItem('textmusic-shelf')")  # the server has answered
    return browser


def until(browser: Chrome, script: str, *values: Any) -> Any:
    """Wait for a script to give something; that."""
    from selenium.webdriver.support.ui import WebDriverWait

    def found(driver: Chrome) -> Any:
        return driver.execute_script(script, *values)

    return WebDriverWait(browser, SECONDS, 0.05).until(found, message=script)


def desk(browser: Chrome, what: str) -> Any:
    """A value of the desk's, such as "view.token"."""
    return browser.execute_script(f"return textmusic.desk.{what}")


def click(browser: Chrome, selector: str) -> None:
    """Click on the first of these that can be seen, as a person does."""
    from selenium.webdriver.common.by import By

    until(browser, "return [...document.querySelectorAll(arguments[0])].some("
          "e => e.offsetParent && !e.disabled)", selector)  # fmt: skip
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    one = next(each for each in found if each.is_displayed() and each.is_enabled())
    browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", one
    )
    one.click()


def button(browser: Chrome, name: str) -> Any:
    """A button (or a tab's head) by its words."""
    from selenium.webdriver.common.by import By

    until(browser, "return [...document.querySelectorAll('button')].some("
          "b => b.innerText.trim() === arguments[0] && b.offsetParent)", name)  # fmt: skip
    buttons = browser.find_elements(By.TAG_NAME, "button")
    found = next(b for b in buttons if b.text.strip() == name and b.is_displayed())
    browser.execute_script(MIDDLE, found)
    return found


def box(browser: Chrome, label: str) -> Any:
    """The box of a label that can be seen."""
    from selenium.webdriver.common.by import By

    path = f"//label[.//span[normalize-space()='{label}']]//*[self::input or self::textarea]"
    return next(one for one in browser.find_elements(By.XPATH, path) if one.is_displayed())


def slide(browser: Chrome, label: str, value: int) -> None:
    """Give the slider of a label another value."""
    from selenium.webdriver.common.by import By

    path = f"input[type=number][aria-label*='{label}']"
    until(browser, "return document.querySelector(arguments[0])", path)
    number = browser.find_element(By.CSS_SELECTOR, path)
    typed(number, str(value))
    number.send_keys("\t")


def typed(element: Any, text: str) -> None:
    """Type over what stands in a box."""
    from selenium.webdriver.common.keys import Keys

    element.send_keys(Keys.CONTROL, "a")
    element.send_keys(text or Keys.DELETE)


def describe(browser: Chrome, text: str) -> Any:
    """Type a description; the box."""
    from selenium.webdriver.common.by import By

    words = next(b for b in browser.find_elements(By.TAG_NAME, "textarea") if b.is_displayed())
    typed(words, text)
    return words


def generated(browser: Chrome, text: str) -> str:
    """Type, press Enter, and wait for the finished piece; its secret."""
    before = browser.execute_script("return textmusic.desk.view?.token")
    describe(browser, text).send_keys("\n")
    return str(until(browser, DONE, before))


def changed(browser: Chrome, act: Callable[[], object]) -> str:
    """Do something, and wait for another piece on the desk; its secret."""
    before = desk(browser, "view?.token")
    act()
    return str(until(browser, DONE, before))


def keys(browser: Chrome, *pressed: str) -> None:
    """Press keys where the focus is."""
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*pressed).perform()


def chord(browser: Chrome, held: str, key: str) -> None:
    """Press a key while another one is held."""
    from selenium.webdriver import ActionChains

    ActionChains(browser).key_down(held).send_keys(key).key_up(held).perform()


def tab(browser: Chrome, name: str) -> None:
    """Go to a tab."""
    found = (
        "const t = [...document.querySelectorAll('button[role=tab]')].find("
        "b => b.innerText.trim() === arguments[0] && b.offsetParent); "
    )
    until(browser, f"{found} t?.click(); return t", name)


def place(browser: Chrome, quarter: float, pitch: int | None = None) -> Point:
    """Where a quarter note is in the window, in the row of a pitch (the middle)."""
    browser.execute_script(
        "textmusic.desk.roll.scroll.scrollIntoView({block: 'center', behavior: 'instant'})"
    )
    found = browser.execute_script(
        "const r = textmusic.desk.roll, b = r.lane.getBoundingClientRect(), p = arguments[1];"
        "return [b.left + r.x(arguments[0]), b.top + (p === null ? (r.top + r.height) / 2"
        " : r.top + (r.high - p + 0.5) * r.row)]", quarter, pitch,
    )  # fmt: skip
    return found[0], found[1]


def drag(browser: Chrome, points: Sequence[Point]) -> None:
    """Press the mouse at a point, move it over the others, and let go; one alone is a click."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    actions = ActionBuilder(browser, duration=20)
    (x, y), *others = points
    actions.pointer_action.move_to_location(round(x), round(y)).pointer_down()
    for across, down in others:
        actions.pointer_action.move_to_location(round(across), round(down))
    actions.pointer_action.pointer_up()
    actions.perform()


def toast(browser: Chrome, text: str) -> None:
    """Wait until the page has told something, and take it away."""
    until(browser, "return [...document.querySelectorAll('.toast-wrap, .toast-body')].some("
          "e => e.innerText.includes(arguments[0]))", text)  # fmt: skip
    browser.execute_script("document.querySelectorAll('.toast-close').forEach(b => b.click())")


def painted(browser: Chrome) -> int:
    """How many pixels of the roll are notes."""
    found = browser.execute_script(
        "const r = textmusic.desk.roll, c = r.canvas, notes = r.view.notes;"
        "const look = () => { r.paint();"
        " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data; };"
        "const full = look(); r.view.notes = []; const bare = look();"
        "r.view.notes = notes; r.paint();"
        "let n = 0; for (let i = 0; i < full.length; i += 4) n += full[i] !== bare[i]; return n"
    )
    return int(found)


def severe(browser: Chrome) -> list[str]:
    """What the browser complains of since it was asked last."""
    return [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]


def shot(browser: Chrome, name: str) -> None:
    """A picture to be looked at, where $TEXTMUSIC_SCREENSHOTS names a folder for them."""
    if folder := os.environ.get("TEXTMUSIC_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


# What stays as it is in Chinese: names, formats, and what musicians write everywhere.
NAMES = frozenset(
    "textmusic replay midi musicxml pdf wav mp ogg flac svg png json zip api gradio aaba andante"
    " top enter shift space esc tab delete apache lstm default tiny maj min dim aug sus bpm"
    " agent mcp html script window bad".split()
)


def english(browser: Chrome) -> list[str]:
    """What a page in Chinese says in English: texts that can be seen or are read aloud."""
    browser.execute_async_script(  # what gradio has just drawn is mended with the next frame
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))"
    )
    found = browser.execute_script(
        """const names = new Set(arguments[0]), said = [];
        const chord = /^[A-G][#b]?(m|maj|dim|sus|aug|add)/;
        const look = (text, where) => {
          const words = (text || '').replace(/\\S+[.]mid/g, '').match(/[A-Za-z]{3,}/g) || [];
          if (words.some(w => !names.has(w.toLowerCase()) && !chord.test(w)))
            said.push(where + ': ' + text.trim().slice(0, 120));
        };
        const seen = e => e.checkVisibility({visibilityProperty: true});
        const skip = '.tm-card, .tm-pieces b, script, style, textarea, .tm-desk h2, footer';
        for (const e of document.body.querySelectorAll('*')) {
          if (e.closest(skip) || !seen(e)) continue;
          for (const node of e.childNodes)
            if (node.nodeType === 3) look(node.textContent, e.className || e.tagName);
          for (const name of ['title', 'aria-label', 'placeholder', 'alt'])
            if (e.getAttribute(name) !== document.querySelector('.tm-desk h2')?.textContent)
              look(e.getAttribute(name), name);
          if (e.tagName === 'INPUT' && e.type === 'text' && e.readOnly) look(e.value, 'value');
        }
        return said;""", sorted(NAMES),
    )  # fmt: skip
    return [str(one) for one in found]
