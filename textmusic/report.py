"""Asked / planned / measured, side by side: an honest account of one generation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textmusic.facts import in_words
from textmusic.plan import Plan, is_minor, tonic
from textmusic.sampling import Sampling
from textmusic.tokenizer import seconds_of


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
        return self.table()

    def table(self, language: str = "en") -> tuple[Row, ...]:
        """The rows, their values in a language of the page's; `field` is the English name."""
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
        asked = in_words(self.asked, self.seconds, self.near, language)
        planned = in_words(p, seconds_of(p), language=language)
        measured = in_words(m, self.measured_seconds, language=language)
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
