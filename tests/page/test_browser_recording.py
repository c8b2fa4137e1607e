"""The microphone, in a real browser: what is hummed into it is a piece on the desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("selenium", reason="needs the dev extra (selenium)")
pytest.importorskip("swift_f0", reason="needs the audio-in extra (swift-f0)")

from browsing import (
    BROWSER,
    DONE,
    FREE,
    click,
    desk,
    english,
    opened,
    painted,
    severe,
    shot,
    sized,
    started,
    tab,
    toast,
    until,
)
from recordings import RATE, TUNE, hummed, saved

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, BROWSER]
RECORD, DISCARD = ".tm-microphone [data-do=record]", ".tm-microphone [data-do=discard]"
SAID = "return document.querySelector('.tm-microphone [role=status]').innerText"
CLOCK = "return document.querySelector('.tm-microphone [data-is=clock]').innerText"
QUIET = """navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext(), silence = new GainNode(context, {gain: 0});
  const tone = new OscillatorNode(context), stream = context.createMediaStreamDestination();
  tone.connect(silence).connect(stream);
  tone.start();
  return stream.stream;
}"""


def refuses(name: str) -> str:
    """A script after which the microphone can't be had."""
    problem = f"throw new DOMException('', '{name}')"
    return f"navigator.mediaDevices.getUserMedia = async () => {{ {problem}; }}"


@pytest.fixture(scope="module", params=["en", "zh-CN"])
def humming(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chrome]:
    """A browser into whose microphone somebody hums a tune, once, in 8.5 s."""
    silence = np.zeros(RATE // 10)  # chromium goes on with the last hundredth of a second
    tune = saved(
        np.append(hummed(), silence), tmp_path_factory.mktemp("microphone") / "hum.wav", RATE
    )
    browser = started(
        request.param, FREE, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={tune}%noloop",
    )  # fmt: skip
    yield browser
    browser.quit()


@pytest.fixture
def change(humming: Chrome, address: str) -> Iterator[Chrome]:
    """The Change tab, as somebody sees it who has never been there."""
    severe(humming)
    opened(humming, address)
    tab(humming, "修改" if chinese(humming) else "Change")
    until(humming, f"return document.querySelector('{RECORD}')?.offsetParent")
    yield humming
    problems = severe(humming)
    humming.get("about:blank")
    severe(humming)  # what it had open ends
    assert not problems


def chinese(browser: Chrome) -> bool:
    return bool(browser.execute_script("return textmusic.chinese"))


def test_a_hum_is_recorded_and_becomes_a_piece(change: Chrome) -> None:
    click(change, RECORD)
    until(change, f"{CLOCK}.startsWith('0:09 / 10:00')")
    shot(change, "recording")
    assert english(change) == [] or not chinese(change)
    click(change, RECORD)
    until(change, DONE, None)
    pitches = [note[3] for note in sorted(desk(change, "view.notes"), key=lambda n: n[1])]
    assert pitches == list(TUNE)
    assert painted(change) > 50
    assert desk(change, "view.title") == ("录音" if chinese(change) else "recording")
    said = until(change, "return document.querySelector('.tm-report')?.innerText")
    assert ("按一个声部识别：16个音" if chinese(change) else "as one voice: 16 notes") in said
    assert english(change) == [] or not chinese(change)
    assert until(change, f"{SAID} === ''")
    assert change.execute_script("return textmusic.microphone.stream") is None, "it is let go"


def test_what_is_discarded_is_gone(change: Chrome) -> None:
    click(change, RECORD)
    until(change, f"{CLOCK}.startsWith('0:01')")
    click(change, DISCARD)
    until(change, f"{SAID} === ''")
    assert change.execute_script("return textmusic.microphone.recorder") is None
    assert desk(change, "view?.token") is None
    assert not change.execute_script(f"return document.querySelector('{DISCARD}').offsetParent")


def test_what_is_no_music_is_told_and_another_can_be_recorded(change: Chrome) -> None:
    change.execute_script(QUIET)
    for _ in range(2):
        click(change, RECORD)
        until(change, f"{CLOCK}.startsWith('0:02')")
        click(change, RECORD)
        toast(change, "没有声音" if chinese(change) else "'recording.wav' is silent")
        until(change, f"{SAID} === ''")


def test_a_recording_ends_by_itself_when_it_is_long_enough(change: Chrome) -> None:
    change.execute_script(f"{QUIET}; textmusic.microphone.longest = 2")
    click(change, RECORD)
    toast(change, "没有声音" if chinese(change) else "is silent")


@pytest.mark.parametrize(("name", "english_said", "chinese_said"), [
    ("NotAllowedError", "allow it in the address bar", "未允许"),
    ("NotFoundError", "There is no microphone", "没有找到麦克风"),
    ("NotReadableError", "The microphone gave no sound", "没有传来声音"),
])  # fmt: skip
def test_a_microphone_that_can_t_be_had_is_said(
    change: Chrome, name: str, english_said: str, chinese_said: str
) -> None:
    change.execute_script(refuses(name))
    click(change, RECORD)
    until(
        change, f"{SAID}.includes(arguments[0])", chinese_said if chinese(change) else english_said
    )
    assert not change.execute_script(f"return document.querySelector('{DISCARD}').offsetParent")


def test_it_fits_a_telephone_and_has_a_name(change: Chrome) -> None:
    sized(change, 400, 800)
    try:
        click(change, RECORD)
        until(change, f"{CLOCK}.startsWith('0:0')")
        shot(change, "recording-telephone")
        assert change.execute_script("return document.documentElement.scrollWidth") <= 400
        buttons = change.find_elements("css selector", ".tm-microphone button")
        assert min(one.size["height"] for one in buttons) >= 44
        click(change, DISCARD)
    finally:
        sized(change, 1440, 900)
    group = change.find_element("css selector", ".tm-microphone")
    assert group.accessible_name == ("麦克风" if chinese(change) else "Microphone")


@pytest.mark.parametrize("there", [True, False])
def test_the_button_is_there_where_recordings_can_be_heard(
    monkeypatch: pytest.MonkeyPatch, tiny_model: Path, there: bool
) -> None:
    from textmusic.page import layout
    from textmusic.writing.text_to_music import TextToMusic

    monkeypatch.setattr(layout, "can_be_heard", lambda: there)
    page = layout.build_page({"default": TextToMusic.from_pretrained(tiny_model, threads=1)})
    assert ("new textmusic.Microphone" in str(page.get_config_file())) is there
