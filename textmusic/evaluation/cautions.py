"""What a report can't tell: because it rests on too little, or what it was given is not used."""

from __future__ import annotations

from collections import defaultdict

from textmusic.evaluation.bootstrap import surest
from textmusic.evaluation.comparison import Comparison
from textmusic.evaluation.entries import SIGNIFICANT

FEW = 30  # prompts or pieces: below that a bootstrap interval is too narrow, and chance is large


def cautions(comparison: Comparison) -> list[str]:
    """A sentence for each thing that is too small or not used; none where all is well."""
    found = list(comparison.notes)
    found += [f"{entry.name}: {note}" for entry in comparison.columns for note in entry.notes]
    prompts = len(comparison.texts)
    answered = {entry.name: len({a.number for a in entry.answers}) for entry in comparison.entries}
    if prompts < FEW:
        found.append(
            f"Only {_counted(prompts, 'prompt')}: such figures can be chance, and their intervals"
            f" are too narrow. Use at least {FEW}."
        )
    else:
        found += [
            f"{name} has answers to only {_counted(n, 'prompt')}: its figures can be chance, and"
            f" their intervals are too narrow. Let it answer at least {FEW}."
            for name, n in answered.items()
            if n < FEW
        ]
    if comparison.rows and not _can_differ(comparison):
        found.append("With so few prompts no difference can be significant, however large it is.")
    if comparison.real and len(comparison.real.answers) < FEW <= prompts:
        found.append(
            f"Only {_counted(len(comparison.real.answers), 'real piece')}: overlaps with and"
            f" distances from so few say little. Give at least {FEW}."
        )
    return found


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _can_differ(comparison: Comparison) -> bool:
    """Whether any difference could be significant, if all prompts agreed (see `surest`)."""
    sizes: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in comparison.rows:
        sizes[row.section, row.other].append(row.difference.n)
    return any(surest(max(n)) * len(n) < SIGNIFICANT for n in sizes.values())
