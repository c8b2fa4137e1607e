"""How well a model does what is asked: over prompts, over single words, over others' files."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track
from symusic import Score

from textmusic.batch import read_jobs
from textmusic.caption import load_data
from textmusic.errors import TextMusicError
from textmusic.metrics import (
    Expectation,
    Figure,
    collected,
    hits,
    mood_hits,
    plan_hits,
    same_key,
    same_or_relative_key,
)
from textmusic.pipeline import TextToMusic
from textmusic.plan import NO_KEY, Plan
from textmusic.report import Report

SEEN_WORDS = 150  # drawn of those that were trained on; the kept-out ones are all tried


def read_expectations(prompts: Path) -> list[dict[str, Any]]:
    """The lines of a prompts file: a text each, and what is expected of an answer to it.

    Raises TextMusicError, naming the line, for what can't be read.
    """
    return [{**job.record, "text": job.text} for job in read_jobs(prompts)]


@dataclass(frozen=True, slots=True)
class Answer:
    """A MIDI file that answers a prompt. number: of the prompt, from 1. planned: if it is known."""

    file: Path
    number: int
    score: Score
    planned: Plan | None


def read_answers(folder: Path, prompts: int) -> tuple[list[Answer], list[str]]:
    """The answers in a folder, and the names of the files that can't be read as MIDI.

    0001.mid, or any name that begins with a number, answers the first prompt; where `textmusic
    batch` wrote a report beside it, the plan is taken from that. Raises TextMusicError if there is
    no answer, or one to a prompt that is not there.
    """
    answers, broken = [], []
    for midi in sorted(folder.glob("[0-9]*.mid*")):
        number = int(re.match(r"\d+", midi.name)[0])  # type: ignore[index]
        if not 1 <= number <= prompts:
            raise TextMusicError(
                f"'{midi}' answers prompt {number}, but there are {prompts}; give the prompts file"
                " that the folder was written from."
            )
        try:
            score = Score(midi)
            if not score.note_num():
                raise ValueError("no notes")
        except (ValueError, RuntimeError):
            broken.append(midi.name)
            continue
        answers.append(Answer(midi, number, score, _planned(midi.with_suffix(".json"))))
    if not answers:
        raise TextMusicError(
            f"'{folder}' holds no answers; write some: textmusic batch PROMPTS -o {folder}"
        )
    return answers, broken


def _planned(report: Path) -> Plan | None:
    if not report.exists():
        return None
    try:
        return Report.from_dict(json.loads(report.read_text(encoding="utf-8"))).planned
    except (ValueError, KeyError, TypeError):
        raise TextMusicError(f"'{report}' is no report of textmusic; write it anew.") from None


def adherence(expected: Sequence[Expectation], answers: Sequence[Answer]) -> dict[str, Figure]:
    """Figures over all answers; those to one prompt are drawn together for the interval."""
    found = [hits(expected[a.number - 1], a.score, a.planned) for a in track(answers, "judging")]
    return collected(found, [answer.number for answer in answers])


def alone(music: TextToMusic, prompts: Sequence[Expectation], seeds: int) -> dict[str, Figure]:
    """How often the LLM's own plan, nothing forced, is what the prompt says."""
    found, groups = [], []
    for number, expected in enumerate(track(prompts, "reading alone")):
        for seed in range(1, seeds + 1):
            found.append(read_hits(expected, music.plan(expected["text"], forced=False, seed=seed)))
            groups.append(number)
    return collected(found, groups)


def read_hits(expected: Expectation, plan: Plan) -> dict[str, float]:
    """What of an expectation a plan says."""
    found = plan_hits(expected, plan) | mood_hits(expected, plan, "planned")
    if "key" in expected and expected["key"] != NO_KEY:
        has = plan.key is not None and plan.key != NO_KEY
        found["CK"] = has and same_key(expected["key"], str(plan.key))
        found["CKD"] = has and same_or_relative_key(expected["key"], str(plan.key))
    if "genre" in expected:
        found["genre"] = plan.genre == expected["genre"]
    return {name: float(value) for name, value in found.items()}


def words(music: TextToMusic, *, forced: bool, seeds: int) -> dict[str, Figure]:
    """Single words and scenes: planned levels within one of the word's own, and kept-out ones."""
    entries = load_data("words.jsonl")
    kept_out = [entry for entry in entries if entry["held_out"]]
    known = [entry for entry in entries if not entry["held_out"]]
    drawn = random.Random(0).sample(known, min(SEEN_WORDS, len(known))) + kept_out
    found, groups = [], []
    for number, entry in enumerate(track(drawn, "reading words")):
        expected = {"valence": [entry["valence"]], "arousal": [entry["arousal"]]}
        kind = "kept out" if entry["held_out"] else "seen"
        for seed in range(1, seeds + 1):
            plan = music.plan(entry["text"], forced=forced, seed=seed)
            found.append(read_hits(expected, plan))
            found[-1] = {name.replace("planned", kind): v for name, v in found[-1].items()}
            groups.append(number)
    return dict(sorted(collected(found, groups).items()))
