"""Captions: what they say is true of the plan, and can be read back from them."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cut_pieces import windows_of

from textmusic.corpus.captions import Captioner
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES, TEMPO_MARKS, Plan, rounded, tempo_mark
from textmusic.music.theory import DRUMS, KEYS, transposed
from textmusic.tokens.tokenizer import Tokenizer

EACH = 12  # captions of a window


@pytest.fixture(scope="module")
def captioner() -> Captioner:
    return Captioner()


@pytest.fixture(scope="module")
def plans(tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]) -> list[Plan]:
    """The plans of windows of real pieces, each in one of the genres of its piece."""
    found = []
    for path, row in zip(pieces, piece_rows, strict=True):
        windows, _ = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, 1500)
        for at, window in enumerate(windows[:4]):
            genres = [g for g in window.genres if g != "drums"] or ["other"]
            found.append(replace(rounded(window.plan), genre=genres[at % len(genres)]))
    return found


def captions(captioner: Captioner, plans: list[Plan]) -> Iterator[tuple[Plan, str]]:
    for index, plan in enumerate(plans):
        for take in range(EACH):
            rng = random.Random(f"{index}/{take}")
            shifted = replace(plan, key=transposed(str(plan.key), rng.randint(-5, 6)))
            yield shifted, captioner.write(shifted, rng)


@pytest.fixture(scope="module")
def written(captioner: Captioner, plans: list[Plan]) -> list[tuple[Plan, str]]:
    return list(captions(captioner, plans))


@cache
def tempo_ranges() -> tuple[tuple[str, float, float], ...]:
    return tuple((t["word"].lower(), t["low"], t["high"]) for t in load_data("tempo.json"))


def tempo_agrees(read: float, plan: Plan, text: str) -> bool:
    """The number's own mark, or a word whose range holds the plan's tempo."""
    assert plan.tempo
    if tempo_mark(read) == tempo_mark(plan.tempo):
        return True
    words = [w for w, low, high in tempo_ranges() if low <= plan.tempo <= high]
    return any(re.search(rf"\b{re.escape(word)}\b", text.lower()) for word in words)


def contradictions(plan: Plan, text: str, prompt: Prompt) -> list[str]:
    wrong = []
    for name, value in prompt.asked.known():
        if name == "genre" and prompt.asked.programs == plan.programs == (40, 41, 42):
            continue  # a string quartet may be romantic or classical in its plan
        agrees = (
            tempo_agrees(float(value), plan, text)  # type: ignore[arg-type]
            if name == "tempo"
            else getattr(plan, name) == value
        )
        if not agrees:
            wrong.append(f"{name}: read {value}, is {getattr(plan, name)}")
    if prompt.seconds is not None:
        wrong.append(f"{prompt.seconds} seconds were read")
    return wrong


@pytest.mark.slow
def test_nothing_that_is_read_in_a_caption_contradicts_its_plan(
    written: list[tuple[Plan, str]],
) -> None:
    """The model must not learn that words mean what the reader will not let them mean."""
    total, wrong = 0, []
    kinds: Counter[str] = Counter()
    for plan, text in written:
        found = contradictions(plan, text, read_prompt(text))
        total += 1
        kinds.update(line.split(":")[0] for line in found)
        wrong += [f"{text!r}: {line}" for line in found]
    print(f"{len(wrong)} of {total} captions: {dict(kinds)}", *wrong[:30], sep="\n")
    assert total > 400
    assert len(wrong) / total < 0.01


def test_what_is_said_in_a_caption_is_read(captioner: Captioner, plans: list[Plan]) -> None:
    """Facts that the reader misses are left to the model; they should be few."""
    said: Counter[str] = Counter()
    read: Counter[str] = Counter()
    missed = []
    for index, plan in enumerate(plans):
        for take in range(EACH // 2):
            rng = random.Random(f"{index}/{take}")
            state = rng.getstate()
            phrases = captioner._phrases(plan, rng)
            rng.setstate(state)
            text = captioner.write(plan, rng)
            asked = read_prompt(text).asked
            for field, fact in (
                ("key", "key"), ("tempo", "tempo"), ("metre", "time_signature"),
                ("bars", "bars"), ("instruments", "programs"),
            ):  # fmt: skip
                phrase = getattr(phrases, field)
                if phrase and phrase.lower() in text.lower():
                    said[field] += 1
                    read[field] += getattr(asked, fact) is not None
                    if getattr(asked, fact) is None:
                        missed.append(f"{field} {phrase!r} in {text!r}")
    shares = {field: read[field] / said[field] for field in said}
    print(shares, *missed[:40], sep="\n")
    assert set(shares) == {"key", "tempo", "metre", "bars", "instruments"}
    assert shares["bars"] == shares["metre"] == 1.0
    assert shares["key"] > 0.97
    assert shares["instruments"] > 0.97
    assert shares["tempo"] > 0.9  # "grave" and "moderate" may be moods: left to the model


@pytest.mark.parametrize("tempo", TEMPO_MARKS)
def test_a_tempo_in_a_caption_is_read_as_the_same_mark(tempo: float) -> None:
    assert tempo_mark(read_prompt(f"a waltz, {round(tempo)} bpm").asked.tempo or 1) == tempo_mark(
        tempo
    )


@pytest.mark.parametrize("key", KEYS)
def test_every_wording_of_a_key_is_read_as_that_key(key: str) -> None:
    from textmusic.corpus.captions import _key

    rng = random.Random(key)
    wordings = {_key(Plan(key=key), rng) for _ in range(300)}
    assert len(wordings) >= 3
    for wording in wordings:
        assert read_prompt(f"piano piece in {wording}").asked.key == key, wording
        assert read_prompt(f"calm, {wording}, piano").asked.key == key, wording


def test_held_out_words_never_appear_in_training_captions(
    captioner: Captioner, written: list[tuple[Plan, str]]
) -> None:
    """They are the test of whether the language model knows words that it was not tuned on."""
    held_out = {e["text"].lower() for e in load_data("words.jsonl") if e["held_out"]}
    assert len(held_out) > 50
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, held_out)) + r")\b")
    every_mood = [
        Plan("jazz", valence, arousal, (0,), "C major", 100.0, "4/4", 8, 3)
        for valence in range(1, 6)
        for arousal in range(1, 6)
    ]
    for _, text in (*written, *captions(captioner, every_mood * 6)):
        assert not pattern.search(text.lower()), text
    for data in ("genres.json", "tempo.json"):
        training = str(load_data(data)).lower()
        assert not pattern.search(training), f"{data}: {pattern.search(training)}"


def test_held_out_captions_use_held_out_words_only(plans: list[Plan]) -> None:
    held_out = Captioner(held_out=True)
    words = {e["text"] for e in load_data("words.jsonl") if e["held_out"]}
    rng = random.Random(1)
    drawn = {held_out.mood_word(plan, "mood", rng) for plan in plans for _ in range(5)}
    assert drawn - {None} <= words
    assert len(drawn) > 5


def test_enough_words_of_each_kind_are_held_out() -> None:
    words = load_data("words.jsonl")
    assert len({e["text"].lower() for e in words}) == len(words), "no word twice"
    for kind, least in (("mood", 60), ("scene", 40)):
        assert sum(e["held_out"] for e in words if e["kind"] == kind) >= least


def test_mood_words_are_at_most_one_level_off(captioner: Captioner) -> None:
    levels = {e["text"]: (e["valence"], e["arousal"]) for e in load_data("words.jsonl")}
    rng, drawn = random.Random(2), 0
    for valence in range(1, 6):
        for arousal in range(1, 6):
            plan = Plan(valence=valence, arousal=arousal)
            for kind in ("mood", "scene"):
                for _ in range(20):
                    word = captioner.mood_word(plan, kind, rng)
                    if word is not None:
                        off = levels[word][0] - valence, levels[word][1] - arousal
                        assert sum(map(abs, off)) <= 1
                        drawn += 1
    assert drawn > 500


def test_every_genre_and_every_instrument_can_be_named(captioner: Captioner) -> None:
    base = Plan("jazz", 3, 3, (0,), "C major", 100.0, "4/4", 8, 3)
    for genre in GENRES:
        metre = "3/4" if genre in ("waltz", "mazurka", "polonaise") else "4/4"
        plan = replace(base, genre=genre, time_signature=metre)
        said = [captioner.describe(plan, random.Random(take))[1].genre for take in range(30)]
        # two are named by their players, and "other" is no name
        assert any(said) == (genre not in ("string-quartet", "drums", "other")), genre
    for program in range(DRUMS + 1):
        plan = replace(base, programs=(program,))
        assert captioner._instrument_names(plan, random.Random(1))


def test_captions_vary_and_leave_things_out(written: list[tuple[Plan, str]]) -> None:
    texts = [text for _, text in written[: 20 * EACH]]
    assert len(set(texts)) > 0.9 * len(texts)
    asked = [read_prompt(text).asked for text in texts]
    for field in ("key", "tempo", "time_signature", "bars", "programs", "genre"):
        share = sum(getattr(plan, field) is not None for plan in asked) / len(asked)
        assert 0.05 < share < 0.8, (field, share)


def test_captions_are_clean_sentences(written: list[tuple[Plan, str]]) -> None:
    for _, text in written:
        assert text == text.strip() and "  " not in text, repr(text)
        assert "None" not in text and "{" not in text, repr(text)
        assert not re.search(r"\ban? an? |\ba [aeio]|\ban [bcdfgjkpqtvwxyz]", text.lower()), repr(
            text
        )
        assert not re.search(r"[,;]\s*[,;.]|^\W", text), repr(text)


def test_a_seed_gives_the_same_caption_again(captioner: Captioner, plans: list[Plan]) -> None:
    for plan in plans[:10]:
        assert captioner.write(plan, random.Random(3)) == captioner.write(plan, random.Random(3))


def test_drums_alone_are_never_given_a_key(captioner: Captioner) -> None:
    plan = Plan("drums", 3, 4, (DRUMS,), "none", 120.0, "4/4", 8, 4)
    for take in range(100):
        text = captioner.write(plan, random.Random(take))
        assert "none" not in text.lower()
        assert read_prompt(text).asked.key is None
