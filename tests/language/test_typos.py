"""Slips of the finger are reported with a guess; ordinary words are not taken for slips."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from textmusic.corpus.captions import Captioner
from textmusic.language.prompt import MAX_CHARACTERS, read_prompt
from textmusic.language.reading.tempo import tempo_words
from textmusic.language.reading.terms import english_names
from textmusic.language.reading.typos import read_typos
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES, TEMPO_MARKS, Plan
from textmusic.music.theory import DRUMS, KEYS, TIME_SIGNATURES

ORDINARY = Path(__file__).parents[1] / "data" / "ordinary_words.txt"


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("pinao in D mnior", {"pinao": "piano", "mnior": "minor"}),
        ("guitra", {"guitra": "guitar"}),
        ("a walz", {"walz": "waltz"}),
        ("clam piano", {"clam": "calm"}),
        ("celo and vioiln", {"celo": "cello", "vioiln": "violin"}),
        ("two trumepts", {"trumepts": "trumpets"}),
        ("mazruka, alegro", {"mazruka": "mazurka", "alegro": "allegro"}),
        ("slwo bosa nova", {"slwo": "slow", "bosa": "bossa"}),
        ("strnig quartet", {"strnig": "string"}),
        ("electrc guitar in G majro", {"electrc": "electric", "majro": "major"}),
        ("a melancolic, joyfull, happpy tune",
         {"melancolic": "melancholic", "joyfull": "joyful", "happpy": "happy"}),
        ("Calm Pinao In D Mnior", {"Pinao": "piano", "Mnior": "minor"}),
        ("Pinao, sad", {"Pinao": "piano"}),
        ("PINAO", {"PINAO": "piano"}),
        ("一首pinao曲", {"pinao": "piano"}),
        # Right, or too far from everything, or a name.
        ("piano in D minor", {}),
        ("clam shells on the beach", {}),
        ("a clam", {}),
        ("strnig beans", {}),
        ("a song for Marina and Celo", {}),
        ("jazzy waltzes, drummers, swinging guitarists", {}),
        ("etwas in c-Moll, en re mineur", {}),
        ("qwertz", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_a_slip_is_reported_with_a_guess(text: str, guesses: dict[str, str]) -> None:
    prompt = read_prompt(text)
    notes = tuple(f"'{said}': did you mean '{guess}'?" for said, guess in guesses.items())
    assert tuple(note for note in prompt.unused if "did you mean" in note) == notes
    if text.isascii():
        assert prompt.caption == text, "what was typed is left to the model as it is"


def test_slips_in_instruments_genres_tempi_and_modes_are_found() -> None:
    """Every single name of six letters and more, two of its inner letters swapped."""
    genres = (word for entry in load_data("genres.json").values() for word in entry["words"])
    words = {*english_names(), *tempo_words(), *genres, "major", "minor"}
    names = sorted(w.lower() for w in words if re.fullmatch("[A-Za-z]{6,}", w))
    swapped = [(f"{w[:2]}{w[3]}{w[2]}{w[4:]}", w) for w in names if w[2] != w[3]]
    missed = [
        pair for pair in swapped if f"did you mean '{pair[1]}'" not in str(read_typos(pair[0]))
    ]
    assert len(swapped) > 250
    assert len(missed) / len(swapped) < 0.02, missed


def test_ordinary_words_are_no_slips() -> None:
    lines = ORDINARY.read_text(encoding="utf-8").splitlines()
    words = sorted({word for line in lines if not line.startswith("#") for word in line.split()})
    assert len(words) >= 500
    assert [note for word in words for note in read_typos(word)] == []
    assert [note for word in words for note in read_typos(f"a piece about {word} for piano")] in (
        [],
        ["'clam': did you mean 'calm'?"],
    )


def test_no_word_of_the_data_is_a_slip() -> None:
    for entry in load_data("words.jsonl"):
        assert read_typos(entry["text"]) == (), entry["text"]
    for name in (*english_names(), *tempo_words()):
        assert read_typos(name) == (), name


@pytest.mark.slow
def test_no_caption_has_a_slip_in_it_or_contradicts_itself() -> None:
    rng = random.Random(1)
    writers = Captioner(), Captioner(held_out=True)
    for n in range(400):
        programs = tuple(sorted(rng.sample(range(DRUMS + 1), rng.randint(1, 4))))
        plan = Plan(
            rng.choice(GENRES), rng.randint(1, 5), rng.randint(1, 5), programs, rng.choice(KEYS),
            rng.choice(TEMPO_MARKS), rng.choice(TIME_SIGNATURES), rng.randint(1, 64),
            rng.randint(1, 5),
        )  # fmt: skip
        text = writers[n % 2].write(plan, rng)
        unused = [note for note in read_prompt(text).unused if "General MIDI" not in note]
        assert unused == [], text


def test_it_is_quick() -> None:
    """A prompt is read while it is typed; the longest one, all of words that nobody knows."""
    read_typos("the first call loads the words")
    text = ("qwertz bosa pinsao " * 200)[:MAX_CHARACTERS]
    best = min(_seconds(text) for _ in range(5))
    assert best < 0.03
    assert min(_seconds("pinao in D mnior, slwo walz") for _ in range(5)) < 0.003


def _seconds(text: str) -> float:
    begin = time.perf_counter()
    read_typos(text)
    return time.perf_counter() - begin
