"""What the page's buttons do, without the page: pieces are written, changed, and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from textmusic.engines.protocol import SLOTS
from textmusic.errors import TextMusicError
from textmusic.feedback.thumbs import Thumbs
from textmusic.language.controls import Controls
from textmusic.language.prompt import MAX_CHARACTERS, Prompt
from textmusic.language.reading.text import quote
from textmusic.music.measure import measure
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note, notes_of, score_of
from textmusic.music.plan import MAX_BARS, Plan
from textmusic.music.playing import Playing
from textmusic.music.sketch import Row, Sketch
from textmusic.music.tempo_map import TempoMap
from textmusic.page.broadcast import broadcast
from textmusic.page.piece import Piece, keep
from textmusic.page.shelves import Shelves
from textmusic.performing.performance import PERFORMANCE
from textmusic.result.account import account
from textmusic.result.generation import Generation, finish, named
from textmusic.system.streams import Stream, result_of
from textmusic.system.values import text, whole
from textmusic.tokens.sampling import Sampling, check_seed, drawn
from textmusic.transcription.recordings import is_recording
from textmusic.writing.adjusting import Adjustment, adjust
from textmusic.writing.brief import Brief
from textmusic.writing.continuation import Continuation
from textmusic.writing.editing import edit, read_edits
from textmusic.writing.hearing import piece_heard, transcription_of
from textmusic.writing.live_audio import sounding
from textmusic.writing.live_performance import LivePerformance
from textmusic.writing.scheduler import Scheduler
from textmusic.writing.sources import read_piece
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.written import Bar

if TYPE_CHECKING:
    from symusic import Score

MOST_VARIATIONS = 4
MOST_PIECES_AT_ONCE = 4  # pieces that one address may have in the making


class Composition(Protocol):
    """What is to be written with a piece, in takes that may depend on each other."""

    @property
    def bars(self) -> int:
        """How many are written in all, tries that are not kept among them."""

    @property
    def length(self) -> int:
        """How many bars a piece gets of them."""

    def writing(self) -> Generator[Sequence[Take], None, list[Generation]]:
        """Yields the takes of each round, and goes on when they are written."""


Work = Callable[[TextToMusic, Brief], Composition]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed and set. seed: None draws one. model: of the service's; "" is its first.

    performance: how far a new piece is performed.
    """

    text: str = ""
    controls: Controls = field(default_factory=Controls)
    seed: int | None = None
    sampling: Sampling = Sampling()
    model: str = ""
    performance: float = PERFORMANCE


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
class Moment:
    """A bar was written. address: of the audio. score, sketch: so far, where they are drawn.

    tempi: of what is heard; None: as the score has it.
    """

    bar: Bar
    address: str
    score: Score | None
    sketch: Sketch = Sketch()
    tempi: TempoMap | None = None


@dataclass
class _Making:
    """A take in a scheduler, and what becomes of it. performance: how far it is performed."""

    scheduler: Scheduler
    take: Take
    finished: Callable[[], Generation]
    performance: float = 0.0


@dataclass
class Service:
    """Models, a folder for results, and the limits of a shared page.

    cache: where files are put. max_bars: of a piece. slots: pieces that a model writes side by
    side. thumbs: where they are kept; None: the page asks for none.
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
            finished = _finisher(scheduler.music, take, wish.performance)
            makings.append(_Making(scheduler, take, finished, wish.performance))
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
        made = Continuation(scheduler.music, read_piece(midi), bars, brief, keep=keep)
        whole("new bars", made.bars, 1, self.max_bars)
        making = _Making(scheduler, made.take, made.generation)
        return (yield from self._write([making], visitor))

    def compose(
        self, work: Work, wish: Wish, visitor: Visitor
    ) -> Generator[tuple[int, int], None, list[Generation]]:
        """Pieces made of a file: rewritten, added to, varied. Yields bars done, and in all.

        Raises TextMusicError where it is stopped: half of the bars are no piece.
        """
        scheduler, said = self._scheduler(wish.model), wish.controls
        brief = Brief(wish.text, said.plan(), said.outline(), wish.seed, wish.sampling)
        made = work(scheduler.music, brief)
        whole("bars", made.length, 1, self.max_bars)
        writing, done = Stream(made.writing()), 0
        with self._working(visitor, 1):
            for takes in writing:
                for take in takes:
                    for _ in scheduler.write(take):
                        done += 1
                        if visitor in self._stopped:
                            scheduler.leave(take)
                            raise TextMusicError("stopped; the piece is as it was.")
                        yield min(done, made.bars), made.bars
        return writing.result

    def edit(self, midi: Path, edits: object) -> Generation:
        """A copy of a MIDI file with notes that were changed by hand; edits: see `read_edits`."""
        return edit(read_piece(midi), read_edits(edits))

    def adjust(self, midi: Path, adjustment: Adjustment) -> Generation:
        """A changed copy of a MIDI file."""
        return adjust(read_piece(midi), adjustment)

    def opened(self, midi: Path) -> Generation:
        """A person's MIDI file as it is, or what is heard in a recording, and what it measures."""
        if is_recording(midi):
            return piece_heard(transcription_of(midi))
        events = read_piece(midi)
        score = named(to_score(events))
        notes = notes_of(score)
        plan = measure(score, notes=notes)
        return account(
            Prompt("", Plan(), None, "", ()), plan, score, 0, "", ids=0, nats=0.0, notes=notes,
            measured=plan, events=events,
        )  # fmt: skip

    def judge(self, piece: Piece, up: bool) -> None:
        """Keep a thumb on a piece, and the piece with it."""
        if self.thumbs is None:
            raise TextMusicError("this page keeps no thumbs; start it with --feedback.")
        self.thumbs.add(piece.midi, up)

    def keep(self, generation: Generation, title: str) -> Piece:
        """Keep a piece that is on nobody's shelf: a program's, which has its files from us."""
        self.shelves.sweep()
        return keep(generation, title, self.shelves.pieces)

    @cached_property
    def shelves(self) -> Shelves:
        """Where pieces are kept."""
        return Shelves(self.cache)

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
        amount, seed = making.performance, making.take.seed
        heard = sounding(self._bars(making, visitor), performance=amount, seed=seed)
        sending = Stream(broadcast(heard, self.cache / "live"))
        tempi: TempoMap | None = None
        notes: list[Note] = []
        rows: list[Row] = []
        due = 1  # a long piece is not drawn anew with every bar
        for bar, address in sending:
            notes += bar.notes
            rows.append(bar.row)
            score = None
            if bar.index + 1 >= due or bar.last:
                score = finish(score_of(notes, bar.plan), bar.plan)
                due = ceil((bar.index + 1) * 9 / 8)
            if amount and tempi is None and score is not None:
                tempi = LivePerformance(score, bar, Playing.of(bar.plan, seed, amount)).tempi
            yield Moment(bar, address, score, Sketch(tuple(rows)), tempi)
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


def _finisher(music: TextToMusic, take: Take, performance: float) -> Callable[[], Generation]:
    def finished() -> Generation:
        piece = music.finished(take).performed(performance)
        return piece.looped() if take.done and take.prompt.loop else piece

    return finished
