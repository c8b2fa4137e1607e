"""Choose how freely to sample: python training/sweep.py prompts.jsonl --data data/

Writes answers to the prompts of the validation split (training/describe.py --split valid) with one
setting changed at a time, and shows for each: keys right (music21), chords and returning bars heard
as they were sketched, notes outside the scale, pieces that end on the tonic, the overlap of their
features with real pieces of that split, and what a listener notices of harmony and form
(`textmusic.music.structure`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.evaluation.answers import read_answers, read_expectations
from textmusic.evaluation.bootstrap import figure
from textmusic.evaluation.distributions import beside, ceiling
from textmusic.evaluation.figures import adherence
from textmusic.evaluation.reference import real_pieces
from textmusic.music import structure
from textmusic.system.progress import tracked
from textmusic.system.scripts import ended
from textmusic.system.whole_files import write_text
from textmusic.tokens.sampling import Sampling
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.batch import Settings, run
from textmusic.writing.jobs import read_jobs
from textmusic.writing.loading import locate

DEFAULT = Sampling()
AS_NOTES = {"sketch_temperature": DEFAULT.temperature, "sketch_top_p": DEFAULT.top_p}
AS_PITCHES = {"rhythm_temperature": DEFAULT.temperature, "rhythm_top_p": DEFAULT.top_p}
GRID = {
    "default": DEFAULT,
    "temperature 0.9": replace(DEFAULT, temperature=0.9),
    "temperature 1": replace(DEFAULT, temperature=1.0),
    "top-p 0.98": replace(DEFAULT, top_p=0.98),
    "top-p 1": replace(DEFAULT, top_p=1.0),
    "rhythm as freely as pitches": replace(DEFAULT, **AS_PITCHES),
    "sketch as freely as the notes": replace(DEFAULT, **AS_NOTES),
    "sketch by top-p 1": replace(DEFAULT, sketch_temperature=1.0, sketch_top_p=1.0),
    "harmony 0.7": replace(DEFAULT, harmony_strength=0.7),
    "harmony 1": replace(DEFAULT, harmony_strength=1.0),
    "form 0.5": replace(DEFAULT, form_strength=0.5),
    "form 0.7": replace(DEFAULT, form_strength=0.7),
    "melody 0": replace(DEFAULT, melody_strength=0.0),
    "melody 1": replace(DEFAULT, melody_strength=1.0),
}
HITS = ("CK", "CKD", "chords heard as sketched", "bars back as sketched")
SHOWN = ("overlap, mean", "notes outside the scale", "ends on the tonic", *structure.FIGURES)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prompts", type=Path, help="Prompts of the validation split.")
    parser.add_argument("--data", type=Path, default=Path("data"), help="Folder of prepared data.")
    parser.add_argument("--model", help="Model folder or Hub id; default: the bundled model.")
    parser.add_argument(
        "--seed", type=int, default=5000, help="Seed of the first prompt; increases by one."
    )
    parser.add_argument(
        "--cells", type=int, default=len(GRID), help="Number of settings to try, from the first."
    )
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("sweep.md"), help="File for the table."
    )
    args = parser.parse_args()
    expected = read_expectations(args.prompts)
    jobs = read_jobs(args.prompts, seed=args.seed, text_only=True)
    real = real_pieces(args.data / "valid.parquet", Tokenizer(locate(args.model, None)[0]))
    rows = []
    for name, sampling in tracked(list(GRID.items())[: args.cells], "settings"):
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(Path(folder), ("mid", "json"), args.model, sampling=sampling)
            for outcome in run(jobs, settings):
                if outcome.problem:
                    raise TextMusicError(
                        f"prompt {outcome.number} failed ({outcome.problem.rstrip('.')}); leave it"
                        f" out of '{args.prompts}'."
                    )
            answers, _ = read_answers(Path(folder), expected)
        pieces, numbers = [a.piece for a in answers], [a.number for a in answers]
        found = adherence(expected, answers) | beside(pieces, real, numbers)
        cells = [f"{figure(found[k]).value:.1%}" if k in found else "" for k in HITS]
        cells += [f"{figure(found[row]).value:.3f}" for row in SHOWN]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    alike = [f"{figure(ceiling(real)[row]).value:.3f}" for row in SHOWN]
    head = f"| setting | {' | '.join(HITS + SHOWN)} |"
    last = f"| real pieces | {' | ' * len(HITS)}{' | '.join(alike)} |"
    table = "\n".join([head, "|---" * (1 + len(HITS + SHOWN)) + "|", *rows, last])
    print(table)  # first, since it took hours
    write_text(args.output, table + "\n")


if __name__ == "__main__":
    sys.exit(ended(main, "sweep.py"))
