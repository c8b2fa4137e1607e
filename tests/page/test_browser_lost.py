"""A server that dies while it writes, and comes back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")

from browsing import (
    BROWSER,
    DONE,
    SHORT,
    describe,
    desk,
    generated,
    opened,
    severe,
    started,
    until,
)
from page_process import free_port, serving

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, BROWSER]
SERVER = """
import sys, time
from textmusic.page.layout import serve
from textmusic.writing.text_to_music import TextToMusic
music = TextToMusic.from_pretrained(sys.argv[1], threads=1)
step = music.engine.step
def slow(ids):
    time.sleep(float(sys.argv[3]))
    return step(ids)
music.engine.step = slow
serve({"default": music}, port=int(sys.argv[2]), quiet=True)
"""
STATE = "return document.querySelector('.tm-state').textContent"


@pytest.fixture
def browser() -> Iterator[Chrome]:
    one = started()
    yield one
    one.quit()


def test_a_lost_server_is_said_and_the_piece_asked_for_again(
    browser: Chrome, tiny_model: Path, tmp_path: Path
) -> None:
    port = free_port()
    variables = {"GRADIO_TEMP_DIR": str(tmp_path / "cache")}

    def command(pause: str) -> list[str]:
        return [sys.executable, "-c", SERVER, str(tiny_model), str(port), pause]

    with serving(command("0.005"), port, tmp_path, variables) as address:
        opened(browser, address)
        before = generated(browser, SHORT)  # a page that is loaded anew shows it
        describe(browser, "calm piano, 4/4, 32 bars").send_keys("\n")
        until(browser, "return textmusic.desk.view?.writing")
    until(browser, f"{STATE}.includes('The server is not responding')")
    assert not browser.execute_script("return document.body.classList.contains('tm-writing')")
    with serving(command("0"), port, tmp_path, variables):
        back = (
            "return document.querySelector('.tm-state')?.textContent.includes('The server is back')"
        )
        ready = "document.querySelector('textarea')?.value"  # what was typed is there again
        button = "document.querySelector('.tm-state button')"
        # gradio may load the page anew at any moment, even behind the click: here it does
        until(browser, f"if (!({ready} && {button})) return false; {button}.click();"
              " location.reload(); return true")  # fmt: skip
        until(browser, back)
        token = until(browser, f"if ({ready}) {button}?.click(); {DONE}", before)
        assert len(desk(browser, "view.bars")) == 33 and "/" not in token
        severe(browser)  # what could not be fetched meanwhile
