"""How fast a model writes on this machine, and how much memory it takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from textmusic.music.plan import Plan
from textmusic.system.machine import peak_memory
from textmusic.writing.writers import load_writer

TimedPrompt = tuple[str, Plan | None, int]  # text, facts that are fixed, seed


@dataclass(frozen=True, slots=True)
class Pace:
    """One piece at a time, all cores. All figures above 0.

    load: seconds until the model is ready, without imports. notes, ids, music: notes, ids and
    seconds of music written per second (ids: 0 for models without ids). memory: peak of the whole
    process in megabytes; 0 if unknown.
    """

    load: float
    notes: float
    ids: float
    music: float
    memory: float


def measure_pace(model: str, pieces: Sequence[TimedPrompt]) -> Pace:
    """Write pieces in a new process, the first of them once more beforehand to warm up."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measured, model, pieces).result()


def _measured(model: str, pieces: Sequence[TimedPrompt]) -> Pace:
    load_writer(model)  # so that imports do not count as loading
    began = time.perf_counter()
    writer = load_writer(model)
    load = time.perf_counter() - began
    prompts = [
        (writer.understand(text, controls=facts or Plan(), seconds=None), seed)
        for text, facts, seed in pieces
    ]
    list(writer.complete(prompts[:1], slots=1))
    began = time.perf_counter()
    # one call per piece, so that no two are written side by side
    written = [piece for prompt in prompts for _, piece in writer.complete([prompt], slots=1)]
    took = time.perf_counter() - began
    return Pace(
        load,
        sum(piece.report.notes for piece in written) / took,
        sum(piece.ids for piece in written) / took,
        sum(piece.report.measured_seconds for piece in written) / took,
        peak_memory(),
    )
