"""A plan's facts in words: every value has a Chinese name, which is read as that value again."""

from __future__ import annotations

import re

import pytest

from textmusic.language.names import (
    AROUSAL_NAMES,
    DENSITY_NAMES,
    VALENCE_NAMES,
    density_name,
    genre_name,
    in_words,
    instrument_name,
    key_text,
    mood_name,
)
from textmusic.language.prompt import read_prompt
from textmusic.language.reading.form import parse_form
from textmusic.music.plan import GENRES, LEVELS, Plan
from textmusic.music.theory import DRUMS, KEYS, TIME_SIGNATURES
from textmusic.page.views import report_html, understood_html
from textmusic.result.report import Report

LATIN = re.compile("[A-Za-z]{2,}")


def test_the_words_of_a_plan() -> None:
    plan = Plan("waltz", 2, 1, (0, 42, DRUMS), "Eb major", 96.0, "3/4", 16, 4)
    assert in_words(plan, 30.0) == {
        "key": "Eb major", "tempo": "96 bpm", "time signature": "3/4",
        "instruments": "piano, cello, drums", "bars": "16", "length": "30.0 s",
        "mood": "sad, very calm (2/5, 1/5)", "genre": "waltz", "density": "dense",
    }  # fmt: skip
    assert in_words(plan, 30.0, language="zh") == {
        "key": "降E大调", "tempo": "每分钟96拍", "time signature": "3/4",
        "instruments": "钢琴、大提琴、鼓", "bars": "16小节", "length": "30.0秒",
        "mood": "悲伤、非常平静 (2/5, 1/5)", "genre": "华尔兹", "density": "密集",
    }  # fmt: skip
    near = Plan(valence=2, arousal=3)
    assert in_words(Plan(), near=near)["mood"] == "about sad, moderate"
    assert in_words(Plan(), near=near, language="zh")["mood"] == "约悲伤、适中"
    assert set(in_words(Plan(), language="zh").values()) == {""}


def test_every_key_is_read_back_from_chinese() -> None:
    for key in KEYS:
        assert read_prompt(key_text(key, "zh")).asked == Plan(key=key), key
    assert key_text("none", "zh") == "无"


def test_every_instrument_is_read_back_from_chinese() -> None:
    names = [instrument_name(program, "zh") for program in range(DRUMS + 1)]
    assert len(set(names)) == len(names)
    for program, name in enumerate(names):
        prompt = read_prompt(name)
        assert (prompt.asked, prompt.unused) == (Plan(programs=(program,)), ()), name
        assert not LATIN.search(name.removeprefix("FM")), name


def test_every_genre_is_read_back_from_chinese() -> None:
    names = [genre_name(genre, "zh") for genre in GENRES]
    assert len(set(names)) == len(names) and not any(map(LATIN.search, names))
    for genre, name in zip(GENRES, names, strict=True):
        if genre != "other":  # which no word stands for in English either
            prompt = read_prompt(name)
            assert (prompt.asked.genre, prompt.unused) == (genre, ()), name


@pytest.mark.parametrize("arousal", LEVELS)
@pytest.mark.parametrize("valence", LEVELS)
def test_every_mood_is_read_back_from_chinese(valence: int, arousal: int) -> None:
    """As near as a plan is kept to mood words: within a level."""
    said = in_words(Plan(), near=Plan(valence=valence, arousal=arousal), language="zh")["mood"]
    assert not LATIN.search(said)
    prompt = read_prompt(said)
    assert prompt.unused == ()
    assert abs((prompt.near.valence or 0) - valence) <= 1, said
    if AROUSAL_NAMES[arousal - 1] != "moderate":  # which is a tempo, if anything
        assert abs((prompt.near.arousal or 0) - arousal) <= 1, said


def test_every_level_has_a_chinese_name_of_its_own() -> None:
    for names in (VALENCE_NAMES, AROUSAL_NAMES):
        assert len(names) == len(LEVELS)
    moods = {mood_name(v, a, "zh") for v in LEVELS for a in LEVELS}
    assert len({re.sub(r" \(.*", "", mood) for mood in moods}) == len(LEVELS) ** 2
    densities = {density_name(level, "zh") for level in LEVELS}
    assert len(densities) == len(DENSITY_NAMES) and not any(map(LATIN.search, densities))


@pytest.mark.parametrize("time_signature", TIME_SIGNATURES)
def test_what_is_said_in_chinese_is_read_back_whole(time_signature: str) -> None:
    plan = Plan("tango", None, None, (21, 40), "F# minor", 112.0, time_signature, 24)
    said = "，".join(filter(None, in_words(plan, language="zh").values()))
    assert (read_prompt(said).asked, read_prompt(said).unused) == (plan, ())
    assert read_prompt(in_words(Plan(), 45.0, language="zh")["length"]).seconds == 45.0


def test_the_page_shows_chinese_values() -> None:
    prompt = read_prompt("悲伤的D小调大提琴探戈，8小节")
    html = understood_html(prompt, Plan(), "zh")
    for shown in (
        "<b>D小调</b>",
        "<b>大提琴</b>",
        "<b>探戈</b>",
        "<b>8小节</b>",
        "<b>约非常悲伤",
    ):
        assert shown in html, html
    plan = Plan("jazz", 3, 3, (0, DRUMS), "C major", 120.0, "4/4", 4, 3)
    report = Report("", "", 1, "m", "0", plan, None, plan, plan, 8.0, 9, ())
    html = report_html(report, "zh")
    for shown in (
        "C大调",
        "钢琴、鼓",
        "爵士",
        "中等",
        "每分钟120拍",
        "4小节",
        "8.0秒",
        "中性、适中",
    ):
        assert f"<td>{shown}" in html, html
    assert not LATIN.search(re.sub("<[^>]*>", "", html)), "nothing in English"
    english = report_html(report, "en")
    assert not re.search("[\u4e00-\u9fff]", english)
    assert [row.planned for row in report.rows][:3] == ["C major", "120 bpm", "4/4"]


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        ("in C major, chords Am F C G, ends on G7", "Am F C G, ends on G7", "Am F C G，以G7结束"),
        ("in Db minor, ends on the dominant", "ends on G#", "以G#结束"),
        ("ii-V-I, ends on V7", "ii V I, ends on V7", "ii V I，以V7结束"),
        ("ends on the dominant", "ends on V", "以V结束"),
    ],
)
def test_the_last_chord_is_said_before_a_note_is_written(
    said: str, english: str, chinese: str
) -> None:
    """And what is said can be typed."""
    prompt = read_prompt(said)
    for language, words in (("en", english), ("zh", chinese)):
        facts = in_words(prompt.asked, outline=prompt.outline, language=language)
        assert facts["chords"] == words
        assert f"<b>{words}</b>" in understood_html(prompt, Plan(), language)
        again = read_prompt(", ".join(filter(None, (facts["key"], words))))
        assert again.outline.last == prompt.outline.last is not None


def test_a_last_chord_that_was_set_by_hand_is_said_to_be() -> None:
    by_hand = parse_form("ends on the dominant")
    prompt = read_prompt("in C major", outline=by_hand)
    html = understood_html(prompt, Plan(), "en", by_hand)
    assert "chords: <b>ends on G</b> (set by you)" in html
