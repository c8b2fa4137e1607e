"""What can be said and not be asked for is reported; what only sounds like it is not."""

from __future__ import annotations

import re

import pytest

from textmusic.language.notes import note_text
from textmusic.language.prompt import read_prompt

HANDS, GRADES, NOTES = "hands and fingers", "the difficulty", "single notes and their range"
VALUES, ARTICULATION, CHANGES = "note values", "how notes are played", "changes within"
SECTIONS, LYRICS, SCALES = "a section by itself", "lyrics", "only major and minor scales"


@pytest.mark.parametrize(
    ("text", "said", "why"),
    [
        ("the right hand plays the melody", "right hand", HANDS),
        ("with fingering", "fingering", HANDS),
        ("hands together", "hands together", HANDS),
        ("左手", "左手", HANDS),
        ("whole notes on the cello", "whole notes", VALUES),
        ("全音符的大提琴", "全音符", VALUES),
        ("五指位置，指法", "指法", HANDS),
        ("an intermediate level piano piece", "intermediate level", GRADES),
        ("中级钢琴曲", "中级", GRADES),
        ("easy piano", "easy", GRADES),
        ("notes from C5 to C6", "notes from C5 to C6", NOTES),
        ("range G3-G5", "range G3-G5", NOTES),
        ("no higher than E5", "no higher than E5", NOTES),
        ("no sharps or flats", "no sharps or flats", NOTES),
        ("only the notes C, D, E, G", "only the notes C, D, E, G", NOTES),
        ("within one octave", "within one octave", NOTES),
        ("音域从C4到C6", "音域', '从C4到C6", NOTES),
        ("staccato strings", "staccato", ARTICULATION),
        ("跳音", "跳音", ARTICULATION),
        ("a pop song that builds up", "builds up", CHANGES),
        ("starts quiet and gets louder", "starts quiet', 'gets louder", CHANGES),
        ("with a key change at the end", "key change", CHANGES),
        ("fades out", "fades out", CHANGES),
        ("it speeds up", "speeds up", CHANGES),
        ("逐渐加强，然后淡出", "逐渐加强', '淡出", CHANGES),
        ("越来越快", "越来越快", CHANGES),
        ("最后转调", "转调", CHANGES),
        ("with a short intro and a coda", "intro', 'coda", SECTIONS),
        ("chorus, louder", "chorus", SECTIONS),
        ("a big final chorus", "final chorus", SECTIONS),
        ("有前奏", "前奏", SECTIONS),
        ("with lyrics about rain", "with lyrics about rain", LYRICS),
        ("带歌词", "歌词", LYRICS),
        ("pentatonic melody", "pentatonic", SCALES),
        ("a whole-tone scale piano piece", "whole-tone scale", SCALES),
        ("hirajoshi koto", "hirajoshi", SCALES),
        ("五声音阶的钢琴曲", "五声音阶", SCALES),
        ("多利亚调式", "多利亚调式", SCALES),
    ],
)
def test_what_cannot_be_asked_for_is_reported(text: str, said: str, why: str) -> None:
    unused = read_prompt(text).unused
    assert [note for note in unused if note.startswith(f"'{said}': ") and why in note], unused
    assert not any("not understood" in note for note in unused)


@pytest.mark.parametrize(
    "text",
    [
        "on the other hand", "holding hands in the rain", "in good hands", "hand drums",
        "piano four hands", "quarter note = 84", "a chorus of angels", "a bridge over a river",
        "chorus pedal", "verse chorus verse chorus", "intro verse chorus outro",
        "C7 and F7 feeling", "key of C", "C major", "an old building", "a lyrical melody",
        "an easy-going day", "a boss level", "the final grade of marble", "主歌副歌主歌副歌",
        "颤音琴", "C7 - F7", "my left shoe", "in a major scale of operations",
        "high up in the mountains", "a drop of rain", "a low density",
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    kinds = (HANDS, GRADES, NOTES, VALUES, ARTICULATION, CHANGES, SECTIONS, LYRICS, SCALES)
    assert not [n for n in read_prompt(text).unused if any(kind in n for kind in kinds)]


def test_it_stays_in_the_caption() -> None:
    assert read_prompt("legato strings that build up").caption == "legato strings that build up"
    assert "crescendo" in read_prompt("一首crescendo的钢琴曲").caption


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ein trauriges Klavierstück in d-Moll", "German"),
        ("ein fröhliches Lied für Geige und Klavier", "German"),
        ("Klaviermusik, ruhig und langsam", "German"),
        ("une valse triste pour piano", "French"),
        ("une chanson joyeuse avec de la guitare", "French"),
        ("una canción alegre con guitarra", "Spanish"),
        ("una canzone triste per pianoforte e violino", "Italian"),
        ("uma música alegre com violão", "Portuguese"),
        ("een vrolijk liedje met gitaar", "Dutch"),
        ("悲しいピアノの曲", "Japanese"),
        ("piano, грустная песня", "Russian"),
        ("슬픈 piano", "Korean"),
    ],
)
def test_a_language_that_is_not_read_is_named(text: str, language: str) -> None:
    unused = read_prompt(text).unused
    assert [note for note in unused if f"looks like {language}; only English and Chinese" in note]


def test_words_of_another_language_that_are_understood_count() -> None:
    assert read_prompt("ein trauriges Klavierstück in d-Moll").asked.key == "D minor"
    assert read_prompt("une valse triste pour piano").asked.programs == (0,)


@pytest.mark.parametrize(
    "text",
    [
        "allegro molto con brio", "andante con moto", "a lied", "etwas in H-Dur", "en re mineur",
        "music in Los Angeles", "valse triste", "a chanson", "la bemol majeur", "café at night",
        "fur coats and violins", "the van is in the den", "平静的钢琴", "D minor piano",
    ],
)  # fmt: skip
def test_english_and_the_language_of_scores_are_no_other_language(text: str) -> None:
    assert not [note for note in read_prompt(text).unused if "looks like" in note]


# Notes in Chinese ---------------------------------------------------------------------------------


def test_every_note_is_there_in_chinese() -> None:
    from test_prompt import CASES

    texts = [text for text, _ in CASES]
    texts += ["in the style of Adele", "two violins", "flute or oboe", "una canción con guitarra"]
    texts += ["左手", "五声音阶", "chords Am H7x C", "with or without drums", "chords Am/C F G9"]
    for text in texts:
        for note in read_prompt(text).unused:
            chinese = note_text(note, "zh")
            bare = re.sub("'.*'|MIDI", "", chinese)
            assert "：" in chinese and not re.search("[A-Za-z]{4,}", bare), chinese
            assert note_text(note) == note


@pytest.mark.parametrize(
    ("note", "chinese"),
    [
        ("'G major': one key for the whole piece; D minor is used",
         "'G major'：整首曲子只有一个调；采用D小调"),
        ("'erhu': not a General MIDI sound; fiddle is used instead",
         "'erhu'：MIDI标准音色里没有；改用民间小提琴"),
        ("'窗边', '中国风': not understood", "'窗边', '中国风'：没有读懂"),
        ("'pinao': did you mean 'piano'?", "'pinao'：是不是想写'piano'？"),
        ("something that nobody has translated", "something that nobody has translated"),
    ],
)  # fmt: skip
def test_notes_in_chinese(note: str, chinese: str) -> None:
    assert note_text(note, "zh") == chinese
