"""preview.html: a look at the prepared data before hours of training."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Sequence
from html import escape

from textmusic.corpus.captions import Captioner
from textmusic.corpus.summary import Summary, opening, tables
from textmusic.corpus.windows import Window, with_genre
from textmusic.drawing.html import STYLE
from textmusic.drawing.piano_roll import piano_roll_svg
from textmusic.language.names import in_words
from textmusic.music.plan import seconds_of
from textmusic.tokens.tokenizer import Tokenizer

EXAMPLES = 12
LONGEST_TABLE = 200  # rows


class PreviewSample:
    """A dozen windows, one per piece, whatever order they come in."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[int, str, Window]]] = {}  # the first dozen of each source

    def offer(self, window: Window) -> None:
        """Look at the first window of a piece, described ones by preference."""
        place = hashlib.sha1(f"{window.source}/{window.piece}".encode()).digest()
        rank = int.from_bytes(place[:8], "big") + (0 if window.texts else 1 << 64)
        heap = self._of.setdefault(window.source, [])
        heapq.heappush(heap, (-rank, window.piece, window))
        if len(heap) > EXAMPLES:
            heapq.heappop(heap)

    def windows(self) -> list[Window]:
        """Those that were chosen: from every source in turn, in the order of their names."""
        ranked = [
            (place, -rank, window)
            for heap in self._of.values()
            for place, (rank, _, window) in enumerate(sorted(heap, key=lambda x: -x[0]))
        ]
        chosen = sorted(ranked, key=lambda x: (bool(x[0]), not x[2].texts, *x[:2]))[:EXAMPLES]
        return sorted((w for *_, w in chosen), key=lambda w: (w.source, w.piece))


def page(summary: Summary, windows: Sequence[Window], tokenizer: Tokenizer) -> str:
    """The whole page as one HTML file."""
    parts = [f"<h1>Prepared music</h1><p>{escape(opening(summary))}.</p>"]
    if summary.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(n)}</li>" for n in summary.notes) + "</ul>")
    for title, head, rows in tables(summary):
        parts.append(f"<section><h2>{escape(title)}</h2>{_table(head, rows)}</section>")
    if windows:
        parts.append("<h2>Examples</h2><p class=about>As the model will see them.</p>")
        captioner = Captioner()
        parts += [_example(window, tokenizer, captioner) for window in windows]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Prepared music</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}'
        "figure svg{max-width:100%;height:auto}td:first-child{white-space:normal}"
        "section{display:inline-block;vertical-align:top;margin-right:2rem}h2{margin-top:1.5rem}"
        "</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th scope=col>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[:LONGEST_TABLE]
    )
    more = len(rows) - LONGEST_TABLE
    left = f"<p class=about>and {more:,} more, in summary.json</p>" if more > 0 else ""
    return (
        f"<div class=wide><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
        f"{left}"
    )


def _example(window: Window, tokenizer: Tokenizer, captioner: Captioner) -> str:
    rng = random.Random(window.piece)
    plan = with_genre(window, rng)
    written = captioner.write(plan, rng)
    score = tokenizer.decode_score(list(window.ids), window.plan)
    roll = piano_roll_svg(score, key=window.plan.key, title=window.piece)
    facts = "; ".join(
        f"{name} {value}" for name, value in in_words(plan, seconds_of(plan)).items() if value
    )
    own = "".join(f"<p>“{escape(text)}” (yours)</p>" for text in window.texts)
    return (
        f"<h3>{escape(window.piece)}</h3>{own}<p>“{escape(written)}” (written)</p>"
        f"<figure>{roll}<figcaption>{escape(facts)}</figcaption></figure>"
    )
