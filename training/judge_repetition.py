"""Judge the limits of `textmusic.music.repetition`: python training/judge_repetition.py data/

data/ is what textmusic prepare has written. Of its training windows of 8 to 64 bars with pitched
instruments one is drawn a tune. Then tunes are drawn, from all sources alike as far as they reach,
so that none is more than a fifth. One half (tune) is for choosing the limits, the other (told) for
reporting; so are the tunes that were not drawn (rest), which are from large sources alone.

Printed, as per cent of the windows:
- in how many something comes more often (or has more notes) than each of several limits;
- in how many a rule of `Repetition` would have kept a note from being written;
- of how many `flags` has something to say.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from textmusic.corpus.windows import Window, read_windows
from textmusic.music.notes import notes_of, positions_per_beat
from textmusic.music.plan import Plan
from textmusic.music.repetition import (
    FULL_NOTES,
    LOW_PROGRAMS,
    MOST_NOTES_AT_ONCE,
    SIXTEENTH_QUARTERS,
    THICK_NOTES,
    Repetition,
)
from textmusic.music.theory import DRUMS
from textmusic.result.flags import flags
from textmusic.system.scripts import ended
from textmusic.tokens.folding import Struck
from textmusic.tokens.tokenizer import Tokenizer

Strike = tuple[int, int, tuple[int, ...]]  # where, in steps; program; pitches
SHORTEST = 8  # bars
TRIED = {
    "one note": (16, 20, 24, 28, 32, 48),
    "one note, low": (24, 32, 48, 64, 96),
    "two notes": (16, 20, 24, 28, 32),
    "chord": (12, 16, 20, 24, 28),
    "full chord": (4, 8, 12, 15),
    "thick in a row": (1, 2, 3, 4),
    "at once": (8, 9, 10, 11, 12),
}
SAID = {
    "same": "strikes the same",
    "at once": "notes at once",
    "thick": "chords of",
    "harmony": "stays on one chord",
    "silent": "is silent",
    "one pitch": "one pitch only",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="Folder of prepared data.")
    parser.add_argument("-n", type=int, default=4000, help="Windows in both halves together.")
    parser.add_argument(
        "--part",
        choices=("tune", "told", "rest", "all"),
        default="all",
        help="Windows to judge: tune, on which limits are chosen; told, the other half; rest, those"
        " not drawn; or all.",
    )
    args = parser.parse_args()
    chosen, rest = drawn(read_windows(args.data / "train.parquet"), args.n)
    tokenizer = Tokenizer(args.data / "tokenizer")
    for part, windows in (("tune", chosen[::2]), ("told", chosen[1::2]), ("rest", rest)):
        if args.part in (part, "all"):
            judge(windows, tokenizer, part)


def drawn(windows: Iterable[Window], n: int) -> tuple[list[Window], list[Window]]:
    """One window a tune: at most n, as many of each source as there are or as fit; the others."""
    rng = random.Random(0)
    tunes: dict[str, list[Window]] = defaultdict(list)
    for window in windows:
        pitched = any(program != DRUMS for program in window.plan.programs or ())
        if pitched and (window.plan.bars or 0) >= SHORTEST:
            tunes[window.group].append(window)
    one = [rng.choice(tunes[group]) for group in sorted(tunes)]
    rng.shuffle(one)
    there = Counter(window.source for window in one)
    each = n // 5
    while each > 1 and sum(min(count, each) for count in there.values()) > n:
        each -= 1
    taken: Counter[str] = Counter()
    chosen, rest = [], []
    for window in one:
        (chosen if taken[window.source] < each else rest).append(window)
        taken[window.source] += 1
    return chosen, rest


def judge(windows: Sequence[Window], tokenizer: Tokenizer, part: str) -> None:
    """Print the shares of some windows."""
    of_source = Counter(window.source for window in windows)
    print(f"\n{len(windows)} windows ({part}), at most {max(of_source.values())} of a source")
    worst: dict[str, list[int]] = {rule: [] for rule in TRIED}
    kept: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for window in windows:
        ids = [int(i) for i in window.ids]
        found = strikes(tokenizer.struck(ids), window.plan)
        for rule, value in extremes(found, window.plan).items():
            worst[rule].append(value)
        rules = touched(found, window.plan)
        kept.update({*rules, "all"} if rules else ())
        told = flags(notes_of(tokenizer.decode_score(ids, window.plan)), window.plan)
        kinds = {kind for kind, words in SAID.items() if any(words in text for text in told)}
        said.update({*kinds, "all"} if told else ())
    for rule, limits in TRIED.items():
        over = {limit: sum(value > limit for value in worst[rule]) for limit in limits}
        row = "  ".join(f"> {limit} {100 * n / len(windows):.2f}" for limit, n in over.items())
        print(f"  {rule:15} {row}")
    for name, counts, kinds in (("touched", kept, TRIED), ("flags", said, SAID)):
        shares = ", ".join(f"{k} {100 * counts[k] / len(windows):.2f}" for k in (*kinds, "all"))
        print(f"  {name}: {shares}")


def strikes(notes: Iterable[Struck], plan: Plan) -> list[Strike]:
    """What the pitched instruments strike, in the order of writing."""
    steps, _ = positions_per_beat(plan.time_signature or "4/4")
    return [
        (bar * steps + position, program, tuple(note.pitch for note in same))
        for (bar, position, program), same in groupby(notes, key=lambda note: note[:3])
        if program != DRUMS
    ]


def rule_of(program: int, size: int) -> str:
    """Which limit holds for strikes of so many notes."""
    if size > 1:
        return "two notes" if size == 2 else "chord" if size < FULL_NOTES else "full chord"
    return "one note, low" if program in LOW_PROGRAMS else "one note"


def extremes(found: Sequence[Strike], plan: Plan) -> Counter[str]:
    """The longest run (or the most notes) of each rule."""
    near = SIXTEENTH_QUARTERS * positions_per_beat(plan.time_signature or "4/4")[1]
    worst = Counter(dict.fromkeys(TRIED, 0))
    for program in plan.programs or ():
        mine = [(at, pitches) for at, who, pitches in found if who == program]
        for pitches, same in groupby(pitches for _, pitches in mine):
            worst |= Counter({rule_of(program, len(pitches)): len(list(same))})
        thick = last = 0
        for at, pitches in mine:
            close = at - last <= near
            thick = (thick + 1 if close else 1) if len(pitches) >= THICK_NOTES else 0
            worst |= Counter({"thick in a row": thick, "at once": len(pitches)})
            last = at
    return worst


def touched(found: Sequence[Strike], plan: Plan) -> set[str]:
    """The rules of `Repetition` that would have kept a note from being written."""
    _, per_quarter = positions_per_beat(plan.time_signature or "4/4")
    repetition = Repetition(plan.programs or (), per_quarter)
    rules, last = set(), {}
    for at, program, pitches in found:
        if repetition.banned_first(program) == pitches[0]:
            rules.add(rule_of(program, last[program]))
        repetition.onset(program, at)
        for count, pitch in enumerate(pitches):
            if count >= (most := repetition.most_at_once(program)):
                rules.add("at once" if most == MOST_NOTES_AT_ONCE else "thick in a row")
            repetition.note(program, pitch)
        last[program] = len(pitches)
    return rules


if __name__ == "__main__":
    sys.exit(ended(main, "judge_repetition.py"))
