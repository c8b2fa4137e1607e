"""Chords out of words: what is read as a progression, as what, and what is not."""

from __future__ import annotations

import re
import time

import pytest

from textmusic.errors import TextMusicError
from textmusic.language.names import chords_text, in_words, outline_chords
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.language.reading.chord_key import key_of_chords
from textmusic.language.reading.progression import parse_chords, read_progression
from textmusic.music.chords import Chord, parse_symbol
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline

# A prompt, its chords as they sound in C (bars with several between lines), and the mode of
# numerals: "" where the chords are named by their letters, "?" where it is open.
READ = r"""
chords Am F C G => Am F C G
Am F C G => Am F C G
Chords: C - G - Am - F => C G Am F
chord progression: Am - F - C - G => Am F C G
chord progression Am, F, C, G => Am F C G
the progression is Dm7 G7 Cmaj7 => Dm7 G7 Cmaj7
a song over Am-F-C-G => Am F C G
Am–F–C–G, calm => Am F C G
Am > F > C > G => Am F C G
Am/F/C/G => Am F C G
chords Am/F/C6/9/G => Am F C G
| Dm7 G7 | Cmaj7 | => Dm7 G7 | Cmaj7
jazz piano, | Dm7 G7 | Cmaj7 A7 |, slow => Dm7 G7 | Cmaj7 A7
| Am | % | F G | C | => Am | Am | F G | C
| Am | N.C. | F G N.C. | C | => Am | Am | F G | C
| N.C. | F C N.C. | => F | F C
chords Am N.C. F => Am Am F
| N.C. | ii V | => Dm | Dm G; major
|: C | G :| => C G
chords: Am => Am
piano with chords C, F and G => C F G
D A Bm G chords => D A Bm G
Em C G D progression, rock => Em C G D
chords Bb Eb F7 in Bb major => Bb Eb F7
chords F#m D A E => F#m D A E
chords Bm7b5 E7 Am => Bm7b5 E7 Am
chords C° Caug Csus4 Gsus2 => Cdim Caug Csus4 Gsus2
with the chords A minor, F major, C major and G major => Am F C G
chords am f c g => Am F C G
chords: Am F C G\nform: AABA => Am F C G
chords D A Bm G A calm piece => D A Bm G
chords D A G A in 4/4 => D A G A
A-7 D7 Gmaj7 => Am7 D7 Gmaj7
I-V-vi-IV => C G Am F; major
a I–V–vi–IV pop song => C G Am F; major
ii-V-I => Dm G C; major
ii7-V7-Imaj7 in Bb => Dm7 G7 Cmaj7; major
ii-V => Dm G; major
I vi IV V7 => C Am F G7; major
I-VI-IV-V => C Am F G; major
i VI III VII => Cm Ab Eb Bb; minor
i-iv-V7-i => Cm Fm G7 Cm; minor
i ii° V i => Cm Ddim G Cm; minor
ii V i => Ddim G Cm; minor
I bVII IV I => C Bb F C; major
vii° I => -
chords vii° I => Bdim C; major
I IV vii° iii vi ii V I => C F Bdim Em Am Dm G C; major
V7/V V7 I => D7 G7 C; major
1-5-6-4 progression => C G Am F; major
12-bar blues => C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7; ?
twelve bar blues for guitar => C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7; ?
a minor blues => Cm7 Cm7 Cm7 Cm7 Fm7 Fm7 Cm7 Cm7 Ab7 G7 Cm7 G7; minor
doo-wop progression => C Am F G; major
doo-wop in C, piano and bass => C Am F G; major
canon in D for strings => C G Am Em F C F G; major
a '50s progression => C Am F G; major
Pachelbel's canon progression => C G Am Em F C F G; major
canon chords => C G Am Em F C F G; major
Andalusian cadence => Cm Bb Ab G; minor
the axis progression => C G Am F; major
a four-chord song => C G Am F; major
royal road progression => F G Em Am; major
和弦进行 Am F C G => Am F C G
和弦进行：Am、F、C、G => Am F C G
和弦 Am-F-C-G => Am F C G
一首用Am F C G和弦的钢琴曲 => Am F C G
卡农和弦 => C G Am Em F C F G; major
卡農和弦鋼琴曲 => C G Am Em F C F G; major
十二小节布鲁斯 => C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7; ?
王道进行 => F G Em Am; major
1645和弦 => C Am F G; major
6415进行的流行歌 => Am F C G; major
万能和弦 => C G Am F; major
lush chords and strings => -
power chords => -
a C major 7 chord => -
starting on a D minor chord => -
Cmaj7 feeling => -
Am I dreaming? => -
the notes C E G Bb => -
guitar tuned to D A D G A D => -
C4 E4 G4 => -
pieces in Am, Dm and Em => -
A B A => -
movements I-III => -
Louis I, II and III => -
I, I, I want to dance => -
in the style of Pachelbel => -
blues in A minor => -
no 12-bar blues => -
the rhythm changes often => -
a chord progression that soars => -
key changes and calm chords => -
""".strip().splitlines()
CASES = [tuple(line.replace("\\n", "\n").rsplit(" => ", 1)) for line in READ]


def _bars(said: str) -> tuple[tuple[Chord, ...], ...]:
    """Chord names by hand -> bars."""
    bars = said.split(" | ") if "|" in said else said.split()
    return tuple(tuple(_chord(name) for name in bar.split()) for bar in bars)


def _chord(name: str) -> Chord:
    symbol = parse_symbol(name)
    assert symbol is not None
    return symbol[0]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_chords_are_read(text: str, expected: str) -> None:
    outline = read_prompt(text).outline
    if expected == "-":
        assert outline.chords == ()
        return
    chords, _, mode = expected.partition("; ")
    assert outline.chords == _bars(chords)
    assert outline.relative == bool(mode)
    assert outline.minor == {"": None, "?": None, "major": False, "minor": True}[mode]


def test_the_table_is_large() -> None:
    assert sum(expected != "-" for _, expected in CASES) >= 55


def test_rhythm_changes_are_a_form_too() -> None:
    outline = read_prompt("a jazz tune over rhythm changes").outline
    assert read_prompt("swing, rhythm changes in Bb").outline == outline
    assert outline.form == ("A", "A", "B", "A")
    assert len(outline.chords) == 32
    assert outline.chords[16:24] == _bars("E7 E7 A7 A7 D7 D7 G7 G7")
    assert outline.chords[:2] == _bars("C Am | Dm7 G7")


# Beside other facts -------------------------------------------------------------------------------


def _facts(prompt: Prompt) -> dict[str, object]:
    return dict(prompt.asked.known())


def test_a_key_that_is_named_stays_and_one_that_is_not_follows_from_the_chords() -> None:
    assert _facts(read_prompt("chords Am F C G")) == {"key": "A minor"}
    assert _facts(read_prompt("chords C G Am F")) == {"key": "C major"}
    assert _facts(read_prompt("chords Am F C G in C major")) == {"key": "C major"}
    assert _facts(read_prompt("in A minor, chords Am F C G")) == {"key": "A minor"}
    assert read_prompt("Am F C G", controls=Plan(key="G major")).asked.key == "G major"
    assert _facts(read_prompt("I-V-vi-IV")) == {}
    assert _facts(read_prompt("I-V-vi-IV in Eb")) == {"key": "Eb major"}


def test_numerals_lend_their_mode_to_a_bare_tonic() -> None:
    assert read_prompt("a song in A with i VI III VII").asked.key == "A minor"
    assert read_prompt("a song in A major with i VI III VII").asked.key == "A major"
    assert read_prompt("a song in A with I V vi IV").asked.key == "A major"


def test_a_blues_in_a_minor_key_is_a_minor_blues() -> None:
    minor = read_prompt("12-bar blues in A minor")
    assert minor.outline == parse_chords("minor blues")
    assert minor.asked.key == "A minor" and minor.asked.bars == 12
    assert read_prompt("12-bar blues in A").outline.minor is None
    assert read_prompt("12-bar blues, 24 bars").asked.bars == 24


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("piano, chords Am F C G, 16 bars", {"programs": (0,), "bars": 16}),
        ("Am F C G 120 bpm 4/4 piano", {"programs": (0,), "tempo": 120, "time_signature": "4/4"}),
        ("chords C6/9 F6 G7, 3/4", {"time_signature": "3/4"}),
        ("16小节，和弦 Am F C G，钢琴", {"programs": (0,), "bars": 16}),
    ],
)
def test_other_facts_are_read_beside_chords(text: str, facts: dict[str, object]) -> None:
    read = _facts(read_prompt(text))
    assert {name: read.get(name) for name in facts} == facts
    assert set(read) == {*facts, "key"}


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("a calm piano piece over the chords Am F C G in A minor", "a calm piano piece in A minor"),
        ("sad piano, chords Am - F - C - G, 16 bars", "sad piano, 16 bars"),
        ("“calm” piano – with the chords Am–F–C–G", "“calm” piano"),
        ("a I-V-vi-IV pop song", "pop song"),
        ("piano (chords: Am F C G), slow", "piano, slow"),
        ("Am F C G", ""),
        ("calm\nchords: Am F C G\npiano", "calm piano"),
        ("Ünïcödé ½ piano, ＡｍＦ, Ａｍ  Ｆ Ｃ Ｇ; slow", "Ünïcödé ½ piano, ＡｍＦ; slow"),
        ("alto and tenor saxophones with chords Am F C G, slow", "alto and tenor saxophones, slow"),
        ("a 12-bar blues for guitar", "a 12-bar blues for guitar"),
        ("calm piano", "calm piano"),
        ("卡农和弦钢琴曲", "a piano piece"),
    ],
)
def test_the_caption_leaves_chords_out(text: str, caption: str) -> None:
    assert read_prompt(text).caption == caption


def test_a_long_text_of_chords_is_read_at_once() -> None:
    began = time.process_time()
    for text in ("chords " + "Am–" * 600, "Ａm " * 600, "C((((" * 400):
        read_prompt(text)
    assert time.process_time() - began < 20


def test_moods_are_read_beside_chords() -> None:
    assert read_prompt("a sad piece, chords Dm Bb F C").near == read_prompt("a sad piece").near
    assert read_prompt("a sad piece").near.valence is not None


def test_nothing_of_a_chinese_text_is_left_over() -> None:
    assert read_prompt("卡农和弦的钢琴曲，停在属和弦").unused == ()


# What can't be used -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("chords Am H7x C", "'H7x' is not a known chord; did you mean 'B7'?"),
        ("chords C/E F G", "'C/E': the chord is used without the bass after the slash"),
        ("chords C6 Dm9 G13", "'C6', 'Dm9', 'G13': read as C, D"),
        ("power chords E5 G5 A5", "'E5', 'G5', 'A5': read as E, G, A"),
        ("Iadd9 IV V", "'Iadd9': read as I, the nearest known chord"),
        ("drums only, chords Am F C G", "'Am F C G': drums on their own play no chords"),
        ("F# major, chords Am F C G", "'Am F C G': these chords do not fit F# major"),
        ("I-V-vi-IV in A minor", "'I-V-vi-IV': these chords do not fit A minor"),
        ("chords Am F C G, then chords Dm G C A", "'Dm G C A': one progression for the whole"),
    ],
)
def test_what_is_left_out_is_said(text: str, note: str) -> None:
    prompt = read_prompt(text)
    assert [one for one in prompt.unused if one.startswith(note)], prompt.unused


def test_a_bar_without_a_chord_is_said() -> None:
    assert read_prompt("| Am | N.C. | F | C |").unused == ("'N.C.': the chord before it goes on",)
    outline = parse_chords("| N.C. | F | C |")  # as `textmusic harmonise` prints it
    assert outline.chords == _bars("F F C")


def test_plain_chords_leave_no_note() -> None:
    for text in ("chords Am7 F Cmaj7 G7 Bm7b5 Esus4", "I V7 vi IV", "Am F C G in C major"):
        assert read_prompt(text).unused == (), text


def test_chords_that_cannot_be_read_leave_the_others() -> None:
    assert read_prompt("chords Am H7x C").outline.chords == _bars("Am C")


def test_drums_alone_lose_the_chords_and_keep_the_form() -> None:
    prompt = read_prompt("drums only, chords Am F C G, AABA")
    assert prompt.outline == Outline(form=("A", "A", "B", "A"))
    assert prompt.asked.key is None


# Controls -----------------------------------------------------------------------------------------


def test_controls_are_read_in_every_spelling() -> None:
    four = Outline(chords=_bars("Am F C G"))
    for said in ("Am F C G", "Am, F, C, G", "Am - F - C - G", "| Am | F | C | G |", "am f c g"):
        assert parse_chords(said) == four, said
    assert parse_chords("Dm7 G7 | Cmaj7").chords == _bars("Dm7 G7 | Cmaj7")
    assert parse_chords("Am").chords == _bars("Am")
    assert parse_chords("C G").chords == _bars("C G")
    assert parse_chords("I-V-vi-IV") == Outline(_bars("C G Am F"), relative=True, minor=False)
    assert parse_chords("卡农和弦").chords == _bars("C G Am Em F C F G")
    assert parse_chords("12-bar blues").chords[4] == _bars("F7")[0]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("Am H7x C", "'H7x' is not a known chord; did you mean 'B7'"),
        ("Am foo C", "'foo' is not a known chord; did you mean 'F'"),
        ("Zz", "'Zz' is not a known chord progression; write e.g. 'Am F C G'"),
        ("", "is not a known chord progression"),
        ("something nice", "is not a known chord progression"),
    ],
)
def test_controls_that_are_no_chords(said: str, part: str) -> None:
    with pytest.raises(TextMusicError, match=re.escape(part)):
        parse_chords(said)


def test_the_control_wins_over_the_words() -> None:
    prompt = read_prompt("chords Am F C G, AABA", outline=parse_chords("C G"))
    assert prompt.outline.chords == _bars("C G")
    assert prompt.outline.form == ("A", "A", "B", "A")
    assert prompt.asked.key == "C major"
    assert prompt.unused == ("'Am F C G': the control for chords is used instead",)
    assert read_prompt("chords Am F C G", outline=parse_chords("Am F C G")).unused == ()
    assert read_prompt("!?", outline=parse_chords("C G")).outline.chords == _bars("C G")


# The key of chords --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chords", "key"),
    [
        ("Am F C G", "A minor"), ("C G Am F", "C major"), ("F G C", "C major"),
        ("Dm7 G7 Cmaj7", "C major"), ("Am Dm E7 Am", "A minor"), ("Em C G D", "E minor"),
        ("G D Em C", "G major"), ("Bb Eb F7 Bb", "Bb major"), ("Dm Bb F C", "D minor"),
        ("F#m D A E", "F# minor"), ("E A B7 E", "E major"), ("Bm7b5 E7 Am", "A minor"),
        ("A7 D7 A7 E7", "A major"), ("Cm Bb Ab G", "C minor"), ("C", "C major"),
    ],
)  # fmt: skip
def test_the_key_of_chords(chords: str, key: str) -> None:
    assert key_of_chords(_bars(chords)) == key


# In words -----------------------------------------------------------------------------------------


def test_chords_in_words() -> None:
    assert chords_text(_bars("Am F C G"), "A minor") == "Am F C G"
    assert chords_text(_bars("Dm7 G7 | Cmaj7"), "C major") == "Dm7 G7 | Cmaj7"
    assert chords_text(_bars("Bb Eb"), "Bb major") == "Bb Eb"
    assert chords_text(_bars("C G Am F"), relative=True) == "I V vi IV"
    assert chords_text(_bars("Cm Ab Eb Bb"), relative=True, minor=True) == "i VI III VII"
    four = parse_chords("I-V-vi-IV")
    assert outline_chords(four, "Eb major") == "Eb Bb Cm Ab"
    assert outline_chords(four, None) == "I V vi IV"
    assert in_words(Plan(key="D major"), outline=four)["chords"] == "D A Bm G"
    assert "chords" not in in_words(Plan())


def test_what_is_shown_can_be_typed() -> None:
    for said in ("i VI III VII", "I V vi IV", "ii° V7 i", "I bVII IV", "I7 IV7 I7 V7", "iiø7 V7 i"):
        assert parse_chords(outline_chords(parse_chords(said), None)) == parse_chords(said), said


def test_places_are_those_of_the_words() -> None:
    text = "a waltz with the chords Am F C G, calm"
    assert [text[slice(*s)] for s in read_progression(text).spans] == ["with the chords Am F C G"]
