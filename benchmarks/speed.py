"""How fast this machine writes and plays music, and its limits: one function per figure.

A figure that depends on what else a process holds is measured in a process of its own (`alone`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from synthesizers import timgm6mb

from textmusic.engines.folder import read_config
from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.music.theory import quarters_per_bar
from textmusic.system.machine import peak_memory
from textmusic.system.streams import Stream, result_of
from textmusic.writing.text_to_music import TextToMusic


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure that was measured several times: its median, lowest and highest value."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, as often as `seconds` are long; memory in MB at the process's peak.

    ids, notes, music (seconds of it) and tokens (the same notes in MidiTok's plain REMI, which
    names the instrument before every note) are those of one time.
    """

    seconds: tuple[float, ...]
    ids: int
    notes: int
    music: float
    tokens: int
    memory: float


def spread(values: Sequence[float]) -> Spread:
    """The median of some values, with the lowest and the highest."""
    return Spread(median(values), min(values), max(values))


def rates(amount: float, seconds: Sequence[float]) -> Spread:
    """So much of something in so many seconds, measured several times: a second."""
    return spread([amount / s for s in seconds])


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds that some work takes, each time."""
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return took


def alone(measure: Callable[..., Any], *given: object) -> Any:
    """A function's result, computed in a new process, so that its memory is free afterwards."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, *given).result()


# The machine --------------------------------------------------------------------------------------


def processor_seconds() -> tuple[float, float]:
    """Seconds that the processors have worked: in all, and for this process and its children.

    Children count once they have ended; (0, 0) where the system does not tell.
    """
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0, 0.0
    user, nice, system, _idle, _wait, irq, soft = map(int, stat.read_text().split()[1:8])
    whole = (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
    return whole, sum(os.times()[:4])


def read_bandwidth(megabytes: float, threads: int, repeats: int) -> list[float]:
    """Gigabytes a second at which all threads together read so many megabytes, each time."""
    size = max(1, int(megabytes * 1e6 / 4 / threads))
    parts = [np.ones(size, dtype=np.float32) for _ in range(threads)]
    times = max(1, round(500 / megabytes))  # small sizes over and over: a clock has its limits

    def read(part: Any) -> None:
        for _ in range(times):
            part.max()  # no arithmetic to speak of; numpy lets go of the interpreter

    with ThreadPoolExecutor(threads) as pool:
        took = timed(lambda: list(pool.map(read, parts)), repeats + 1)[1:]
    return [size * 4 * threads * times / s / 1e9 for s in took]


def bytes_per_id(folder: Path, length: float) -> tuple[float, float]:
    """Bytes of weights and of cache that are read for an id with `length` ids in its context."""
    config = read_config(folder)
    tables = config["llm"]["max_position_embeddings"] * config["head_width"] * 4
    weights = (folder / "model.onnx.data").stat().st_size - tables  # one row of which is read
    row = 2 * config["layers"] * config["kv_heads"] * config["head_width"] * 4
    return float(weights), row * length


# Writing ------------------------------------------------------------------------------------------


def writing(model: str | None, text: str, bars: int, seed: int, repeats: int) -> Written:
    """Write a piece some times with all cores, after a bar to warm up."""
    music = TextToMusic.from_pretrained(model)
    music.generate(text, controls=Plan(bars=1), seed=seed)
    pieces = []
    took = timed(
        lambda: pieces.append(music.generate(text, controls=Plan(bars=bars), seed=seed)), repeats
    )
    piece = pieces[0]
    notes = piece.report.notes
    onsets = {note.time for track in piece.score.tracks for note in track.notes}
    return Written(
        tuple(took), piece.ids, notes, piece.report.measured_seconds,
        4 * notes + len(onsets) + 2 * bars, peak_memory(),
    )  # fmt: skip


def together(
    model: str | None, text: str, bars: int, slots: int, repeats: int
) -> tuple[Spread, float]:
    """Ids a second when four times so many pieces as slots are written, side by side; memory in MB.

    So the slots are seldom empty, but for the end.
    """
    music = TextToMusic.from_pretrained(model)
    prompt = music.understand(text, controls=Plan(bars=bars))

    def write() -> int:
        prompts = [(prompt, seed) for seed in range(4 * slots)]
        return sum(piece.ids for _, piece in music.complete(prompts, slots=slots))

    ids = write()
    return rates(ids, timed(write, repeats)), peak_memory()


def shares(model: str | None, text: str, bars: int, seed: int) -> dict[str, float]:
    """Microseconds per id spent in the engine and in everything else."""
    music = TextToMusic.from_pretrained(model)
    music.generate(text, controls=Plan(bars=1), seed=seed)
    engine, spent = music.engine, [0.0]

    class Watched:
        """An engine that measures the time of its calls."""

        def __getattr__(self, name: str) -> Any:
            inside = getattr(engine, name)
            if name not in ("prefill", "step"):
                return inside

            def watched(*given: Any) -> Any:
                began = time.perf_counter()
                try:
                    return inside(*given)
                finally:
                    spent[0] += time.perf_counter() - began

            return watched

    music.engine = Watched()
    began = time.perf_counter()
    piece = music.generate(text, controls=Plan(bars=bars), seed=seed)
    whole = time.perf_counter() - began
    each = 1e6 / piece.ids
    return {"engine": spent[0] * each, "grammar, sampling, report": (whole - spent[0]) * each}


def step_costs(model: str | None, lengths: Sequence[int], repeats: int) -> dict[int, Spread]:
    """Milliseconds per step at each length of the context: medians over ten steps."""
    engine = TextToMusic.from_pretrained(model).engine
    costs = {}
    for length in lengths:
        rows = []
        for _ in range(repeats):
            engine.prefill(range(1), np.zeros(length, dtype=np.int64))
            rows.append(median(timed(lambda: engine.step(np.zeros(1, dtype=np.int64)), 10)) * 1e3)
        costs[length] = spread(rows)
    return costs


def whole_piece(costs: Mapping[int, float], notes: int) -> float:
    """Seconds that a piece takes, from the times per note at some numbers of notes.

    Times are interpolated linearly between them, and constant beyond the last.
    """
    at = sorted(costs)
    return float(np.interp(np.arange(notes), at, [costs[n] for n in at]).sum())


# Beginning ----------------------------------------------------------------------------------------


def first_bar(
    model: str | None, text: str, bars: int, seed: int, repeats: int
) -> tuple[Spread, Spread]:
    """Seconds from the prompt to the first bar, and until that can be heard; the model is ready."""
    music = TextToMusic.from_pretrained(model)
    written, heard = [], []
    for _ in range(repeats + 1):  # the first reads the soundfont
        began = time.perf_counter()
        stream = music.stream(text, controls=Plan(bars=bars), seed=seed)
        next(stream)
        written.append(time.perf_counter() - began)
        piece = result_of(stream)
        assert piece.plan.time_signature is not None
        ticks = round(quarters_per_bar(piece.plan.time_signature) * piece.score.tpq)
        bar = piece.score.clip(0, ticks)
        heard.append(written[-1] + timed(lambda bar=bar: play(bar), 1)[0])  # type: ignore[misc]
    return spread(written[1:]), spread(heard[1:])


def command(arguments: Sequence[str], model: Path | None, repeats: int) -> dict[str, Spread]:
    """Seconds until `textmusic ARGUMENTS` has its first MIDI file on disk (if any), and its end.

    The model's files are put out of the system's cache first, where the system lets us.
    """
    first: list[float] = []
    end: list[float] = []
    for _ in range(repeats):
        if model is not None:
            _forget_files(model)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "textmusic", *(a.format(out=folder) for a in arguments)],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            while process.poll() is None:
                if len(first) == len(end) and any(Path(folder).glob("[!.]*.mid")):
                    first.append(time.perf_counter() - began)
                time.sleep(0.002)
            end.append(time.perf_counter() - began)
            if process.returncode:
                assert process.stderr is not None
                said = process.stderr.read().decode(errors="replace").strip()
                raise TextMusicError(
                    f"textmusic {arguments[0]} failed ({said.rstrip('.')}); run it by itself first."
                )
            if len(first) < len(end):  # written in the last two milliseconds, or none at all
                first.append(end[-1])
    return {"first MIDI": spread(first), "end": spread(end)}


def _forget_files(folder: Path) -> None:
    if hasattr(os, "posix_fadvise"):
        for path in filter(Path.is_file, folder.iterdir()):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# Visiting -----------------------------------------------------------------------------------------


def visits(model: str | None, text: str, bars: int, visitors: int, rounds: int) -> dict[str, Any]:
    """So many people who ask the page's service for a piece at the same time, some times over.

    Seconds until a visitor's first bar can be heard (`first`), and until the piece and all its
    files are there (`end`), of those who got one; how many did not; memory in MB at the peak.
    """
    from textmusic.language.controls import Controls
    from textmusic.page.service import Service, Visitor, Wish

    def visit(number: int) -> tuple[float, float] | None:
        began = time.perf_counter()
        wish = Wish(text, Controls(bars=bars), seed=number)
        making = Stream(service.generate(wish, Visitor(f"visitor {number}")))
        try:
            heard = [time.perf_counter() - began for _ in making]  # each bar, when it can be
            service.keep(making.result[0], text)
        except TextMusicError:
            return None
        return heard[0], time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(visitors) as pool:
        service = Service({"default": TextToMusic.from_pretrained(model)}, Path(folder))
        visit(0)  # it reads the soundfont
        seen = [one for _ in range(rounds) for one in pool.map(visit, range(visitors))]
    served = [one for one in seen if one is not None]
    return {
        "first": [first for first, _ in served],
        "end": [end for _, end in served],
        "failed": len(seen) - len(served),
        "memory": peak_memory(),
    }


# Playing ------------------------------------------------------------------------------------------


def play(score: Any) -> Any:
    """Render as the product does, with a soundfont that all ways can read."""
    from textmusic.sound.render import render

    return render(score, soundfont=timgm6mb())


def players() -> dict[str, Callable[[Any], Any] | str]:
    """Ways to render a score; or why one is not here."""
    from symusic import Synthesizer

    from textmusic.sound.render import SAMPLE_RATE

    synthesizer = Synthesizer(str(timgm6mb()), SAMPLE_RATE)
    ways: dict[str, Callable[[Any], Any] | str] = {
        "textmusic": play,
        "symusic (no velocities, no releases)": synthesizer.render,
    }
    try:
        import fluidsynth  # noqa: F401  # finds Debian's library, or raises
    except ImportError:
        ways["pyfluidsynth"] = "pyfluidsynth or Debian's fluidsynth is not installed"
    else:
        ways["pyfluidsynth"] = _fluidsynth
    return ways


def _fluidsynth(score: Any) -> Any:
    import pretty_midi

    from textmusic.sound.render import SAMPLE_RATE

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.mid"
        path.write_bytes(score.dumps_midi())
        midi = pretty_midi.PrettyMIDI(str(path))
    return midi.fluidsynth(SAMPLE_RATE, str(timgm6mb()))


def playing(
    model: str | None, text: str, bars: int, seed: int, repeats: int
) -> dict[str, Spread | str]:
    """How many times faster than real time a piece is rendered, by each way."""
    music = TextToMusic.from_pretrained(model)
    piece = music.generate(text, controls=Plan(bars=bars), seed=seed)
    found: dict[str, Spread | str] = {}
    for name, way in players().items():
        if isinstance(way, str):
            found[name] = way
            continue
        took = timed(lambda way=way: way(piece.score), repeats + 1)[1:]  # type: ignore[misc]
        found[name] = rates(piece.report.measured_seconds, took)
    return found
