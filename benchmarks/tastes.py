"""Simulated listeners with a known taste: do their votes move the model, and at what price?

    textmusic batch prompts.jsonl -o pieces --no-audio        # each prompt several times
    python benchmarks/tastes.py vote pieces votes.sqlite --taste steps
    textmusic prefer votes.sqlite -o my-taste
    textmusic batch held-out.jsonl -o before --no-audio
    textmusic batch held-out.jsonl -o after --no-audio --model my-taste
    python benchmarks/tastes.py measure before after

A listener hears every two pieces of a prompt, prefers the one with less of what is disliked, and
hears no difference where there is hardly any.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from textmusic.evaluation.bootstrap import Mean, difference, figure
from textmusic.evaluation.distributions import SINGLE
from textmusic.evaluation.features import features
from textmusic.listening.pairs import Pair, Showing, Side
from textmusic.listening.votes import NO_DIFFERENCE, Votes
from textmusic.music.midi_events import parse
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.structure import chord_changes, harmonies, repeated_pitches
from textmusic.result.recipe import read_recipe
from textmusic.result.report import Report

Figure = Callable[[Notes, Plan], float]


@dataclass(frozen=True, slots=True)
class Taste:
    """What a listener likes more of (sign 1) or less (-1), and the least difference heard."""

    figure: Figure
    sign: int
    heard: float


TASTES = {
    # a melody that moves
    "steps": Taste(lambda notes, plan: repeated_pitches(notes), -1, 0.03),
    # few notes: the logarithm, since twice as many are twice as many everywhere
    "sparse": Taste(lambda notes, plan: math.log(features(notes, plan)["notes per bar"]), -1, 0.15),
    # harmony that moves
    "changes": Taste(lambda notes, plan: chord_changes(harmonies(notes, plan)), 1, 0.15),
}
SHOWN = {
    **{name: taste.figure for name, taste in TASTES.items()},
    "notes per bar": lambda notes, plan: features(notes, plan)["notes per bar"],
    "interval": lambda notes, plan: features(notes, plan)["interval"],
    "polyphony": lambda notes, plan: features(notes, plan)["polyphony"],
    "pitch-class entropy": lambda notes, plan: features(notes, plan)["pitch-class entropy"],
}


def read(folder: Path) -> dict[str, tuple[Notes, Plan, Path]]:
    """Notes and plan of the pieces in a folder, by their files' names."""
    found = {}
    for file in sorted(folder.glob("*.mid")):
        report = Report.from_dict(json.loads(file.with_suffix(".json").read_text("utf-8")))
        found[file.stem] = notes_of(to_score(parse(file.read_bytes()))), report.planned, file
    return found


def vote(folder: Path, database: Path, name: str, most: int) -> None:
    """Let a listener judge up to so many pairs of a folder's pieces."""
    taste, votes = TASTES[name], Votes(database)
    by_text: dict[str, list[tuple[float, Path]]] = defaultdict(list)
    for notes, plan, file in read(folder).values():
        by_text[read_recipe(file).text].append((taste.figure(notes, plan), file))
    judged = decided = 0
    for text, pieces in by_text.items():
        for (x, one), (y, two) in combinations(pieces, 2):
            if judged == most or math.isnan(x) or math.isnan(y):
                continue
            key = hashlib.sha256(f"{one}{two}".encode()).hexdigest()[:15]
            pair = Pair(f"p{key}", text, Side(one.stem, one), Side(two.stem, two))
            gain = taste.sign * (x - y)
            choice = NO_DIFFERENCE if abs(gain) < taste.heard else "A" if gain > 0 else "B"
            votes.keep([pair])
            votes.add("simulated", Showing(pair, swapped=False), {"overall": choice})
            judged, decided = judged + 1, decided + (choice != NO_DIFFERENCE)
    print(f"{judged} pairs of {len(by_text)} prompts judged, {decided} decided")


def measure(before: Path, after: Path) -> None:
    """Figures of two folders of answers to the same prompts, and their difference."""
    one, two = read(before), read(after)
    names = sorted(one.keys() & two.keys())
    print(f"{len(names)} prompts\n")
    print("| figure | before | after | difference |\n|---|---|---|---|")
    for name, of in (SHOWN | {name: _of_pair(single) for name, single in SINGLE.items()}).items():
        samples = [
            Mean([_number(of(*found[stem][:2])) for stem in names], range(len(names)))
            for found in (one, two)
        ]
        a, b = (figure(sample) for sample in samples)
        if not a.n or not b.n:
            continue
        d = difference(samples[1], samples[0])
        if d is None:
            continue
        star = " *" if d.low > 0 or d.high < 0 else ""
        print(
            f"| {name} | {a.value:.3f} [{a.low:.3f}, {a.high:.3f}] | {b.value:.3f} [{b.low:.3f},"
            f" {b.high:.3f}] | {d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]{star} |"
        )


def _of_pair(single: Callable[[tuple[Notes, Plan]], float | None]) -> Callable[..., float | None]:
    return lambda notes, plan: single((notes, plan))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def main() -> None:
    """Run the command that is named."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    voting = commands.add_parser("vote", help="let a listener judge the pairs of a folder")
    voting.add_argument("pieces", type=Path)
    voting.add_argument("database", type=Path)
    voting.add_argument("--taste", choices=TASTES, required=True)
    voting.add_argument("--most", type=int, default=150, help="pairs at most")
    measuring = commands.add_parser("measure", help="compare two folders of answers")
    measuring.add_argument("before", type=Path)
    measuring.add_argument("after", type=Path)
    said = parser.parse_args()
    if said.command == "vote":
        vote(said.pieces, said.database, said.taste, said.most)
    else:
        measure(said.before, said.after)


if __name__ == "__main__":
    main()
