"""What the page shows of a piece, as HTML. All text of others is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from urllib.parse import unquote

from textmusic.drawing.piano_roll import colours_of
from textmusic.language.names import in_words, instrument_name
from textmusic.language.notes import note_text
from textmusic.language.prompt import Prompt
from textmusic.language.reading.chord_key import key_of_chords
from textmusic.language.sentences import remark_text
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.page.piece import Piece
from textmusic.page.wording import say
from textmusic.result.report import Report

# Which facts of a plan stand behind a line of the report.
BEHIND = {
    "key": {"key"}, "tempo": {"tempo"}, "time signature": {"time_signature"},
    "instruments": {"programs"}, "bars": {"bars"}, "length": set(),
    "mood": {"valence", "arousal"}, "genre": {"genre"}, "density": {"density"},
    "chords": {"chords"}, "form": {"form"},
}  # fmt: skip


NAMES = {"mid": "MIDI", "musicxml": "MusicXML", "svg": "SVG", "json": "JSON"}


def image(svg: str, alt: str) -> str:
    """An SVG as an image: nothing in an image can run."""
    data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def report_html(report: Report, language: str = "en") -> str:
    """Asked, planned and measured as a table, then what was not used, then how to repeat it."""
    signs = {
        True: f'<span class="tm-yes" title="{say("yes", language)}">✓</span>',
        False: f'<span class="tm-no" title="{say("no", language)}">✗</span>',
        None: "",
    }
    nothing = f'<span class="tm-open">{say("open", language)}</span>'
    rows = "".join(
        f'<tr><th scope="row">{escape(_field(row.field, language))}</th>'
        f"<td>{escape(row.asked) or nothing}</td>"
        f"{f'<td>{escape(row.planned)}</td>' if 'planned' in report.heads else ''}"
        f"<td>{escape(row.measured)}</td><td>{signs[row.ok]}</td></tr>"
        for row in report.table(language)
    )
    heads = "".join(
        f'<th scope="col">{say(head, language)}</th>' if head else "<td></td>"
        for head in ("", *report.heads, "")
    )
    again = say("no_repeat", language)
    if report.change is not None:
        again = say("repeat_change", language).format(escape(report.change.name))
    elif report.sampling is not None:
        again = f"{say('seed', language).lower()} {report.seed}: {say('repeat', language)}"
    return (
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"{unused_html(report.unused, language)}{remarks_html(report.remarks, language)}"
        f"{_originality_html(report, language)}"
        f'<p class="tm-open">{report.notes:,} {say("notes", language)} · {again}</p>'
    )


def unused_html(unused: tuple[str, ...], language: str) -> str:
    """What was said and could not be used, a line each."""
    notes = (escape(note_text(note, language)) for note in unused)
    return "".join(f"<p>{say('not_used', language)}: {note}</p>" for note in notes)


def remarks_html(remarks: tuple[str, ...], language: str) -> str:
    """What was done beside what was asked, a line each."""
    return "".join(
        f"<p>{say('remark', language)}: {escape(remark_text(note, language))}</p>"
        for note in remarks
    )


def _originality_html(report: Report, language: str) -> str:
    """What run of notes a training piece has too."""
    said = report.originality(language)
    return f"<p>{say('originality', language)}: {escape(said)}</p>" if said else ""


def understood_html(
    prompt: Prompt, controls: Plan, language: str, outline: Outline = Outline()
) -> str:
    """What will be forced, where that comes from, and what is left to the model.

    controls, outline: what was set by hand.
    """
    parts = []
    set_by_hand = {name for name, _ in controls.known()}
    if outline.chords or outline.last:
        set_by_hand.add("chords")
    sounding = () if outline.relative else outline.chords
    if sounding and key_of_chords(sounding) == prompt.asked.key:
        set_by_hand.add("key")  # which follows from them
    set_by_hand |= {"form"} if outline.form else set()
    facts = in_words(prompt.asked, prompt.seconds, prompt.near, language, prompt.outline)
    facts = {**facts, **{name: facts.get(name, "") for name in ("chords", "form")}}
    for field, value in facts.items():
        source = "models_choice"
        if value:
            source = "from_controls" if BEHIND[field] & set_by_hand else "from_words"
        said = f"<b>{escape(value)}</b> " if value else ""
        kind = "" if value else ' class="tm-open"'
        parts.append(
            f"<span{kind}>{_field(field, language)}: {said}({say(source, language)})</span>"
        )
    return f'<p class="tm-facts">{" · ".join(parts)}</p>{unused_html(prompt.unused, language)}'


def files_html(
    piece: Piece, addresses: Sequence[str], stems: Sequence[str] = (), language: str = "en"
) -> str:
    """Links to take a piece away by; the MIDI file can be dragged into other programs.

    stems: the addresses of its parts' sounds, in the order of their colours.
    """
    zips = [_link(piece, one, say("all_files", language)) for one in addresses if ".zip" in one]
    items = [_link(piece, one) for one in addresses if ".zip" not in one]
    parts = [
        _link(piece, address, instrument_name(program, language))
        for program, address in zip(colours_of(piece.generation.columns), stems, strict=True)
    ] if len(stems) > 1 else []  # fmt: skip
    heads = [f"<h3>{say('stems', language)}</h3>"] if parts else []
    return "".join([
        _list(zips), _list(items), *heads, _list(parts) if parts else "",
        f'<p class="tm-hint">{say("drag_hint", language)}</p>',
    ])  # fmt: skip


def _list(items: Sequence[str]) -> str:
    return f'<ul class="tm-files">{"".join(items)}</ul>'


def _link(piece: Piece, address: str, label: str = "") -> str:
    name = unquote(address.rpartition("/")[2])
    kind = name.removeprefix(f"{piece.stem}.")
    mime = "audio/midi" if kind == "mid" else "application/octet-stream"
    return (
        f'<li><a download="{escape(name)}" href="{escape(address)}?download" draggable="true"'
        f' data-mime="{mime}">{escape(label or NAMES.get(kind, kind.upper()))}</a></li>'
    )


def sheet_html(pages: list[str], title: str) -> str:
    """Engraved pages, one below the other."""
    return "".join(image(svg, f"{title}, {n}") for n, svg in enumerate(pages, 1))


def _field(field: str, language: str) -> str:
    return field if language == "en" else say(field.replace(" ", "_"), language)
