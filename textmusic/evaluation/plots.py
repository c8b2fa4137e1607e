"""The plots of a report, as SVG: figures with their intervals, and distributions of features."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from textmusic.drawing.html import GREY
from textmusic.evaluation.comparison import Comparison
from textmusic.evaluation.distributions import table
from textmusic.evaluation.features import bandwidth, grid_over, kernels
from textmusic.result.figures import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe & Ito 2008


def colours_of(comparison: Comparison) -> dict[str, str]:
    """A colour for each entry, by name; grey for real music."""
    named = {e.name: COLOURS[i % len(COLOURS)] for i, e in enumerate(comparison.entries)}
    return named | ({"real": GREY} if comparison.real else {})


def figure_names(comparison: Comparison, section: str) -> list[str]:
    """The figures of a section that any entry has."""
    found = [name for e in comparison.columns for name in e.figures.get(section, {})]
    return list(dict.fromkeys(found))


def brief(value: float) -> str:
    """Three digits that count: 0.795, 4.18, 1,146."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def forest(comparison: Comparison, section: str, colours: dict[str, str]) -> str:
    """Every figure as a dot with its interval, on a scale from 0 to the row's largest."""
    names = figure_names(comparison, section)
    step, left, width = 9, 270, 560
    each = step * len(comparison.columns) + 12
    marks = []
    for i, name in enumerate(names):
        found = [(e.name, e.figures.get(section, {}).get(name)) for e in comparison.columns]
        known = [(n, f) for n, f in found if f is not None and f.value == f.value]
        top = 1.0 if _is_share(known) else _largest(known)
        y, line = i * each + 10, (i + 1) * each + 2
        marks.append(f'<text x="{left - 12}" y="{y + each / 2 - 2}" text-anchor="end">'
                     f"{escape(name)}</text>"
                     f'<text x="{left + width + 8}" y="{y + each / 2 - 2}">{brief(top)}</text>'
                     f'<line x1="{left}" x2="{left + width}" y1="{line}" y2="{line}"'
                     f' stroke="{GREY}" stroke-opacity=".3"/>')  # fmt: skip
        for j, (who, figure) in enumerate(known):
            marks.append(_dot(figure, top, left, width, y + j * step, colours[who], who))
    height = len(names) * each + 12
    return (
        f'<div class=wide><svg width="{left + width + 50}" height="{height}" role="img"'
        f' aria-label="figures with their intervals">{"".join(marks)}</svg></div>'
    )


def _is_share(known: Sequence[tuple[str, Figure]]) -> bool:
    return all(figure.value <= 1 for _, figure in known)


def _largest(known: Sequence[tuple[str, Figure]]) -> float:
    return max((figure.high for _, figure in known), default=1.0) * 1.05


def _dot(figure: Figure, top: float, left: int, width: int, y: float, colour: str, who: str) -> str:
    low, middle, high = (
        left + width * min(max(v, 0.0), top) / top for v in (figure.low, figure.value, figure.high)
    )
    return (
        f'<g stroke="{colour}" fill="{colour}">'
        f"<title>{escape(who)}: {brief(figure.value)}</title>"
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke-width="2"/>'
        f'<circle cx="{middle:.1f}" cy="{y}" r="3.5"/></g>'
    )


def densities(comparison: Comparison, colours: dict[str, str]) -> str:
    """The distribution of each feature, a curve an entry."""
    tables = {entry.name: table(entry.pieces) for entry in comparison.columns}
    plots = []
    for feature in next(iter(tables.values())):
        samples = {n: t[feature][~np.isnan(t[feature])] for n, t in tables.items()}
        samples = {name: sample for name, sample in samples.items() if len(sample) > 1}
        if samples:
            plots.append(_density_plot(feature, samples, colours))
    return f"<div class=plots>{''.join(plots)}</div>"


def _density_plot(feature: str, samples: dict[str, np.ndarray], colours: dict[str, str]) -> str:
    everything = np.concatenate(list(samples.values()))
    grid = grid_over(everything, everything)[::4]
    curves = {n: kernels(s, grid, bandwidth(s)).mean(axis=1) for n, s in samples.items()}
    peak = max(float(curve.max()) for curve in curves.values())
    width, height = 250, 110
    paths = []
    for name, curve in curves.items():
        x = (grid - grid[0]) / (grid[-1] - grid[0]) * width
        y = height - curve / peak * (height - 10)
        curve_points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        points = f"0,{height} {curve_points} {width},{height}"
        look = (
            f'fill="{GREY}" fill-opacity=".35" stroke="none"'
            if name == "real"
            else f'fill="none" stroke="{colours[name]}" stroke-width="2"'
        )
        paths.append((name != "real", f'<polyline points="{points}" {look}/>'))
    drawn = "".join(path for _, path in sorted(paths, key=lambda pair: pair[0]))  # real behind
    return (
        f'<figure><svg width="{width}" height="{height + 18}" role="img" aria-label="{feature}">'
        f'{drawn}<text x="0" y="{height + 14}">{brief(float(grid[0]))}</text>'
        f'<text x="{width}" y="{height + 14}" text-anchor="end">{brief(float(grid[-1]))}</text>'
        f"</svg><figcaption>{escape(feature)}</figcaption></figure>"
    )
