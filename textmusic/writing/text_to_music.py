"""TextToMusic: the whole road, from words to a score and its report."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.engines.protocol import SLOTS
from textmusic.language.prompt import Prompt
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.practice import Practice
from textmusic.music.sketch import Outline, Sketch
from textmusic.performing.performance import PERFORMANCE
from textmusic.result.generation import Generation
from textmusic.system.values import real, whole
from textmusic.tokens.plan_grammar import OPEN_BARS
from textmusic.tokens.sampling import Sampling, check_seed, drawn
from textmusic.writing.brief import Brief
from textmusic.writing.composing import Composing
from textmusic.writing.continuation import Continuation
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.filling import Filling
from textmusic.writing.harmonising import Accompaniment, chosen
from textmusic.writing.live_audio import sounding
from textmusic.writing.open_piece import OpenPiece
from textmusic.writing.practising import asked_pieces
from textmusic.writing.sources import as_score
from textmusic.writing.take import Take
from textmusic.writing.tunes import Tune, read_tune
from textmusic.writing.written import Bar

if TYPE_CHECKING:
    from os import PathLike

    from symusic import Score

    from textmusic.hub.push import Push
    from textmusic.music.midi_events import MidiEvents
    from textmusic.sound.soundfont import Wave

OnBar = Callable[[int, int], None]
MOST_PIECES = 4_096  # side by side: each has its share of the memory


class TextToMusic(Composing):
    """A model, ready to write music.

    >>> music = TextToMusic.from_pretrained()
    >>> music.generate("calm piano in D minor", seed=1).save("out")
    """

    def push_to_hub(
        self,
        repo: str,
        *,
        private: bool = False,
        revision: str | None = None,
        evaluation: str | PathLike[str] | None = None,
        samples: int = 0,
        adapter: bool = False,
        dry_run: bool = False,
    ) -> Push:
        """Share this model on the Hugging Face Hub, from where `from_pretrained(repo)` loads it.

        Args:
            repo: "user/name"; made if it is not there.
            private: make it one that others can't see.
            revision: the branch to push to, created if necessary; None for main.
            evaluation: a folder that `textmusic evaluate -o` wrote.
            samples: how many example prompts are written and played for the model's page, 0 to 4.
            adapter: send its LoRA adapter alone, which says what it is an adapter to.
            dry_run: send nothing; the result says what would be sent.

        Raises:
            TextMusicError: there is no token, the Hub refuses, or it can't be reached.
        """
        from textmusic.hub.push import push

        return push(
            self, repo, private=private, revision=revision, samples=samples, dry_run=dry_run,
            evaluation=None if evaluation is None else Path(evaluation), adapter=adapter,
        )  # fmt: skip

    def plan(
        self, text: str = "", *, forced: bool = True, seed: int = 0, sampling: Sampling = Sampling()
    ) -> Plan:
        """The plan alone, without its music: quick, and what a generation with this seed follows.

        forced=False lets the model read everything by itself: what it has learnt of words. Raises
        TextMusicError for facts that are out of range or contradict each other.
        """
        prompt = self.understand(text)
        if not forced:
            prompt = replace(
                prompt, asked=Plan(), seconds=None, without=(), near=Plan(), outline=Outline(),
                practice=None,
            )  # fmt: skip
        lengths = OPEN_BARS if forced else (1, COUNTED_BARS)
        take = self.take(prompt, seed, sampling, lengths, free=not forced)
        self._decide(take, lambda take: take.planned)
        return take.plan

    def sketch(
        self, prompt: Prompt, *, seed: int = 0, sampling: Sampling = Sampling()
    ) -> tuple[Plan, Sketch]:
        """The plan and the sketch alone, of a piece of at most 64 bars; of longer ones the first.

        prompt: what `understand` gave. A generation with this seed follows both.
        """
        take = self.take(prompt, seed, sampling)
        self._decide(take, lambda take: take.sketched)
        return take.plan, take.sketch

    def _decide(self, take: Take, done: Callable[[Take], bool]) -> None:
        """Write a take until something is decided."""
        for _ in decode(self.engine, in_turn([take]), 1, until=done):
            pass

    def generate(
        self,
        text: str = "",
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        practice: Practice | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        best_of: int = 1,
        on_bar: OnBar | None = None,
    ) -> Generation:
        """Write one piece.

        Args:
            text: what is wanted, in English or Chinese; empty leaves everything to the model.
            controls: facts that win over the text.
            seconds: length in seconds, instead of controls.bars.
            outline: chords and form, as in `understand("chords Am F C G, AABA").outline`.
            practice: the limits of a practice piece; see `practise` for several.
            seed: the same seed, text and model give the same piece; None draws one.
            sampling: how freely the model chooses.
            best_of: write so many, with the seeds seed, seed + 1, ..., and keep the one that does
                best what was asked, and of those the one that the model finds likeliest.
            on_bar: called with (bars written, bars in all) after each bar.

        Returns the piece: its plan, score, and a report of what was asked and what came out.

        Raises TextMusicError, before anything is written, for facts and values that are out of
        range or contradict each other.
        """
        written = self.generate_many(
            text, best_of, controls=controls, seconds=seconds, outline=outline,
            practice=practice, seed=seed, sampling=sampling, on_bar=on_bar,
        )  # fmt: skip
        return written[0] if best_of == 1 else min(written, key=lambda piece: piece.rank)

    def generate_many(
        self,
        text: str = "",
        n: int = 1,
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        practice: Practice | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write n variations side by side, with the seeds seed, seed + 1, ...

        n: 1 to 16. The rest, and what is raised, as for `generate`.
        """
        whole("number of pieces", n, 1, MOST_PIECES)
        seed = drawn(n) if seed is None else check_seed(seed, n)
        prompt = self.understand(
            text, controls=controls, seconds=seconds, outline=outline, practice=practice
        )
        return self._write([self.take(prompt, seed + i, sampling) for i in range(n)], on_bar)

    def practise(
        self,
        practice: Practice = Practice(),
        pieces: int = 1,
        *,
        text: str = "",
        controls: Plan = Plan(),
        progression: bool = False,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write practice pieces within the limits of a grade, with the seeds seed, seed + 1, ...

        Args:
            practice: instrument, grade and what else is asked of them.
            pieces: how many, 1 to 24.
            text: what they should be like beside that; "" says grade and instrument.
            controls: key, time signature, tempo and bars; what is open differs from piece to piece.
            progression: harder step by step, up to two grades above the first one.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError, before anything is written, for an unknown grade or instrument, and
        for a key, a time signature or bars that the grade does not have.
        """
        seed = drawn(pieces) if seed is None else check_seed(seed, pieces)
        wanted = asked_pieces(practice, pieces, controls, text, progression=progression)
        prompts = [self.understand(said, controls=plan, practice=one) for one, plan, said in wanted]
        takes = [self.take(prompt, seed + i, sampling) for i, prompt in enumerate(prompts)]
        return self._write(takes, on_bar)

    def _write(self, takes: Sequence[Take], on_bar: OnBar | None) -> list[Generation]:
        """Write takes side by side; on_bar: as for `generate`."""
        n = len(takes)
        written: dict[int, tuple[int, int]] = {}
        for take, bar in decode(self.engine, in_turn(takes), n):
            written[take.seed] = (bar.index + 1, bar.total)
            if on_bar and len(written) == n:
                on_bar(sum(b for b, _ in written.values()), sum(t for _, t in written.values()))
        return [self.finished(take) for take in takes]

    def complete(
        self,
        prompts: Iterable[tuple[Prompt, int]],
        *,
        sampling: Sampling = Sampling(),
        slots: int = SLOTS,
        on_bar: OnBar | None = None,
    ) -> Iterator[tuple[int, Generation]]:
        """Write many pieces, `slots` of them side by side; each as soon as there is room for it.

        Args:
            prompts: pairs of what `understand` gave and a seed, drawn on as slots become free.
            sampling: how freely the model chooses.
            slots: how many are written side by side; each takes up to 24 MB.
            on_bar: called with (bars written, bars in all) of a piece after each of its bars.

        Yields (place in `prompts`, from 0; Generation), in the order in which they are finished.
        """
        places: dict[Take, int] = {}

        def takes() -> Iterator[Take]:
            for place, (prompt, seed) in enumerate(prompts):
                take = self.take(prompt, seed, sampling)
                places[take] = place
                yield take

        for take, bar in decode(self.engine, in_turn(takes()), slots):
            if on_bar:
                on_bar(bar.index + 1, bar.total)
            if take.done:
                yield places.pop(take), self.finished(take)

    def stream(
        self,
        text: str = "",
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
    ) -> Generator[Bar, None, Generation]:
        """Write one piece, yielding each bar when it is complete; returns the Generation.

        The Generation is the generator's return value: `generation = yield from music.stream(...)`.
        """
        prompt = self.understand(text, controls=controls, seconds=seconds, outline=outline)
        take = self.take(prompt, drawn(1) if seed is None else seed, sampling)
        for _, bar in decode(self.engine, in_turn([take]), 1):
            yield bar
        return self.finished(take)

    def stream_audio(
        self,
        text: str = "",
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        soundfont: str | Path | None = None,
        dry: bool = False,
        performance: float = PERFORMANCE,
    ) -> Generator[tuple[Bar, Wave], None, Generation]:
        """`stream`, with the sound of each bar: one piece to be heard while it is written.

        Yields (bar, audio). audio: float32, shape (2, samples), 44,100 samples a second, -1 .. 1;
        what no later bar changes, to be played one after the other without a gap; the last 24 ms
        of a bar come with the next one, and the last one holds the tail too. It is about as loud
        as the first bar allows, and turned down where a later one
        needs it (`live_audio.Level`); `Generation.audio` has no need of that.

        soundfont, dry: as for `render`. performance: as for `Generation.save`; what is returned is
        performed so. Raises TextMusicError for a soundfont that is missing or broken.
        """
        seed = drawn(1) if seed is None else seed
        performance = real("performance", performance, 0, 1)
        stream = self.stream(
            text, controls=controls, seconds=seconds, outline=outline, seed=seed, sampling=sampling
        )
        heard = sounding(stream, soundfont, dry=dry, performance=performance, seed=seed)
        return (yield from heard).performed(performance)

    def continue_from(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        bars: int | None = None,
        *,
        keep: int | None = None,
        text: str = "",
        controls: Plan = Plan(),
        outline: Outline = Outline(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> Generation:
        """Write new bars behind those of a score.

        Args:
            source: a MIDI file, which is kept event for event: its path, or what
                `textmusic.music.midi_files.read_events` gives; or a symusic.Score.
            bars: how many new ones, 1 to 255; None: as many as the text says, or else 8.
            keep: of its own bars only the first so many, counted from the beginning; the new bars
                stand behind them. Without `bars` (None or 0) as many as were taken away.
            text, controls: what the new bars should be like; "" goes on as before.
            outline: chords and form of the new bars, as for `generate`.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError where nothing can be gone on from, and for bars out of range.
        """
        brief = Brief(text, controls, outline, seed, sampling)
        made = Continuation(self, source, bars, brief, keep=keep)
        for _, bar in decode(self.engine, in_turn([made.take]), 1):
            if on_bar:
                on_bar(bar.index + 1, bar.total)
        return made.generation()

    def fill(
        self,
        score: Score | str | PathLike[str],
        *,
        bars: tuple[int, int] | None = None,
        instruments: Sequence[str | int] = (),
        add: Sequence[str | int] = (),
        text: str = "",
        controls: Plan = Plan(),
        outline: Outline = Outline(),
        sketch: Sketch | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> Generation:
        """Write bars or instruments of a piece anew, or add instruments; the rest stays as it is.

        Args:
            score: a MIDI file, or a symusic.Score. Files are read in a process of their own, which
                broken ones may crash.
            bars: the first and the last, counted from 1; None for all in the last time signature.
            instruments: those that are written anew, by name or General MIDI number; () for all.
            add: instruments that the piece does not have yet.
            text, controls: what the new music should be like. Tempo, key and time signature stay.
            outline: chords and form of the bars that are filled, as for `generate`.
            sketch: the same, a row for each of those bars, counted from the first of them.
            seed, sampling, on_bar: as for `generate`.

        Returns a Generation whose score is the given one but for the new notes: its other notes,
        controllers, names and tempi are untouched, and so is its resolution. A form that is asked
        for names the filled bars' sections in its markers.

        Raises:
            TextMusicError: the bars or the instruments are not there, the score holds no notes, or
                the whole piece would be filled.
        """
        brief = Brief(text, controls, outline, seed, sampling)
        piece = OpenPiece(as_score(score), bars, instruments, add)
        return Filling(self, piece, brief, sketch).write(on_bar)

    def harmonise(
        self,
        source: Tune | MidiEvents | Score | str | PathLike[str],
        *,
        instruments: Sequence[str | int] = ("piano",),
        outline: Outline = Outline(),
        pick: int | None = None,
        text: str = "",
        controls: Plan = Plan(),
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> Generation:
        """Write an accompaniment to a melody, which stays note for note.

        Four voices need no model: `textmusic.writing.chorale.chorale` writes them.

        Args:
            source: a file (MIDI, MusicXML, ABC or kern), what `read_tune` or `read_events` gives,
                or a symusic.Score.
            instruments: what accompanies it, by name or General MIDI number.
            outline: its chords, as for `generate`; none: those that the file names, or
                the first of what `textmusic.writing.harmonising.proposals` gives.
            pick: the number of another proposal, from 1.
            text, controls: what the accompaniment should be like.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError where there is no melody, or no room for the chords.
        """
        tune = source if isinstance(source, Tune) else read_tune(source)
        brief = Brief(text, controls, Outline(), seed, sampling)
        made = Accompaniment(self, tune, chosen(tune, outline, pick), instruments, brief)
        return made.write(on_bar)
