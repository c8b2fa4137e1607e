"""What the page's buttons do, without the page: pieces are written, changed, and kept."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from textmusic.drawing.piano_roll import piano_roll
from textmusic.drawing.shapes import Drawing
from textmusic.engines.protocol import SLOTS
from textmusic.errors import TextMusicError
from textmusic.feedback.thumbs import Thumbs
from textmusic.language.controls import Controls
from textmusic.language.prompt import MAX_CHARACTERS, Prompt
from textmusic.language.reading.text import quote
from textmusic.music.markers import markers_of
from textmusic.music.midi_events import parse
from textmusic.music.midi_files import read_events
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note, score_of
from textmusic.music.plan import MAX_BARS, Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.page.broadcast import broadcast
from textmusic.result.generation import Generation, finish, slug_of
from textmusic.result.report import Report
from textmusic.system.streams import Stream, result_of
from textmusic.system.values import text, whole
from textmusic.system.whole_files import write_text
from textmusic.tokens.sampling import Sampling, check_seed, drawn
from textmusic.writing.adjusting import Adjustment, adjust
from textmusic.writing.brief import Brief
from textmusic.writing.continuation import Continuation
from textmusic.writing.live_audio import sounding
from textmusic.writing.scheduler import Scheduler
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.written import Bar

PAGE_FORMATS = ("mid", "wav", "mp3", "svg", "json")
MOST_VARIATIONS = 4
MOST_PIECES_AT_ONCE = 4  # pieces that one address may have in the making


class Composition(Protocol):
    """What is to be written with a piece, in takes that may depend on each other."""

    @property
    def bars(self) -> int:
        """How many are written."""

    def writing(self) -> Generator[Sequence[Take], None, list[Generation]]:
        """Yields the takes of each round, and goes on when they are written."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed and set. seed: None draws one. model: of the service's; "" is its first."""

    text: str = ""
    controls: Controls = field(default_factory=Controls)
    seed: int | None = None
    sampling: Sampling = Sampling()
    model: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. name: a browser's session, whose pieces it may stop; clients choose it themselves.

    address: what limits count by, as clients can't choose it; "" counts by name.
    """

    name: str
    address: str = ""

    @property
    def counted(self) -> str:
        """What limits count by."""
        return self.address or self.name


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece that is kept. number: in the visit, from 1. parent: of which piece it was made."""

    number: int
    title: str
    files: tuple[Path, ...]
    report: Report
    parent: int | None = None

    @property
    def midi(self) -> Path:
        """Its MIDI file."""
        return self.files[0]

    @property
    def audio(self) -> Path:
        """Its WAV file."""
        return self.files[1]

    @property
    def name(self) -> str:
        """What a list calls it."""
        words = self.title or "…"
        return f"{self.number} · {words[:48]}{'…' if len(words) > 48 else ''}"

    def drawing(self) -> Drawing:
        """Its piano roll."""
        score, plan = to_score(parse(self.midi.read_bytes())), self.report.planned
        sketch, sections = markers_of(score, plan)
        title = self.title or "untitled"
        return piano_roll(score, key=plan.key, title=title, sketch=sketch, sections=sections)


@dataclass(frozen=True, slots=True)
class Moment:
    """A bar was written. address: of the audio. drawing: the roll so far, if drawn anew."""

    bar: Bar
    address: str
    drawing: Drawing | None


@dataclass
class _Making:
    """A take in a scheduler, and what becomes of it."""

    scheduler: Scheduler
    take: Take
    finished: Callable[[], Generation]
    title: str


@dataclass
class Service:
    """Models, a folder for results, and the limits of a shared page.

    cache: where files are put, each piece in a folder whose name can't be guessed. max_bars: of a
    piece. slots: pieces that a model writes side by side. thumbs: where they are kept; None: the
    page asks for none.
    """

    models: Mapping[str, TextToMusic]
    cache: Path
    max_bars: int = MAX_BARS
    slots: int = SLOTS
    thumbs: Thumbs | None = None
    _schedulers: dict[str, Scheduler] = field(default_factory=dict)
    _stopped: set[Visitor] = field(default_factory=set)
    _busy: Counter[Visitor] = field(default_factory=Counter)
    _lock: Any = field(default_factory=Lock)

    def understand(self, wish: Wish) -> tuple[Prompt, Plan]:
        """What would be forced, and the controls alone; raises TextMusicError for bad ones."""
        plan, outline = wish.controls.plan(), wish.controls.outline()
        music = self._scheduler(wish.model).music
        prompt = music.understand(
            wish.text, controls=plan, seconds=wish.controls.seconds, outline=outline
        )
        if (prompt.asked.bars or 0) > self.max_bars:
            raise TextMusicError(f"this page writes {self.max_bars} bars at most; ask for fewer.")
        return prompt, plan

    def generate(
        self, wish: Wish, visitor: Visitor, variations: int = 1, plan: Plan | None = None
    ) -> Generator[Moment, None, list[Generation]]:
        """Write a piece, and variations with the seeds after it; what is heard live is the first.

        plan: forced instead of what is read. `stop` ends it after the bar that is being written.
        """
        whole("variations", variations, 1, MOST_VARIATIONS)
        prompt, _ = self.understand(wish)
        if plan is not None:
            music = self._scheduler(wish.model).music
            prompt = music.understand(wish.text, controls=plan, outline=wish.controls.outline())
        seed = drawn(variations) if wish.seed is None else wish.seed
        check_seed(seed, variations)
        scheduler = self._scheduler(wish.model)
        makings = []
        for n in range(variations):
            take = scheduler.music.take(prompt, seed + n, wish.sampling)
            finished = _finisher(scheduler.music, take)
            makings.append(_Making(scheduler, take, finished, wish.text))
        return (yield from self._write(makings, visitor))

    def go_on(
        self, midi: Path, bars: int, wish: Wish, visitor: Visitor, keep: int | None = None
    ) -> Generator[Moment, None, list[Generation]]:
        """New bars behind a MIDI file, or, with keep, in place of all but its first bars.

        bars: as for `TextToMusic.continue_from`.
        """
        scheduler = self._scheduler(wish.model)
        said = wish.controls
        brief = Brief(wish.text, said.plan(), said.outline(), wish.seed, wish.sampling)
        made = Continuation(scheduler.music, read_events(midi), bars, brief, keep=keep)
        whole("new bars", made.bars, 1, self.max_bars)
        making = _Making(scheduler, made.take, made.generation, wish.text)
        return (yield from self._write([making], visitor))

    def compose(
        self, work: Callable[[TextToMusic, Brief], Composition], wish: Wish, visitor: Visitor
    ) -> list[Generation]:
        """Pieces made of a file: rewritten, added to, varied."""
        scheduler, said = self._scheduler(wish.model), wish.controls
        brief = Brief(wish.text, said.plan(), said.outline(), wish.seed, wish.sampling)
        made = work(scheduler.music, brief)
        whole("bars", made.bars, 1, self.max_bars)

        def rounds() -> Generator[Bar, None, list[Generation]]:
            writing = Stream(made.writing())
            for takes in writing:
                for take in takes:
                    yield from scheduler.write(take)
            return writing.result

        with self._working(visitor, 1):
            return result_of(rounds())

    def adjust(self, midi: Path, adjustment: Adjustment) -> Generation:
        """A changed copy of a MIDI file."""
        return adjust(read_events(midi), adjustment)

    def keep(
        self, generation: Generation, pieces: Sequence[Piece], title: str, parent: int | None = None
    ) -> Piece:
        """Write a piece's files; the visit's next piece."""
        self.cache.mkdir(parents=True, exist_ok=True)
        folder = self.cache / secrets.token_urlsafe(16)
        stem = f"{slug_of(title)}-{generation.seed}"
        files = generation.save(folder, formats=PAGE_FORMATS, stem=stem)
        number = 1 + max((piece.number for piece in pieces), default=0)
        return Piece(number, title, tuple(files), generation.report, parent)

    def judge(self, piece: Piece, up: bool) -> None:
        """Keep a thumb on a piece, and the piece with it."""
        if self.thumbs is None:
            raise TextMusicError("this page keeps no thumbs; start it with --feedback.")
        self.thumbs.add(piece.midi, up)

    def sheet(self, piece: Piece) -> tuple[Path, list[str]]:
        """A piece's MusicXML file, and its engraved pages (SVG); raises what `sheet_music` does."""
        from textmusic.drawing.sheet_music import engrave, musicxml

        score, plan = to_score(parse(piece.midi.read_bytes())), piece.report.planned
        sketch, sections = markers_of(score, plan)
        xml = musicxml(score, title=piece.title, key=plan.key, sketch=sketch, sections=sections)
        file = piece.midi.with_suffix(".musicxml")
        write_text(file, xml)
        return file, engrave(xml)

    def stop(self, visitor: Visitor) -> None:
        """End what is being written for a visitor, after its bar."""
        with self._lock:
            if self._busy[visitor]:
                self._stopped.add(visitor)

    def _scheduler(self, model: str) -> Scheduler:
        model = text("model", model, MAX_CHARACTERS) or next(iter(self.models))
        if model not in self.models:
            raise TextMusicError(
                f"the page does not offer '{quote(model)}'; choose one of {', '.join(self.models)}."
            )
        with self._lock:
            if model not in self._schedulers:
                self._schedulers[model] = Scheduler(self.models[model], slots=self.slots)
            return self._schedulers[model]

    def _write(
        self, makings: Sequence[_Making], visitor: Visitor
    ) -> Generator[Moment, None, list[Generation]]:
        first, *others = makings
        with self._working(visitor, len(makings)), ThreadPoolExecutor(MOST_VARIATIONS) as pool:
            waiting = [pool.submit(result_of, self._bars(making, visitor)) for making in others]
            try:
                piece = yield from self._aloud(first, visitor)
                return [piece, *(one.result() for one in waiting)]
            finally:  # whoever leaves takes the variations along
                for making in makings:
                    making.scheduler.leave(making.take)

    def _aloud(self, making: _Making, visitor: Visitor) -> Generator[Moment, None, Generation]:
        sending = Stream(broadcast(sounding(self._bars(making, visitor)), self.cache / "live"))
        notes: list[Note] = []
        rows: list[Row] = []
        due = 1  # a long piece is not drawn anew with every bar
        for bar, address in sending:
            notes += bar.notes
            rows.append(bar.row)
            drawing = None
            if bar.index + 1 >= due:
                score = finish(score_of(notes, bar.plan), bar.plan)
                title = making.title or "untitled"
                drawing = piano_roll(
                    score, key=bar.plan.key, title=title, bars=bar.total, sketch=Sketch(tuple(rows))
                )
                due = ceil((bar.index + 1) * 9 / 8)
            yield Moment(bar, address, drawing)
        return sending.result

    def _bars(self, making: _Making, visitor: Visitor) -> Generator[Bar, None, Generation]:
        """The bars of a take until it ends or is stopped."""
        for bar in making.scheduler.write(making.take):
            if bar.total > self.max_bars:
                raise TextMusicError(
                    f"this page writes {self.max_bars} bars at most; ask for a shorter piece."
                )
            yield bar
            if visitor in self._stopped:
                break
        return making.finished()

    @contextmanager
    def _working(self, visitor: Visitor, pieces: int) -> Iterator[None]:
        with self._lock:
            busy = sum(n for one, n in self._busy.items() if one.counted == visitor.counted)
            if busy + pieces > MOST_PIECES_AT_ONCE:
                raise TextMusicError(
                    f"{busy} of your pieces are being written; wait until one is finished."
                )
            self._busy[visitor] += pieces
        try:
            yield
        finally:
            with self._lock:
                self._busy[visitor] -= pieces
                if not self._busy[visitor]:
                    del self._busy[visitor]
                    self._stopped.discard(visitor)


def _finisher(music: TextToMusic, take: Take) -> Callable[[], Generation]:
    def finished() -> Generation:
        piece = music.finished(take)
        return piece.looped() if take.done and take.prompt.loop else piece

    return finished
