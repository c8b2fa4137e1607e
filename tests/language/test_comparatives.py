"""Livelier, slower, more space: of a piece that stands, or read as the plain word."""

from __future__ import annotations

import pytest

from textmusic.language.notes import note_for, note_text
from textmusic.language.prompt import read_prompt, reads_loop
from textmusic.music.plan import Plan

PIECE = Plan(valence=3, arousal=3, density=3, tempo=120.0)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("livelier", Plan(arousal=4)),
        ("more lively, please", Plan(arousal=4)),
        ("much livelier", Plan(arousal=5)),
        ("faster and happier", Plan(tempo=138, valence=4)),
        ("slower", Plan(tempo=104)),
        ("a bit slower", Plan(tempo=111)),
        ("calmer, more space", Plan(arousal=2, density=2)),
        ("sadder", Plan(valence=2)),
        ("gloomier", Plan(valence=2, arousal=2)),
        ("brighter, less busy", Plan(valence=4, density=2)),
        ("denser", Plan(density=4)),
        ("louder", Plan(arousal=4)),
        ("less energetic", Plan(arousal=2)),
        ("更欢快", Plan(valence=4, arousal=4)),
        ("更慢一点", Plan(tempo=104)),
        ("快一些", Plan(tempo=138)),
        ("更安静", Plan(arousal=2)),
        ("更歡快", Plan(valence=4, arousal=4)),
        ("再悲伤一点", Plan(valence=2)),
        ("更多留白", Plan(density=2)),
    ],
)
def test_a_comparative_is_relative_to_the_piece(text: str, becomes: Plan) -> None:
    prompt = read_prompt(text, standing=PIECE)
    assert prompt.asked == becomes
    assert prompt.near == Plan() and not prompt.unused
    assert len(prompt.read_as) == len(list(becomes.known()))
    assert all("the piece is" in note for note in prompt.read_as)
    assert all("：" in note_text(note, "zh") for note in prompt.read_as)
    assert prompt.caption == "", "what is in the plan need not be read twice"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("livelier", "lively"), ("faster and happier", "fast and happy"), ("slower", "slow"),
        ("sadder", "sad"), ("a gentler waltz", "a gentle waltz"), ("更快", "快速"),
        ("慢一点", "慢速"),
    ],
)  # fmt: skip
def test_without_a_piece_it_is_the_plain_word(text: str, plain: str) -> None:
    said, meant = read_prompt(text), read_prompt(plain)
    assert (said.asked, said.near, said.caption) == (meant.asked, meant.near, meant.caption)
    assert said.text == text and not said.unused and not said.read_as
    assert (said.asked, said.near) != (Plan(), Plan())


def test_what_is_exact_wins() -> None:
    prompt = read_prompt("faster, 90 bpm", standing=PIECE)
    assert prompt.asked.tempo == 90 and not prompt.read_as and not prompt.unused
    prompt = read_prompt("livelier", standing=PIECE, controls=Plan(arousal=1))
    assert prompt.asked.arousal == 1
    assert prompt.unused == ("'livelier': the control for mood is used instead",)


def test_what_cannot_be_more_is_said() -> None:
    prompt = read_prompt("livelier, faster", standing=Plan(arousal=5, tempo=None))
    assert prompt.asked == Plan()
    assert prompt.unused == (
        "'livelier': the piece is very excited already, as far as it goes",
        "'faster': the piece keeps its own tempo",
    )
    (note,) = read_prompt("louder, softer", standing=PIECE).unused
    assert note == "'louder', 'softer': these exclude each other; say only one of them"


@pytest.mark.parametrize("text", ["it gets happier", "faster and faster", "越来越快", "a stranger"])
def test_a_change_on_the_way_is_no_comparative(text: str) -> None:
    prompt = read_prompt(text, standing=PIECE)
    assert not prompt.read_as and prompt.asked == Plan()


def test_other_words_still_count() -> None:
    prompt = read_prompt("livelier, with flute, in D minor", standing=PIECE)
    assert prompt.asked == Plan(arousal=4, programs=(73,), key="D minor")
    assert prompt.caption == "with flute, in D minor"


@pytest.mark.parametrize(
    "text", ["a fast loop, 4 bars", "seamless looping drums", "循环播放的钢琴"]
)
def test_a_loop_is_read(text: str) -> None:
    assert read_prompt(text).loop
    later = read_prompt(text, standing=PIECE)
    assert not later.loop and any("only a new piece can be a loop" in n for n in later.unused)


@pytest.mark.parametrize(
    "text",
    [
        "a time loop story",
        "not a loop",
        "loop pedal guitar",
        "piano",
        "a loop-the-loop",
        "sad piano with the chord loop Am F C G",
        'a waltz called "Endless Loop"',
    ],
)
def test_other_loops_are_none(text: str) -> None:
    assert not read_prompt(text).loop and not reads_loop(text)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("no violin, only a piano", True), ("just the flute", True), ("for solo piano", True),
        ("piano alone", True), ("只要钢琴", True), ("钢琴独奏", True), ("with piano", False),
        ("not only a piano", False), ("with a violin solo", False), ("钢琴和笛子", False),
    ],
)  # fmt: skip
def test_only_is_read(text: str, only: bool) -> None:
    assert read_prompt(text).only is only


def test_notes_are_in_the_writer_s_language() -> None:
    text = "两把小提琴或者一支笛子"
    notes = [note_for(note, text) for note in read_prompt(text).unused]
    assert notes[0] == "'小提琴或者一支笛子'：这是选择，用了'小提琴'；都要的话请写“和”"
    assert read_prompt(text).asked.programs == (40,)
    assert "write '和'" in read_prompt(text).unused[0], "even where the note is English"
    assert "write 'and'" in read_prompt("a violin or two flutes").unused[0]
    (note,) = read_prompt("长笛或者是一把小提琴").unused
    assert "'长笛' is taken" in note
