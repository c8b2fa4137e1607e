"""The page in a real browser: Debian's chromium and chromedriver, driven by selenium."""

from __future__ import annotations

import importlib.util
import io
import shutil
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    DONE,
    LISTED,
    SECONDS,
    SHORT,
    STRICT,
    box,
    button,
    changed,
    click,
    describe,
    desk,
    drag,
    generated,
    keys,
    painted,
    place,
    severe,
    shot,
    sized,
    tab,
    toast,
    typed,
    until,
)
from selenium.webdriver import Keys
from symusic import Score

from textmusic.evaluation.comparison import Options, compare, entrants
from textmusic.evaluation.report_page import save
from textmusic.music.measure import measure
from textmusic.music.midi_events import parse
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.slow,
    BROWSER,
]
LABELLED = (
    "return [...document.querySelectorAll('label')].some("
    "l => l.offsetParent && l.innerText.trim().startsWith(arguments[0]))"
)
ROWS = "return document.querySelector('.tm-report')?.innerText"


def midi_of(browser: Chrome, address: str) -> Score:
    token = desk(browser, "view.token")
    name = quote(desk(browser, "view.audio").rpartition("/")[2].replace(".mp3", ".mid"), safe="%")
    with urllib.request.urlopen(f"{address}piece/{token}/{name}") as found:
        return to_score(as_written(parse(found.read())))


def report_rows(browser: Chrome, first: str = "bars") -> dict[str, list[str]]:
    """The report's rows by field, once it is there."""
    said = until(browser, f"{ROWS}?.includes(arguments[0]) && {ROWS.removeprefix('return ')}",
                 first)  # fmt: skip
    return {line.split("\t")[0]: line.split("\t") for line in said.splitlines()}


# A piece is written ---------------------------------------------------------------------------


def test_a_piece_is_written_heard_and_seen(open_page: Callable[..., Chrome], address: str) -> None:
    browser = open_page()
    describe(browser, "sad violin in A minor")
    until(browser, "return document.querySelector('.tm-facts')?.innerText.includes('A minor')")
    words = describe(browser, "calm piano in D minor, 4/4, 120 bpm, 16 bars,")
    words.send_keys(Keys.SHIFT, Keys.ENTER)
    words.send_keys("<script>window.bad=1</script>")
    assert words.get_attribute("value").count("\n") == 1 and desk(browser, "view") is None
    words.send_keys(Keys.ENTER)
    until(browser, DONE, None)
    said = browser.execute_script("return document.querySelector('.tm-facts').innerText")
    assert "key: D minor (from your description)" in said
    assert "<script>" in browser.find_element("css selector", ".tm-desk h2").text
    assert browser.execute_script("return window.bad") is None
    assert report_rows(browser)["key"][:3] == ["key", "D minor", "D minor"]
    shot(browser, "create")

    score = midi_of(browser, address)
    assert measure(score).bars == 16 == len(desk(browser, "view.bars")) - 1
    columns = notes_of(score)
    written = sorted((round(float(s), 2), int(p))
                     for s, p in zip(columns.start, columns.pitch, strict=True))  # fmt: skip
    assert sorted((round(note[1], 2), note[3]) for note in desk(browser, "view.notes")) == written
    assert painted(browser) > 300

    until(browser, "return textmusic.desk.player.playing && textmusic.desk.player.time > 0.5")
    head = "Number(textmusic.desk.roll.head.style.transform.match(/[0-9.]+/)[0])"
    left = until(browser, f"return !textmusic.desk.roll.head.hidden && {head}")
    until(browser, f"return {head} > arguments[0] + 3", left)
    drag(browser, [place(browser, 32)])
    until(browser, "const t = textmusic.desk.player.time; return t > 15.5 && t < 18")
    keys(browser, " ")
    until(browser, "return !textmusic.desk.player.playing")
    keys(browser, " ")
    until(browser, "return textmusic.desk.player.playing")
    keys(browser, Keys.ESCAPE)
    until(browser, "return !textmusic.desk.player.playing")
    assert desk(browser, "player.time") > 15


def test_what_is_set_by_hand_is_reported_and_named_over_the_roll(
    open_page: Callable[..., Chrome],
) -> None:
    browser = open_page()
    describe(browser, "piano in 4/4, 120 bpm")
    browser.execute_script("document.querySelectorAll('.label-wrap')[0].click()")
    for label, said in (("Chords", "Am7 Dm7 | E7sus4 E7"), ("Form", "verse chorus verse chorus"),
                        ("Bars", "16")):  # fmt: skip
        until(browser, LABELLED, label)
        typed(box(browser, label), said)
    facts = "return document.querySelector('.tm-facts')?.innerText.includes(arguments[0])"
    until(browser, facts, "chords: Am7 Dm7 | Esus4 E7 (set by you)")
    until(browser, facts, "form: verse, chorus, verse, chorus (set by you)")
    changed(browser, button(browser, "Generate").click)
    rows = report_rows(browser, "chords")
    assert rows["chords"][1] == "Am7 Dm7 | Esus4 E7"
    assert rows["chords"][2].startswith("Am7 Dm7 | Esus4 E7 | Am7 Dm7 | ")
    assert rows["form"][1:3] == ["verse, chorus, verse, chorus"] * 2
    over = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
    assert browser.execute_script(over, ".tm-names .tm-section") == ["verse", "chorus"] * 2
    assert browser.execute_script(over, ".tm-names .tm-chord")[:4] == ["Am7", "Dm7", "Esus4", "E7"]
    shot(browser, "chords")
    if importlib.util.find_spec("verovio"):
        tab(browser, "Sheet music")
        until(browser, "return [...document.querySelectorAll('.tm-sheet img')].some("
              "i => i.naturalWidth)")  # fmt: skip
        shot(browser, "sheet")

    def type_over() -> None:
        click(browser, ".tm-names button.tm-chord")
        browser.switch_to.active_element.send_keys("Gm\n")

    kept = [note for note in desk(browser, "view.notes") if note[1] >= 4]
    changed(browser, type_over)
    assert desk(browser, "view.fresh") == [0, 1]
    assert desk(browser, "view.chords")[:2] == [[0, "Gm"], [2, "Dm7"]]
    assert [note for note in desk(browser, "view.notes") if note[1] >= 4] == kept
    before = desk(browser, "view.token")
    click(browser, ".tm-names button.tm-chord")
    browser.switch_to.active_element.send_keys("H?\n")  # no chord: said, and nothing is changed
    toast(browser, "H?")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    assert desk(browser, "view.token") == before
    assert desk(browser, "view.chords")[0] == [0, "Gm"]


def test_no_chord_is_shown_by_half_its_name(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, "piano in D minor, 4/4, 120 bpm, 16 bars")
    names = browser.execute_script(
        "const r = textmusic.desk.roll, names = ['Dm', 'Gm', 'Csus4', 'F'];"
        "r.view.chords = names.flatMap((name, n) => [[n * 4, name], [32 + n, name]]).sort("
        " (a, b) => a[0] - b[0]);"
        "r.writeNames();"
        "return [...r.names.querySelectorAll('.tm-chord')].map(e => [e.textContent, e.title,"
        " e.scrollWidth > e.clientWidth, getComputedStyle(e).textOverflow])"
    )
    assert [name[:2] for name in names] == [[one, one] for one in ("Dm", "Gm", "Csus4", "F") * 2]
    assert not any(cut for _, _, cut, _ in names[:3]), "there is room"
    assert all(end == "ellipsis" for *_, cut, end in names if cut)
    assert any(cut for *_, cut, _ in names), "four to a bar"
    assert browser.execute_script("return document.querySelector('.tm-tight') !== null")


def test_stop_keeps_what_is_written(open_page: Callable[..., Chrome], slowly: None) -> None:
    browser = open_page()
    browser.execute_script("scrollTo(0, document.body.scrollHeight)")
    for n, stop in enumerate((".tm-stop", "[data-do=halt]", "Escape")):
        before = browser.execute_script("return textmusic.desk.view?.token")
        describe(browser, "dense piano, 256 bars").send_keys("\n")
        until(browser, "return textmusic.desk.view?.writing && textmusic.desk.view.done > 1")
        if n == 0:
            top = browser.execute_script(
                "const b = textmusic.desk.roll.scroll.getBoundingClientRect();"
                "return b.top >= 0 && b.top < innerHeight * .8"
            )
            assert top, "the roll is in view"
            state = browser.execute_script("return document.querySelector('.tm-state').textContent")
            assert "of 256 bars" in state
            live = desk(browser, "view.writing")
            button(browser, "Generate").click()  # must wait
            time.sleep(0.3)
            assert desk(browser, "view.writing") == live
            until(browser, "return textmusic.desk.player.playing")
            shot(browser, "writing")
        if stop == "Escape":
            keys(browser, Keys.ESCAPE)
        else:
            click(browser, stop)
        until(browser, DONE.replace("arguments[0]", "arguments[0] && v.stopped"), before)
        state = browser.execute_script("return document.querySelector('.tm-state').textContent")
        assert state == "Stopped: the finished bars were kept."
    bars = report_rows(browser)["bars"]
    assert bars[1] == "256" and 0 < int(bars[3]) < 256


def test_who_closes_the_page_stops_the_piece(
    open_page: Callable[..., Chrome], slowly: None
) -> None:
    browser = open_page()
    describe(browser, "dense piano, 256 bars").send_keys("\n")
    until(browser, "return textmusic.desk.view?.writing")
    writer = next(t for t in threading.enumerate() if t.name == "textmusic-scheduler")
    browser.get("about:blank")
    writer.join(SECONDS)
    assert not writer.is_alive()
    severe(browser)  # the page complains of its broken connection, as it should


def test_what_cannot_be_written_is_said_and_the_page_goes_on(
    open_page: Callable[..., Chrome],
) -> None:
    browser = open_page()
    browser.execute_script("document.querySelectorAll('.label-wrap')[0].click()")
    until(browser, LABELLED, "Seed")
    describe(browser, SHORT)
    typed(box(browser, "Seed"), "many")
    until(browser, "return document.querySelector('.tm-understood').innerText.includes("
          "'not a whole number')")  # fmt: skip
    button(browser, "Generate").click()
    toast(browser, "seed 'many' is not a whole number")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    typed(box(browser, "Seed"), "7")
    changed(browser, button(browser, "Generate").click)
    assert "seed 7" in browser.execute_script(f"return {LISTED}[0].innerText")


def test_what_cannot_be_written_takes_nothing_away(open_page: Callable[..., Chrome]) -> None:
    """Once the report of the piece before went, and all pieces from the list with the next one."""
    browser = open_page()
    generated(browser, SHORT)
    report_rows(browser)
    browser.execute_script("document.querySelectorAll('.label-wrap')[0].click()")
    until(browser, LABELLED, "Seed")
    typed(box(browser, "Seed"), "many")
    button(browser, "Generate").click()
    toast(browser, "seed 'many' is not a whole number")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    assert browser.execute_script(f"return {LISTED}.length") == 1
    report_rows(browser)
    tab(browser, "Compare")
    typed(box(browser, "Seed"), "many")
    browser.execute_script(
        "[...document.querySelectorAll('.tm-starts')].find(b => b.offsetParent).click()"
    )
    toast(browser, "seed 'many' is not a whole number")
    until(browser, "return !document.body.classList.contains('tm-writing')")
    report_rows(browser)
    tab(browser, "Create")
    typed(box(browser, "Seed"), "7")
    changed(browser, button(browser, "Generate").click)
    until(browser, f"return {LISTED}.length === 2")


def test_sound_starts_where_a_browser_wants_a_click_first(open_page: Callable[..., Chrome]) -> None:
    browser = open_page("en", STRICT)
    describe(browser, SHORT)
    changed(browser, button(browser, "Generate").click)
    until(browser, "return textmusic.desk.player.playing && textmusic.desk.player.time > 0.2")


# What is heard and taken away ------------------------------------------------------------------


def test_parts_are_mixed_and_files_taken_away(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, "piano and flute in D minor, 4/4, 40 bpm, 2 bars")
    until(browser, "return textmusic.desk.player.playing")
    click(browser, ".tm-parts li:nth-child(2) [data-part=silent]")
    gains = "textmusic.desk.player.mix?.gains.map(g => Math.round(g.gain.value * 100))"
    until(browser, f"const g = {gains}; return g?.length === 2 && g[0] === 100 && g[1] === 0")
    assert desk(browser, "view.parts")[1]["silent"]
    click(browser, ".tm-parts li:nth-child(2) [data-part=alone]")
    click(browser, ".tm-parts li:nth-child(2) [data-part=silent]")
    # on a busy machine the piece ends before its parts are made
    again = "const {player} = textmusic.desk; if (!player.playing) player.play();"
    until(browser, f"{again} const g = {gains}; return g?.[0] === 0 && g?.[1] === 100")
    until(browser, f"{again} return player.playing")
    keys(browser, Keys.ESCAPE)
    until(browser, "return !textmusic.desk.player.playing")

    tab(browser, "Downloads")
    links = until(browser, "const l = [...document.querySelectorAll('.tm-files a')].map("
                  "a => a.href); return l.length && l")  # fmt: skip
    kinds = {
        link.partition("?")[0].rpartition(".")[2]: link for link in links if ".part" not in link
    }
    assert set(kinds) >= {"mid", "wav", "mp3", "ogg", "svg", "json", "zip"}
    assert sum(".part" in link for link in links) == 2, "each part alone"
    if not importlib.util.find_spec("verovio"):
        links = [link for kind, link in kinds.items() if kind not in ("musicxml", "pdf")]
    dragged = browser.execute_script(
        "const data = new DataTransfer();"
        "document.querySelector('.tm-files [data-mime=\"audio/midi\"]').dispatchEvent("
        "new DragEvent('dragstart', {dataTransfer: data, bubbles: true}));"
        "return data.getData('DownloadURL')"
    )
    assert dragged.startswith("audio/midi:") and dragged.endswith(kinds["mid"])
    found = {}
    for link in links:
        with urllib.request.urlopen(link) as answer:
            found[link] = answer.read()
        assert answer.status == 200 and found[link], link
        assert "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(found[kinds["zip"]])) as file:
        assert {Path(name).suffix for name in file.namelist()} >= {".mid", ".ogg", ".json"}
        assert sum(name.startswith("stems/") for name in file.namelist()) == 2
    assert measure(Score.from_midi(found[kinds["mid"]])).bars == 2


# For everyone ---------------------------------------------------------------------------------


def test_the_page_speaks_chinese(open_page: Callable[..., Chrome]) -> None:
    browser = open_page("zh-CN")
    until(browser, "return document.body.innerText.includes('生成')")
    assert "惊喜" in browser.find_element("tag name", "body").text
    generated(browser, "平静的D小调钢琴, 2小节")
    said = until(browser, "return document.querySelector('.tm-facts')?.innerText")
    assert "调性: D小调 (来自描述)" in said
    assert "和弦: (由模型决定)" in said and "曲式: (由模型决定)" in said
    assert [part["name"] for part in desk(browser, "view.parts")] == ["钢琴"]
    assert "静音" in browser.find_element("css selector", ".tm-parts").text
    assert "回车" in desk(browser, "view.spoken")
    shot(browser, "chinese")


def test_a_telephone_is_wide_enough_and_every_control_has_a_name(
    open_page: Callable[..., Chrome], browsers: Callable[..., Chrome], slowly: None
) -> None:
    sized(browsers("zh-CN"), 400, 800)
    try:
        browser = open_page("zh-CN")
        describe(browser, "calm piano in D minor, 8 bars")
        click(browser, ".tm-generate")
        until(browser, "return textmusic.desk.view?.writing")
        until(browser, "const b = textmusic.desk.roll.scroll.getBoundingClientRect();"
              "return b.top >= 0 && b.top < innerHeight * .7")  # fmt: skip
        shot(browser, "telephone-writing")
        until(browser, DONE, None)
        browser.execute_script("textmusic.desk.roll.select([0, 2])")
        shot(browser, "telephone")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
        for name in ("修改", "比较", "创作"):
            tab(browser, name)
            unnamed = browser.execute_script(
                "return [...document.querySelectorAll('textarea, select, button, audio, a, "
                " input:not([type=file])')]"
                ".filter(e => e.offsetParent && !e.labels?.length && !e.innerText?.trim()"
                " && !e.getAttribute('aria-label') && !e.title && !e.closest('label'))"
                ".map(e => e.outerHTML.slice(0, 200))"
            )
            assert not unnamed, "a screen reader must be able to name every control"
    finally:
        sized(browsers("zh-CN"), 1440, 900)


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
