"""The results of those that are compared, and in which figures two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from textmusic.evaluation.answers import Answer, Unreadable
from textmusic.evaluation.bootstrap import Difference, Sample, difference, holm
from textmusic.evaluation.distributions import NotesAndPlan
from textmusic.evaluation.pace import Pace
from textmusic.result.figures import Figure

SIGNIFICANT = 0.05  # below that an adjusted p-value is hardly chance


@dataclass(frozen=True, slots=True)
class Entry:
    """The results of an entrant: samples and figures, by section and name.

    missing: numbers of prompts without a file, once for each run. pace: None where no model was
    run. notes: what has to be said of its files, in sentences.
    """

    name: str
    answers: tuple[Answer, ...]
    broken: tuple[Unreadable, ...]
    missing: tuple[int, ...]
    samples: Mapping[str, Mapping[str, Sample]]
    figures: Mapping[str, Mapping[str, Figure]]
    pace: Pace | None = None
    notes: tuple[str, ...] = ()

    @property
    def mended(self) -> list[str]:
        """Files that were no proper MIDI, and what was mended: "theirs/0001.mid (...)"."""
        return [
            f"{a.file.resolve().parent.name}/{a.file.name} ({', '.join(a.mended)})"
            for a in self.answers
            if a.mended
        ]

    @property
    def pieces(self) -> list[NotesAndPlan]:
        """Notes and plan of each answer."""
        return [answer.piece for answer in self.answers]


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """A figure of `one` minus that of `other`.

    adjusted: the p-value, adjusted for all figures of the section (Holm).
    """

    section: str
    name: str
    one: str
    other: str
    difference: Difference
    adjusted: float

    @property
    def significant(self) -> bool:
        """Whether chance is unlikely, at 5 % over all figures of the section."""
        return self.adjusted < SIGNIFICANT


def differences(one: Entry, other: Entry) -> list[FigureDifference]:
    """Every figure that both have, on the prompts that both have."""
    rows = []
    for section, samples in one.samples.items():
        theirs = other.samples.get(section, {})
        found = [
            FigureDifference(section, name, one.name, other.name, apart, 1.0)
            for name, sample in samples.items()
            if name in theirs and (apart := difference(sample, theirs[name])) is not None
        ]
        adjusted = holm([row.difference.p for row in found])
        rows += [replace(row, adjusted=p) for row, p in zip(found, adjusted, strict=True)]
    return rows
