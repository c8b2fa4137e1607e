"""Can a model's music be told from real music? judge_realism.py prompts.jsonl answers/ real/

Both folders hold answers to the prompts (0001.mid and so on), as `textmusic batch` and
`training/describe.py --pieces` write them. From each piece come excerpts of eight bars; of each,
the features and figures of `textmusic evaluate`. Gradient-boosted trees learn from four fifths of
the prompts which excerpts are real, and are asked about the others, five times over.

Printed: the area under the ROC curve (0.5: cannot tell, 1: always right) with a 95 % bootstrap
interval over prompts, and each number's own area, most telling first, beside its medians. Then, for
the ten commonest genres, how far the model's figures are from real ones.

Needs scikit-learn, which the extra `audio` brings.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.evaluation.answers import read_answers, read_expectations
from textmusic.evaluation.distributions import BARS, NotesAndPlan, figures_of
from textmusic.evaluation.features import chromatic_share, features
from textmusic.music import structure
from textmusic.music.notes import Floats, Ints, sliced
from textmusic.music.theory import quarters_per_bar
from textmusic.system.scripts import ended

FOLDS = 5
RESAMPLES = 2000
FEWEST = 4  # pieces of a genre that are worth a row
GENRES = 10


@dataclass(frozen=True)
class Excerpts:
    """numbers: (N, D), NaN where an excerpt has none. prompts: (N,), which each one answers."""

    names: tuple[str, ...]
    numbers: Floats
    prompts: Ints


def excerpts(pieces: Mapping[int, NotesAndPlan]) -> Excerpts:
    """Bars 1 to 8, 9 to 16 and so on of each piece, as far as eight are whole."""
    rows: list[dict[str, float]] = []
    prompts: list[int] = []
    for number, (notes, plan) in pieces.items():
        bar = quarters_per_bar(plan.time_signature or "4/4")
        bars = plan.bars or math.ceil(notes.end.max() / bar - 1e-6)
        for first in range(0, bars - BARS + 1, BARS):
            cut = sliced(notes, first * bar, (first + BARS) * bar)
            if len(cut) > 1:
                rows.append(_numbers((cut, replace(plan, bars=BARS))))
                prompts.append(number)
    names = tuple(rows[0]) if rows else ()
    numbers = np.array([[row[name] for name in names] for row in rows])
    return Excerpts(names, numbers, np.array(prompts))


def _numbers(piece: NotesAndPlan) -> dict[str, float]:
    notes, plan = piece
    return {
        **features(notes, plan),
        "notes outside the scale": chromatic_share(notes, plan.key),
        **{name: _number(figure(notes, plan)) for name, figure in structure.FIGURES.items()},
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def area(real: Sequence[float] | Floats, scores: Floats) -> float:
    """Area under the ROC curve: how often a real excerpt scores above a written one."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(real, scores))


def told(ours: Excerpts, theirs: Excerpts) -> tuple[Floats, Ints, Ints]:
    """Scores (N,) of all excerpts by trees that never saw their prompts; whether each is real (N,);
    the prompt of each (N,).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold, cross_val_predict

    numbers = np.concatenate([ours.numbers, theirs.numbers])
    varied = [len(np.unique(column[~np.isnan(column)])) > FOLDS for column in numbers.T]
    numbers = numbers[:, varied]  # a number that is the same, or missing, in all tells nothing
    real = np.repeat([0, 1], [len(ours.prompts), len(theirs.prompts)])
    prompts = np.concatenate([ours.prompts, theirs.prompts])
    scores = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=100, learning_rate=0.05, random_state=0),
        numbers, real, groups=prompts, cv=GroupKFold(FOLDS), method="predict_proba",
    )  # fmt: skip
    return scores[:, 1], real, prompts


def interval(scores: Floats, real: Ints, prompts: Ints) -> tuple[float, float]:
    """95 % bootstrap interval of the area, prompts drawn anew."""
    rng = np.random.default_rng(0)
    by_prompt = [np.flatnonzero(prompts == prompt) for prompt in np.unique(prompts)]
    areas = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate(
            [by_prompt[n] for n in rng.integers(0, len(by_prompt), len(by_prompt))]
        )
        areas.append(area(real[drawn], scores[drawn]))
    low, high = np.percentile(areas, [2.5, 97.5])
    return float(low), float(high)


def tells(ours: Excerpts, theirs: Excerpts) -> list[str]:
    """A row for each number: its own area, and its medians."""
    rows = []
    for n, name in enumerate(ours.names):
        one, other = (x.numbers[:, n][~np.isnan(x.numbers[:, n])] for x in (ours, theirs))
        if len(one) and len(other):
            real = np.repeat([0, 1], [len(one), len(other)])
            own = area(real, np.concatenate([one, other]))
            rows.append((abs(own - 0.5), name, own, np.median(one), np.median(other)))
    return [
        f"| {name} | {own:.2f} | {one:.2f} | {other:.2f} |"
        for _, name, own, one, other in sorted(rows, reverse=True)
    ]


def by_genre(ours: Mapping[int, NotesAndPlan], theirs: Mapping[int, NotesAndPlan]) -> list[str]:
    """A row for each genre of the real pieces: its figures, written / real; the farthest first.

    away: the difference of the means in standard deviations of real pieces, mean of the figures.
    """
    both = sorted(ours.keys() & theirs.keys())
    genres = {n: theirs[n][1].genre for n in both}
    everything = figures_of([theirs[n] for n in both], both)
    rows = []
    for genre, count in Counter(genres.values()).most_common(GENRES):
        if genre is None or count < FEWEST:
            continue
        here = [n for n in both if genres[n] == genre]
        found, real = (figures_of([x[n] for n in here], here) for x in (ours, theirs))
        pairs = {name: (_mean(found[name]), _mean(real[name])) for name in structure.FIGURES}
        away = np.nanmean(
            [abs(a - b) / np.nanstd(everything[n].values) for n, (a, b) in pairs.items()]
        )
        cells = " | ".join(f"{a:.2f} / {b:.2f}" for a, b in pairs.values())
        rows.append((away, f"| {genre} ({count}) | {away:.2f} | {cells} |"))
    head = f"| genre | away | {' | '.join(structure.FIGURES)} |"
    return [head, "|---" * (2 + len(structure.FIGURES)) + "|"] + [
        row for _, row in sorted(rows, reverse=True)
    ]


def _mean(sample: Any) -> float:
    known = sample.values[~np.isnan(sample.values)]
    return float(known.mean()) if len(known) else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompts", type=Path, help="Prompts that both folders answer.")
    parser.add_argument("answers", type=Path, help="What the model wrote.")
    parser.add_argument("real", type=Path, help="The real pieces.")
    args = parser.parse_args()
    expected = read_expectations(args.prompts)
    ours, theirs = (
        {a.number: a.piece for a in read_answers(folder, expected)[0]}
        for folder in (args.answers, args.real)
    )
    cut = excerpts(ours), excerpts(theirs)
    if min(len(np.unique(each.prompts)) for each in cut) < FOLDS:
        raise TextMusicError(
            f"fewer than {FOLDS} prompts have {BARS} bars in both folders; write more answers."
        )
    scores, real, prompts = told(*cut)
    low, high = interval(scores, real, prompts)
    print(f"{len(cut[0].prompts)} excerpts written, {len(cut[1].prompts)} real")
    print(f"area under the ROC curve: {area(real, scores):.2f} [{low:.2f} - {high:.2f}]\n")
    print("| number | own area | median, written | real |\n|---|---|---|---|")
    print("\n".join(tells(*cut)) + "\n")
    print("\n".join(by_genre(ours, theirs)))


if __name__ == "__main__":
    sys.exit(ended(main, "judge_realism.py"))
