"""What a person asks for: free text and explicit controls -> `Prompt`.

Only facts that the words can hardly mean otherwise are fixed in `Prompt.asked`; everything else
stays in the caption, where the model reads it. Moods lie between: "sad" is no number, so its levels
are kept near (`Prompt.near`), and which of them it is the model decides.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass, replace

from textmusic.caption import load_data
from textmusic.errors import TextMusicError
from textmusic.plan import DRUMS, GENRES, NO_KEY, TEMPO_RANGE, TIME_SIGNATURES, Plan, is_minor
from textmusic.reading import chinese
from textmusic.reading.form import parse_form
from textmusic.reading.genre import read_genre
from textmusic.reading.instruments import lookup, name, read_instruments, spell_out, squash, terms
from textmusic.reading.key import read_key
from textmusic.reading.length import SECONDS_RANGE, read_bars, read_seconds
from textmusic.reading.metre import read_time_signature
from textmusic.reading.mood import read_mood
from textmusic.reading.outlines import (
    OutlineRead,
    covered,
    mode_said,
    read_outline,
    settled,
    without,
)
from textmusic.reading.progression import parse_chords
from textmusic.reading.tempo import (
    read_tempo_number,
    read_tempo_word,
    tempo_remedy,
    tempo_words,
)
from textmusic.reading.text import CJK, Span, blank, prepare, shown, visible_text
from textmusic.reading.typos import read_typos
from textmusic.sketch import Outline

MAX_CHARACTERS = 2_000
_LONGEST_QUOTE = 40


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person asked for.

    text: verbatim. asked: the facts to be forced, controls over words; None is left open.
    seconds: the asked length, never together with `asked.bars`. caption: the English text that the
    model reads; "" if there is none. unused: what was said and can't be used, with the remedy.
    without: General MIDI programs that must not play ("no drums" is (128,)). near: levels of
    valence and arousal that the plan's own may be one off, from mood words. outline: chords and
    form; chords that sound set the key where nothing else does.
    """

    text: str
    asked: Plan
    seconds: float | None
    caption: str
    unused: tuple[str, ...]
    without: tuple[int, ...] = ()
    near: Plan = Plan()
    outline: Outline = Outline()


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything read from a prepared text."""

    plan: Plan
    seconds: float | None
    without: tuple[int, ...]
    unused: tuple[str, ...]
    spans: tuple[Span, ...]
    tempo_said: str | None  # a tempo word in English, if the tempo comes from one
    outline: OutlineRead


def read_prompt(
    text: str,
    *,
    controls: Plan = Plan(),
    seconds: float | None = None,
    outline: Outline = Outline(),
) -> Prompt:
    """Read a prompt; `controls`, `seconds` and the fields of `outline` win over the words.

    Raises TextMusicError for a text of more than 2,000 characters, and for nothing else.
    """
    if len(text) > MAX_CHARACTERS:
        raise TextMusicError(
            f"the prompt has {len(text):,} characters; use at most {MAX_CHARACTERS:,}"
        )
    visible = visible_text(text)
    if visible and not any(unicodedata.category(c)[0] in "LN" for c in visible):
        prompt = Prompt(text, controls, seconds, "", (f"'{_quote(visible)}': no words to read",))
        return _one_length(_outlined(prompt, OutlineRead(), outline), controls)
    prepared = spell_out(prepare(text))
    read = _read(prepared, controls.genre)
    words = without(visible, prepared, read.outline.taken)
    caption, missed = _caption(words, prepared, read)
    asked = controls.over(read.plan)
    if asked.programs is not None and controls.programs is None:
        asked = replace(asked, programs=tuple(sorted(asked.programs)))
    fixed = (controls.valence, controls.arousal)
    if caption == words:
        moods = read_mood(prepared, read.spans, fixed=fixed)
    else:
        moods = read_mood(caption, fixed=fixed, typed=chinese.typed_moods(prepared))
    absent = tuple(p for p in read.without if p not in (asked.programs or ()))
    near = _near(moods.value or (None, None), asked)
    typos = read_typos(prepared, read.spans)
    unused = (*read.unused, *moods.unused, *missed, *typos, *_overruled(read, controls))
    prompt = Prompt(text, asked, seconds, caption, unused, absent, near)
    return _one_length(_outlined(prompt, read.outline, outline), controls, read)


def _outlined(prompt: Prompt, read: OutlineRead, control: Outline) -> Prompt:
    """With the chords and the form, the key that follows from them, and notes on them."""
    outline, asked, notes = settled(read, control, prompt.asked)
    return replace(prompt, asked=asked, outline=outline, unused=(*prompt.unused, *notes))


def _near(levels: tuple[int | None, int | None], asked: Plan) -> Plan:
    """Levels to keep near: not those that are fixed, nor a valence that the asked mode belies."""
    valence, arousal = levels
    if asked.key is not None and valence is not None:
        belied = valence > 3 if is_minor(asked.key) else valence < 3
        valence = None if belied else valence
    return Plan(
        valence=valence if asked.valence is None else None,
        arousal=arousal if asked.arousal is None else None,
    )


def _quote(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def _read(text: str, genre: str | None) -> _Read:
    """Every fact of a prepared text. A place that is read as one number is not read as another."""
    outline = read_outline(text)
    text = covered(text, outline.taken)
    tempo = read_tempo_number(text)
    rest = blank(text, tempo.spans)
    metre = read_time_signature(rest)
    key = read_key(rest)
    named_key = " ".join(rest[slice(*span)] for span in key.spans)
    bars = read_bars(blank(rest, metre.spans))
    seconds = read_seconds(blank(rest, (*metre.spans, *bars.spans)))
    word = read_tempo_word(rest, tempo.value)
    named = read_instruments(text).value
    assert named is not None
    kind = read_genre(text, named.singles, tuple(sorted(named.programs)))
    players = read_instruments(text, genre or kind.value)
    assert players.value is not None
    length_notes = seconds.unused
    if bars.value is not None and seconds.value is not None:
        length_notes += (f"'{shown(seconds.value)} seconds': the {bars.value} bars set the length",)
    plan = Plan(
        genre=kind.value,
        programs=players.value.programs or None,
        key=mode_said(key.value, named_key, outline.outline),
        tempo=tempo.value if tempo.value is not None else word.value,
        time_signature=metre.value,
        bars=bars.value,
    )
    readings = (tempo, metre, key, bars, seconds, word, players, kind)
    unused = (*key.unused, *tempo.unused, *word.unused, *metre.unused, *players.unused)
    return _Read(
        plan=plan,
        seconds=seconds.value if bars.value is None else None,
        without=players.value.without,
        unused=(*unused, *kind.unused, *bars.unused, *length_notes),
        spans=(*outline.spans, *(span for reading in readings for span in reading.spans)),
        tempo_said=chinese.tempo_in_english(text, word.spans) if tempo.value is None else None,
        outline=outline,
    )


def _caption(visible: str, prepared: str, read: _Read) -> tuple[str, tuple[str, ...]]:
    """The caption, and notes on what of a text in another script was not understood."""
    if re.search(f"[{CJK}]", prepared):
        moods = chinese.read_moods(prepared)
        spans = (*read.spans, *moods.spans)
        missed = chinese.not_understood(prepared, spans)
        quoted = ", ".join(f"'{_quote(part)}'" for part in missed)
        rest = chinese.latin_rest(prepared, spans)
        caption = chinese.compose(
            read.plan, moods.value or (), tempo_said=read.tempo_said, rest=rest
        )
        return caption, (f"{quoted}: not understood",) if missed else ()
    if any(c.isalpha() for c in visible) and not re.search("[A-Za-z]", prepared):
        note = (f"'{_quote(visible)}': not understood; write in English or Chinese",)
        return chinese.compose(read.plan, (), tempo_said=read.tempo_said), note
    return visible, ()


def _overruled(read: _Read, controls: Plan) -> tuple[str, ...]:
    """Notes on facts in the words that a control replaces by another."""
    fixed = dict(controls.known())
    denied = [p for p in read.without if p in (controls.programs or ())]
    notes = [f"'no {name(p)}': the control for instruments is used instead" for p in denied[:1]]
    for field, value in read.plan.known():
        same = fixed.get(field, value) == value
        if field == "programs" and isinstance(value, tuple):
            same = field not in fixed or set(value) == set(controls.programs or ())
            value = ", ".join(name(p) for p in value)
        if not same:
            notes.append(f"'{value}': the control for {field.replace('_', ' ')} is used instead")
    return tuple(notes)


def _one_length(prompt: Prompt, controls: Plan, read: _Read | None = None) -> Prompt:
    """Bars or seconds, not both: controls before words, bars before seconds."""
    if prompt.seconds is not None:
        if controls.bars is not None:
            note = f"'{shown(prompt.seconds)} seconds': the {controls.bars} bars set the length"
            return replace(prompt, seconds=None, unused=(*prompt.unused, note))
        if prompt.asked.bars is not None:
            note = f"'{prompt.asked.bars} bars': the control for seconds is used instead"
            asked = replace(prompt.asked, bars=None)
            return replace(prompt, asked=asked, unused=(*prompt.unused, note))
        return prompt
    if read is not None and read.seconds is not None:
        if controls.bars is None:
            return replace(prompt, seconds=read.seconds)
        note = f"'{shown(read.seconds)} seconds': the {controls.bars} bars set the length"
        return replace(prompt, unused=(*prompt.unused, note))
    return prompt


# Explicit controls --------------------------------------------------------------------------------


def parse_key(said: str) -> str:
    """A key in any spelling -> its name in `plan.KEYS`; a bare letter is major; "none" is kept.

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
        raise TextMusicError(reading.unused[0])
    raise TextMusicError(
        f"'{_quote(text)}' is not a key; write a letter from A to G, # or b, and major or minor,"
        " e.g. 'D minor' or 'Bb major'"
    )


def _left(text: str, spans: tuple[Span, ...], fillers: str) -> str:
    """What is left of a text besides the places that were read and some filling words."""
    return re.sub(rf"\b(?:{fillers})\b|[\s\x00,.]", "", blank(text, spans), flags=re.IGNORECASE)


def parse_time_signature(said: str) -> str:
    """A metre in any spelling ("6/8", "waltz", "四三拍") -> its name in `plan.TIME_SIGNATURES`.

    Raises TextMusicError, with the known ones, for any other.
    """
    text = prepare(said)
    reading = read_time_signature(text)
    whole = not _left(text, reading.spans, "in|time|metre|meter")
    if reading.value and whole and not reading.unused:
        return reading.value
    raise TextMusicError(
        f"'{_quote(text)}' is not a time signature known here; choose one of"
        f" {', '.join(TIME_SIGNATURES)}"
    )


def parse_tempo(said: str | float) -> float:
    """A tempo (96, "96 bpm", "♩. = 60", "andante") -> quarter notes per minute.

    Raises TextMusicError outside 30 to 250 and for unknown words.
    """
    text = said if isinstance(said, str) else f"{said:g}"
    text = prepare(text)
    try:
        tempo = float(text)
    except ValueError:
        reading = read_tempo_number(text)
        if reading.value is not None and not reading.unused:
            return reading.value
        if reading.unused:
            raise TextMusicError(reading.unused[0]) from None
        word = tempo_words().get(re.sub(r"[\s-]+(?:tempo)?", " ", text.lower()).strip())
        if word is None:
            near = difflib.get_close_matches(text.lower(), tempo_words(), n=1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise TextMusicError(
                f"'{_quote(text)}' is not a tempo{hint or ','} write e.g. 96 or 'andante'"
            ) from None
        return float(word["typical"])
    if not math.isfinite(tempo) or not TEMPO_RANGE[0] <= tempo <= TEMPO_RANGE[1]:
        raise TextMusicError(f"tempo {_quote(text)}: {tempo_remedy()}")
    return tempo


def parse_instrument(said: str) -> tuple[int, ...]:
    """Instruments ("violin", "jazz trio", "piano and cello", "40") -> sorted General MIDI programs.

    128 is the drums. Raises TextMusicError, with the nearest name, for what is none.
    """
    text = prepare(said)
    if term := lookup(text):
        if term.kind == "absent":
            raise TextMusicError(
                f"'{text}' is not among the General MIDI sounds; try '{term.instead}'"
            )
        return tuple(sorted(term.programs))
    parts = [part.strip() for part in re.split(r",|;|\+|&|\band\b|和", text) if part.strip()]
    if len(parts) > 1:
        return tuple(sorted({program for part in parts for program in parse_instrument(part)}))
    if re.fullmatch(r"[+-]?\d+", text):
        if 0 <= (program := float(text)) <= DRUMS:
            return (int(program),)
        raise TextMusicError(
            f"instrument {_quote(text)}: General MIDI programs are 0 to 127; {DRUMS} is the drums"
        )
    text = spell_out(text)
    reading = read_instruments(text)
    whole = not _left(text, reading.spans, "an?|the|solo|some|two|three|four")
    if reading.value and reading.value.programs and whole:
        return tuple(sorted(reading.value.programs))
    names = {squash(name(program)): name(program) for program in range(DRUMS + 1)}
    near = difflib.get_close_matches(squash(text), [*names, *terms()], n=1, cutoff=0.5)
    found = terms().get(near[0]) if near else None
    hint = "name one, e.g. 'piano' or 'string quartet'"
    if found is not None:
        best = found.instead or (near[0] if found.kind != "instrument" else name(found.programs[0]))
        hint = f"did you mean '{best}'?"
    raise TextMusicError(f"'{_quote(text)}' is not an instrument known here; {hint}")


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
            f"mood '{_quote(text)}': the levels of valence and arousal are 1 to 5, e.g. '2,4'"
        )
    known = {entry["text"].lower(): entry for entry in load_data("words.jsonl")}
    word = load_data("moods_zh.json").get(text, text).lower()
    word = word if word in known else re.sub(r"^(?:very|quite|really|rather|so) ", "", word)
    if word in known:
        return int(known[word]["valence"]), int(known[word]["arousal"])
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    hint = f"did you mean '{near[0]}'? Or give" if near else "give"
    raise TextMusicError(
        f"'{_quote(text)}' is not a mood word known here; {hint} valence and arousal from 1 to 5,"
        " e.g. '2,4'"
    )


def parse_genre(said: str) -> str:
    """A genre's name or one of its words ("ragtime", "video game", "探戈") -> its name in `GENRES`.

    Raises TextMusicError, with the nearest or all names, for what is none.
    """
    text = prepare(said)
    by_name = {squash(genre): genre for genre in GENRES}
    for genre, entry in load_data("genres.json").items():
        for word in (*entry["words"], *entry["zh"]):
            by_name.setdefault(squash(word), genre)
    if found := by_name.get(squash(text)) or read_genre(text).value:
        return found
    near = difflib.get_close_matches(squash(text), by_name, n=1, cutoff=0.6)
    hint = f"did you mean '{by_name[near[0]]}'?" if near else f"choose one of {', '.join(GENRES)}"
    raise TextMusicError(f"'{_quote(text)}' is not a genre known here; {hint}")


__all__ = [
    "MAX_CHARACTERS", "SECONDS_RANGE", "Prompt", "parse_chords", "parse_form", "parse_genre",
    "parse_instrument", "parse_key", "parse_mood", "parse_tempo", "parse_time_signature",
    "read_prompt",
]  # fmt: skip
