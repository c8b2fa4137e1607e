"""The page in a real browser: Debian's chromium and chromedriver, driven by selenium."""

from __future__ import annotations

import importlib.util
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from symusic import Score

from textmusic.evaluation.comparison import Options, compare, entrants
from textmusic.evaluation.report_page import save
from textmusic.music.measure import measure

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

selenium = pytest.importorskip("selenium", reason="needs the dev extra (selenium)")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="needs chromium and chromedriver (apt install chromium-driver)",
    ),
]
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
SECONDS = 120
SHOTS = os.environ.get("TEXTMUSIC_SCREENSHOTS")  # a folder for pictures, to be looked at


@pytest.fixture(scope="module")
def engines() -> list[Any]:
    """Those behind the page, once it is there."""
    return []


@pytest.fixture(scope="module")
def address(
    tiny_model: Path, engines: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        from textmusic.page.layout import serve
        from textmusic.writing.text_to_music import TextToMusic

        load = TextToMusic.from_pretrained
        models = {name: load(tiny_model, threads=1) for name in ("default", "lstm")}
        engines += [music.engine for music in models.values()]
        app, url, _ = serve(models, prevent_thread_lock=True, quiet=True)
        yield url
        app.get_blocks().close(verbose=False)


@pytest.fixture
def open_page(address: str, tmp_path: Path) -> Iterator[Callable[..., Chrome]]:
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    opened: list[Chrome] = []

    def start(*, width: int = 1200, language: str = "en") -> Chrome:
        options = ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--lang={language}"):
            options.add_argument(flag)
        options.add_experimental_option(
            "prefs",
            {"intl.accept_languages": language, "download.default_directory": str(tmp_path)},
        )
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = Chrome(options=options, service=Service(str(DRIVER)))
        opened.append(browser)
        # a window of chromium's can't be as narrow as a telephone
        metrics = {"width": width, "height": 1400, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(address)
        until(browser, "return document.querySelectorAll('textarea').length > 0")
        return browser

    yield start
    for browser in opened:
        errors = [e["message"] for e in browser.get_log("browser") if e["level"] == "SEVERE"]
        browser.quit()
        assert not errors


def until(browser: Chrome, script: str, *values: Any) -> Any:
    """Wait for a script to give something; that."""
    from selenium.webdriver.support.ui import WebDriverWait

    def found(driver: Chrome) -> Any:
        return driver.execute_script(script, *values)

    return WebDriverWait(browser, SECONDS, 0.1).until(found, message=script)


def button(browser: Chrome, name: str) -> Any:
    from selenium.webdriver.common.by import By

    until(browser, "return [...document.querySelectorAll('button')].some("
          "b => b.innerText.trim() === arguments[0] && b.offsetParent)", name)  # fmt: skip
    buttons = browser.find_elements(By.TAG_NAME, "button")
    return next(b for b in buttons if b.text.strip() == name and b.is_displayed())


def write(browser: Chrome, text: str) -> None:
    from selenium.webdriver.common.by import By

    box = next(b for b in browser.find_elements(By.TAG_NAME, "textarea") if b.is_displayed())
    box.clear()
    box.send_keys(text)


def shot(browser: Chrome, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


PIECE = "return document.querySelector('.tm-piece audio')?.src"


def generated(browser: Chrome, text: str) -> None:
    """Type, click, and wait for the finished piece."""
    before = browser.execute_script(PIECE)
    write(browser, text)
    button(browser, "Generate").click()
    until(browser, "const s = document.querySelector('.tm-piece audio')?.src;"
          " return s && s !== arguments[0]", before)  # fmt: skip


def test_a_piece_is_written_heard_seen_and_taken_away(
    open_page: Callable[..., Chrome], tmp_path: Path
) -> None:
    browser = open_page()
    write(browser, "sad violin in A minor")
    until(browser, "return document.querySelector('.tm-facts')?.innerText.includes('A minor')")
    generated(
        browser, "calm piano in D minor, 4/4, 120 bpm, 16 bars, <script>window.bad=1</script>"
    )
    said = browser.execute_script("return document.querySelector('.tm-facts').innerText")
    assert "key: D minor (from your description)" in said
    shot(browser, "create")
    player = "document.querySelector('.tm-piece audio')"
    browser.execute_script(f"{player}.play()")
    until(browser, f"return {player}.currentTime > 1")
    head = "document.querySelector('.tm-piece .tm-head')"
    left = until(browser, f"return !{head}.hidden && parseFloat({head}.style.left)")
    until(browser, f"return parseFloat({head}.style.left) > arguments[0]", left)
    # a click at the right edge of the roll's first line seeks
    browser.execute_script(
        "const r = document.querySelector('.tm-piece .tm-roll'), b = r.getBoundingClientRect(),"
        " [x, y, w, h] = JSON.parse(r.dataset.strips)[0];"
        " r.dispatchEvent(new MouseEvent('click', {bubbles: true,"
        " clientX: b.left + (x + w * .5) * b.width, clientY: b.top + (y + h / 2) * b.height}))"
    )
    end = browser.execute_script(
        "return JSON.parse(document.querySelector('.tm-piece .tm-roll').dataset.strips)[0][5]"
    )
    until(browser, f"return {player}.currentTime >= arguments[0] * .49", end)
    roll = "document.querySelector('.tm-piece .tm-roll img')"
    assert browser.execute_script(f"return {roll}.naturalWidth") > 500
    assert browser.execute_script("return window.bad") is None
    row = until(browser, "return document.querySelector('.tm-report tbody tr')?.innerText")
    assert row.split("\t")[:3] == ["key", "D minor", "D minor"]

    if importlib.util.find_spec("verovio"):
        button(browser, "Sheet music").click()
        pages = "[...document.querySelectorAll('.tm-sheet img')].filter(i => i.naturalWidth).length"
        until(browser, f"return {pages} > 0")
        shot(browser, "sheet")

    button(browser, "Downloads").click()
    links = "[...document.querySelectorAll('a[download]')].map(a => a.href)"
    files = until(browser, f"const l = {links}; return l.length >= 5 && l")
    midi = next(link for link in files if link.endswith(".mid"))
    data = browser.execute_async_script(
        "const done = arguments[1]; fetch(arguments[0]).then(r => r.arrayBuffer())"
        ".then(b => done([...new Uint8Array(b)]))",
        midi,
    )
    assert measure(Score.from_midi(bytes(data))).bars == 16


def test_chords_and_form_are_asked_for_and_seen(open_page: Callable[..., Chrome]) -> None:
    from selenium.webdriver.common.by import By

    browser = open_page()
    write(browser, "piano in 4/4, 120 bpm")
    opened = "[...document.querySelectorAll('button')].find(b => b.innerText.startsWith({}))"
    browser.execute_script(f"{opened.format(repr('Details'))}.click()")
    facts = "return document.querySelector('.tm-facts')?.innerText.includes(arguments[0])"
    for label, said in (("Chords", "Am7 Dm7 | E7sus4 E7"), ("Form", "verse chorus verse chorus"),
                        ("Bars", "16")):  # fmt: skip
        path = f"//label[.//span[normalize-space()='{label}']]//*[self::input or self::textarea]"
        next(box for box in browser.find_elements(By.XPATH, path) if box.is_displayed()).send_keys(
            said
        )
    until(browser, facts, "chords: Am7 Dm7 | E7sus4 E7 (set by you)".replace("7sus4", "sus4"))
    until(browser, facts, "form: verse, chorus, verse, chorus (set by you)")
    browser.execute_script(f"{opened.format(repr('Advanced'))}.click()")
    until(browser, "return document.body.innerText.includes('Harmony strength')")
    shot(browser, "chords-asked")
    button(browser, "Generate").click()
    until(browser, PIECE)
    rows = until(browser, "return document.querySelector('.tm-report')?.innerText")
    by_field = {line.split("\t")[0]: line.split("\t") for line in rows.splitlines()}
    assert by_field["chords"][1] == "Am7 Dm7 | Esus4 E7"
    assert by_field["chords"][2].startswith("Am7 Dm7 | Esus4 E7 | Am7 Dm7 | ")
    assert by_field["form"][1:3] == ["verse, chorus, verse, chorus"] * 2
    browser.execute_script("document.querySelector('.tm-piece').scrollIntoView()")
    shot(browser, "chords-written")
    if importlib.util.find_spec("verovio"):
        button(browser, "Sheet music").click()
        pages = "[...document.querySelectorAll('.tm-sheet img')].filter(i => i.naturalWidth).length"
        until(browser, f"return {pages} > 0")
        browser.execute_script("document.querySelector('.tm-sheet').scrollIntoView()")
        shot(browser, "chords-sheet")


def test_stop_keeps_what_is_written(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    write(browser, "dense piano, 256 bars")
    button(browser, "Generate").click()
    until(browser, "return document.querySelector('.tm-roll')")
    button(browser, "Stop").click()
    until(browser, PIECE)
    rows = until(browser, "return document.querySelector('.tm-report')?.innerText")
    bars = next(line.split("\t") for line in rows.splitlines() if line.startswith("bars"))
    assert bars[1] == "256" and 0 < int(bars[3]) < 256


def test_who_closes_the_page_stops_the_piece(
    open_page: Callable[..., Chrome], engines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = engines[0].step

    def slowly(ids: Any) -> Any:
        time.sleep(0.02)  # 256 bars would take minutes
        return step(ids)

    monkeypatch.setattr(engines[0], "step", slowly)
    browser = open_page()
    write(browser, "dense piano, 256 bars")
    button(browser, "Generate").click()
    until(browser, "return document.querySelector('.tm-roll')")
    writer = next(t for t in threading.enumerate() if t.name == "textmusic-scheduler")
    browser.get("about:blank")
    writer.join(SECONDS)
    assert not writer.is_alive()
    browser.get_log("browser")  # the page complains of its broken connection, as it should


def test_continue_adjust_and_undo(open_page: Callable[..., Chrome], pieces: list[Path]) -> None:
    from selenium.webdriver.common.by import By

    browser = open_page()
    button(browser, "Continue").click()
    until(browser, "return [...document.querySelectorAll('input[type=file]')].length")
    upload = browser.find_elements(By.CSS_SELECTOR, "input[type=file]")[0]
    upload.send_keys(str(pieces[0]))
    until(browser, "return document.body.innerText.includes(arguments[0])", pieces[0].stem)
    button(browser, "Continue it").click()
    until(browser, "return document.querySelectorAll('.tm-piece audio').length >= 3")
    shot(browser, "continue")
    names = "[...document.querySelectorAll('input[type=radio]')].length"
    assert browser.execute_script(f"return {names}") == 1
    button(browser, "Adjust it").click()
    until(browser, "return document.body.innerText.includes('there is nothing to change')")
    steps = browser.find_element(By.CSS_SELECTOR, "input[type=number][aria-label*='Transpose']")
    steps.clear()
    steps.send_keys("2\t")
    button(browser, "Adjust it").click()
    until(browser, f"return {names} === 2")
    button(browser, "Undo").click()
    chosen = "document.querySelector('input[type=radio]:checked')?.parentElement.innerText"
    until(browser, f"return {chosen}?.startsWith('1 ')")


def test_the_report_of_a_comparison_can_be_heard_and_seen(
    open_page: Callable[..., Chrome], tiny_model: Path, tmp_path: Path
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("calm piano, 2 bars\nsad flute, 2 bars\n")
    other = tmp_path / "other"
    shutil.copytree(tiny_model, other)
    options = Options(words=False, pace=False, sounds=0)
    folder = tmp_path / "out"
    found = compare(prompts, entrants([str(tiny_model), str(other)], []), folder, options)
    page = save(found, folder, examples=2, soundfont=None)
    browser = open_page()
    browser.get(page.as_uri())
    shown = "return [...document.images].filter(i => i.scrollIntoView() || i.naturalWidth).length"
    until(browser, f"{shown} === 4")
    browser.execute_script("document.querySelector('audio').play()")
    until(browser, "return document.querySelector('audio').currentTime > .5")
    assert "valid" in browser.find_element("tag name", "body").text
    shot(browser, "report")


def test_two_models_side_by_side(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    button(browser, "Compare").click()
    write(browser, "calm piano, 2 bars")
    buttons = "[...document.querySelectorAll('button.primary')].filter(b => b.offsetParent)"
    browser.execute_script(f"{buttons}[0].click()")
    until(browser, "return document.querySelectorAll('.tm-report .tm-piece audio').length === 2")
    shot(browser, "compare")


def test_the_page_speaks_chinese(open_page: Callable[..., Chrome]) -> None:
    browser = open_page(language="zh-CN")
    until(browser, "return document.body.innerText.includes('生成')")
    assert "惊喜" in browser.find_element("tag name", "body").text
    write(browser, "平静的D小调钢琴, 2小节")
    button(browser, "生成").click()
    until(browser, PIECE)
    said = until(browser, "return document.querySelector('.tm-facts')?.innerText")
    assert "调性: D小调 (来自描述)" in said
    assert "和弦: (由模型决定)" in said and "曲式: (由模型决定)" in said
    shot(browser, "chinese")


def test_a_telephone_is_wide_enough(open_page: Callable[..., Chrome]) -> None:
    browser = open_page(width=400)
    generated(browser, "calm piano in D minor, 4 bars")
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    shot(browser, "telephone")
    assert wide <= 400
    unnamed = browser.execute_script(
        "return [...document.querySelectorAll('textarea, audio, input:not([type=file])')]"
        ".filter(e => e.offsetParent && !e.labels?.length && !e.getAttribute('aria-label')"
        " && !e.closest('label')).map(e => e.outerHTML.slice(0, 120))"
    )
    assert not unnamed, "a screen reader must be able to name every control"
