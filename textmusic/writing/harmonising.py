"""A melody with chords proposed for it, and an accompaniment or four voices written out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.language.controls import programs_of
from textmusic.music.chords import chord_name
from textmusic.music.harmonising import PROPOSALS, Proposal, fit, propose
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import notes_of
from textmusic.music.outline import laid
from textmusic.music.sketch import BeatChord, Outline, Row, Sketch, beats_per_bar
from textmusic.music.theory import DRUMS, range_of
from textmusic.result.account import account
from textmusic.result.change import Change
from textmusic.result.generation import Generation
from textmusic.system.values import whole
from textmusic.writing.brief import Brief
from textmusic.writing.decoding import decode_rounds
from textmusic.writing.filling import Filling
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.take import Take
from textmusic.writing.tunes import Tune

if TYPE_CHECKING:
    from textmusic.writing.loaded_model import LoadedModel
    from textmusic.writing.text_to_music import OnBar

HOW = "harmonise"  # what a recipe calls it
MOST_PICKED = 9
USUAL_DENSITY = 3  # of a melody with its accompaniment, where nothing is said of it
_LEADS = (73, 40, 71, 53, 11)  # that stand for a melody which its accompaniment's instrument plays
Rows = tuple[tuple[BeatChord, ...], ...]


def proposals(tune: Tune, count: int = PROPOSALS, *, often: float = 0.0) -> list[Proposal]:
    """Progressions for a tune, the best one first, at most `count`. often: see `propose`."""
    whole("number of proposals", count, 1, MOST_PICKED)
    return propose(tune.notes, tune.metre, tune.bars, tune.key, count, often=often)


def chosen(
    tune: Tune, outline: Outline = Outline(), pick: int | None = None, *, often: float = 0.0
) -> Proposal:
    """The chords that a tune is harmonised with.

    Those that are asked for; else, unless one of the proposals is picked by its number from 1,
    those that its file names; else the first proposal. Raises TextMusicError for chords that the
    tune has no room for, and for a proposal that there is not.
    """
    if outline.chords and pick is not None:
        raise TextMusicError("chords that are given leave nothing to pick; leave out one of them.")
    if outline.chords:
        rows = _laid(tune, outline)
        return Proposal(rows, fit(tune.notes, rows, tune.metre), 0.0)
    if pick is None and tune.own:
        return Proposal(tune.own, fit(tune.notes, tune.own, tune.metre), 0.0)
    number = whole("pick", 1 if pick is None else pick, 1, MOST_PICKED)
    found = proposals(tune, max(number, PROPOSALS), often=often)
    if number > len(found):
        raise TextMusicError(
            f"there are only {len(found)} progressions that really differ; pick one of them."
        )
    return found[number - 1]


def with_fit(tune: Tune, sketch: Sketch) -> Proposal:
    """Chords that were chosen before; raises ValueError for another number of bars."""
    rows = tuple(row.chords for row in sketch.rows)
    if len(rows) != tune.bars:
        raise ValueError("chords")
    return Proposal(rows, fit(tune.notes, rows, tune.metre), 0.0)


def _laid(tune: Tune, outline: Outline) -> Rows:
    bars, beats = len(outline.chords), beats_per_bar(tune.metre)
    if bars > tune.bars:
        raise TextMusicError(
            f"the chords fill {bars} bars and the melody {tune.bars}; write several in a bar, as"
            " in '| Dm7 G7 | C |', or give fewer."
        )
    if (most := max(map(len, outline.chords))) > beats:
        raise TextMusicError(
            f"{most} chords do not fit into a bar of {tune.metre}, which has {beats} beats; use"
            " more bar lines."
        )
    rows = laid(Outline(outline.chords, outline.relative, outline.minor), tune.key, tune.bars,
                tune.metre)  # fmt: skip
    return tuple(row.chords or () for row in rows)


def in_symbols(rows: Rows, key: str | None) -> str:
    """Chords as they are typed, bar lines between bars: "| C Am | F |"."""
    bars = [" ".join(chord_name(chord, key) for _, chord in row) or "N.C." for row in rows]
    return f"| {' | '.join(bars)} |"


class Accompaniment:
    """A tune with instruments that play its chords, written by a model."""

    def __init__(
        self, music: LoadedModel, tune: Tune, proposal: Proposal, instruments: Sequence[str | int],
        brief: Brief,
    ) -> None:  # fmt: skip
        """What is written where; raises TextMusicError as `TextToMusic.fill` does."""
        self._music, self._tune, self._proposal, self._brief = music, tune, proposal, brief
        self._programs = programs = programs_of(instruments) or (0,)
        self._swapped = _swapped(tune, programs)
        score = tune.score.copy()
        for track in score.tracks:
            if not track.is_drum:
                track.program = self._swapped.get(track.program, track.program)
        piece = OpenPiece(score, None, (), programs)
        piece.material = replace(
            piece.material, plan=replace(piece.material.plan, key=tune.material.plan.key)
        )
        # a melody alone is sparse, and what accompanies it should not be
        self._open = music.understand(brief.text, controls=brief.controls).asked.density is None
        dense = replace(brief.controls, density=USUAL_DENSITY)
        said = replace(brief, controls=dense) if self._open else brief
        self._filling = Filling(music, piece, said, sketch_of(tune, proposal.rows), melody=True)

    @property
    def length(self) -> int:
        """How many bars the accompaniment has."""
        return self._tune.bars

    @property
    def bars(self) -> int:
        """How many bars are written, all tries together."""
        return self.length * self._filling.tries

    def write(self, on_bar: OnBar | None = None) -> Generation:
        """The tune note for note, and what accompanies it."""
        (piece,) = decode_rounds(self._music.engine, self.writing(), self.bars, on_bar)
        return piece

    def writing(self) -> Generator[list[Take], None, list[Generation]]:
        """`write` for whoever decodes by themselves: the takes that it yields are to be written."""
        (filled,) = yield from self._filling.writing([self._filling.seed])
        return [self._generation(self._filling.finished(filled))]

    def _generation(self, written: Generation) -> Generation:
        back = {stand_in: program for program, stand_in in self._swapped.items()}
        score = written.score.copy()
        for track in score.tracks[: len(self._tune.score.tracks)]:
            if not track.is_drum and track.program in back:
                track.program = back[track.program]
                track.name = track.name or "Melody"
        notes = notes_of(score)
        report = written.report
        heard = self._tune.material.heard(score, notes)
        plan = replace(heard, key=written.plan.key, begin=True, end=True)
        change = change_of(self._tune, self._proposal, {"programs": list(self._programs)})
        prompt = written.prompt
        if self._open:  # nobody has asked for it
            prompt = replace(prompt, asked=replace(prompt.asked, density=None))
        made = account(
            prompt, plan, score, written.seed, written.model, sketch=written.sketch,
            ids=written.ids, nats=written.nats, notes=notes, measured=heard, kept=report.kept,
            new_bars=report.new_bars, sampling=self._brief.sampling if change else None,
            change=change,
            remarks=(
                *self._tune.material.remarks, *self._tune.remarks,
                remark(self._tune, self._proposal),
            ),
        )  # fmt: skip
        return replace(made, report=replace(made.report, known=report.known))


def remark(tune: Tune, proposal: Proposal) -> str:
    """What the chords are, on one line."""
    share = f"{100 * proposal.fit:.0f} % of the melody lies on their tones"
    return f"chords {in_symbols(proposal.rows, tune.key)}; {share}"


def change_of(tune: Tune, proposal: Proposal, options: dict[str, object]) -> Change | None:
    """What a recipe says; None of a tune that was no MIDI file."""
    bars = [[[beat, chord and list(chord)] for beat, chord in row] for row in proposal.rows]
    return Change.of(HOW, tune.events, {"chords": bars, **options})


def sketch_of(tune: Tune, rows: Rows) -> Sketch:
    """The sketch of an accompaniment: the melody's own form, and chords."""
    form = measure_sketch(tune.notes, tune.metre, tune.bars, tune.key).rows
    made: list[Row] = []
    for heard, chords in zip(form, rows, strict=True):
        like = heard.like
        if like is not None and made[like].chords != chords:
            made.append(Row(vary=like, chords=chords))
        else:
            made.append(Row(like, heard.vary, chords))
    return Sketch(tuple(made))


def _swapped(tune: Tune, programs: Sequence[int]) -> dict[int, int]:
    """Instruments of a tune that are to accompany it as well, and what stands for each meanwhile.

    So a piano can play both: the melody, and what is written to it.
    """
    playing = {t.program for t in tune.score.tracks if not t.is_drum and len(t.notes)}
    low, high = int(tune.notes.pitch.min()), int(tune.notes.pitch.max())
    free = [p for p in _LEADS if p not in playing and p not in programs]
    free.sort(key=lambda p: not range_of(p)[0] <= low <= high <= range_of(p)[1])
    free += [p for p in range(DRUMS) if p not in (*playing, *programs, *free)]
    return dict(zip(sorted(playing & set(programs)), free, strict=False))
