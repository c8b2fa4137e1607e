"""TextToMusic: the whole road, from words to a score and its report."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.engines.folder import read_config
from textmusic.engines.protocol import SLOTS, Engine
from textmusic.errors import TextMusicError
from textmusic.language.controls import check_plan
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.music.notes import score_of
from textmusic.music.outline import AskedRow, check
from textmusic.music.plan import COUNTED_BARS, Plan
from textmusic.music.sketch import Outline, Sketch
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.result.generation import Generation, account, finish
from textmusic.tokens.plan_grammar import OPEN_BARS, bars_for
from textmusic.tokens.sampling import Sampling, drawn
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.continuation import Continuation
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.filling import Filling
from textmusic.writing.live_audio import sounding
from textmusic.writing.loading import locate, open_engine
from textmusic.writing.take import Take
from textmusic.writing.written import Bar, Given

if TYPE_CHECKING:
    from os import PathLike

    from symusic import Score

    from textmusic.hub.push import Push
    from textmusic.music.midi_events import MidiEvents
    from textmusic.sound.soundfont import Wave

OnBar = Callable[[int, int], None]


class TextToMusic:
    """A model, ready to write music.

    >>> music = TextToMusic.from_pretrained()
    >>> music.generate("calm piano in D minor", seed=1).save("out")
    """

    def __init__(self, engine: Engine, tokenizer: Tokenizer, name: str) -> None:
        self.engine, self.tokenizer, self.name = engine, tokenizer, name

    @classmethod
    def from_pretrained(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        revision: str | None = None,
        threads: int | None = None,
    ) -> TextToMusic:
        """Load a model: None for the bundled default, else a folder or a Hugging Face Hub id.

        threads: cores to use; by default all that this process may. Raises TextMusicError where
        the model is missing or not whole.
        """
        folder, name = locate(model, revision)
        config = read_config(folder)
        engine, tokenizer = open_engine(folder, threads=threads), Tokenizer(folder)
        if tokenizer.offset != config["offset"]:
            raise TextMusicError(
                f"'{folder}' is not a complete textmusic model (tokenizer.json is from another"
                " model); download it again."
            )
        return cls(engine, tokenizer, name)

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

    def understand(
        self,
        text: str,
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        room: tuple[int, str] | None = None,
    ) -> Prompt:
        """What would be forced for this text and these controls, and what could not be used.

        room: (bars, time signature) that chords and form are for; by default those asked for.
        Raises TextMusicError for controls that no plan can have, and for chords or a form that
        these bars can't hold.
        """
        check_plan(controls)
        prompt = read_prompt(text, controls=controls, seconds=seconds, outline=outline)
        bars, metre = room or (_bars_asked(prompt), prompt.asked.time_signature or "4/4")
        if bars is not None:
            check(prompt.outline, bars, metre)
        if prompt.asked.programs == (DRUMS,) and prompt.asked.key is not None:
            note = f"'{prompt.asked.key}': drums on their own have no key"
            asked = replace(prompt.asked, key=None)
            prompt = replace(prompt, asked=asked, unused=(*prompt.unused, note))
        caption = self.tokenizer.beginning(prompt.caption, self._longest_text)
        if caption != prompt.caption:
            rest = prompt.caption[len(caption) :].strip()[:40]
            note = f"'{rest}…': the text is long; from here on only musical facts are read"
            prompt = replace(prompt, caption=caption, unused=(*prompt.unused, note))
        return prompt

    @property
    def _longest_text(self) -> int:
        """Ids of a prompt's text at most, so that there is room to look back on music."""
        return self.engine.context // 4

    def plan(
        self, text: str = "", *, forced: bool = True, seed: int = 0, sampling: Sampling = Sampling()
    ) -> Plan:
        """The plan alone, without its music: quick, and what a generation with this seed follows.

        forced=False lets the model read everything by itself: what it has learnt of words.
        """
        prompt = self.understand(text)
        if not forced:
            prompt = replace(
                prompt, asked=Plan(), seconds=None, without=(), near=Plan(), outline=Outline()
            )
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
            outline: chords and form, as `prompt.parse_chords` and `parse_form` read them.
            seed: the same seed, text and model give the same piece; None draws one.
            sampling: how freely the model chooses.
            best_of: write so many, with the seeds seed, seed + 1, ..., and keep the one that does
                best what was asked, and of those the one that the model finds likeliest.
            on_bar: called with (bars written, bars in all) after each bar.
        """
        written = self.generate_many(
            text, best_of, controls=controls, seconds=seconds, outline=outline, seed=seed,
            sampling=sampling, on_bar=on_bar,
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
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write n variations side by side, with the seeds seed, seed + 1, ..."""
        prompt = self.understand(text, controls=controls, seconds=seconds, outline=outline)
        seed = drawn(n) if seed is None else seed
        takes = [self.take(prompt, seed + i, sampling) for i in range(n)]
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
    ) -> Generator[tuple[Bar, Wave], None, Generation]:
        """`stream`, with the sound of each bar: one piece to be heard while it is written.

        Yields (bar, audio). audio: float32, shape (2, samples), 44,100 samples a second, -1 .. 1;
        what no later bar changes, to be played one after the other without a gap. The last one
        holds the tail too. It is as loud as the first bar allows, and turned down where a later one
        needs it (`live_audio.Level`); `Generation.audio` has no need of that.

        soundfont: as for `render`. Raises TextMusicError if it is missing or broken.
        """
        stream = self.stream(
            text, controls=controls, seconds=seconds, outline=outline, seed=seed, sampling=sampling
        )
        return (yield from sounding(stream, soundfont))

    def continue_from(
        self,
        source: MidiEvents | Score | str | PathLike[str],
        bars: int = 8,
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
            bars: how many new ones, 1 to 255.
            keep: of its own bars only the first so many; the rest is written anew, and `bars` more.
            text, controls: what the new bars should be like; "" goes on as before.
            outline: chords and form of the new bars, as `parse_chords` and `parse_form` read them.
            seed, sampling, on_bar: as for `generate`.

        Raises TextMusicError where nothing can be gone on from, and for bars out of range.
        """
        made = Continuation(
            self, source, bars, keep=keep, text=text, controls=controls, outline=outline,
            seed=seed, sampling=sampling,
        )  # fmt: skip
        for _, bar in decode(self.engine, in_turn([made.take]), 1):
            if on_bar:
                on_bar(bar.index + 1, bar.total)
        return made.generation()

    def fill(
        self,
        score: Score,
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
            score: symusic.Score; `textmusic.music.midi_files.read_score` reads files of others
                safely.
            bars: the first and the last, counted from 1; None for all in the last time signature.
            instruments: those that are written anew, by name or General MIDI number; () for all.
            add: instruments that the piece does not have yet.
            text, controls: what the new music should be like. Tempo, key and time signature stay.
            outline: chords and form of the bars that are filled, as `parse_chords` reads them.
            sketch: the same, a row for each of those bars, counted from the first of them.
            seed, sampling, on_bar: as for `generate`.

        Returns a Generation whose score is the given one but for the new notes: its other notes,
        controllers, names and tempi are untouched, and so is its resolution. A form that is asked
        for names the filled bars' sections in its markers.

        Raises:
            TextMusicError: the bars or the instruments are not there, the score holds no notes, or
                the whole piece would be filled.
        """
        filling = Filling(
            self, score, bars=bars, instruments=instruments, add=add, text=text,
            controls=controls, outline=outline, sketch=sketch, seed=seed, sampling=sampling,
        )  # fmt: skip
        return filling.write(on_bar)

    def take(
        self,
        prompt: Prompt,
        seed: int,
        sampling: Sampling = Sampling(),
        lengths: tuple[int, int] = OPEN_BARS,
        given: Given = Given(),
        asked_rows: Sequence[AskedRow] | None = None,
        free: bool = False,
    ) -> Take:
        """A piece to be written by `decode`; lengths, given, asked_rows, free: see `Take`."""
        caption = self.tokenizer.encode_text(prompt.caption)[: self._longest_text]
        return Take(
            self.tokenizer, prompt, caption, seed, sampling, context=self.engine.context,
            lengths=lengths, given=given, asked_rows=asked_rows, free=free,
        )  # fmt: skip

    def finished(self, take: Take) -> Generation:
        """The piece that a take has written, as far as it has got: its complete bars."""
        written = take.settled()
        plan = written.plan
        notes = take.sounding(plan.bars or 0)
        if not take.done:  # what would ring on ends with its last bar
            end = (plan.bars or 0) * quarters_per_bar(plan.time_signature or "4/4")
            notes = [note._replace(duration=min(note.duration, end - note.start)) for note in notes]
        score = finish(score_of(notes, plan), plan)
        return account(
            take.prompt, plan, score, take.seed, self.name, sketch=written.sketch,
            ids=take.count, nats=take.likelihood, sampling=take.sampling if take.done else None,
            planned=take.plan,
        )  # fmt: skip


def _bars_asked(prompt: Prompt) -> int | None:
    """The length in bars, where it is known before anything is planned."""
    asked = prompt.asked
    if prompt.seconds is None or asked.tempo is None or asked.time_signature is None:
        return asked.bars
    return bars_for(asked, prompt.seconds)
