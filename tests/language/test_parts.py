"""Several of one instrument, one of several, and lists without commas."""

from __future__ import annotations

import pytest

from textmusic.language.prompt import read_prompt
from textmusic.music.theory import DRUMS


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("guitar bass drums rock", (29, 33, DRUMS)),
        ("piano/sax/strings bass drums", (0, 33, 48, 65, DRUMS)),
        ("piano bass drums", (0, 33, DRUMS)),
        ("trumpet sax bass drums jazz", (32, 56, 66, DRUMS)),
        ("organ bass drum kit funk", (16, 33, DRUMS)),
        ("guitar bass drum", (24, 33, DRUMS)),
        ("vocals guitar bass-drums", (24, 33, 53, DRUMS)),
        ("guitar synth bass drums", (24, 38, DRUMS)),
        ("吉他贝斯鼓摇滚", (29, 33, DRUMS)),
        ("a bass drum", (DRUMS,)),
        ("piano, bass drum", (0, DRUMS)),
        ("two bass drums", (DRUMS,)),
        ("timpani and bass drums", (47, DRUMS)),
        ("a big bass drum and a trumpet", (56, DRUMS)),
    ],
)
def test_bass_drums_in_a_list_are_a_bass_and_drums(text: str, programs: tuple[int, ...]) -> None:
    prompt = read_prompt(text)
    assert (prompt.asked.programs, prompt.unused) == (programs, ())


@pytest.mark.parametrize(
    ("text", "programs", "said"),
    [
        ("two violins", (40,), "two violins"),
        ("duet for two violins", (40,), "duet for two violins"),
        ("three sad cellos and a harp", (42, 46), "three sad cellos"),
        ("for 2 flutes and piano", (0, 73), "2 flutes"),
        ("a flute duet", (73,), "flute duet"),
        ("clarinet trio in C", (71,), "clarinet trio"),
        ("a duet for guitars", (24,), "duet for guitars"),
        ("a pair of oboes", (68,), "a pair of oboes"),
        ("first and second violins with piano", (0, 40), "first and second violins"),
        ("violin 1 and violin 2", (40,), "violin 2"),
        ("guitar quartet", (24,), "guitar quartet"),
        ("两把小提琴", (40,), "两把小提琴"),
        ("三支单簧管和钢琴", (0, 71), "三支单簧管"),
        ("小提琴二重奏", (40,), "小提琴二重奏"),
        ("双钢琴", (0,), "双钢琴"),
    ],
)
def test_several_of_one_instrument_are_said_to_be_one_part(
    text: str, programs: tuple[int, ...], said: str
) -> None:
    prompt = read_prompt(text)
    assert prompt.asked.programs == programs
    assert [note for note in prompt.unused if note.startswith(f"'{said}': each instrument")]
    assert len(prompt.unused) == 1


@pytest.mark.parametrize(
    "text",
    [
        "string trio", "string quartet", "piano trio", "brass quintet", "弦乐三重奏",
        "a duet for violin and cello", "trio for flute, violin and cello", "12-string guitar",
        "violins", "strings", "16 bars piano", "4/4 piano", "in 3 with flutes", "piano four hands",
        "two hours of piano", "violin 2/4", "双簧管", "两分钟的钢琴曲",
    ],
)  # fmt: skip
def test_ensembles_sections_and_other_numbers_count_no_instrument(text: str) -> None:
    assert not [note for note in read_prompt(text).unused if "each instrument" in note]


@pytest.mark.parametrize(
    ("text", "programs", "said", "taken"),
    [
        ("tin whistle or flute", (78,), "tin whistle or flute", "tin whistle"),
        ("a piece for piano or maybe a harp", (0,), "piano or maybe a harp", "piano"),
        ("violin, cello or flute", (40,), "violin, cello or flute", "violin"),
        ("oboe or clarinet or bassoon", (68,), "oboe or clarinet or bassoon", "oboe"),
        ("piano and violin or flute", (0, 40), "violin or flute", "violin"),
        ("either trumpet or trombone with drums", (56, DRUMS), "trumpet or trombone", "trumpet"),
        ("string quartet or guitar", (40, 41, 42), "string quartet or guitar", "string quartet"),
        ("哨笛或长笛", (78,), "哨笛或长笛", "哨笛"),
        ("钢琴或者吉他", (0,), "钢琴或者吉他", "钢琴"),
        ("小提琴还是大提琴", (40,), "小提琴还是大提琴", "小提琴"),
    ],
)
def test_of_a_choice_the_first_plays_and_that_is_said(
    text: str, programs: tuple[int, ...], said: str, taken: str
) -> None:
    prompt = read_prompt(text)
    assert (prompt.asked.programs, prompt.without) == (programs, ())
    assert f"'{said}': a choice, of which '{taken}' is taken" in prompt.unused[0]


@pytest.mark.parametrize(
    "text", ["with or without drums", "drums or without", "without or with a drum"]
)
def test_with_or_without_leaves_it_open(text: str) -> None:
    prompt = read_prompt(f"piano, {text}")
    assert (prompt.asked.programs, prompt.without) == ((0,), ())
    assert "the model chooses" in prompt.unused[0]


def test_or_after_no_denies_both() -> None:
    prompt = read_prompt("no drums or bass")
    assert prompt.asked.programs is None and {33, DRUMS} <= set(prompt.without)
    assert prompt.unused == ()
