"""Explicit controls, as people write them on a command line or in a file -> facts of a plan."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.language.names import DENSITY_NAMES
from textmusic.language.reading.form import parse_form
from textmusic.language.reading.genre import read_genre
from textmusic.language.reading.instruments import read_instruments, spell_out
from textmusic.language.reading.key import read_key
from textmusic.language.reading.length import SECONDS_RANGE
from textmusic.language.reading.metre import read_time_signature
from textmusic.language.reading.people import composers_of
from textmusic.language.reading.progression import parse_chords
from textmusic.language.reading.tempo import read_tempo_number, tempo_remedy, tempo_words
from textmusic.language.reading.terms import lookup, squash, terms
from textmusic.language.reading.terms import name as everyday_name
from textmusic.language.reading.text import LARGEST, Span, blank, prepare, quote
from textmusic.music.data_files import load_data
from textmusic.music.plan import (
    GENRES,
    LEVELS,
    MAX_BARS,
    MAX_PROGRAMS,
    TEMPO_RANGE,
    Plan,
    field_tokens,
    field_vocabulary,
)
from textmusic.music.sketch import Outline
from textmusic.music.theory import DRUMS, NO_KEY, TIME_SIGNATURES
from textmusic.system import values
from textmusic.system.values import within, wrong_type

LONGEST_CONTROL = 2_000  # characters, as of a prompt
MOST_INSTRUMENTS = 64  # names in a list: an ensemble has several programs, and names repeat


@dataclass(frozen=True, slots=True)
class Controls:
    """What was given beside the text; None and () leave it to the text and the model.

    key: "D minor". tempo: quarter notes a minute or a word ("andante"). time_signature: "6/8".
    instruments: names or General MIDI numbers. mood: a word, or "valence,arousal" from 1 to 5,
    of which one may be "open".
    density: a level from 1 to 5 or a word ("sparse"). bars and seconds exclude each other.
    chords: "Am F C G", "| Dm7 G7 | Cmaj7 |" or "I-V-vi-IV". form: "AABA", "verse chorus".
    """

    key: str | None = None
    tempo: str | float | None = None
    time_signature: str | None = None
    instruments: Sequence[str | int] = ()
    bars: int | None = None
    seconds: float | None = None
    mood: str | None = None
    genre: str | None = None
    density: str | int | None = None
    chords: str | None = None
    form: str | None = None

    def __post_init__(self) -> None:
        """Raise TextMusicError for values of a wrong type; `plan` and `outline` read the rest."""
        for name in ("key", "time_signature", "mood", "genre", "chords", "form"):
            _said(name, getattr(self, name))
        if not isinstance(self.tempo, int | float) or isinstance(self.tempo, bool):
            _said("tempo", self.tempo, "a number or a word")
        if not isinstance(self.density, int) or isinstance(self.density, bool):
            _said("density", self.density, "a level or a word")
        elif abs(self.density) > LARGEST:  # Python writes no integers of any length
            values.whole("density", self.density, LEVELS[0], LEVELS[-1])
        if self.bars is not None and (
            isinstance(self.bars, bool) or not isinstance(self.bars, int)
        ):
            raise wrong_type("bars", self.bars, "a whole number")
        if self.seconds is not None and (
            isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float)
        ):
            raise wrong_type("seconds", self.seconds, "a number")
        _check_names(self.instruments)

    def plan(self) -> Plan:
        """The facts of a plan that are fixed; raises TextMusicError for what can't be had."""
        if self.bars is not None and self.seconds is not None:
            raise TextMusicError("bars and seconds both set the length; give only one of them.")
        if self.bars is not None:
            within("bars", self.bars, 1, MAX_BARS)
        if self.seconds is not None:
            within("seconds", self.seconds, *SECONDS_RANGE)
        programs = programs_of(self.instruments)
        key = None if self.key is None else parse_key(self.key)
        if key == NO_KEY and programs != (DRUMS,):
            raise TextMusicError("key 'none' is for drums only; leave the key open or name one.")
        valence, arousal = _mood(self.mood)
        metre = self.time_signature
        return Plan(
            genre=None if self.genre is None else parse_genre(self.genre),
            valence=valence,
            arousal=arousal,
            programs=programs,
            key=key,
            tempo=None if self.tempo is None else parse_tempo(self.tempo),
            time_signature=None if metre is None else parse_time_signature(metre),
            bars=self.bars,
            density=None if self.density is None else parse_density(self.density),
        )

    def outline(self) -> Outline:
        """The chords and the form that are fixed; raises TextMusicError for what is none."""
        asked = Outline() if self.chords is None else parse_chords(self.chords)
        if self.form is None:
            return asked
        form = parse_form(self.form)
        return replace(asked, form=form.form, names=form.names, last=form.last or asked.last)


def _said(name: str, value: object, wanted: str = "a string") -> None:
    """Raise TextMusicError unless a control is left open, or some words."""
    if value is None:
        return
    if not isinstance(value, str):
        raise wrong_type(name.replace("_", " "), value, wanted)
    values.text(name.replace("_", " "), value, LONGEST_CONTROL)


def _check_names(instruments: object) -> None:
    if isinstance(instruments, str) or not isinstance(instruments, Sequence):
        raise wrong_type("instruments", instruments, "a list")
    if len(instruments) > MOST_INSTRUMENTS:
        raise TextMusicError(
            f"{len(instruments):,} instruments are too many; use at most {MOST_INSTRUMENTS} names."
        )
    for said in instruments:
        if not isinstance(said, int) or isinstance(said, bool):
            _said("instrument", said or "", "a name or a number")
        elif abs(said) > LARGEST:
            values.whole("instrument", said, 0, DRUMS)


def check_request(controls: Plan, seconds: float | None) -> None:
    """Raise TextMusicError for controls that no plan can have, and for a length out of range."""
    check_plan(controls)
    if seconds is not None:
        values.real("seconds", seconds, *SECONDS_RANGE)


def check_plan(plan: Plan) -> None:
    """Raise TextMusicError for values that no plan can have."""
    if not isinstance(plan, Plan):
        raise wrong_type("controls", plan, "a textmusic.Plan")
    known = field_vocabulary()
    for name, value in plan.known():
        if name == "tempo":
            values.real(name, value, *TEMPO_RANGE)
        elif name == "bars":
            values.whole(name, value, 1, MAX_BARS)
        elif name == "programs" and not isinstance(value, tuple):
            raise wrong_type(name, value, "a tuple of General MIDI programs")
        elif name in ("begin", "end") and not isinstance(value, bool):
            raise wrong_type(name, value, "True or False")
        elif not set(field_tokens(name, value)) <= set(known[name]):
            said = ", ".join(map(str, value)) if isinstance(value, tuple) else value
            raise TextMusicError(
                f"'{said}' is not a valid {name}; see textmusic.Plan for the values."
            )


def parse_density(said: str | int) -> int:
    """A level from 1 to 5, or its word ("sparse") -> the level."""
    text = " ".join(str(said).lower().replace("-", " ").split())
    if text in DENSITY_NAMES:
        return DENSITY_NAMES.index(text) + 1
    if text in map(str, LEVELS):
        return int(text)
    raise TextMusicError(
        f"'{text}' is not a density; choose 1 to 5, or one of {', '.join(DENSITY_NAMES)}."
    )


def well_formed(text: str) -> str:
    """The text with what is no Unicode (lone surrogates of broken input) replaced by "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def programs_of(instruments: Sequence[str | int]) -> tuple[int, ...] | None:
    """The General MIDI programs of named instruments, 128 for drums; None for none."""
    if not instruments:
        return None
    named = {program for said in instruments for program in parse_instrument(str(said))}
    melodic = len(named - {DRUMS})
    if melodic > MAX_PROGRAMS:
        raise TextMusicError(
            f"{melodic} instruments are more than a MIDI file has channels for; use at most"
            f" {MAX_PROGRAMS}, plus drums."
        )
    return tuple(sorted(named))


def _mood(mood: str | None) -> tuple[int | None, int | None]:
    return (None, None) if mood is None else parse_mood(mood)


def read_controls(record: dict[str, Any]) -> Controls:
    """The controls among the fields of a JSON line; raises TextMusicError for a wrong type.

    Other fields are left out, and so is a length given as a range [low, high]: files that say what
    is expected of an answer have such.
    """
    instruments = record.get("instruments") or ()
    if isinstance(instruments, str | int):
        instruments = (instruments,)
    chords, form = (
        " ".join(map(str, said)) if isinstance(said, list) else said
        for said in (record.get("chords"), record.get("form"))
    )
    mood = record.get("mood")
    if isinstance(mood, list):
        mood = ",".join(map(str, mood))
    seconds = record.get("seconds")
    return Controls(
        key=record.get("key"),
        tempo=record.get("tempo"),
        time_signature=record.get("time_signature"),
        instruments=instruments,
        bars=record.get("bars"),
        seconds=None if isinstance(seconds, list) else seconds,
        mood=mood,
        genre=record.get("genre"),
        density=record.get("density"),
        chords=chords,
        form=form,
    )


def parse_key(said: str) -> str:
    """A key in any spelling -> its name in `theory.KEYS`; a bare letter is major; "none" is kept.

    Raises TextMusicError for what is no key.
    """
    text = prepare(said)
    if text.lower() == NO_KEY:
        return NO_KEY
    bare = re.fullmatch(r"([A-Ga-g])\s?(#|b|[\s-]?(?:sharp|flat))?", text, re.IGNORECASE)
    reading = read_key(f"in {bare[1].upper()}{bare[2] or ''}" if bare else text)
    whole = bare or not _left(text, reading.spans, "in|key|the|of")
    if reading.value and whole and not reading.unused:
        return reading.value
    if reading.unused and not reading.value:
        raise TextMusicError(f"{reading.unused[0]}.")
    raise TextMusicError(
        f"'{quote(text)}' is not a key; write a letter from A to G, optionally # or b, and major"
        " or minor, e.g. 'D minor' or 'Bb major'."
    )


def _left(text: str, spans: tuple[Span, ...], fillers: str) -> str:
    """What is left of a text besides the places that were read and some filling words."""
    return re.sub(rf"\b(?:{fillers})\b|[\s\x00,.]", "", blank(text, spans), flags=re.IGNORECASE)


def parse_time_signature(said: str) -> str:
    """A metre in any spelling ("6/8", "waltz", "四三拍") -> its name in `theory.TIME_SIGNATURES`.

    Raises TextMusicError, with the known ones, for any other.
    """
    text = prepare(said)
    reading = read_time_signature(text)
    whole = not _left(text, reading.spans, "in|time|metre|meter")
    if reading.value and whole and not reading.unused:
        return reading.value
    raise TextMusicError(
        f"'{quote(text)}' is not a supported time signature; choose one of"
        f" {', '.join(TIME_SIGNATURES)}."
    )


def parse_tempo(said: str | float) -> float:
    """A tempo (96, "96 bpm", "♩. = 60", "andante") -> quarter notes per minute.

    Raises TextMusicError outside 30 to 250 and for unknown words.
    """
    text = said if isinstance(said, str) else f"{max(min(said, LARGEST), -LARGEST):g}"
    text = prepare(text)
    try:
        tempo = float(text)
    except ValueError:
        reading = read_tempo_number(text)
        if reading.value is not None and not reading.unused:
            return reading.value
        if reading.unused:
            raise TextMusicError(f"{reading.unused[0]}.") from None
        word = tempo_words().get(re.sub(r"[\s-]+(?:tempo)?", " ", text.lower()).strip())
        if word is None:
            near = difflib.get_close_matches(text.lower(), tempo_words(), n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'?" if near else "write e.g. 96 or 'andante'."
            raise TextMusicError(f"'{quote(text)}' is not a tempo; {hint}") from None
        return float(word["typical"])
    if not math.isfinite(tempo) or not TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1]:
        raise TextMusicError(f"tempo {quote(text)} is {tempo_remedy()}.")
    return tempo


def parse_instrument(said: str) -> tuple[int, ...]:
    """Instruments ("violin", "jazz trio", "piano and cello", "40") -> sorted General MIDI programs.

    128 is the drums. Raises TextMusicError, with the nearest name, for what is none.
    """
    text = prepare(said)
    if term := lookup(text):
        if term.kind == "absent":
            raise TextMusicError(f"'{text}' is not a General MIDI sound; try '{term.instead}'.")
        return tuple(sorted(term.programs))
    parts = [part.strip() for part in re.split(r",|;|\+|&|\band\b|和", text) if part.strip()]
    if len(parts) > 1:
        return tuple(sorted({program for part in parts for program in parse_instrument(part)}))
    if re.fullmatch(r"[+-]?\d+", text):
        if 0 <= (program := float(text)) <= DRUMS:
            return (int(program),)
        raise TextMusicError(
            f"instrument {quote(text)} is not a General MIDI program; choose 0 to 127, or {DRUMS}"
            " for drums."
        )
    text = spell_out(text)
    reading = read_instruments(text)
    whole = not _left(text, reading.spans, "an?|the|solo|some|two|three|four")
    if reading.value and reading.value.programs and whole:
        return tuple(sorted(reading.value.programs))
    names = {squash(everyday_name(program)): everyday_name(program) for program in range(DRUMS + 1)}
    near = difflib.get_close_matches(squash(text), [*names, *terms()], n=1, cutoff=0.5)
    found = terms().get(near[0]) if near else None
    hint = "name one, e.g. 'piano' or 'string quartet'."
    if found is not None:
        best = found.instead or (
            near[0] if found.kind != "instrument" else everyday_name(found.programs[0])
        )
        hint = f"did you mean '{best}'?"
    raise TextMusicError(f"'{quote(text)}' is not a known instrument; {hint}")


def parse_mood(said: str) -> tuple[int | None, int | None]:
    """A mood word ("melancholic", "悲伤") or "valence,arousal" ("2,4") -> the two levels, 1 to 5.

    One of them may be left open: "2,open". Raises TextMusicError for unknown words and levels.
    """
    text = prepare(said).lower()
    if levels := re.fullmatch(r"(-?\d+|open)\s*[,/ ]\s*(-?\d+|open)", text):
        pair = [None if level == "open" else int(level) for level in levels.groups()]
        if all(level is None or 1 <= level <= 5 for level in pair):
            return pair[0], pair[1]
        raise TextMusicError(
            f"mood '{quote(text)}' is out of range; give valence and arousal from 1 to 5, e.g."
            " '2,4'."
        )
    known = {entry["text"].lower(): entry for entry in load_data("words.jsonl")}
    word = load_data("moods_zh.json").get(text, text).lower()
    word = word if word in known else re.sub(r"^(?:very|quite|really|rather|so) ", "", word)
    if word in known:
        return int(known[word]["valence"]), int(known[word]["arousal"])
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    axes = "valence and arousal from 1 to 5, e.g. '2,4'"
    hint = f"did you mean '{near[0]}', or {axes}?" if near else f"give {axes}."
    raise TextMusicError(f"'{quote(text)}' is not a known mood; {hint}")


def parse_genre(said: str) -> str:
    """A genre's name or one of its words ("ragtime", "video game", "探戈") -> its name in `GENRES`.

    Raises TextMusicError, with the nearest or all names, for what is none.
    """
    text = prepare(said)
    by_name = {squash(genre): genre for genre in GENRES}
    for genre, entry in load_data("genres.json").items():
        for word in (*entry["words"], *entry["zh"], *composers_of(genre)):
            by_name.setdefault(squash(word), genre)
    if found := by_name.get(squash(text)) or read_genre(text).value:
        return found
    near = difflib.get_close_matches(squash(text), by_name, n=1, cutoff=0.6)
    hint = f"did you mean '{by_name[near[0]]}'?" if near else f"choose one of {', '.join(GENRES)}."
    raise TextMusicError(f"'{quote(text)}' is not a known genre; {hint}")
