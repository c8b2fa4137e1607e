"""What is in the training data: how much of each value of the plan, as a table and a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textmusic.corpus.windows import Window
from textmusic.language.names import instrument_name
from textmusic.music.measure import arousal_of, density_of, valence_of
from textmusic.music.notes import notes_of
from textmusic.music.plan import GENRES, LEVELS
from textmusic.music.theory import KEYS, NO_KEY, TEMPO_BIN_EDGES, TIME_SIGNATURES, tempo_bin
from textmusic.tokens.tokenizer import Tokenizer

# A value with fewer windows than this is hard to learn, and is reported.
THIN_CELL = 100


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is of a source. Ids are score ids."""

    pieces: int
    windows: int
    notes: int
    ids: int


def amounts(windows: Sequence[Window], strikes: Container[int]) -> dict[str, Amount]:
    """Pieces, windows, notes and ids by source; strikes: the music ids that strike a note."""
    found: dict[str, Amount] = {}
    for source in sorted({w.source for w in windows}):
        mine = [w for w in windows if w.source == source]
        notes = sum(sum(i in strikes for i in w.ids) for w in mine)
        ids = sum(len(w.ids) for w in mine)
        found[source] = Amount(len({w.piece for w in mine}), len(mine), notes, ids)
    return found


def counts(windows: Sequence[Window]) -> dict[str, dict[str, int]]:
    """Windows by value of each field of the plan, every possible value of a closed field named."""
    fields: dict[str, Counter[str]] = {
        "genre": Counter(dict.fromkeys(GENRES, 0)),
        "key": Counter(dict.fromkeys((*KEYS, NO_KEY), 0)),
        "time signature": Counter(dict.fromkeys(TIME_SIGNATURES, 0)),
        "tempo": Counter({_bin_name(n): 0 for n in range(len(TEMPO_BIN_EDGES) + 1)}),
        "valence": Counter({str(n): 0 for n in LEVELS}),
        "arousal": Counter({str(n): 0 for n in LEVELS}),
        "density": Counter({str(n): 0 for n in LEVELS}),
        "instrument": Counter(),
        "bars": Counter(),
    }
    for window in windows:
        plan = window.plan
        fields["genre"].update(window.genres)
        fields["key"][str(plan.key)] += 1
        fields["time signature"][str(plan.time_signature)] += 1
        fields["tempo"][_bin_name(tempo_bin(plan.tempo or 0))] += 1
        for name in ("valence", "arousal", "density"):
            fields[name][str(getattr(plan, name))] += 1
        fields["instrument"].update(instrument_name(p) for p in plan.programs or ())
        fields["bars"][str(plan.bars)] += 1
    return {name: dict(counter) for name, counter in fields.items()}


def _bin_name(number: int) -> str:
    low, high = (0, *TEMPO_BIN_EDGES)[number], (*TEMPO_BIN_EDGES, 0)[number]
    return f"over {low}" if not high else f"{low}-{high}"


def percentiles(windows: Sequence[Window], tokenizer: Tokenizer) -> dict[str, list[float]]:
    """Where the level edges of `measure` should lie: 10th, 33rd, 67th, 90th percentile.

    Computed over about 3,000 windows, evenly spaced.
    """
    rows = []
    for window in windows[:: max(1, len(windows) // 3000)]:
        notes = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
        assert window.plan.tempo is not None
        tempo = window.plan.tempo
        rows.append((valence_of(notes, tempo), arousal_of(notes, tempo), density_of(notes)))
    marks = np.percentile(np.array(rows), (10, 33, 67, 90), axis=0).round(2)
    names = ("valence", "arousal", "density")
    return {name: marks[:, place].tolist() for place, name in enumerate(names)}


def thin(found: dict[str, dict[str, int]]) -> dict[str, list[str]]:
    """The values that fewer than `THIN_CELL` windows have, by field."""
    return {
        field: sorted(value for value, count in values.items() if count < THIN_CELL)
        for field, values in found.items()
    }


def markdown(windows: Sequence[Window], strikes: Container[int], weights: dict[str, float]) -> str:
    """What there is, as Markdown. strikes: as for `amounts`. weights: of a mix."""
    rows = ["| source | pieces | windows | notes | ids | weight | windows drawn per 100,000 |"]
    rows.append("|---|---|---|---|---|---|---|")
    whole = sum(weights.values()) or 1.0
    for source, amount in amounts(windows, strikes).items():
        weight = weights.get(source, 1.0)
        rows.append(
            f"| {source} | {amount.pieces:,} | {amount.windows:,} | {amount.notes:,} |"
            f" {amount.ids:,} | {weight:g} | {100_000 * weight / whole:,.0f} |"
        )
    found = counts(windows)
    for field, values in found.items():
        if field == "bars":
            continue
        ordered = sorted(values.items(), key=lambda item: -item[1])[:48]
        listed = ", ".join(f"{value} {count:,}" for value, count in ordered)
        rows += ["", f"**{field}** (windows): {listed}"]
    rows += ["", f"Too rare to be learnt well (under {THIN_CELL} windows):", ""]
    for field, poor in thin(found).items():
        if poor and field != "bars":
            rows.append(f"- {field}: {', '.join(poor)}")
    return "\n".join(rows) + "\n"


def draw(windows: Sequence[Window], path: Path) -> None:
    """The same as bars, one panel a field, into a PNG."""
    from matplotlib.figure import Figure

    found = counts(windows)
    found["source"] = dict(Counter(w.source for w in windows))
    names = (
        "source",
        "genre",
        "instrument",
        "key",
        "time signature",
        "tempo",
        "valence",
        "arousal",
    )
    figure = Figure(figsize=(13, 15), layout="constrained")
    for axes, name in zip(figure.subplots(4, 2).flat, names, strict=True):
        values = sorted(found[name].items(), key=lambda item: -item[1])[:41]
        if name in ("tempo", "valence", "arousal"):
            values = list(found[name].items())
        axes.bar(range(len(values)), [max(count, 0.8) for _, count in values], color="#4878a8")
        axes.set_xticks(range(len(values)), [value for value, _ in values], rotation=90, fontsize=7)
        axes.axhline(THIN_CELL, color="#b04040", linewidth=0.8)
        axes.set_yscale("log")
        axes.set_title(f"{name} (training windows)", fontsize=9)
    figure.savefig(path, dpi=100)
