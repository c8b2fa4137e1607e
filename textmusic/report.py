"""Asked / planned / measured, side by side: an honest account of one generation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textmusic.caption import load_data
from textmusic.plan import DRUMS, Plan, is_minor, tonic
from textmusic.sampling import Sampling
from textmusic.tokenizer import seconds_of

VALENCE_NAMES = ("very sad", "sad", "neutral", "happy", "very happy")
AROUSAL_NAMES = ("very calm", "calm", "moderate", "lively", "very excited")
DENSITY_NAMES = ("very sparse", "sparse", "medium", "dense", "very dense")


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. ok: what is measured fits the plan; None: it cannot be measured."""

    field: str
    asked: str
    planned: str
    measured: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """The account of one generation; `to_dict` is what is written as JSON."""

    text: str
    caption: str
    seed: int
    model: str
    version: str
    asked: Plan
    seconds: float | None
    planned: Plan
    measured: Plan
    measured_seconds: float
    notes: int
    unused: tuple[str, ...]
    near: Plan = Plan()
    sampling: Sampling | None = None  # None: not by a language model

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table people see, in a fixed order."""
        p, m = self.planned, self.measured
        wanted_seconds = self.seconds if self.seconds is not None else seconds_of(p)
        bar = seconds_of(p) / (p.bars or 1)
        near = abs(self.measured_seconds - wanted_seconds) <= max(bar, 0.1 * wanted_seconds)
        right = {
            "key": _same_key(p.key, m.key),
            "tempo": _close(p.tempo, m.tempo),
            "time signature": p.time_signature == m.time_signature,
            "instruments": p.programs == m.programs,
            "bars": p.bars == m.bars,
            "length": near,
            "mood": _near_mood(p, m),
            "genre": None,
            "density": None if m.density is None else abs((p.density or 3) - m.density) <= 1,
        }
        asked = in_words(self.asked, self.seconds, self.near)
        planned, measured = in_words(p, seconds_of(p)), in_words(m, self.measured_seconds)
        return tuple(
            Row(field, asked[field], planned[field], measured[field], ok)
            for field, ok in right.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Report:
        """Inverse of `to_dict`; the rows are computed anew."""
        fields = {k: v for k, v in data.items() if k != "rows"}
        for name in ("asked", "planned", "measured"):
            plan = dict(fields[name])
            if plan["programs"] is not None:
                plan["programs"] = tuple(plan["programs"])
            fields[name] = Plan(**plan)
        fields["near"] = Plan(**fields.get("near", {}))
        fields["unused"] = tuple(fields["unused"])
        if fields.get("sampling") is not None:
            fields["sampling"] = Sampling(**fields["sampling"])
        return Report(**fields)


def in_words(plan: Plan, seconds: float | None = None, near: Plan = Plan()) -> dict[str, str]:
    """The facts of a plan as people read them, by field; "" is open. near: about such levels."""
    return {
        "key": plan.key or "",
        "tempo": _bpm(plan.tempo),
        "time signature": plan.time_signature or "",
        "instruments": _names(plan.programs),
        "bars": _text(plan.bars),
        "length": _time(seconds),
        "mood": _mood(plan) or _about(plan.over(near)),
        "genre": plan.genre or "",
        "density": _density(plan),
    }


def instrument_name(program: int) -> str:
    """The General MIDI instrument's everyday name; 128 is "drums"."""
    return str(load_data("instruments.json")["program"][str(program)]["name"])


def mood_name(valence: int, arousal: int) -> str:
    """Levels in words: mood_name(2, 1) == "sad, very calm (2/5, 1/5)"."""
    words = f"{VALENCE_NAMES[valence - 1]}, {AROUSAL_NAMES[arousal - 1]}"
    return f"{words} ({valence}/5, {arousal}/5)"


def _same_key(planned: str | None, measured: str | None) -> bool | None:
    if planned is None or measured is None or "none" in (planned, measured):
        return None if planned == "none" else planned == measured
    return (tonic(planned), is_minor(planned)) == (tonic(measured), is_minor(measured))


def _close(planned: float | None, measured: float | None) -> bool:
    return planned is not None and measured is not None and abs(planned / measured - 1) < 0.03


def _near_mood(planned: Plan, measured: Plan) -> bool | None:
    if None in (planned.valence, planned.arousal, measured.valence, measured.arousal):
        return None
    assert planned.valence and planned.arousal and measured.valence and measured.arousal
    off = (planned.valence - measured.valence, planned.arousal - measured.arousal)
    return max(map(abs, off)) <= 1


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _bpm(tempo: float | None) -> str:
    return "" if tempo is None else f"{tempo:.0f} bpm"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _names(programs: tuple[int, ...] | None) -> str:
    named = sorted(programs or (), key=lambda p: (p == DRUMS, p))
    return ", ".join(instrument_name(program) for program in named)


def _mood(plan: Plan) -> str:
    if plan.valence is None or plan.arousal is None:
        return ""
    return mood_name(plan.valence, plan.arousal)


def _about(near: Plan) -> str:
    """Mood words in levels: "about sad, moderate"; what they leave open is left out."""
    words = []
    if near.valence is not None:
        words.append(VALENCE_NAMES[near.valence - 1])
    if near.arousal is not None:
        words.append(AROUSAL_NAMES[near.arousal - 1])
    return f"about {', '.join(words)}" if words else ""


def _density(plan: Plan) -> str:
    return "" if plan.density is None else DENSITY_NAMES[plan.density - 1]
