"""Explicit controls, as people write them on a command line or in a file -> facts of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textmusic.errors import TextMusicError
from textmusic.plan import (
    DRUMS,
    LEVELS,
    MAX_BARS,
    MAX_PROGRAMS,
    NO_KEY,
    TEMPO_RANGE,
    Plan,
    field_tokens,
    field_vocabulary,
)
from textmusic.sketch import Outline

MAX_SEED = 2**32 - 1


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

    def plan(self) -> Plan:
        """The facts of a plan that are fixed; raises TextMusicError for what can't be had."""
        from textmusic.prompt import parse_genre, parse_key, parse_tempo, parse_time_signature
        from textmusic.reading.length import SECONDS_RANGE

        if self.bars is not None and self.seconds is not None:
            raise TextMusicError("bars and seconds are both lengths; give one of them.")
        if self.bars is not None:
            within("bars", self.bars, 1, MAX_BARS)
        if self.seconds is not None:
            within("seconds", self.seconds, *SECONDS_RANGE)
        programs = programs_of(self.instruments)
        key = None if self.key is None else parse_key(self.key)
        if key == NO_KEY and programs != (DRUMS,):
            raise TextMusicError("only drums alone have no key; leave the key open, or name one.")
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
        from textmusic.prompt import parse_chords, parse_form

        asked = Outline() if self.chords is None else parse_chords(self.chords)
        if self.form is None:
            return asked
        form = parse_form(self.form)
        return replace(asked, form=form.form, names=form.names, last=form.last or asked.last)


def check_plan(plan: Plan) -> None:
    """Raise TextMusicError for values that no plan can have."""
    known = field_vocabulary()
    for name, value in plan.known():
        if name == "tempo":
            within(name, value, *TEMPO_RANGE)
        elif name == "bars":
            within(name, value, 1, MAX_BARS)
        elif not set(field_tokens(name, value)) <= set(known[name]):
            said = ", ".join(map(str, value)) if isinstance(value, tuple) else value
            raise TextMusicError(f"'{said}' can't be had as {name}; see textmusic.Plan.")


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise TextMusicError, with the range, unless low <= value <= high (so never for NaN)."""
    if not low <= value <= high:
        raise TextMusicError(f"{name} {value:,} is out of range; choose {low:,g} to {high:,.0f}.")


def parse_density(said: str | int) -> int:
    """A level from 1 to 5, or its word ("sparse") -> the level."""
    from textmusic.facts import DENSITY_NAMES

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
    from textmusic.prompt import parse_instrument

    if not instruments:
        return None
    named = {program for said in instruments for program in parse_instrument(str(said))}
    melodic = len(named - {DRUMS})
    if melodic > MAX_PROGRAMS:
        raise TextMusicError(
            f"{melodic} instruments are more than a MIDI file has channels for; name at most"
            f" {MAX_PROGRAMS}, and drums."
        )
    return tuple(sorted(named))


def _mood(mood: str | None) -> tuple[int | None, int | None]:
    from textmusic.prompt import parse_mood

    return (None, None) if mood is None else parse_mood(mood)
