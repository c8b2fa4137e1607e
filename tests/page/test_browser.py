"""The page in a real browser: Debian's chromium and chromedriver, driven by selenium."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    DONE,
    SECONDS,
    STRICT,
    box,
    button,
    changed,
    chord,
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
    slide,
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
SHOTS = os.environ.get("TEXTMUSIC_SCREENSHOTS")  # a folder for pictures, to be looked at
SHORT = "calm piano in D minor, 4/4, 120 bpm, 4 bars"
LISTED = "[...document.querySelectorAll('.tm-pieces li')]"
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
    shot(browser, "create", SHOTS)

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
    shot(browser, "chords", SHOTS)
    if importlib.util.find_spec("verovio"):
        tab(browser, "Sheet music")
        until(browser, "return [...document.querySelectorAll('.tm-sheet img')].some("
              "i => i.naturalWidth)")  # fmt: skip
        shot(browser, "sheet", SHOTS)

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
            shot(browser, "writing", SHOTS)
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


# The list -------------------------------------------------------------------------------------


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
    shot(browser, "variations", SHOTS)
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
    shot(browser, "compare", SHOTS)


# Changing -------------------------------------------------------------------------------------


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
    shot(browser, "continued", SHOTS)

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
    shot(browser, "selected", SHOTS)
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
    shot(browser, "pencil", SHOTS)
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


# What is heard and taken away ------------------------------------------------------------------


def test_parts_are_mixed_and_files_taken_away(open_page: Callable[..., Chrome]) -> None:
    browser = open_page()
    generated(browser, "piano and flute in D minor, 4/4, 120 bpm, 8 bars")
    until(browser, "return textmusic.desk.player.playing")
    click(browser, ".tm-parts li:nth-child(2) [data-part=silent]")
    gains = "textmusic.desk.player.mix?.gains.map(g => Math.round(g.gain.value * 100))"
    until(browser, f"const g = {gains}; return g?.length === 2 && g[0] === 100 && g[1] === 0")
    assert desk(browser, "player.playing") and desk(browser, "view.parts")[1]["silent"]
    click(browser, ".tm-parts li:nth-child(2) [data-part=alone]")
    click(browser, ".tm-parts li:nth-child(2) [data-part=silent]")
    until(browser, f"const g = {gains}; return g[0] === 0 && g[1] === 100")
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
    assert measure(Score.from_midi(found[kinds["mid"]])).bars == 8


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
    shot(browser, "chinese", SHOTS)


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
        shot(browser, "telephone-writing", SHOTS)
        until(browser, DONE, None)
        browser.execute_script("textmusic.desk.roll.select([0, 2])")
        shot(browser, "telephone", SHOTS)
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
    shot(browser, "report", SHOTS)
