"""Judge the form estimator: python training/judge_form.py corpora/

corpora/ holds a folder for each corpus, with midi.zip and metadata.jsonl; pop909/sections.jsonl in
it holds people's section labels ({"id", "sections": [[first bar, letter, bars], ...]}). Only songs
in one metre count. Odd songs (tune) are for choosing settings, even ones (told) for reporting.

Printed, each beside chance, which is the same with the letters shuffled among the segments (of
equal lengths, for phrases):
- sections: how often bars that share a letter in one labelling share one in the other, as
  mir_eval's pairwise precision, recall and F1 (Levy & Sandler 2008), the mean over songs;
- phrases: pairs of a song's phrases of equal lengths. Same: one letter. Found: at least half of
  the later one's bars are like (or vary) the bar at the same place of the earlier one. Precision,
  recall and F1 over all pairs, and how well the mean of `alike` ranks them (area under the curve);
- labels: the shares of new, like and vary bars in every corpus.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import mir_eval
import numpy as np
from symusic import Score

from textmusic.music.form import alike, form_of, letters
from textmusic.music.notes import Notes, notes_of
from textmusic.music.sketch import Row
from textmusic.music.theory import TIME_SIGNATURES, quarters_per_bar
from textmusic.system.scripts import ended

Section = tuple[int, str, int]  # first bar, letter, bars
LETTERLESS = "xX"  # what stands between: two of them need not be the same material
WINDOW = 64  # bars


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path, help="Folder of the corpora.")
    parser.add_argument(
        "-n", type=int, default=300, help="Pieces of each corpus for the shares; 0 for none."
    )
    parser.add_argument(
        "--half",
        choices=("tune", "told", "both"),
        default="both",
        help="Songs to judge: tune, on which settings are chosen; told, the others; or both.",
    )
    parser.add_argument(
        "--show",
        nargs="*",
        default=(),
        help="Print the rows of these pieces (corpus/id), and nothing else.",
    )
    args = parser.parse_args()
    if args.show:
        for name in args.show:
            show(args.corpora, *name.split("/"))
        return
    songs = list(labelled(args.corpora / "pop909"))
    for half in ("tune", "told"):
        if args.half in (half, "both"):
            chosen = songs[::2] if half == "tune" else songs[1::2]
            print(f"POP909, {len(chosen)} songs ({half})")
            judge(chosen)
    if args.n:
        shares(args.corpora, args.n)


def pieces(corpus: Path) -> Iterator[tuple[dict[str, Any], Notes]]:
    """Metadata and notes of the pieces in a known metre that does not change."""
    with ZipFile(corpus / "midi.zip") as archive:
        for line in (corpus / "metadata.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["time_signature"] in TIME_SIGNATURES:
                score = Score.from_midi(archive.read(row["id"] + ".mid"))
                if len(score.time_signatures) <= 1:
                    yield row, notes_of(score)


def labelled(corpus: Path) -> Iterator[tuple[str, Notes, str, list[Section]]]:
    """Id, notes, metre and sections of the songs that people have labelled."""
    text = (corpus / "sections.jsonl").read_text(encoding="utf-8")
    sections = {row["id"]: row["sections"] for row in map(json.loads, text.splitlines())}
    for row, notes in pieces(corpus):
        if row["id"] in sections:
            found = [(at, letter, bars) for at, letter, bars in sections[row["id"]]]
            yield row["id"], notes, row["time_signature"], found


def judge(songs: Sequence[tuple[str, Notes, str, list[Section]]]) -> None:
    """Print how sections and phrases are found, and chance."""
    rng = np.random.default_rng(0)
    scores: dict[str, list[tuple[float, ...]]] = {"found": [], "chance": []}
    pairs: list[tuple[bool, bool, float, float, float]] = []
    counts: list[tuple[int, int]] = []
    for _, notes, metre, sections in songs:
        bars = max(at + length for at, _, length in sections)
        rows = [Row(*pair) for pair in form_of(notes, metre, bars)]
        ours = letters(rows)
        spans = list(zip(ours, [at for at, _ in ours[1:]] + [bars], strict=True))
        named = [(at, letter, end - at) for (at, letter), end in spans]
        shuffled = rng.permutation([letter for _, letter, _ in named])
        lotted = [(at, str(s), n) for (at, _, n), s in zip(named, shuffled, strict=True)]
        scores["found"].append(pairwise(sections, named, bars))
        scores["chance"].append(pairwise(sections, lotted, bars))
        counts.append((len(named), len(sections)))
        pairs += phrase_pairs(sections, rows, alike(notes, metre, bars), rng)
    for name, figures in scores.items():
        print(f"  sections, {name:6} " + prf(*np.mean(figures, axis=0)))
    ours_n, theirs_n = np.mean(counts, axis=0)
    print(f"  sections a song: ours {ours_n:.1f}, people's {theirs_n:.1f}")
    same, lot, like, any_, mean = (np.array(column) for column in zip(*pairs, strict=True))
    for name, share in (("like", like), ("like or vary", any_)):
        print(f"  phrases, {name:12} " + prf(*linked(same, share >= 0.5))
              + "   chance " + prf(*linked(lot, share >= 0.5)))  # fmt: skip
    print(f"  phrases, alike: area under the curve {area(same, mean):.3f} of {len(same)} pairs")


def pairwise(theirs: Sequence[Section], ours: Sequence[Section], bars: int) -> tuple[float, ...]:
    """Precision, recall and F1 of pairs of bars; bars that people left out are not asked."""
    truth, told = np.full(bars, "", dtype=object), np.full(bars, "", dtype=object)
    for at, letter, length in theirs:
        truth[at : at + length] = letter + (str(at) if letter in LETTERLESS else "")
    for at, letter, length in ours:
        told[at : at + length] = letter
    asked = truth != ""
    edges = np.arange(asked.sum() + 1.0)
    frames = np.stack([edges[:-1], edges[1:]], axis=1)
    return tuple(mir_eval.segment.pairwise(
        frames, list(truth[asked]), frames, list(told[asked]), frame_size=1.0
    ))  # fmt: skip


def phrase_pairs(
    sections: Sequence[Section],
    rows: Sequence[Row],
    likeness: np.ndarray[Any, Any],
    rng: np.random.Generator,
) -> Iterator[tuple[bool, bool, float, float, float]]:
    """For each pair: same letter, same lotted letter, shares linked by like and by any, alike."""
    roots = [_roots(rows, varied) for varied in (False, True)]
    lots: dict[tuple[int, int], str] = {}
    for length in {n for _, _, n in sections}:
        of_length = [(at, letter) for at, letter, n in sections if n == length]
        drawn = rng.permutation([letter for _, letter in of_length])
        lots |= {(at, length): str(s) for (at, _), s in zip(of_length, drawn, strict=True)}
    for (one, a, length), (two, b, other) in combinations(sections, 2):
        if length != other or length < 4 or {a, b} & set(LETTERLESS + "io"):
            continue
        if a != b and a.lower() == b.lower():  # B sung, b played: neither same nor different
            continue
        first, second = np.arange(one, one + length), np.arange(two, two + length)
        like, any_ = (float(np.mean(root[first] == root[second])) for root in roots)
        mean = float(likeness[first, second].mean())
        yield a == b, lots[one, length] == lots[two, length], like, any_, mean


def _roots(rows: Sequence[Row], varied: bool) -> np.ndarray[Any, Any]:
    """(bars,) the first bar of the chain that each stands in."""
    roots: list[int] = []
    for bar, row in enumerate(rows):
        source = row.vary if varied and row.like is None else row.like
        roots.append(bar if source is None else roots[source])
    return np.array(roots)


def linked(same: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    hits = float((same & found).sum())
    precision, recall = hits / max(found.sum(), 1), hits / max(same.sum(), 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def area(same: np.ndarray[Any, Any], score: np.ndarray[Any, Any]) -> float:
    """The share of (same, different) pairs in which the same one has the higher score."""
    values = np.unique(score, return_inverse=True)[1]
    high = np.bincount(values, weights=same)
    low = np.bincount(values, weights=~same)
    below = np.cumsum(low) - low
    return float((high * (below + low / 2)).sum() / (high.sum() * low.sum()))


def prf(precision: float, recall: float, f1: float) -> str:
    return f"precision {precision:.3f} recall {recall:.3f} F1 {f1:.3f}"


def shares(corpora: Path, n: int) -> None:
    """Print shares of new, like and vary bars, and the time that a window takes."""
    print("\nshares of bars         new  like  vary  | vary of it going on | bars | ms a window")
    for folder in sorted(path for path in corpora.iterdir() if (path / "midi.zip").is_file()):
        every = max(1, len((folder / "metadata.jsonl").read_text("utf-8").splitlines()) // n)
        kinds: Counter[str] = Counter()
        spent, windows = 0.0, 0
        for number, (row, notes) in enumerate(pieces(folder)):
            if number % every or not len(notes):
                continue
            length = quarters_per_bar(row["time_signature"])
            bars = min(WINDOW, int(np.ceil(notes.end.max() / length - 1e-6)))
            begun = time.perf_counter()
            rows = form_of(notes, row["time_signature"], bars)
            spent, windows = spent + time.perf_counter() - begun, windows + 1
            for bar, (like, vary) in enumerate(rows):
                kinds["new" if like is None and vary is None else
                      "like" if vary is None else "vary"] += 1  # fmt: skip
                kinds["on"] += vary is not None and bar > 0 and (vary - 1) in rows[bar - 1]
        total = max(kinds["new"] + kinds["like"] + kinds["vary"], 1)
        print(f"{folder.name:22}" + "".join(f"{kinds[k] / total:6.2f}"
              for k in ("new", "like", "vary"))
              + f" {kinds['on'] / max(kinds['vary'], 1):6.2f} {total:6d} "
              + f"{1e3 * spent / max(windows, 1):6.2f}")  # fmt: skip


def show(corpora: Path, corpus: str, piece: str) -> None:
    """Print a piece's rows: . new, =j like j, ~j vary j; and its sections."""
    for row, notes in pieces(corpora / corpus):
        if row["id"] == piece:
            bars = min(WINDOW, row["bars"])
            rows = [Row(*pair) for pair in form_of(notes, row["time_signature"], bars)]
            print(f"{corpus}/{piece}: {row['title']}, {row['time_signature']}, {bars} bars")
            told = [f"={r.like}" if r.like is not None else
                    f"~{r.vary}" if r.vary is not None else "." for r in rows]  # fmt: skip
            for at in range(0, bars, 8):
                print(f"{at:5d} " + " ".join(f"{text:>4}" for text in told[at : at + 8]))
            print("      " + " ".join(f"{letter}@{at}" for at, letter in letters(rows)))


if __name__ == "__main__":
    sys.exit(ended(main, "judge_form.py"))
