"""The genre of a text, and the players that a composer's name stands for."""

from __future__ import annotations

import pytest

from textmusic.language.prompt import read_prompt
from textmusic.language.reading.genre import read_genre
from textmusic.music.plan import Plan


@pytest.mark.parametrize(
    ("text", "genre", "programs"),
    [
        ("in the style of Chopin", "romantic", (0,)),
        ("肖邦风格的夜曲", "romantic", (0,)),
        ("something like Liszt, dark and fast", "romantic", (0,)),
        ("李斯特", "romantic", (0,)),
        ("a Chopin waltz", "waltz", (0,)),
        ("Scarlatti sonata", "baroque", (6,)),
        ("a rag by Joplin", "ragtime", (0,)),
        ("a nocturne by Chopin for cello and piano", "romantic", (0, 42)),
        ("Chopin on the guitar", "romantic", (24,)),
    ],
)
def test_a_composer_of_piano_music_is_the_piano_unless_players_are_named(
    text: str, genre: str, programs: tuple[int, ...]
) -> None:
    asked = read_prompt(text).asked
    assert (asked.genre, asked.programs) == (genre, programs)


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("a rock song inspired by Chopin", "rock"),
        ("a symphonic poem by Liszt", "orchestral"),
        ("Chopin without piano", "romantic"),
        ("a romantic era piece, not Chopin", "romantic"),
        ("Schumann", "romantic"),
        ("a song by Schubert", "lied"),
        ("Bach", "baroque"),
    ],
)
def test_other_music_and_other_composers_leave_the_players_open(text: str, genre: str) -> None:
    asked = read_prompt(text).asked
    assert (asked.genre, asked.programs) == (genre, None)


def test_an_instrument_that_is_absent_is_not_replaced_by_the_composers() -> None:
    prompt = read_prompt("Chopin on the kazoo")
    assert prompt.asked.programs is None and any("kazoo" in note for note in prompt.unused)


@pytest.mark.parametrize(
    "text", ["Rhapsody in blue", "波西米亚狂想曲", "蓝色狂想曲", "Bohemian Rhapsody"]
)
def test_a_title_is_no_genre(text: str) -> None:
    assert read_prompt(text).asked == Plan()


def test_a_song_played_on_another_instrument() -> None:
    asked = read_prompt("like Bohemian Rhapsody but on ukulele").asked
    assert asked == Plan(programs=(24,))


def test_a_rhapsody_is_one_all_the_same() -> None:
    assert read_genre("a Hungarian rhapsody").value == "romantic"
    assert read_prompt("狂想曲").asked.genre == "romantic"
