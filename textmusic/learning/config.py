"""What a training run can be told: the fields of a config file, each with its sentence of help.

They are the help of training/train.py; `textmusic train`, which has to show its help without the
train extra, says the same of its options up to the semicolon, and a test compares.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

FILLS = 0.2  # share of examples with music in which bars or instruments are to be filled in


def documented(default: Any, sentence: str, **more: Any) -> Any:
    """A field with its help; more: what else transformers' HfArgumentParser is to know of it."""
    return field(default=default, metadata={"help": sentence} | more)


class Checked:
    """Files are checked against its fields by pydantic, and may name no others."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"extra": "forbid"}


FLAG = {"nargs": "?", "const": True}  # --bf16 is --bf16 true


@dataclass(frozen=True, slots=True)
class Training(Checked):
    """How a model is trained: the "training" part of a config."""

    _argument_group_name: ClassVar = 'fields of the config, in its "training" part'

    steps: int = documented(1000, "Most training steps; patience or hours can end the run sooner.")
    tokens: int = documented(4096, "Token ids in a batch, approximately.")
    global_batch: int | None = documented(
        None, "Batches in a step, over all processes; default: one per process."
    )
    optimizer: str = documented(
        "adamw", "adamw, or muon for the weight matrices and AdamW for the rest."
    )
    learning_rate: float = documented(6e-4, "Peak learning rate.")
    rows_rate: float = documented(
        1.0, "Learning rate of the music embeddings, as a multiple of the others'."
    )
    warmup: int = documented(30, "Steps in which the learning rate rises to its peak.")
    decay: float = documented(
        0.4, "Share of the run, at its end, in which the learning rate falls to zero, 0 to 1."
    )
    weight_decay: float = documented(0.01, "Weight decay of the matrices, embeddings excepted.")
    ema: float = documented(
        0.0,
        "Use a moving average of the weights as the model, which keeps so much of itself at each"
        " step, 0 to 1; 0 for none, 0.995 where the learning rate is held.",
    )
    clip: float = documented(1.0, "Largest gradient norm; longer gradients are scaled down to it.")
    beta1: float = documented(
        0.9, "AdamW's decay of the mean of past gradients; 0 for a GAN, whose target moves."
    )
    beta2: float = documented(0.95, "AdamW's decay of the mean of past squared gradients.")
    reading: float = documented(
        0.5, "Share of examples that are a caption and its plan alone, at the start, 0 to 1."
    )
    reading_end: float = documented(0.2, "The same share at the end of the run, 0 to 1.")
    drills: float = documented(0.0, "Examples of a single mood word or scene, per other example.")
    evaluate_every: int = documented(100, "Steps between evaluations on the held-out windows.")
    save_every: int = documented(
        50, "Steps between checkpoints; one is written every 4 minutes in any case."
    )
    patience: int | None = documented(
        None, "Stop after so many evaluations without a better held-out loss; default: never."
    )
    bf16: bool | None = documented(
        None, "Compute in bfloat16; default: where that is faster on this machine.", **FLAG
    )
    blocks: bool | None = documented(
        None, "Compute attention in blocks; default: where that is faster on this machine.", **FLAG
    )
    ahead: bool = documented(
        True, "Whether to prepare batches in a separate process, where that is possible."
    )
    compile: bool = documented(False, "Compile the model with torch.compile; it pays on GPUs.")
    hours: float | None = documented(
        None, "Longest training time in hours; the learning rate is scheduled to end there."
    )
    sample_every: int = documented(0, "Steps between samples; 0 for none.")
    tracker: str = documented("none", "Track the run in tensorboard, trackio or none.")
    seed: int = documented(1, "Seed for the order of the data.")

    def reading_at(self, step: int) -> float:
        """Share of examples that are a caption and its plan alone, at a step."""
        return self.reading + (self.reading_end - self.reading) * min(step / self.steps, 1.0)


@dataclass(frozen=True, slots=True)
class RunOptions(Checked):
    """What is trained, and on what: the fields that can be given as an option, too."""

    _argument_group_name: ClassVar = "fields of the config"

    base: str | None = documented(
        None,
        "Model to start from: a folder or Hub id; bundled is the one that comes with textmusic.",
    )
    pretrained: bool = documented(
        True, "Whether to start from the base's weights, not from random ones of the same shape."
    )
    grow: bool = documented(
        False, "Start from a music model of an older format, and add what its vocabulary lacks."
    )
    interleaved: bool | None = documented(
        None,
        "Say each row of the sketch again in the score; default: as the base, or else the data.",
        **FLAG,
    )
    lora: int | None = documented(
        None, "LoRA rank; default: no adapter, all weights except the text embeddings are trained."
    )
    permissive: bool = documented(
        False, "Leave out music under a copyleft licence or a licence of its own."
    )
    favoured: bool = documented(
        False, "Draw more often what people ask for: 12 to 32 bars, and pop played by a band."
    )
    fills: float = documented(
        FILLS, "Share of examples with music in which bars or instruments are filled in, 0 to 1."
    )
    held_out: int | None = documented(
        None, "Validation windows to evaluate on; default: 32, or 64 for a GAN."
    )
    sample: str | None = documented(None, "Prompt for the samples written during training.")


@dataclass(frozen=True, slots=True)
class RecurrentShape(Checked):
    """The shape of a recurrent model; None: as `models.recurrent.RecurrentConfig` has it."""

    cell: str | None = None
    width: int | None = None
    hidden: int | None = None
    layers: int | None = None


@dataclass(frozen=True, slots=True)
class GanShape(Checked):
    """The shape of a GAN; None: as `models.gan.Gan` has it."""

    width: int | None = None
    noise: int | None = None
    critic_steps: int | None = None


@dataclass(frozen=True, slots=True)
class RunConfig(RunOptions):
    """A whole config file: the options, and what is too long for a command line.

    A run trains an LLM or a music model (`base`), a recurrent model (`recurrent`) or a GAN (`gan`).
    """

    layers: int | list[int] | None = documented(
        None, "Layers of the base to keep: the first so many, or a list of their numbers."
    )
    recurrent: RecurrentShape | None = documented(
        None,
        "Train a recurrent model from scratch: cell (lstm, gru or rnn), width, hidden, layers.",
    )
    gan: GanShape | None = documented(None, "Train a GAN from scratch: width, noise, critic_steps.")
    mix: dict[str, float] | None = documented(
        None, "Weight of each source of the data, 1 if it is not named; default: by its size."
    )
    data: dict[str, int] | None = documented(
        None, "What textmusic train has seen of the data; training/train.py does not use it."
    )
    training: Training = field(
        default_factory=Training, metadata={"help": "How to train; each field is an option, too."}
    )


def given(options: Any) -> dict[str, Any]:
    """The fields of a dataclass of this module that are not None, as a config file has them."""
    return asdict(
        options, dict_factory=lambda pairs: {name: v for name, v in pairs if v is not None}
    )
