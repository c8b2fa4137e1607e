"""How well a model follows prompts, reads words, predicts real music and sounds, as samples."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from textmusic.engines.protocol import Floats32, Ids
from textmusic.evaluation.answers import Answer
from textmusic.evaluation.bootstrap import Mean, OfSet, collected
from textmusic.evaluation.metrics import (
    Expectation,
    hits,
    mood_hits,
    plan_hits,
    same_key,
    same_or_relative_key,
)
from textmusic.evaluation.timbre import (
    Distance,
    Sound,
    describe,
    frechet_distance,
    mfcc_distance,
    zero_crossing_distance,
)
from textmusic.music.data_files import load_data
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import measure_sketch, sketch_adherence
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan, rounded
from textmusic.music.theory import NO_KEY
from textmusic.sound.render import render
from textmusic.system.progress import tracked
from textmusic.tokens.interleaving import restated
from textmusic.tokens.layout import layout_of
from textmusic.writing.text_to_music import TextToMusic

SEEN_WORDS = 150  # drawn from the trained words; all held-out words are tried


def adherence(
    expected: Sequence[Expectation], answers: Sequence[Answer], unanswered: Sequence[int] = ()
) -> dict[str, Mean]:
    """How much of the prompts and sketches is heard in the answers, 0 to 1, by prompt.

    `metrics.hits`, and `measure_sketch.sketch_adherence` of answers whose sketch is known.
    unanswered: numbers of prompts whose answers are missing or can't be read; those are not valid,
    and count for no other figure.
    """
    found = [
        hits(expected[a.number - 1], a.score, a.planned) | _kept(a)
        for a in tracked(answers, "judging")
    ]
    found += [{"valid": 0.0}] * len(unanswered)
    return collected(found, [*(answer.number for answer in answers), *unanswered])


def _kept(answer: Answer) -> dict[str, float]:
    """How much of its sketch is heard: chords (root and third, by time) and repeated bars."""
    if not answer.sketch.rows or answer.planned is None:
        return {}
    found = sketch_adherence(notes_of(answer.score), answer.planned, answer.sketch)
    shares = {"chords heard as sketched": found.chords, "bars back as sketched": found.form}
    return {name: share for name, share in shares.items() if share is not None}


def alone(music: TextToMusic, prompts: Sequence[Expectation], seeds: int) -> dict[str, Mean]:
    """How often the model's own plan, with nothing forced, matches the prompt; 0 to 1."""
    found, groups = [], []
    for number, expected in enumerate(tracked(prompts, "reading alone", "prompts"), 1):
        for seed in range(1, seeds + 1):
            found.append(read_hits(expected, music.plan(expected["text"], forced=False, seed=seed)))
            groups.append(number)
    return collected(found, groups)


def read_hits(expected: Expectation, plan: Plan) -> dict[str, float]:
    """Which expectations a plan meets."""
    found = plan_hits(expected, plan) | mood_hits(expected, plan, "planned")
    if "key" in expected and expected["key"] != NO_KEY:
        has = plan.key is not None and plan.key != NO_KEY
        found["CK"] = has and same_key(expected["key"], str(plan.key))
        found["CKD"] = has and same_or_relative_key(expected["key"], str(plan.key))
    if "genre" in expected:
        found["genre"] = plan.genre == expected["genre"]
    return {name: float(value) for name, value in found.items()}


def words(music: TextToMusic, *, forced: bool, seeds: int) -> dict[str, Mean]:
    """Single words and scenes: planned levels within one of the word's own, 0 or 1.

    Names: "seen valence", ..., of words in the training captions, and "kept out ...", of others.
    """
    entries = load_data("words.jsonl")
    kept_out = [entry for entry in entries if entry["held_out"]]
    known = [entry for entry in entries if not entry["held_out"]]
    drawn = random.Random(0).sample(known, min(SEEN_WORDS, len(known))) + kept_out
    found, groups = [], []
    for number, entry in enumerate(tracked(drawn, "reading words", "words")):
        expected = {"valence": [entry["valence"]], "arousal": [entry["arousal"]]}
        kind = "kept out" if entry["held_out"] else "seen"
        for seed in range(1, seeds + 1):
            plan = music.plan(entry["text"], forced=forced, seed=seed)
            found.append(read_hits(expected, plan))
            found[-1] = {name.replace("planned", kind): v for name, v in found[-1].items()}
            groups.append(number)
    return dict(sorted(collected(found, groups).items()))


def likelihood(
    music: TextToMusic, prompts: Sequence[Expectation], real: Sequence[Answer]
) -> dict[str, Mean]:
    """How well a model predicts real answers to the prompts: nats per note and per score id.

    -log p of the score ids given caption, plan and sketch (the design's NLL), 0 upwards, lower is
    better. The sketch is measured from the notes. An answer without a plan gets the measured one.
    Answers are left out if the vocabulary lacks their instruments or metres, or if they are longer
    than the model's context.
    """
    nats, notes, ids, groups = [], [], [], []
    for answer in tracked(real, "predicting"):
        plan = rounded(answer.planned or replace(measure(answer.score), begin=True, end=True))
        genre = plan.genre or prompts[answer.number - 1].get("genre", "other")
        plan = replace(plan, genre=genre)
        try:
            score = music.tokenizer.encode_score(answer.score, plan)
            heard = measure_sketch(
                notes_of(answer.score), plan.time_signature or "4/4", plan.bars or 1, plan.key
            )
            rows = music.tokenizer.encode_sketch(heard, plan.key)
            sequence, first = music.tokenizer.sequence(
                prompts[answer.number - 1]["text"], plan, rows, score
            )
        except KeyError:
            continue
        if len(sequence) > music.engine.context:
            continue
        logits = music.engine.logits(np.array(sequence, dtype=np.int64))[first - 1 : -1]
        written = np.array(sequence[first:]) - music.tokenizer.offset
        told = restated(written, layout_of(music.tokenizer.vocabulary))  # it is not predicted
        nats.append(surprises(logits[~told], written[~told]))
        notes.append(float(answer.score.note_num()))
        ids.append(float(len(score)))
        groups.append(answer.number)
    return {
        "nats per note": Mean(nats, groups, notes),
        "nats per score id": Mean(nats, groups, ids),
    }


def surprises(logits: Floats32, ids: Ids) -> float:
    """Sum of -log p, nats, of music ids (N,) under the logits (N, M) that stand before them."""
    chosen = logits.astype(np.float64)
    top = chosen.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(chosen - top).sum(axis=1)) + top[:, 0]
    return float((log_sum - chosen[np.arange(len(ids)), ids]).sum())


def sounds(answers: Sequence[Answer], soundfont: Path | None = None) -> dict[int, list[Sound]]:
    """How answers sound when they are played, by prompt number. Needs the `audio` extra."""
    found: dict[int, list[Sound]] = {}
    for answer in tracked(answers, "listening"):
        audio = render(answer.score, soundfont=soundfont, dry=True)
        found.setdefault(answer.number, []).append(describe(audio))
    return found


def beside_sounds(ours: Mapping[int, Sequence[Sound]], real: Sequence[Sound]) -> dict[str, OfSet]:
    """Distances of how written pieces sound from how real ones do: see `timbre`."""
    return {
        name: OfSet(ours, partial(_apart, distance, real))
        for name, distance in SOUND_DISTANCES.items()
    }


def _apart(distance: Distance, real: Sequence[Sound], drawn: Sequence[Sound]) -> float | None:
    return distance(drawn, real)


SOUND_DISTANCES: Mapping[str, Distance] = {
    "MFCC distance, dB": mfcc_distance,
    "zero-crossing distance": zero_crossing_distance,
    "Fréchet distance of MFCC statistics, dB²": frechet_distance,
}
