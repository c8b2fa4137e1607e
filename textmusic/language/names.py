"""A plan's facts as people read them, in English and in Chinese.

The Chinese names are those of the reader's own data, turned round: what is shown can be typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from textmusic.language.reading.form import CHINESE_SECTIONS
from textmusic.language.reading.level_names import AROUSAL_NAMES as AROUSAL_NAMES
from textmusic.language.reading.level_names import DENSITY_NAMES as DENSITY_NAMES
from textmusic.language.reading.level_names import VALENCE_NAMES as VALENCE_NAMES
from textmusic.language.reading.numerals import numeral_name
from textmusic.music.chords import Chord, chord_name
from textmusic.music.data_files import load_data
from textmusic.music.percussion import drum_name
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline, Sketch
from textmusic.music.theory import DRUMS, NO_KEY, is_minor, shift_of

SHOWN_BARS = 8  # of a sketch, in a table

LANGUAGES = ("en", "zh")
# Instruments, genres and moods are named by the reader's data.
WORDS: Mapping[str, tuple[str, str]] = {
    "comma": (", ", "、"),
    "some_bpm": ("{:.0f} bpm", "每分钟{:.0f}拍"),
    "some_bars": ("{}", "{}小节"),
    "one_bar": ("{} bar", "{}小节"),
    "many_bars": ("{} bars", "{}小节"),
    "changing": (", changing", "（有变化）"),
    "new_bars": ("{} new", "新增{}小节"),
    "some_seconds": ("{:.1f} s", "{:.1f}秒"),
    "about_levels": ("about {}", "约{}"),
    "clauses": ("{}, {}", "{}，{}"),
    "ends_on": ("ends on {}", "以{}结束"),
    "as_sketched": ("{} as planned", "{}符合计划"),
    "hardly_heard": (" ({} hardly heard)", "（{}几乎听不到）"),
    "known_run": (
        "{} notes in a row are also in a training piece ({}){}; {} of real pieces share as many",
        "连续{}个音也出现在训练作品中（{}）{}；{}的真实作品有同样长的重合",
    ),
    "known_run_bar": (", bar {}", "，第{}小节"),
    "known_run_bars": (", bars {}", "，第{}小节"),
    "no_known_run": (
        "nothing unusual is shared with the training pieces: no run of about {} notes",
        "与训练作品没有不寻常的重合：没有约{}个音的相同片段",
    ),
    "no_key": ("none", "无"),
    "other": ("other", "其他"),
    "very": ("very ", "非常"),
    "moderate": ("moderate", "适中"),
    "sparse": ("sparse", "稀疏"),
    "medium": ("medium", "中等"),
    "dense": ("dense", "密集"),
}


def say(key: str, language: str, words: Mapping[str, tuple[str, str]] = WORDS) -> str:
    """A word of `words`, by default of those that values are told with."""
    return words[key][LANGUAGES.index(language)]


def in_words(
    plan: Plan,
    seconds: float | None = None,
    near: Plan = Plan(),
    language: str = "en",
    outline: Outline = Outline(),
) -> dict[str, str]:
    """The facts of a plan as people read them, by field; "" is open. near: about such levels.

    "chords" (and the one that ends it all) and "form" are there where the outline knows them.
    """
    facts = _plan_in_words(plan, seconds, near, language)
    if outline.chords or outline.last:
        facts["chords"] = outline_chords(outline, plan.key, language)
    if outline.form:
        facts["form"] = form_text(outline.form, outline.names, language)
    return facts


def _plan_in_words(plan: Plan, seconds: float | None, near: Plan, language: str) -> dict[str, str]:
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
    """A key of `theory.KEYS`: "Eb major", "降E大调"; "none" for drums alone."""
    if language == "en":
        return key
    if key == NO_KEY:
        return say("no_key", language)
    letter, accidental = key[0], {"b": "降", "#": "升"}.get(key[1], "")
    return f"{accidental}{letter}{'小调' if is_minor(key) else '大调'}"


def outline_chords(
    outline: Outline, key: str | None, language: str = "en", most: int | None = None
) -> str:
    """The chords that are asked for: as they sound in a key, relative ones without as numerals.

    "Am F C G, ends on G7". most: bars of them that are shown; None: all.
    """
    open_key, minor = key is None or key == NO_KEY, bool(outline.minor)
    bars = outline.sounding(key)
    said = chords_text(bars[:most], key, relative=outline.relative and open_key, minor=minor)
    if most is not None and len(bars) > most:
        said += " …"
    if outline.last is None:
        return said
    last = outline.last if open_key else outline.last.moved(shift_of(key))
    ending = say("ends_on", language).format(
        chords_text([[last]], key, relative=open_key, minor=minor)
    )
    return say("clauses", language).format(said, ending) if said else ending


def chords_text(
    bars: Sequence[Sequence[Chord]],
    key: str | None = None,
    *,
    relative: bool = False,
    minor: bool = False,
) -> str:
    """Bars of chords as people write them: "Am F C G"; "Dm7 G7 | Cmaj7" where a bar has several.

    relative: the roots are counted from the tonic, of a minor key or not, and written as numerals
    ("I V vi IV"). key: spells the chords that sound.
    """
    names = [
        " ".join(numeral_name(c, minor) if relative else chord_name(c, key) for c in bar)
        for bar in bars
    ]
    return (" | " if any(len(bar) > 1 for bar in bars) else " ").join(names)


def sketch_in_words(
    sketch: Sketch, key: str | None, new_bars: tuple[int, int] | None = None
) -> dict[str, str]:
    """Harmony and form of a sketch: its first bars' chords, and letters for its sections.

    new_bars: those whose chords are shown (from 0, and the one behind the last); None: all.
    """
    from textmusic.music.form import letters

    rows = sketch.rows[slice(*new_bars)] if new_bars else sketch.rows
    bars = [[chord_name(chord, key) for _, chord in row.chords] for row in rows]
    if not any(bars):
        chords = ""
    else:
        shown = [" ".join(bar) for bar in bars[:SHOWN_BARS]]
        chords = " | ".join(shown) + (" …" if len(bars) > SHOWN_BARS else "")
    return {"chords": chords, "form": " ".join(letter for _, letter in letters(sketch.rows))}


def form_text(form: Sequence[str], names: Sequence[str] = (), language: str = "en") -> str:
    """A form: "A A B A", or the names of its sections: "verse, chorus", "主歌 副歌"."""
    if not names:
        return " ".join(form)
    if language == "en":
        return ", ".join(names)
    return " ".join(section_name(name, language) for name in names)


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
        level_name(VALENCE_NAMES[valence - 1], language),
        level_name(AROUSAL_NAMES[arousal - 1], language),
    ]
    return f"{_listed(words, language)} ({valence}/5, {arousal}/5)"


def section_name(name: str, language: str = "en") -> str:
    """A section of a form: "verse", "主歌"; or of a theme with variations: "Theme", "主题".

    Letters are the same in both languages.
    """
    if language == "en":
        return name
    if name == "Theme":
        return "主题"
    if number := re.fullmatch(r"Variation (\d+)", name):
        return f"第{number[1]}变奏"
    return CHINESE_SECTIONS.get(name, name)


def drum_text(key: int, kit: int = 0, language: str = "en") -> str:
    """A sound of a drum kit, as `percussion.drum_name`: "open hi-hat", "开镲"."""
    name = drum_name(key, kit)
    if language == "en":
        return name.lower()
    return str(load_data("drums_zh.json").get(name, name.replace("Drum", "鼓")))


def density_name(density: int, language: str = "en") -> str:
    """How full the music is: "sparse", "稀疏"."""
    return level_name(DENSITY_NAMES[density - 1], language)


def level_name(name: str, language: str) -> str:
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
    words = [level_name(names[level - 1], language) for names, level in known if level is not None]
    return say("about_levels", language).format(_listed(words, language)) if words else ""


def _some(unit: str, number: float | None, language: str) -> str:
    """A number and its unit: "96 bpm", "每分钟96拍"; "" for None."""
    return "" if number is None else say(f"some_{unit}", language).format(number)


def _listed(words: list[str], language: str) -> str:
    return say("comma", language).join(words)
