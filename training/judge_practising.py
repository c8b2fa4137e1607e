"""Practice pieces beside pieces of the same plans without limits: what is kept, how they move.

    python training/judge_practising.py --pieces 8

Per instrument and grade: the share of steps, thirds, wider leaps and repeated pitches between the
notes of a hand (its top notes), endings on the tonic, and pieces in which a limit is broken.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from textmusic.music.grade_check import judge
from textmusic.music.grades import HIGHEST, LOWEST, instruments
from textmusic.music.notes import Notes
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.music.theory import tonic
from textmusic.result.generation import Generation
from textmusic.system.scripts import ended
from textmusic.writing.text_to_music import TextToMusic

BARS = 8
MIDDLE_C = 60


@dataclass
class Moves:
    """Counts of intervals between notes in a row, and of pieces."""

    repeats: int = 0
    steps: int = 0  # one or two semitones
    thirds: int = 0
    leaps: int = 0
    home: int = 0  # pieces that end on the tonic
    broken: int = 0
    pieces: int = 0

    def add(self, piece: Generation, practice: Practice) -> None:
        """Count one piece."""
        hands = piece.columns.pitch < MIDDLE_C
        two = len(practice.limits.hands) == 2
        for which in (hands, ~hands) if two else (hands | ~hands,):
            moves = np.abs(np.diff(top_notes(piece.columns.chosen(which))))
            self.repeats += int((moves == 0).sum())
            self.steps += int(((moves > 0) & (moves <= 2)).sum())
            self.thirds += int(((moves > 2) & (moves <= 4)).sum())
            self.leaps += int((moves > 4).sum())
        last = piece.columns.pitch[piece.columns.start == piece.columns.start.max()]
        self.home += int(last.min()) % 12 == tonic(str(piece.plan.key))
        self.broken += not all(v.kept for v in judge(piece.columns, piece.plan, practice))
        self.pieces += 1

    def __str__(self) -> str:
        notes = max(self.repeats + self.steps + self.thirds + self.leaps, 1)
        shares = (f"{n / notes:5.0%}" for n in (self.repeats, self.steps, self.thirds, self.leaps))
        return f"{' '.join(shares)}   {self.home:3}/{self.pieces} {self.broken:3}/{self.pieces}"


def top_notes(notes: Notes) -> np.ndarray:
    """The highest pitch of each onset, in time order."""
    return np.array([notes.pitch[notes.start == at].max() for at in np.unique(notes.start)])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=8, help="Of each instrument and grade.")
    parser.add_argument(
        "--instrument", choices=instruments(), action="append", help="One of several; else all."
    )
    parser.add_argument("--grade", type=int, action="append", help="One of several; else all.")
    parser.add_argument("--seed", type=int, default=1, help="Of the first piece.")
    parser.add_argument("--model", help="What writes; by default the bundled model.")
    options = parser.parse_args(argv)
    music = TextToMusic.from_pretrained(options.model)
    print("                          same  step third  leap  tonic  broken")
    for instrument in options.instrument or instruments():
        for number in options.grade or range(LOWEST, HIGHEST + 1):
            practice = Practice(instrument, number)
            made = music.practise(
                practice, options.pieces, controls=Plan(bars=BARS), seed=options.seed
            )
            free, kept = Moves(), Moves()
            for piece in made:
                kept.add(piece, practice)
                facts = replace(piece.plan, valence=None, arousal=None, density=None, genre=None)
                text = f"a simple {instrument} piece"
                other = music.generate(text, controls=facts, seed=piece.seed)
                free.add(other, practice)
            print(f"{instrument:8} {number} without limits {free}")
            print(f"{'':8} {'':1} practise       {kept}", flush=True)


if __name__ == "__main__":
    sys.exit(ended(main, "judge_practising.py"))
