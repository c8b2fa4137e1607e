"""Write prompts from held-out pieces: python training/describe.py data/ -o held-out.jsonl

Each line is a caption of one piece of the test split (or of the validation split, to choose
settings by), as a person might type it, and what may fairly be expected of an answer: the facts
that the caption mentions, and no others. A caption that names no length gets one: 8 bars, or
fewer if the piece has fewer, so that a set of answers is quickly written.

--pieces real/ writes the pieces themselves too, as answers (0001.mid, 0001.json, ...), as long as
the captions say: the reference that `textmusic evaluate --real real/` takes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from textmusic.caption import Captioner, Phrases, load_data
from textmusic.distributions import BARS, opening
from textmusic.generation import account, finish
from textmusic.learning.corpus import Window
from textmusic.learning.dataset import read_windows, with_genre
from textmusic.material import to_score
from textmusic.measure import notes_of
from textmusic.plan import DRUMS, Plan
from textmusic.prompt import Prompt
from textmusic.tokenizer import Tokenizer

LONGEST_BARS = 16


def expectation(said: Phrases, plan: Plan) -> dict[str, Any]:
    """What a caption that says so much of a plan lets one expect (see textmusic.metrics)."""
    expected: dict[str, Any] = {}
    if said.key:
        expected["key"] = plan.key
    if said.tempo:
        words = {entry["word"]: entry for entry in load_data("tempo.json")}
        word = words.get(said.tempo)
        bpm = round(plan.tempo or 0)
        expected["tempo_bpm"] = [word["low"], word["high"]] if word else [bpm, bpm]
    if said.metre:
        expected["time_signature"] = plan.time_signature
    if said.instruments:
        melodic = [p for p in plan.programs or () if p != DRUMS]
        expected["programs"] = [_like(program, said.instruments) for program in melodic]
        expected["drums"] = DRUMS in (plan.programs or ())
    if said.bars:
        expected["bars"] = plan.bars
    if said.genre:
        expected["genre"] = plan.genre
    for entry in load_data("words.jsonl"):
        if entry["text"] == (said.mood or said.scene):
            expected |= {"valence": [entry["valence"]], "arousal": [entry["arousal"]]}
    return expected


def _like(program: int, said: str) -> list[int]:
    """The program, and those that share with it the name that was said."""
    instruments = load_data("instruments.json")["program"]
    names = [name for name in instruments[str(program)]["say"] if name in said]
    return sorted(
        {program}
        | {int(other) for other, entry in instruments.items() if set(names) & set(entry["say"])}
    )


def save_piece(text: str, window: Window, plan: Plan, tokenizer: Tokenizer, file: Path) -> None:
    """The piece as an answer to its caption: as much of it as plan.bars says."""
    notes = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
    whole = plan.bars == window.plan.bars
    if not whole:
        notes, _ = opening((notes, plan))
    assert plan.time_signature is not None and plan.tempo is not None
    score = finish(to_score(notes, plan.time_signature, plan.tempo), plan)
    plan = replace(plan, end=plan.end and whole)
    prompt = Prompt(text, Plan(), None, text, ())
    piece = account(prompt, plan, score, 0, window.piece, ids=len(window.ids), nats=0.0)
    piece.save(file.parent, formats=("mid", "json"), stem=file.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that training/prepare.py wrote")
    parser.add_argument("-o", "--output", type=Path, default=Path("held-out.jsonl"))
    parser.add_argument("--split", choices=("valid", "test"), default="test")
    parser.add_argument("--pieces", type=Path, help="folder for the pieces themselves")
    parser.add_argument("-n", type=int, default=500, help="how many prompts")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    windows = read_windows(args.data / f"{args.split}.parquet")
    rng.shuffle(windows)
    met: Counter[str] = Counter()
    ranked = []
    for window in windows:
        if (window.plan.bars or 0) <= LONGEST_BARS:
            ranked.append((met[window.group], len(ranked), window))
            met[window.group] += 1
    captioner, tokenizer, lines = Captioner(), Tokenizer(args.data / "tokenizer"), []
    for _, _, window in sorted(ranked, key=lambda row: row[:2])[: args.n]:  # a tune once, if we can
        plan = with_genre(window, rng)
        text, said = captioner.describe(plan, rng)
        expected = expectation(said, plan)
        if not said.bars:
            plan = replace(plan, bars=min(plan.bars or BARS, BARS))
            text = f"{text.rstrip('. ')}, {plan.bars} bars" if text else f"{plan.bars} bars"
            expected["bars"] = plan.bars
        if args.pieces:
            save_piece(text, window, plan, tokenizer, args.pieces / f"{len(lines) + 1:04}")
        lines.append(json.dumps({"text": text, "source": window.source, **expected}))
    args.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} prompts in {args.output}")


if __name__ == "__main__":
    main()
