"""What writes music: a language model's or a GAN's ways in, by the name of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textmusic.errors import TextMusicError
from textmusic.tokens.sampling import Sampling
from textmusic.writing.loading import BUNDLED
from textmusic.writing.text_to_music import OnBar, TextToMusic

if TYPE_CHECKING:
    from textmusic.language.prompt import Prompt
    from textmusic.music.plan import Plan
    from textmusic.music.sketch import Outline
    from textmusic.result.generation import Generation


class Writer(Protocol):
    """What writes the pieces: TextToMusic, or the GAN of the comparison."""

    name: str

    def plan(self, text: str, *, seed: int) -> Plan:
        """The plan alone that a piece with this text and seed follows."""

    def understand(
        self, text: str, *, controls: Plan, seconds: float | None, outline: Outline = ...
    ) -> Prompt:
        """What is asked for."""

    def complete(
        self,
        prompts: Iterable[tuple[Prompt, int]],
        *,
        sampling: Sampling = ...,
        slots: int = ...,
        on_bar: OnBar | None = ...,
    ) -> Iterator[tuple[int, Generation]]:
        """Pieces for pairs of prompt and seed, each with its place, as they are finished."""


def is_gan(model: str) -> bool:
    """Whether a model is the folder of a GAN."""
    return (Path(model) / "gan.json").exists()


def load_writer(model: str | None, threads: int | None = None) -> Writer:
    """What writes with a model: None for the bundled one, a folder (of a GAN too), or a Hub id."""
    if model and is_gan(model):
        try:
            from textmusic.models.gan_writer import GanWriter
        except ModuleNotFoundError:
            raise TextMusicError(
                f"'{model}' is a GAN, which needs torch; run pip install 'textmusic[train]'."
            ) from None
        return GanWriter.from_folder(Path(model))
    return TextToMusic.from_pretrained(model, threads=threads)


def load_models(named: Sequence[str] = (), *, threads: int | None = None) -> dict[str, TextToMusic]:
    """Models by name: those that are named (folders or Hub ids), and the bundled ones behind them.

    Without any the bundled default comes first. threads: cores to use; by default all.
    """
    names = [*named, *(name for name in BUNDLED if name not in named)]
    return {name: TextToMusic.from_pretrained(name, threads=threads) for name in names}
