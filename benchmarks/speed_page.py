"""What `benchmarks/benchmark.py` measured, as a page of Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import speed

from textmusic.system.machine import cores, installed, machine
from textmusic.writing.loading import locate

PEERS = ("Text2midi", "MIDI-LLM", "SkyTNT midi-model", "Anticipatory")
TEXT, SEED = "calm piano in D minor", 4
PRECISIONS = ("int8", "int4", "fp32")
OURS = {name: f"textmusic, {name}, onnxruntime" for name in PRECISIONS}
IN_TORCH = "textmusic, fp32, transformers.generate"
SHORT, LONG = "short", "long"
Section = Callable[[dict[str, Any], "Scale"], list[str]]


@dataclass(frozen=True)
class Scale:
    """How much is measured. bars: of the short, the long and the longest piece."""

    model: str | None
    models: Path
    bars: tuple[int, int, int] = (16, 64, 256)
    batches: tuple[int, ...] = (1, 4, 16)
    batch_bars: int = 4
    visitors: tuple[int, ...] = (1, 5, 20)
    visit_bars: int = 8
    repeats: int = 5
    megabytes: int = 512
    tiny: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the measured model."""
        return locate(self.model, None)[0]


def reason(problem: Exception) -> str:
    """Why a part is missing, in a line."""
    first = str(problem).strip().splitlines()
    return f"not measured: {first[0] if first else type(problem).__name__}"


def page(found: dict[str, Any], conditions: dict[str, Any], scale: Scale, said: str) -> str:
    """All figures as Markdown. found, conditions: by part; said: the command."""
    others = [part["others"] for part in conditions.values()]
    dates = [part["began"] for part in conditions.values()]
    versions = ", ".join(f"{name} {number}" for name, number in installed().items())
    head = [
        "# Speed",
        f"`{said}`, {dates[0]} to {dates[-1]}, on {machine()}, with {versions}. While it"
        f" ran, other processes used {min(others):.2f} to {max(others):.2f} cores. Each figure is"
        f" the median of {scale.repeats} runs, with the lowest and the highest in brackets. The"
        f' prompt is "{TEXT}", with seed {SEED}.',
    ]
    if scale.tiny:
        head.append("**A quick run: tiny peers, small pieces. No figure here means anything.**")
    for heading, section, needed in SECTIONS:
        gone = [f"{n} ({found.get(n, {}).get('missing', 'not measured')})" for n in needed
                if "missing" in found.get(n, {"missing": ""})]  # fmt: skip
        body = [f"Missing: {', '.join(gone)}."] if gone else section(found, scale)
        head += [f"## {heading}", *body]
    return "\n\n".join(head) + "\n"


def table(*rows: list[str]) -> str:
    """A Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def shown(figure: Any, unit: str = "") -> str:
    """A spread as text: "455 [430 - 460]"."""
    if isinstance(figure, str):
        return figure
    if isinstance(figure, dict):
        figure = speed.Spread(**figure)
    digits = f"{{:.{max(0, 2 - math.floor(math.log10(max(figure.median, 1e-3))))}f}}"
    median, low, high = (digits.format(v) for v in (figure.median, figure.low, figure.high))
    return f"{median}{unit} [{low} - {high}]"


def writers(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All models by name, with the figures of their two pieces."""
    missing = {"missing": "not measured"}
    rows = {OURS[name]: found["ours"][name] for name in PRECISIONS}
    rows[IN_TORCH] = found.get("torch", missing)
    return rows | {name: found.get(name, missing) for name in PEERS}


def pace_of(row: dict[str, Any], length: str, what: str = "notes") -> speed.Spread:
    """Notes (or seconds of music, or ids) a second."""
    return speed.rates(row[length][what], row[length]["seconds"])


def writing(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on writing: notes per second of all models."""
    short, long = scale.bars[:2]
    paces = [
        f"{what}, {bars} bars" for bars in (short, long) for what in ("notes/s", "x real time")
    ]
    rows = [["", *paces, "int8 is faster by a factor of"]]
    mine = found["ours"]["int8"]
    for name, row in writers(found).items():
        if "missing" in row:
            rows.append([name, row["missing"], "", "", "", ""])
            continue
        cells = [shown(pace_of(row, length, what)) if length in row else ""
                 for length in (SHORT, LONG) for what in ("notes", "music")]  # fmt: skip
        times = [f"{faster(mine, row, length):,.1f}" for length in (SHORT, LONG) if length in row]
        rows.append([name, *cells, " / ".join(times)])
    said = []
    for name in (IN_TORCH, *PEERS):
        row = writers(found)[name]
        if "costs" in row:
            at = ", ".join(
                f"{c['median'] * 1e3:,.0f} ms at note {n}" for n, c in row["costs"].items()
            )
            said.append(f"{name}: {at}; its context holds {row['context']:,.0f} notes")
    return [
        table(*rows),
        "The onnxruntime rows are whole pieces, including grammar, sampling and report. **The other"
        " rows are extrapolated** to pieces with as many notes as ours"
        f" ({mine[SHORT]['notes']} and {mine[LONG]['notes']}): the time per note was measured at"
        " the lengths listed below, interpolated linearly between them, and taken as constant"
        " beyond the last, where a model with a limited number of positions would have to stop."
        " The other models have their published architectures with random weights, in float32"
        " (MIDI-LLM: bfloat16), and are called as their own code calls them. The last column"
        " compares each row with our short piece, written again right after it. Time per note:",
        "\n".join(f"- {line}" for line in said),
    ]


def faster(mine: dict[str, Any], row: dict[str, Any], length: str) -> float:
    """How many times as many notes a second.

    Against our short piece as it was written right after the other, if it was.
    """
    now = pace_of({SHORT: row.get("beside", mine[SHORT])}, SHORT)
    longer = pace_of(mine, length).median / pace_of(mine, SHORT).median
    return now.median * longer / pace_of(row, length).median


def reached(found: dict[str, Any], name: str) -> dict[str, float]:
    """The bytes read per id, and the share of the machine's reading speed that writing reaches."""
    weights, cache = found["ours"][name]["bytes"]
    part = found["bandwidth"]
    cache *= part[name]["written"]["ids"] / 2  # on average
    ids = pace_of({SHORT: part[name]["written"]}, SHORT, "ids").median
    rates = [rate["median"] * 1e9 for rate in (part["memory"], part[name]["size"])]
    read = weights + cache
    return {"weights": weights / 1e6, "cache": cache / 1e6, "ids": ids,
            "limit": rates[0] / read, "share": ids * read / rates[0],
            "share of its size": ids * read / rates[1]}  # fmt: skip


def limit(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on the limit: how close writing comes to the memory's speed."""
    rows = [["", "weights, MB per id", "cache, MB per id (mean)", "limit, ids/s",
             "reached, ids/s", "share", "share of the speed at this size"]]  # fmt: skip
    for name in PRECISIONS:
        if "missing" not in found["ours"][name]:
            r = reached(found, name)
            rows.append([name, f"{r['weights']:.1f}", f"{r['cache']:.1f}", f"{r['limit']:.0f}",
                         f"{r['ids']:.0f}", f"{r['share']:.0%}",
                         f"{r['share of its size']:.0%}"])  # fmt: skip
    rates = ", ".join(f"{name} {shown(rate.get('size', rate))}"
                      for name, rate in found["bandwidth"].items())  # fmt: skip
    return [
        table(*rows),
        "To write an id, the model reads all weights and its cache once. The limit is how often"
        " this machine can read that much from memory per second. Reading speed in GB/s, with"
        f" {cores()} threads: {rates}. 'memory' reads {scale.megabytes} MB; the others read as many"
        " bytes as the weights have, over and over, so that a part of them stays in the"
        f" processor's caches. {scale.bars[0]} bars, one piece at a time.",
    ]


def beginning(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on waiting times."""
    rows = [[name, shown(figure, " s")] for name, figure in found["start"].items()]
    return [
        table(["", "seconds"], *rows),
        f"{scale.bars[0]} bars. In the first two rows the model is already loaded. The commands"
        " start a new Python; the packages' files are in the system's cache, the model's are not.",
    ]


def side_by_side(found: dict[str, Any], scale: Scale) -> list[str]:
    """Batches."""
    rows = [[n, shown(row[0]), f"{row[0]['median'] / first:.2f}", f"{row[1]:.0f}"]
            for first in [found["batch"][str(scale.batches[0])][0]["median"]]
            for n, row in found["batch"].items()]  # fmt: skip
    head = ["pieces", "ids/s", f"speed-up over {scale.batches[0]}", "peak memory, MB"]
    return [
        table(head, *rows),
        f"{scale.batch_bars} bars each, in int8. Four times as many pieces are written as run side"
        " by side.",
    ]


def visiting(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on many visitors at once."""
    rows = [["visitors at once", "first bar can be heard, s, p50 / p95", "piece and files, s",
             "served / asked", "peak memory, MB"]]  # fmt: skip
    for many, part in found["visitors"].items():
        waits = [" / ".join(f"{np.percentile(part[what], q):.1f}" for q in (50, 95))
                 for what in ("first", "end")]  # fmt: skip
        served = len(part["end"])
        rows.append([many, *waits, f"{served} / {served + part['failed']}",
                     f"{part['memory']:.0f}"])  # fmt: skip
    return [
        table(*rows),
        f"{scale.visit_bars} bars each, all asked for at the same moment, without browser and"
        " network. MIDI, WAV, MP3, SVG and report of each piece are written.",
    ]


def audio(found: dict[str, Any], scale: Scale) -> list[str]:
    """Rendering."""
    rows = [[name, shown(figure)] for name, figure in found["rendering"].items()]
    return [table(["", "x real time"], *rows), f"{scale.bars[1]} bars, TimGM6mb."]


def growing(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on longer pieces and longer contexts."""
    part = found["growth"]
    rows = [[bars, f"{row['notes']:,}", f"{row['ids']:,}",
             shown(speed.spread(row["seconds"])), shown(speed.rates(row["ids"], row["seconds"])),
             f"{row['memory']:.0f}"] for bars, row in part["bars"].items()]  # fmt: skip
    head = ["bars", "notes", "ids", "seconds", "ids/s", "peak memory, MB"]
    steps = [[n, shown(cost)] for n, cost in part["steps"].items()]
    shares = "; ".join(f"{name} {cost:,.0f}" for name, cost in part["shares"].items())
    return [
        table(head, *rows),
        table(["ids in the context", "ms per step"], *steps),
        f"Microseconds per id, over {scale.bars[0]} bars: {shares}.",
    ]


def goals(found: dict[str, Any], scale: Scale) -> list[str]:
    """The section on goals."""
    mine, start, bars = found["ours"]["int8"], found["start"], found["growth"]["bars"]
    several = found["batch"]
    first, last = (several[str(n)][0]["median"] for n in (scale.batches[0], scale.batches[-1]))
    slowest = [speed.rates(bars[str(b)]["ids"], bars[str(b)]["seconds"]).median
               for b in (scale.bars[2], scale.bars[0])]  # fmt: skip
    rows: list[tuple[str, float, float]] = [
        (
            f"times as many notes/s as {name}",
            min(faster(mine, found[name], n) for n in (SHORT, LONG)),
            aim,
        )
        for name, aim in (("Text2midi", 300), ("MIDI-LLM", 40), ("SkyTNT midi-model", 8))
        if "missing" not in found.get(name, {"missing": ""})
    ]
    rows += [
        ("share of the bandwidth limit", reached(found, "int8")["share"], 0.65),
        ("x real time", min(pace_of(mine, n, "music").median for n in (SHORT, LONG)), 5),
        ("command to MIDI file, s",
         start["`textmusic generate`, until the MIDI file is written"]["median"], -6),
        ("peak memory, MB", max(mine[n]["memory"] for n in (SHORT, LONG)), -500),
        (f"speed-up, {scale.batches[-1]} pieces over {scale.batches[0]}", last / first, 3),
        (f"ids/s at {scale.bars[2]} bars / at {scale.bars[0]}", slowest[0] / slowest[1], 0.9),
        ("`textmusic --help`, s", start["`textmusic --help`"]["median"], -0.5),
    ]  # fmt: skip
    lines = [
        [name, f"{'under' if aim < 0 else 'over'} {abs(aim):g}", f"{value:.3g}",
         "yes" if (value < -aim if aim < 0 else value > aim) else "no"]
        for name, value, aim in rows
    ]  # fmt: skip
    return [table(["", "goal", "here", "reached"], *lines)]


# Heading, what writes the section below it, and the parts that it tells of.
SECTIONS: tuple[tuple[str, Section, tuple[str, ...]], ...] = (
    ("Writing", writing, ("ours",)),
    ("The limit", limit, ("ours", "bandwidth")),
    ("Beginning", beginning, ("start",)),
    ("Side by side", side_by_side, ("batch",)),
    ("Visitors", visiting, ("visitors",)),
    ("Audio", audio, ("rendering",)),
    ("Growth", growing, ("growth",)),
    ("Goals", goals, ("ours", "bandwidth", "start", "batch", "growth")),
)
