"""TextToMusic: the whole road, from words to a score and its report."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textmusic import measure
from textmusic.engine import Engine, OnnxEngine, read_config
from textmusic.errors import TextMusicError
from textmusic.generation import Generation, finish
from textmusic.grammar import (
    OPEN_BARS,
    Grammar,
    PlanGrammar,
    ScoreGrammar,
    key_bias,
    layout_of,
)
from textmusic.plan import COUNTED_BARS, DRUMS, TEMPO_RANGE, Plan, quarters_per_bar
from textmusic.prompt import Prompt, read_prompt
from textmusic.report import Report
from textmusic.sampling import Sampling, choose, surprise
from textmusic.tokenizer import PLAN, Note, Tokenizer, notes_of_bar

if TYPE_CHECKING:
    from os import PathLike

OnBar = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A finished bar. index: from 0. total: bars of the piece. notes: those that start in it."""

    index: int
    total: int
    notes: tuple[Note, ...]


class TextToMusic:
    """A model, ready to write music.

    >>> music = TextToMusic.from_pretrained()
    >>> music.generate("calm piano in D minor", seed=1).save("out")
    """

    def __init__(self, engine: Engine, tokenizer: Tokenizer, name: str) -> None:
        self.engine, self.tokenizer, self.name = engine, tokenizer, name
        self.layout = layout_of(tokenizer.vocabulary)

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
        engine, tokenizer = OnnxEngine(folder, threads=threads), Tokenizer(folder)
        if tokenizer.offset != config["offset"]:
            raise TextMusicError(
                f"'{folder}' is not a whole textmusic model (tokenizer.json is another model's);"
                " fetch it again."
            )
        return cls(engine, tokenizer, config.get("name", name) if model is None else name)

    def understand(
        self, text: str, *, controls: Plan = Plan(), seconds: float | None = None
    ) -> Prompt:
        """What would be forced for this text and these controls, and what could not be used."""
        prompt = read_prompt(text, controls=controls, seconds=seconds)
        if prompt.asked.programs == (DRUMS,) and prompt.asked.key is not None:
            note = f"'{prompt.asked.key}': drums alone have no key"
            asked = replace(prompt.asked, key=None)
            prompt = replace(prompt, asked=asked, unused=(*prompt.unused, note))
        caption = self.tokenizer.beginning(prompt.caption, self._longest_text)
        if caption != prompt.caption:
            rest = prompt.caption[len(caption) :].strip()[:40]
            note = f"'{rest}…': the text is long; from here on only facts are read"
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
            prompt = replace(prompt, asked=Plan(), seconds=None, without=(), near=Plan())
        take = _Take(
            self, prompt, seed, sampling, lengths=OPEN_BARS if forced else (1, COUNTED_BARS)
        )
        caption = self.tokenizer.encode_text(prompt.caption)[: self._longest_text]
        logits = self.engine.prefill(np.array([[*caption, *self._ids(PLAN)]], dtype=np.int64))
        while not take.planned:
            music_id = take.take(logits[0])
            logits = self.engine.step(np.array([music_id + self.tokenizer.offset]))
        return take.plan

    def generate(
        self,
        text: str = "",
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
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
            seed: the same seed, text and model give the same piece; None draws one.
            sampling: how freely the model chooses.
            best_of: write so many, with the seeds seed, seed + 1, ..., and keep the one that does
                best what was asked, and of those the one that the model finds likeliest.
            on_bar: called with (bars written, bars in all) after each bar.
        """
        written = self.generate_many(
            text, best_of, controls=controls, seconds=seconds, seed=seed, sampling=sampling,
            on_bar=on_bar,
        )  # fmt: skip
        return min(written, key=lambda generation: generation.rank)

    def generate_many(
        self,
        text: str = "",
        n: int = 1,
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
        on_bar: OnBar | None = None,
    ) -> list[Generation]:
        """Write n variations side by side, with the seeds seed, seed + 1, ..."""
        prompt = self.understand(text, controls=controls, seconds=seconds)
        takes = self._takes(prompt, n, seed, sampling)
        written: dict[int, tuple[int, int]] = {}
        for row, bar in self._write(prompt, takes):
            written[row] = (bar.index + 1, bar.total)
            if on_bar and len(written) == n:
                on_bar(sum(b for b, _ in written.values()), sum(t for _, t in written.values()))
        return [self._finish(prompt, take) for take in takes]

    def stream(
        self,
        text: str = "",
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling(),
    ) -> Generator[Bar, None, Generation]:
        """Write one piece, yielding each bar when it is complete; returns the Generation.

        The Generation is the generator's return value: `generation = yield from music.stream(...)`.
        """
        prompt = self.understand(text, controls=controls, seconds=seconds)
        takes = self._takes(prompt, 1, seed, sampling)
        for _, bar in self._write(prompt, takes):
            yield bar
        return self._finish(prompt, takes[0])

    def _takes(self, prompt: Prompt, n: int, seed: int | None, sampling: Sampling) -> list[_Take]:
        if seed is None:
            seed = int(np.random.default_rng().integers(1, 2**31 - n))
        return [_Take(self, prompt, seed + i, sampling) for i in range(n)]

    def _write(self, prompt: Prompt, takes: Sequence[_Take]) -> Iterator[tuple[int, Bar]]:
        """The decode loop: one id a take and step; yields (take's index, bar) as bars complete."""
        offset = self.tokenizer.offset
        caption = self.tokenizer.encode_text(prompt.caption)[: self._longest_text]
        text = [*caption, *self._ids(PLAN)]
        logits = self.engine.prefill(np.array([text] * len(takes), dtype=np.int64))
        length = len(text)
        while not all(take.done for take in takes):
            ids = np.array([take.take(row) for take, row in zip(takes, logits, strict=True)])
            for index, take in enumerate(takes):
                yield from ((index, bar) for bar in take.completed())
            length += 1
            if length < self.engine.context:
                logits = self.engine.step(ids + offset)
            else:  # full: look back on the plan and the latest half from here on
                length = self.engine.context // 2
                rows = [take.recent(text, length, offset) for take in takes]
                logits = self.engine.prefill(np.array(rows, dtype=np.int64))

    def _ids(self, *tokens: str) -> list[int]:
        return [i + self.tokenizer.offset for i in self.tokenizer.music_ids(list(tokens))]

    def _finish(self, prompt: Prompt, take: _Take) -> Generation:
        from textmusic import __version__

        plan = take.plan
        score = finish(self.tokenizer.decode_score(take.score_ids, plan), plan)
        measured = measure.measure(score)
        report = Report(
            text=prompt.text,
            caption=prompt.caption,
            seed=take.seed,
            model=self.name,
            version=__version__,
            asked=prompt.asked,
            seconds=prompt.seconds,
            planned=plan,
            measured=measured,
            measured_seconds=round(measure.seconds(score), 3),
            notes=int(score.note_num()),
            unused=prompt.unused,
            near=prompt.near,
        )
        n = len(take.score_ids)
        return Generation(prompt, plan, score, take.seed, report, self.name, n, take.nats / n)


class _Take:
    """One sequence being written: its grammar, its dice, and what it has so far."""

    def __init__(
        self,
        owner: TextToMusic,
        prompt: Prompt,
        seed: int,
        sampling: Sampling,
        lengths: tuple[int, int] = OPEN_BARS,
    ) -> None:
        self.seed, self.sampling = seed, sampling
        self._layout, self._vocabulary = owner.layout, owner.tokenizer.vocabulary
        self._rng = np.random.default_rng(seed)
        # generated pieces begin and end: windows cut out of the middle are for training only
        asked = replace(prompt.asked, begin=True, end=True)
        self._seconds = prompt.seconds
        self._plan_grammar = PlanGrammar(
            owner.layout,
            asked,
            seconds=prompt.seconds,
            without=prompt.without,
            near=prompt.near,
            lengths=lengths,
        )
        self._grammar: Grammar = self._plan_grammar
        self._bias: Any = 0.0
        self._last_bias: Any = 0.0
        self._plan_ids: list[int] = []
        self.score_ids: list[int] = []
        self.nats = 0.0  # of the score ids together
        self.plan = asked
        self._open_bar = 0  # where in score_ids the bar being written begins
        self._bars = 0  # bars handed out
        self._program = 0  # the last that played in them

    @property
    def done(self) -> bool:
        return self._grammar.done

    @property
    def planned(self) -> bool:
        return self._plan_grammar.done

    def take(self, logits: Any) -> int:
        """Choose the next music id from logits (M,); a finished take repeats its last id."""
        if self.done:
            return self.score_ids[-1]
        sampling = self.sampling
        if self._grammar is self._plan_grammar:
            sampling = replace(sampling, temperature=sampling.plan_temperature)
        last = isinstance(self._grammar, ScoreGrammar) and self._grammar.bars_left == 0
        bias = self._last_bias if last else self._bias
        music_id = choose(logits + bias, self._grammar.allowed(), sampling, self._rng)
        self._grammar.advance(music_id)
        if self._grammar is not self._plan_grammar:
            self.score_ids.append(music_id)
            self.nats += surprise(logits, music_id)
            return music_id
        self._plan_ids.append(music_id)
        if self._plan_grammar.done:
            self.plan = _settled(self._plan_grammar.plan, self._plan_grammar.asked, self._seconds)
            strength = self.sampling.key_strength
            self._grammar = ScoreGrammar(self._layout, self.plan, scale_only=strength >= 1)
            self._bias = key_bias(self._layout, self.plan.key, strength)
            self._last_bias = key_bias(self._layout, self.plan.key, min(3 * strength, 1.0))
        return music_id

    def completed(self) -> Iterator[Bar]:
        """The bar that the last id closed, if it did."""
        assert self.plan.bars is not None or not self.score_ids
        if not self.score_ids or self._bars == self.plan.bars:
            return
        last = self._vocabulary[self.score_ids[-1]]
        if self.done or (last.startswith("Bar_") and len(self.score_ids) > 1):
            tokens = [self._vocabulary[i] for i in self.score_ids[self._open_bar : -1]]
            self._open_bar = len(self.score_ids) - 1
            notes = notes_of_bar(tokens, self.plan, self._bars, self._program)
            self._program = notes[-1].program if notes else self._program
            assert self.plan.bars is not None
            yield Bar(self._bars, self.plan.bars, notes)
            self._bars += 1

    def recent(self, text: list[int], length: int, offset: int) -> list[int]:
        """Text, plan and as many of the latest score ids as make `length` ids together.

        A take that was done early has too few of them: what it reads then does not matter.
        """
        head = [*text, *(i + offset for i in self._plan_ids)]
        tail = [i + offset for i in self.score_ids[len(head) - length :]]
        return head + tail + tail[-1:] * (length - len(head) - len(tail))


def _settled(plan: Plan, asked: Plan, seconds: float | None) -> Plan:
    """The plan, its tempo nudged so that whole bars last the asked seconds, where it is open."""
    if seconds is None or asked.tempo is not None:
        return plan
    assert plan.bars is not None and plan.time_signature is not None
    tempo = plan.bars * quarters_per_bar(plan.time_signature) * 60 / seconds
    return replace(plan, tempo=round(min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1]), 2))


def locate(model: str | PathLike[str] | None, revision: str | None) -> tuple[Path, str]:
    """(folder, name) of a model: the bundled one, a folder, or a Hub id (downloaded)."""
    if model is None:
        folder = Path(str(resources.files("textmusic") / "bundled"))
        if not (folder / "textmusic.json").exists():
            raise TextMusicError(
                "the bundled model is missing from this installation; reinstall textmusic or"
                " give a model with --model."
            )
        return folder, "textmusic-default"
    path = Path(model)
    if path.exists():
        return path, path.name
    from textmusic.hub import fetch

    return fetch(str(model), revision), str(model)
