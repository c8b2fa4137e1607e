"""A plan's facts as people read them, in English and in Chinese.

The Chinese names are those of the reader's own data, turned round: what is shown can be typed.
"""

from __future__ import annotations

from functools import cache

from textmusic.caption import load_data
from textmusic.plan import DRUMS, NO_KEY, Plan, is_minor
from textmusic.wording import say

VALENCE_NAMES = ("very sad", "sad", "neutral", "happy", "very happy")
AROUSAL_NAMES = ("very calm", "calm", "moderate", "lively", "very excited")
DENSITY_NAMES = ("very sparse", "sparse", "medium", "dense", "very dense")


def in_words(
    plan: Plan, seconds: float | None = None, near: Plan = Plan(), language: str = "en"
) -> dict[str, str]:
    """The facts of a plan as people read them, by field; "" is open. near: about such levels."""
    played = sorted(plan.programs or (), key=lambda p: (p == DRUMS, p))
    return {
        "key": "" if plan.key is None else key_text(plan.key, language),
        "tempo": _some("bpm", plan.tempo, language),
        "time signature": plan.time_signature or "",
        "instruments": _listed([instrument_name(p, language) for p in played], language),
        "bars": _some("bars", plan.bars, language),
        "length": _some("seconds", seconds, language),
        "mood": _mood(plan, language) or _about(plan.over(near), language),
        "genre": "" if plan.genre is None else genre_name(plan.genre, language),
        "density": "" if plan.density is None else density_name(plan.density, language),
    }


def key_text(key: str, language: str = "en") -> str:
    """A key of `plan.KEYS`: "Eb major", "降E大调"; "none" for drums alone."""
    if language == "en":
        return key
    if key == NO_KEY:
        return say("no_key", language)
    letter, accidental = key[0], {"b": "降", "#": "升"}.get(key[1], "")
    return f"{accidental}{letter}{'小调' if is_minor(key) else '大调'}"


def instrument_name(program: int, language: str = "en") -> str:
    """The everyday name of a General MIDI instrument: "piano", "钢琴"; 128 is the drums."""
    entry = load_data("instruments.json")["program"][str(program)]
    return str(entry["name"] if language == "en" else entry["zh"][0])


def genre_name(genre: str, language: str = "en") -> str:
    """A genre of `plan.GENRES`: "waltz", "华尔兹"."""
    if language == "en":
        return genre
    if genre == "other":  # none of these: no word of a description stands for it
        return say("other", language)
    return str(load_data("genres.json")[genre]["zh"][0])


def mood_name(valence: int, arousal: int, language: str = "en") -> str:
    """Levels in words: mood_name(2, 1) == "sad, very calm (2/5, 1/5)"."""
    words = [
        _level(VALENCE_NAMES[valence - 1], language),
        _level(AROUSAL_NAMES[arousal - 1], language),
    ]
    return f"{_listed(words, language)} ({valence}/5, {arousal}/5)"


def density_name(density: int, language: str = "en") -> str:
    """How full the music is: "sparse", "稀疏"."""
    return _level(DENSITY_NAMES[density - 1], language)


def _level(name: str, language: str) -> str:
    """A level's word; in Chinese the one that the reader knows for that mood, if it knows one."""
    if language == "en":
        return name
    bare = name.removeprefix("very ")
    word = _chinese_moods().get(bare) or say(bare, language)
    return word if bare == name else f"{say('very', language)}{word}"


@cache
def _chinese_moods() -> dict[str, str]:
    """English moods -> the first Chinese word that is read as each."""
    words: dict[str, str] = {}
    for chinese, english in load_data("moods_zh.json").items():
        words.setdefault(english, chinese)
    return words


def _mood(plan: Plan, language: str) -> str:
    if plan.valence is None or plan.arousal is None:
        return ""
    return mood_name(plan.valence, plan.arousal, language)


def _about(near: Plan, language: str) -> str:
    """Mood words in levels: "about sad, moderate"; what they leave open is left out."""
    known = ((VALENCE_NAMES, near.valence), (AROUSAL_NAMES, near.arousal))
    words = [_level(names[level - 1], language) for names, level in known if level is not None]
    return say("about_levels", language).format(_listed(words, language)) if words else ""


def _some(unit: str, number: float | None, language: str) -> str:
    """A number and its unit: "96 bpm", "每分钟96拍"; "" for None."""
    return "" if number is None else say(f"some_{unit}", language).format(number)


def _listed(words: list[str], language: str) -> str:
    return say("comma", language).join(words)
