"""Prompts made from held-out pieces: captions, what may be expected, and the pieces themselves.

The reference that models are measured by: see `textmusic.evaluation.comparison`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from textmusic.corpus.captions import Captioner, Phrases
from textmusic.corpus.windows import Window, with_genre
from textmusic.evaluation.distributions import opening
from textmusic.language.prompt import Prompt
from textmusic.music.data_files import load_data
from textmusic.music.notes import notes_of, to_score
from textmusic.music.plan import Plan
from textmusic.music.structure import LOOKED_AT
from textmusic.music.theory import DRUMS
from textmusic.result.account import account
from textmusic.result.generation import finish
from textmusic.system.whole_files import write_text
from textmusic.tokens.tokenizer import Tokenizer

ASKED_BARS = LOOKED_AT  # bars of a piece that are asked for at most: its beginning


def describe(
    windows: Sequence[Window],
    tokenizer: Tokenizer,
    prompts: Path,
    *,
    pieces: Path | None = None,
    n: int = 500,
    seed: int = 0,
) -> int:
    """Write up to n prompts and return how many; a tune is used twice only if tunes are too few.

    A prompt asks for at most 16 bars, enough to show a form; a caption that names no length gets
    one. Pieces with 16 bars or more come first. pieces: a folder for the pieces themselves, as
    answers (0001.mid, 0001.json, ...), as long as the captions say.
    """
    rng = random.Random(seed)
    windows = list(windows)
    rng.shuffle(windows)
    captioner = Captioner()
    lines: list[str] = []
    for window in _ranked(windows)[:n]:
        plan = with_genre(window, rng)
        plan = replace(plan, bars=min(plan.bars or ASKED_BARS, ASKED_BARS))
        text, said = captioner.describe(plan, rng)
        expected = expectation(said, plan)
        if not said.bars:
            text = f"{text.rstrip('. ')}, {plan.bars} bars" if text else f"{plan.bars} bars"
            expected["bars"] = plan.bars
        if pieces:
            _save_piece(text, window, plan, tokenizer, pieces / f"{len(lines) + 1:04}")
        lines.append(json.dumps({"text": text, "source": window.source, **expected}))
    write_text(prompts, "\n".join(lines) + "\n")
    return len(lines)


def _ranked(windows: Sequence[Window]) -> list[Window]:
    """Long windows before short ones; in each group, the first of every tune before the second."""
    met: Counter[tuple[bool, str]] = Counter()
    ranked: list[tuple[bool, int, int, Window]] = []
    for window in windows:
        short = (window.plan.bars or 0) < ASKED_BARS
        ranked.append((short, met[short, window.group], len(ranked), window))
        met[short, window.group] += 1
    return [row[3] for row in sorted(ranked, key=lambda row: row[:3])]


def expectation(said: Phrases, plan: Plan) -> dict[str, Any]:
    """What can be expected of an answer to such a caption (see `evaluation.metrics`)."""
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
    """The program, and the others that have the mentioned name too."""
    instruments = load_data("instruments.json")["program"]
    names = [name for name in instruments[str(program)]["say"] if name in said]
    return sorted(
        {program}
        | {int(other) for other, entry in instruments.items() if set(names) & set(entry["say"])}
    )


def _save_piece(text: str, window: Window, plan: Plan, tokenizer: Tokenizer, file: Path) -> None:
    """Save the piece's first plan.bars bars as an answer to its caption."""
    notes = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
    whole = plan.bars == window.plan.bars
    if not whole:
        notes, _ = opening((notes, plan), LOOKED_AT)
    assert plan.time_signature is not None and plan.tempo is not None
    score = finish(to_score(notes, plan.time_signature, plan.tempo), plan)
    plan = replace(plan, end=plan.end and whole)
    prompt = Prompt(text, Plan(), None, text, ())
    piece = account(prompt, plan, score, 0, window.piece, ids=len(window.ids), nats=0.0)
    piece.save(file.parent, formats=("mid", "json"), stem=file.name)
