"""Forms out of words."""

from __future__ import annotations

import re

import pytest

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls
from textmusic.language.names import form_text, in_words
from textmusic.language.prompt import read_prompt
from textmusic.language.reading.form import parse_form
from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline

V, C = "verse", "chorus"
READ: list[tuple[str, str, tuple[str, ...]]] = [
    ("AABA", "AABA", ()),
    ("a jazz tune, AABA", "AABA", ()),
    ("A A B A", "AABA", ()),
    ("A-B-A", "ABA", ()),
    ("form: A, B, A", "ABA", ()),
    ("ABAB form", "ABAB", ()),
    ("a tune in aaba form", "AABA", ()),
    ("ABA", "ABA", ()),
    ("ABBA form", "ABBA", ()),
    ("in AB form", "AB", ()),
    ("a 32-bar form", "AABA", ()),
    ("a song, verse chorus verse chorus", "ABAB", (V, C, V, C)),
    ("verse chorus verse chorus bridge chorus", "ABABCB", (V, C, V, C, "bridge", C)),
    ("verse-chorus form", "AB", (V, C)),
    ("intro, verse, chorus, outro", "ABCD", ("intro", V, C, "outro")),
    ("intro verse chorus", "ABC", ("intro", V, C)),
    ("verse/chorus/verse/chorus", "ABAB", (V, C, V, C)),
    ("verse 1, chorus, verse 2, chorus", "ABAB", (V, C, V, C)),
    ("verse → pre-chorus → chorus", "ABC", (V, "pre-chorus", C)),
    ("a verse, a chorus and a bridge", "ABC", (V, C, "bridge")),
    ("verse chorus x2", "ABAB", (V, C, V, C)),
    ("verse chorus verse chorus verse chorus verse chorus verse x4", "", ()),
    ("a rondo", "ABACA", ()),
    ("in rondo form", "ABACA", ()),
    ("binary form", "AB", ()),
    ("a piece in ternary form", "ABA", ()),
    ("主歌 副歌", "AB", (V, C)),
    ("主歌副歌主歌副歌的流行歌", "ABAB", (V, C, V, C)),
    ("前奏、主歌、副歌、桥段、副歌、尾奏", "ABCDCE", ("intro", V, C, "bridge", C, "outro")),
    ("回旋曲式", "ABACA", ()),
    ("三段式", "ABA", ()),
    ("二段式的钢琴曲", "AB", ()),
    ("AABA曲式", "AABA", ()),
    ("in the style of ABBA", "", ()),
    ("the ABC song", "", ()),
    ("an AAA game", "", ()),
    ("A, B and C", "", ()),
    ("a b a", "", ()),
    ("a bad cab", "", ()),
    ("D A D G A D", "", ()),
    ("with an intro and outro", "", ()),
    ("a bridge over a river", "", ()),
    ("the chorus sings", "", ()),
    ("chorus pedal", "", ()),
    ("children's chorus and verse", "", ()),
    ("flute solo", "", ()),
    ("not in AABA form", "", ()),
    ("a form of protest", "", ()),
    ("a major change", "", ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form", "names"), READ, ids=[case[0] for case in READ])
def test_forms_are_read(text: str, form: str, names: tuple[str, ...]) -> None:
    outline = read_prompt(text).outline
    assert (outline.form, outline.names) == (tuple(form), names)
    assert outline.chords == () and outline.last is None


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("ends on the dominant", Chord(7, "maj")),
        ("a tune that ends on a half cadence", Chord(7, "maj")),
        ("ending on the dominant seventh", Chord(7, "7")),
        ("ends on V7", Chord(7, "7")),
        ("half cadence", Chord(7, "maj")),
        ("停在属和弦", Chord(7, "maj")),
        ("最后停在属七和弦上", Chord(7, "7")),
        ("半终止", Chord(7, "maj")),
        ("in D minor, ends on A7", Chord(7, "7")),
        ("in C major, ending with an Em chord", Chord(4, "min")),
        ("in Eb major and ends on Bb.", Chord(7, "maj")),
        ("chords Am F C G, ends on E7", Chord(7, "7")),
        ("C小调，以G7和弦结束", Chord(7, "7")),
        ("C大调，最后停在Am上", Chord(9, "min")),
        ("以V7结束", Chord(7, "7")),
        ("ends on a happy note", None),
        ("ends with A bang", None),
        ("AABA, ending with B", None),
        ("ends on A minor chord", None),
        ("ends on D-Day", None),
        ("not ending on G7", None),
        ("the dominant mood is calm", None),
        ("without a half cadence", None),
    ],
)
def test_a_last_chord_is_read(text: str, last: Chord | None) -> None:
    assert read_prompt(text).outline.last == last


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ends on G7", "C major"),
        ("以Am结束", "A minor"),
        ("i VI VII, ends on E7", "A minor"),
        ("ends on the dominant", None),
        ("in F major, ends on G7", "F major"),
    ],
)
def test_the_key_follows_from_a_last_chord_where_nothing_else_names_it(
    text: str, key: str | None
) -> None:
    assert read_prompt(text).asked.key == key


def test_drums_alone_end_on_no_chord() -> None:
    prompt = read_prompt("drums only, ends on G7")
    assert prompt.outline.last is None and prompt.asked.key is None
    assert prompt.unused == ("'ends on G7': drums on their own play no chords",)


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("a calm piano piece in AABA form", "a calm piano piece"),
        ("a pop song, verse chorus verse chorus, 16 bars", "a pop song, 16 bars"),
        ("a waltz that ends on the dominant", "a waltz"),
        ("a waltz that ends on a G7 chord", "a waltz"),
        ("a jazz tune in 32-bar AABA form", "a jazz tune 32-bar"),
        ("a rondo in G", "a rondo in G"),
        ("ABA", ""),
        ("主歌副歌的悲伤钢琴曲", "a sad piano piece"),
    ],
)
def test_the_caption_leaves_the_form_out(text: str, caption: str) -> None:
    assert read_prompt(text).caption == caption


def test_other_facts_are_read_beside_a_form() -> None:
    prompt = read_prompt("a jazz tune in 32-bar AABA form with a ii-V-I in Bb")
    assert dict(prompt.asked.known()) == {"genre": "jazz", "key": "Bb major", "bars": 32}
    assert prompt.outline.form == ("A", "A", "B", "A")
    assert len(prompt.outline.chords) == 3
    assert prompt.unused == ()
    assert read_prompt("a rondo in G").asked.key == "G major"
    assert read_prompt("主歌副歌的流行歌，16小节").asked.bars == 16
    assert read_prompt("主歌副歌的流行歌，16小节").unused == ()


def test_one_form_for_the_whole_piece() -> None:
    prompt = read_prompt("AABA form, or verse chorus")
    assert prompt.outline.form == ("A", "A", "B", "A")
    assert prompt.unused == ("'verse chorus': one form for the whole piece; 'AABA' is used",)
    assert read_prompt("a rondo, ABACABA").outline.form == tuple("ABACABA")


def test_controls() -> None:
    assert parse_form("AABA") == Outline(form=("A", "A", "B", "A"))
    for said in ("aaba", "A A B A", "A-A-B-A", "AABA form"):
        assert parse_form(said).form == ("A", "A", "B", "A"), said
    assert parse_form("ABC").form == ("A", "B", "C")
    assert parse_form("BABA").form == ("A", "B", "A", "B")
    assert parse_form("rondo").form == tuple("ABACA")
    assert parse_form("主歌副歌").names == (V, C)
    assert parse_form("verse, chorus, verse").form == ("A", "B", "A")
    for said in ("something", "", "verse foo chorus", "bead", "A" * 40):
        with pytest.raises(TextMusicError, match=r"not a known form|too long"):
            parse_form(said)


def test_the_control_wins_over_the_words() -> None:
    prompt = read_prompt("verse chorus, chords Am F", outline=parse_form("AABA"))
    assert (prompt.outline.form, prompt.outline.names) == (("A", "A", "B", "A"), ())
    assert len(prompt.outline.chords) == 2
    assert prompt.unused == ("'verse, chorus': the control for form is used instead",)


def test_both_controls_make_one_outline() -> None:
    outline = Controls(chords="I-V-vi-IV", form="verse chorus").outline()
    assert outline.relative and outline.minor is False and len(outline.chords) == 4
    assert (outline.form, outline.names) == (("A", "B"), (V, C))
    assert Controls().outline() == Outline()
    with pytest.raises(TextMusicError, match=re.escape("'H7' is not a known chord")):
        Controls(chords="Am H7").outline()


def test_a_form_in_words() -> None:
    assert form_text("AABA") == "A A B A"
    assert form_text("AB", (V, C)) == "verse, chorus"
    assert form_text("AB", (V, C), "zh") == "主歌 副歌"
    assert in_words(Plan(), outline=parse_form("verse chorus"))["form"] == "verse, chorus"
    assert parse_form(form_text("AB", (V, C), "zh")) == parse_form(form_text("AB", (V, C)))
