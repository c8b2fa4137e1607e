"""A Comparison as files: report.json, report.md, and report.html with plots, audio, piano rolls.

Beside them pieces.csv, with the values of every answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from textmusic.drawing.html import STYLE
from textmusic.drawing.piano_roll import piano_roll_svg
from textmusic.evaluation.answers import Answer
from textmusic.evaluation.cautions import cautions
from textmusic.evaluation.comparison import Comparison
from textmusic.evaluation.entries import Entry, FigureDifference
from textmusic.evaluation.pieces_table import PIECES, save_pieces
from textmusic.evaluation.plots import brief, colours_of, densities, figure_names, forest
from textmusic.music.markers import markers_of
from textmusic.music.measure import measure
from textmusic.result.figures import SECTIONS
from textmusic.sound.audio_files import write_audio
from textmusic.sound.render import render
from textmusic.system.progress import tracked
from textmusic.system.whole_files import whole_file, write_text

MOST_NAMED = 20  # files of a kind that a report names
FEW_VALUES = 10  # a figure that rests on fewer says so


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What an entry answered to one prompt. audio, roll: paths below the report's folder.

    audio: empty where it was not rendered.
    """

    name: str
    audio: str
    roll: str
    planned: str


def save(
    comparison: Comparison,
    folder: Path,
    *,
    examples: int,
    soundfont: Path | None,
    audio: bool = True,
) -> Path:
    """Write the three reports, the table of pieces and the examples; returns the page's path.

    Args:
        comparison: what the reports show.
        folder: for the files.
        examples: how many prompts are shown with piano rolls.
        soundfont: what the examples are played with.
        audio: also render the examples, which takes seconds each.

    Raises:
        TextMusicError: a file can't be written.
    """
    shown = _examples(comparison, folder, examples, soundfont, audio)
    found = comparison.to_dict() | {"cautions": cautions(comparison)}
    save_pieces(comparison, folder)
    texts = {
        "report.json": json.dumps(found, indent=1, ensure_ascii=False) + "\n",
        "report.md": markdown(comparison),
        "report.html": page(comparison, shown),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return folder / "report.html"


def _examples(
    comparison: Comparison, folder: Path, examples: int, soundfont: Path | None, audio: bool
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
    for number, name, answer in tracked(wanted, "playing" if audio else "drawing"):
        stem = f"examples/{number:04}-{name}"
        if audio:
            wave = render(answer.score, soundfont=soundfont)
            with whole_file(folder / f"{stem}.mp3") as partial:
                write_audio(wave, partial)
        key = answer.planned.key if answer.planned else None
        sketch, sections = markers_of(answer.score, answer.planned or measure(answer.score))
        roll = piano_roll_svg(answer.score, key=key, title=name, sketch=sketch, sections=sections)
        write_text(folder / f"{stem}.svg", roll)
        planned = _planned(answer)
        heard = f"{stem}.mp3" if audio else ""
        shown[number].append(ShownAnswer(name, heard, f"{stem}.svg", planned))
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
    parts = [f"# {_title(comparison)}", _about(comparison), *map(_bold, cautions(comparison))]
    for title, about, head, rows in _tables(comparison):
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        parts += [f"## {title}", about, "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bold(caution: str) -> str:
    return f"**{caution}**"


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
        f" The values of each answer are in {PIECES}."
    )


def _tables(comparison: Comparison) -> Iterator[tuple[str, str, list[str], list[list[str]]]]:
    """Title, remark, head and rows of each table."""
    yield "Models", _bad_files(comparison), *_pace(comparison.entries)
    names = [entry.name for entry in comparison.columns]
    marks = {(r.section, r.name, r.other) for r in comparison.rows if r.significant}
    for key, section in SECTIONS.items():
        rows = [
            [name, *(_cell(entry, key, name, section.share, marks) for entry in comparison.columns)]
            for name in figure_names(comparison, key)
        ]
        if rows:
            more = f" *: differs from {names[0]}, see below." if comparison.rows else ""
            yield section.title, section.about + more, ["", *names], rows
    if comparison.rows:
        head = ["figure", "difference", "95 % interval", "p (Holm)", "significant"]
        rows = [_difference(row) for row in comparison.rows]
        about = "Paired bootstrap over prompts; p is adjusted for the figures of a section."
        yield "Differences", about, head, rows


def _bad_files(comparison: Comparison) -> str:
    """Which answers can't be read, and which were mended."""
    said = []
    for what, files in (
        ("Not readable as MIDI, and so not valid", [e.broken for e in comparison.columns]),
        ("Not proper MIDI, and mended", [e.mended for e in comparison.columns]),
    ):
        bad = [
            f"{entry.name}: {', '.join(map(str, own[:MOST_NAMED]))}"
            + (f" and {len(own) - MOST_NAMED:,} more" if len(own) > MOST_NAMED else "")
            for entry, own in zip(comparison.columns, files, strict=True)
            if own
        ]
        if bad:
            said.append(f"{what}: {'; '.join(bad)}.")
    return " ".join(said)


def _pace(entries: Sequence[Entry]) -> tuple[list[str], list[list[str]]]:
    rows = [
        ["answers", *(str(len(e.answers)) for e in entries)],
        ["prompts without an answer", *(str(len(e.missing)) for e in entries)],
        ["answers that can't be read", *(str(len(e.broken)) for e in entries)],
        ["answers that were mended", *(str(len(e.mended)) for e in entries)],
    ]
    if any(entry.pace for entry in entries):
        for label, field in (
            ("time to load, s", "load"), ("notes per second", "notes"), ("ids per second", "ids"),
            ("seconds of music per second", "music"), ("peak memory, MB", "memory"),
        ):  # fmt: skip
            values = [getattr(e.pace, field) if e.pace else 0.0 for e in entries]
            rows.append([label, *(brief(v) if v else "" for v in values)])
    return ["", *(entry.name for entry in entries)], rows


def _cell(
    entry: Entry, section: str, name: str, share: bool, marks: set[tuple[str, str, str]]
) -> str:
    figure = entry.figures.get(section, {}).get(name)
    if figure is None or figure.value != figure.value:
        return ""
    star = " *" if (section, name, entry.name) in marks else ""
    if figure.n < FEW_VALUES:
        star += f" (n = {figure.n})"
    if figure.low == figure.high == figure.value:
        return _value(figure.value, share) + star
    low, high = _value(figure.low, share, unit=False), _value(figure.high, share, unit=False)
    return f"{_value(figure.value, share)} [{low} – {high}]{star}"


def _value(value: float, share: bool, *, unit: bool = True) -> str:
    if share:
        return f"{100 * value:.1f}{' %' if unit else ''}"
    return brief(value)


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
    colours = colours_of(comparison)
    key = "".join(
        f'<i style="background:{colour}"></i>{escape(name)}' for name, colour in colours.items()
    )
    parts = [
        f"<h1>{title}</h1><p class=about>{escape(_about(comparison))}</p><p class=key>{key}</p>",
        *(f"<p><b>{escape(caution)}</b></p>" for caution in cautions(comparison)),
    ]
    plots = {section.title: key for key, section in SECTIONS.items()}
    for name, about, head, rows in _tables(comparison):
        parts.append(f"<h2>{escape(name)}</h2><p class=about>{escape(about)}</p>")
        if name in plots:
            parts.append(forest(comparison, plots[name], colours))
        if name == SECTIONS["beside"].title:
            parts.append(densities(comparison, colours))
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
        f"{_player(side)}"
        f'<a href="{escape(side.roll)}"><img loading="lazy" src="{escape(side.roll)}"'
        f' alt="piano roll of {escape(side.name)}"></a></figure>'
        for side in sides
    )
    return f"<h3>{number}. {escape(text)}</h3><div class=sides>{figures}</div>"


def _player(side: ShownAnswer) -> str:
    if not side.audio:
        return ""
    return f'<audio controls preload="none" src="{escape(side.audio)}"></audio>'
