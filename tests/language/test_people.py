"""Composers stand for their music; other artists and titles stand for nothing, and that is said."""

from __future__ import annotations

import pytest

from textmusic.language.controls import parse_genre
from textmusic.language.prompt import read_prompt
from textmusic.language.reading.genre import read_genre
from textmusic.language.reading.people import composers, composers_of, composers_players
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES, Plan
from textmusic.music.theory import DRUMS


@pytest.mark.parametrize(
    ("text", "genre", "programs"),
    [
        ("Debussy", "romantic", (0,)),
        ("德彪西风格的钢琴曲", "romantic", (0,)),
        ("像萨蒂那样的曲子", "romantic", (0,)),
        ("something by Paganini", "romantic", (40,)),
        ("帕格尼尼", "romantic", (40,)),
        ("in the manner of Czerny", "classical", (0,)),
        ("in the style of Mozart", "classical", None),
        ("莫扎特风格", "classical", None),
        ("维瓦尔第", "baroque", None),
        ("约翰·施特劳斯", "waltz", None),
        ("a Sousa march", "march", None),
        ("like Bill Evans", "jazz", (0, 32, DRUMS)),
        ("久石让风格", "cinematic", None),
        ("Debussy-like harp", "romantic", (46,)),
        ("a Mahler symphony", "orchestral", (47, 48, 56, 57, 60, 68, 70, 71, 73)),
    ],
)
def test_composers_are_known_by_their_genre_and_players(
    text: str, genre: str, programs: tuple[int, ...] | None
) -> None:
    prompt = read_prompt(text)
    assert prompt.asked.genre == genre
    if programs is None or genre != "orchestral":
        assert prompt.asked.programs == programs
    assert prompt.unused == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("in the style of Taylor Swift", "Taylor Swift"),
        ("a song like Adele", "Adele"),
        ("sounds like Coldplay", "Coldplay"),
        ("a piece inspired by Sigur Ros", "Sigur Ros"),
        ("a Drake type beat", "Drake"),
        ("a Fleet Foxes style ballad", "Fleet Foxes"),
        ("in the style of taylor swift", "taylor swift"),
        ("周杰伦风格", "周杰伦"),
        ("像邓紫棋那样的歌", "邓紫棋"),
        ("一首刘若英风格的情歌", "刘若英"),
        ("张震岳那样的歌", "张震岳"),
        ("披头士风格", "披头士"),
    ],
)
def test_names_of_other_artists_are_reported(text: str, said: str) -> None:
    prompt = read_prompt(text)
    assert [n for n in prompt.unused if n.startswith(f"'{said}': names of artists and pieces")]
    assert not any("not understood" in note for note in prompt.unused)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Rhapsody in blue", Plan()),
        ("like Bohemian Rhapsody but on ukulele", Plan(programs=(24,))),
        ("like Jailhouse Rock with piano", Plan(programs=(0,))),
        ("like Sultans of Swing", Plan()),
        ("dark organ, like Piano Man", Plan(programs=(19,))),
        ('a piece called "The Last Waltz"', Plan()),
        ("a piece called Sad Waltz for flute", Plan(programs=(73,))),
        ('play "Blue Danube" on trumpet', Plan(programs=(56,))),
        ("蓝色多瑙河", Plan()),
        ("《月光圆舞曲》那样的钢琴曲", Plan(programs=(0,))),
        ("像《悲伤的西班牙》", Plan()),
        ("波西米亚狂想曲，用口琴", Plan(programs=(22,))),
    ],
)
def test_words_of_a_title_are_read_as_nothing_else(text: str, asked: Plan) -> None:
    prompt = read_prompt(text)
    assert prompt.asked == asked
    assert prompt.near.valence is None or "dark" in text
    assert any("names of artists and pieces" in note for note in prompt.unused)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("like Irish Music", Plan(genre="celtic")),
        ("feels like Christmas", Plan(genre="christmas")),
        ("like Sunday morning", Plan()),
        ("Old style waltz", Plan(genre="waltz", time_signature="3/4")),
        ("in the style of a march", Plan(genre="march")),
        ("in the style of the Baroque", Plan(genre="baroque")),
        ('"a sad waltz"', Plan(genre="waltz", time_signature="3/4")),
        ("music by the sea", Plan()),
        ("like A minor", Plan(key="A minor")),
        ("Like Rock And Blues", Plan(genre="rock")),
        ("高山流水", Plan()),
        ("in a Lo-Fi style", Plan(genre="electronic")),
        ("a Middle Eastern style tune", Plan()),
        ("like Halloween", Plan()),
    ],
)
def test_what_is_no_name_is_read(text: str, asked: Plan) -> None:
    prompt = read_prompt(text)
    assert prompt.asked.genre == asked.genre and prompt.asked.key == asked.key
    assert not any("names of artists" in note for note in prompt.unused)


def test_the_table_of_composers_is_sound() -> None:
    data = load_data("artists.json")
    for name, entry in data["composers"].items():
        assert entry["genre"] in GENRES, name
        assert parse_genre(name) == entry["genre"]
        assert name.lower() in composers_of(entry["genre"])
        assert all(not spelling.isascii() for spelling in entry["zh"])
    assert len(data["composers"]) >= 85
    known = set(composers())
    for group in ("artists", "artists_zh", "titles", "titles_zh"):
        assert len(set(data[group])) == len(data[group])
        assert not known & {name.lower() for name in data[group]}
    words = {w for e in load_data("genres.json").values() for w in (*e["words"], *e["zh"])}
    assert not known & words, "each name stands once"


def test_a_composer_is_no_instrument() -> None:
    assert read_genre("Chopin").value == "romantic"
    assert composers_players("Chopin", None) == (), "no genre of the kind was named"
    assert composers_players("chopinesque", "romantic") == ()
