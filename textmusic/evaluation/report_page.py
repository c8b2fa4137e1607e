"""A Comparison as files: report.json, report.md, and report.html with plots, audio, piano rolls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from textmusic.drawing.html import GREY, STYLE
from textmusic.drawing.piano_roll import piano_roll_svg
from textmusic.evaluation.answers import Answer
from textmusic.evaluation.comparison import Comparison, Entry, FigureDifference
from textmusic.evaluation.distributions import table
from textmusic.evaluation.features import bandwidth, grid_over, kernels
from textmusic.music.markers import markers_of
from textmusic.music.measure import measure
from textmusic.result.figures import SECTIONS, Figure
from textmusic.sound.render import render, write_audio
from textmusic.system.progress import tracked
from textmusic.system.whole_files import whole_file, write_text

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe & Ito 2008


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What an entry answered to one prompt. audio, roll: paths below the report's folder."""

    name: str
    audio: str
    roll: str
    planned: str


def save(comparison: Comparison, folder: Path, *, examples: int, soundfont: Path | None) -> Path:
    """Write the three reports, and audio and rolls of the first prompts; returns the page's path.

    Raises TextMusicError where a file can't be written.
    """
    shown = _examples(comparison, folder, examples, soundfont)
    texts = {
        "report.json": json.dumps(comparison.to_dict(), indent=1, ensure_ascii=False) + "\n",
        "report.md": markdown(comparison),
        "report.html": page(comparison, shown),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return folder / "report.html"


def _examples(
    comparison: Comparison, folder: Path, examples: int, soundfont: Path | None
) -> dict[int, list[ShownAnswer]]:
    """The first prompts that all have answered, in their first answers."""
    firsts = [_first_answers(entry) for entry in comparison.columns]
    common = sorted(set.intersection(*(set(first) for first in firsts)))[:examples]
    wanted = [
        (number, entry.name, first[number])
        for number in common
        for entry, first in zip(comparison.columns, firsts, strict=True)
    ]
    shown: dict[int, list[ShownAnswer]] = {number: [] for number in common}
    for number, name, answer in tracked(wanted, "playing"):
        stem = f"examples/{number:04}-{name}"
        audio = render(answer.score, soundfont=soundfont)
        with whole_file(folder / f"{stem}.mp3") as partial:
            write_audio(audio, partial)
        key = answer.planned.key if answer.planned else None
        sketch, sections = markers_of(answer.score, answer.planned or measure(answer.score))
        roll = piano_roll_svg(answer.score, key=key, title=name, sketch=sketch, sections=sections)
        write_text(folder / f"{stem}.svg", roll)
        planned = _planned(answer)
        shown[number].append(ShownAnswer(name, f"{stem}.mp3", f"{stem}.svg", planned))
    return shown


def _first_answers(entry: Entry) -> dict[int, Answer]:
    found: dict[int, Answer] = {}
    for answer in entry.answers:
        found.setdefault(answer.number, answer)
    return found


def _planned(answer: Answer) -> str:
    plan = answer.planned
    if plan is None:
        return ""
    tempo = None if plan.tempo is None else f"{plan.tempo:.0f} bpm"
    return ", ".join(
        str(fact) for fact in (plan.key, tempo, plan.time_signature, plan.genre) if fact
    )


# Tables -------------------------------------------------------------------------------------------


def markdown(comparison: Comparison) -> str:
    """Every figure as Markdown tables, a column an entry."""
    parts = [f"# {_title(comparison)}", _about(comparison)]
    for title, about, head, rows in _tables(comparison):
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        parts += [f"## {title}", about, "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(comparison: Comparison) -> str:
    names = " and ".join(", ".join(e.name for e in comparison.entries).rsplit(", ", 1))
    return f"{names} on {len(comparison.texts)} prompts"


def _about(comparison: Comparison) -> str:
    about = comparison.about
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    plan = "all with the first model's plan" if about["same plan"] else "each with its own plan"
    return (
        f"{about['date']}, {about['machine']}, Python {about['python']}, textmusic"
        f" {about['textmusic']} ({packages}). {about['prompts']['file']} (SHA-256"
        f" {about['prompts']['sha256'][:12]}…), {about['seeds']} answer(s) per prompt, first seed"
        f" {about['first seed']}, {plan}. 95 % bootstrap intervals over prompts in brackets."
    )


def _tables(comparison: Comparison) -> Iterator[tuple[str, str, list[str], list[list[str]]]]:
    """Title, remark, head and rows of each table."""
    yield "Models", _broken(comparison), *_pace(comparison.entries)
    names = [entry.name for entry in comparison.columns]
    marks = {(r.section, r.name, r.other) for r in comparison.rows if r.significant}
    for key, section in SECTIONS.items():
        rows = [
            [name, *(_cell(entry, key, name, section.share, marks) for entry in comparison.columns)]
            for name in _figure_names(comparison, key)
        ]
        if rows:
            more = f" *: differs from {names[0]}, see below." if comparison.rows else ""
            yield section.title, section.about + more, ["", *names], rows
    if comparison.rows:
        head = ["figure", "difference", "95 % interval", "p (Holm)", "significant"]
        rows = [_difference(row) for row in comparison.rows]
        about = "Paired bootstrap over prompts; p is adjusted for the figures of a section."
        yield "Differences", about, head, rows


def _broken(comparison: Comparison) -> str:
    bad = [
        f"{entry.name}: {', '.join(entry.broken)}" for entry in comparison.columns if entry.broken
    ]
    return f"Skipped, not readable as MIDI: {'; '.join(bad)}." if bad else ""


def _pace(entries: Sequence[Entry]) -> tuple[list[str], list[list[str]]]:
    rows = [
        ["answers", *(str(len(e.answers)) for e in entries)],
        ["prompts without an answer", *(str(e.missing) for e in entries)],
        ["answers that can't be read", *(str(len(e.broken)) for e in entries)],
    ]
    if any(entry.pace for entry in entries):
        for label, field in (
            ("time to load, s", "load"), ("notes per second", "notes"), ("ids per second", "ids"),
            ("seconds of music per second", "music"), ("peak memory, MB", "memory"),
        ):  # fmt: skip
            values = [getattr(e.pace, field) if e.pace else 0.0 for e in entries]
            rows.append([label, *(_number(v) if v else "" for v in values)])
    return ["", *(entry.name for entry in entries)], rows


def _figure_names(comparison: Comparison, section: str) -> list[str]:
    found = [name for e in comparison.columns for name in e.figures.get(section, {})]
    return list(dict.fromkeys(found))


def _cell(
    entry: Entry, section: str, name: str, share: bool, marks: set[tuple[str, str, str]]
) -> str:
    figure = entry.figures.get(section, {}).get(name)
    if figure is None or figure.value != figure.value:
        return ""
    star = " *" if (section, name, entry.name) in marks else ""
    if figure.low == figure.high == figure.value:
        return _value(figure.value, share) + star
    low, high = _value(figure.low, share, unit=False), _value(figure.high, share, unit=False)
    return f"{_value(figure.value, share)} [{low} – {high}]{star}"


def _value(value: float, share: bool, *, unit: bool = True) -> str:
    if share:
        return f"{100 * value:.1f}{' %' if unit else ''}"
    return _number(value)


def _number(value: float) -> str:
    """Three digits that count: 0.795, 4.18, 1,146."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def _difference(row: FigureDifference) -> list[str]:
    share = SECTIONS[row.section].share
    d = row.difference
    signed = "+" if d.value > 0 else ""
    return [
        f"{SECTIONS[row.section].title}: {row.name}",
        f"{row.one} − {row.other} = {signed}{_value(d.value, share)}",
        f"{_value(d.low, share, unit=False)} – {_value(d.high, share, unit=False)}",
        f"{row.adjusted:.3f}",
        "yes" if row.significant else "no",
    ]


# The page -----------------------------------------------------------------------------------------


def page(comparison: Comparison, shown: dict[int, list[ShownAnswer]]) -> str:
    """The whole report as HTML; audio and pictures lie beside it."""
    title = escape(_title(comparison))
    colours = _colours(comparison)
    key = "".join(
        f'<i style="background:{colour}"></i>{escape(name)}' for name, colour in colours.items()
    )
    parts = [
        f"<h1>{title}</h1><p class=about>{escape(_about(comparison))}</p><p class=key>{key}</p>"
    ]
    plots = {section.title: key for key, section in SECTIONS.items()}
    for name, about, head, rows in _tables(comparison):
        parts.append(f"<h2>{escape(name)}</h2><p class=about>{escape(about)}</p>")
        if name in plots:
            parts.append(_forest(comparison, plots[name], colours))
        if name == SECTIONS["beside"].title:
            parts.append(_densities(comparison, colours))
        parts.append(_html_table(head, rows))
    if shown:
        parts.append("<h2>Examples</h2><p class=about>The first answers, not selected.</p>")
        parts += [_example(comparison.texts[n - 1], n, sides) for n, sides in shown.items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</html>\n"
    )


def _colours(comparison: Comparison) -> dict[str, str]:
    named = {e.name: COLOURS[i % len(COLOURS)] for i, e in enumerate(comparison.entries)}
    return named | ({"real": GREY} if comparison.real else {})


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope=row>{escape(row[0])}</th>"
        + "".join(f"<td>{_small(escape(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f"<div class=wide><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _small(cell: str) -> str:
    """Intervals in small print."""
    return cell.replace("[", "<small>[").replace("]", "]</small>")


def _example(text: str, number: int, sides: Sequence[ShownAnswer]) -> str:
    figures = "".join(
        f"<figure><figcaption><b>{escape(side.name)}</b> {escape(side.planned)}</figcaption>"
        f'<audio controls preload="none" src="{escape(side.audio)}"></audio>'
        f'<a href="{escape(side.roll)}"><img loading="lazy" src="{escape(side.roll)}"'
        f' alt="piano roll of {escape(side.name)}"></a></figure>'
        for side in sides
    )
    return f"<h3>{number}. {escape(text)}</h3><div class=sides>{figures}</div>"


def _forest(comparison: Comparison, section: str, colours: dict[str, str]) -> str:
    """Every figure as a dot with its interval, on a scale from 0 to the row's largest."""
    names = _figure_names(comparison, section)
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
                     f'<text x="{left + width + 8}" y="{y + each / 2 - 2}">{_number(top)}</text>'
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
        f"<title>{escape(who)}: {_number(figure.value)}</title>"
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke-width="2"/>'
        f'<circle cx="{middle:.1f}" cy="{y}" r="3.5"/></g>'
    )


def _densities(comparison: Comparison, colours: dict[str, str]) -> str:
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
        f'{drawn}<text x="0" y="{height + 14}">{_number(float(grid[0]))}</text>'
        f'<text x="{width}" y="{height + 14}" text-anchor="end">{_number(float(grid[-1]))}</text>'
        f"</svg><figcaption>{escape(feature)}</figcaption></figure>"
    )
