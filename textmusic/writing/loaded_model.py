"""A model in memory: what it understands, and the takes that it can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from textmusic.engines.folder import INTERLEAVED, broken, read_config
from textmusic.engines.protocol import Engine
from textmusic.errors import TextMusicError
from textmusic.language.controls import check_request
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.music.known_runs import KnownRuns, known_runs
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice, check
from textmusic.music.sketch import Outline
from textmusic.result.generation import Generation
from textmusic.tokens.plan_grammar import OPEN_BARS
from textmusic.tokens.sampling import Sampling, check_seed
from textmusic.tokens.sketch_counts import sketch_counts
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.loading import locate, open_engine
from textmusic.writing.take import Take
from textmusic.writing.understanding import usable
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from os import PathLike


class LoadedModel:
    """An engine and its tokenizer, under the name that reports give."""

    def __init__(self, engine: Engine, tokenizer: Tokenizer, name: str) -> None:
        self.engine, self.tokenizer, self.name = engine, tokenizer, name

    @classmethod
    def from_pretrained(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        revision: str | None = None,
        threads: int | None = None,
    ) -> Self:
        """Load a model: None for the bundled default, else a folder or a Hugging Face Hub id.

        threads: cores to use; by default all that this process may. Raises TextMusicError where
        the model is missing or not whole.
        """
        folder, name = locate(model, revision)
        config = read_config(folder)
        engine, tokenizer = open_engine(folder, threads=threads), Tokenizer(folder)
        if tokenizer.offset != config["offset"]:
            raise TextMusicError(broken(folder, "tokenizer.json is from another model"))
        if engine.music != len(tokenizer.vocabulary):
            raise TextMusicError(broken(folder, "vocabulary.json is from another model"))
        said = config.get("format")  # a folder that training wrote has none
        if said is not None and (said >= INTERLEAVED) != tokenizer.interleaved:
            raise TextMusicError(broken(folder, "sequence.json is missing or from another model"))
        return cls(engine, tokenizer, name)

    def understand(
        self,
        text: str,
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
        practice: Practice | None = None,
        room: tuple[int, str] | None = None,
        standing: Plan | None = None,
    ) -> Prompt:
        """What would be forced for this text and these controls, and what could not be used.

        practice: the limits of a practice piece, instead of those that the text names. room: (bars,
        time signature) that chords and form are for; by default those asked for. standing: of the
        piece that this is said of, see `read_prompt`.
        Raises TextMusicError for controls that no plan can have, and for chords or a form that
        these bars can't hold.
        """
        check_request(controls, seconds)
        prompt = read_prompt(
            text, controls=controls, seconds=seconds, outline=outline, standing=standing
        )
        if practice is not None:
            check(practice, prompt.asked)
            prompt = replace(prompt, practice=practice)
        return usable(prompt, self.tokenizer, self._longest_text, room)

    @property
    def _longest_text(self) -> int:
        """Ids of a prompt's text at most, so that there is room to look back on music."""
        return self.engine.context // 4

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
            self.tokenizer, prompt, caption, check_seed(seed), sampling,
            context=self.engine.context, lengths=lengths, given=given, asked_rows=asked_rows,
            free=free, counts=sketch_counts(self.tokenizer.folder),
        )  # fmt: skip

    def finished(self, take: Take) -> Generation:
        """The piece that a take has written, as far as it has got: its complete bars."""
        return take.generation(self.name).compared(self.known)

    @property
    def known(self) -> KnownRuns | None:
        """The runs of notes that it was trained on; None of a model that has no list of them."""
        return known_runs(self.tokenizer.folder)
