"""A theme with its variations behind it, as one piece."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from textmusic.language.names import instrument_name
from textmusic.music.markers import marked
from textmusic.music.measure import measure
from textmusic.music.midi_appending import append
from textmusic.music.midi_events import MARKER, mended_words
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import each
from textmusic.music.theory import NO_KEY, quarters_per_bar
from textmusic.result.account import account
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, named
from textmusic.writing.take import Take
from textmusic.writing.varying import HOW, Varying


class ThemeAndVariations(Varying):
    """`Varying` that makes one piece: the theme, and behind it its variations."""

    def writing(self) -> Generator[list[Take], None, list[Generation]]:
        """As of `Varying`."""
        pieces = yield from super().writing()
        return [_joined(self, pieces)]


def _joined(writing: Varying, pieces: Sequence[Generation]) -> Generation:
    """The theme, event for event, and behind it its variations in the order of their seeds.

    Each has its own time signature, tempo and key, and a marker that names it. Instruments that
    play in several of them share a track.

    Args:
        writing: what has written them.
        pieces: the variations, all of them.

    Raises TextMusicError where a file has no channel left for their instruments.
    """
    theme = writing.theme
    material = theme.material
    midi, at = without_recipe(theme.midi), material.stop
    marks, said, bar = [], [], material.total
    if not any(event.is_meta(MARKER) for track in midi.tracks for event in track.events):
        marks.append((0, "Theme"))
    for number, piece in enumerate(pieces, 1):
        plan, struck = piece.plan, each(piece.columns)
        names = {note.program: instrument_name(note.program).capitalize() for note in struck}
        metre, bars = plan.time_signature or "4/4", plan.bars or 0
        midi = append(
            midi, struck, round(at * midi.division), names, metre=metre, tempo=plan.tempo,
            key=None if plan.key == NO_KEY else plan.key,
        )  # fmt: skip
        marks.append((round(at * midi.division), f"Variation {number}"))
        what = [r.partition(", ")[2] for r in piece.report.remarks if r.startswith("variation ")]
        said.append(
            f"bars {bar + 1} to {bar + bars}: variation {number}"
            + (f", {what[0]}" if what else f", seed {piece.seed}")
        )
        at, bar = at + bars * quarters_per_bar(metre), bar + bars
    midi = marked(midi, marks)
    score, first = named(to_score(midi)), pieces[0]
    heard = measure(score)
    judged = {name: getattr(first.report.measured, name) for name, _ in writing.asked.known()}
    options = {"theme": True, "variations": len(pieces), **writing.options}
    done = all(piece.report.change is not None or not theme.midi.sha256 for piece in pieces)
    whole = account(
        replace(first.prompt, asked=writing.asked), replace(heard, begin=True, end=True), score,
        first.seed, first.model, ids=sum(piece.ids for piece in pieces),
        nats=sum(piece.nats * piece.ids for piece in pieces) / max(sum(p.ids for p in pieces), 1),
        sampling=first.report.sampling, new_bars=(material.total, bar), events=midi,
        change=Change.of(HOW, theme.midi, options) if done else None,
        measured=replace(heard, **judged),
        remarks=(*mended_words(theme.midi.mended), *said, *material.remarks),
    )  # fmt: skip
    # an instrument of one variation is not hardly heard, but elsewhere
    return replace(whole, report=replace(whole.report, silent=()))
