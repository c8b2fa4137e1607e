"""The road of `textmusic prefer`: votes and thumbs -> pairs -> run -> a LoRA adapter.

Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290): of two answers to a prompt,
the preferred one is to gain more likelihood on the base model's than the other. The trainer is the
one that everything is trained with. trl's would be a second one: a loop, checkpoints (pickled) and
settings of its own, over logits of all text rows; what is needed of it are the few lines of
`Preferring.forward`. By itself the method may win by making both answers unlikely, and the music
falls apart; so the preferred one's own loss is added (Pang et al. 2024, arXiv 2404.19733).
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from textmusic.engines.adapter_files import BASE, CONFIG, WEIGHTS, is_adapter
from textmusic.errors import TextMusicError
from textmusic.feedback.preferences import Preferences, read_preferences
from textmusic.hub.files import CARD
from textmusic.learning.config import Checked, RunConfig, Training
from textmusic.learning.outcome import Learnt, origin_of
from textmusic.learning.pairs import Pair, batch, batches, encoded, grouped, hash_of, split
from textmusic.learning.proposal import CPU_HOURS, RANK, Choices, minutes, otherwise, paced
from textmusic.learning.runs import make_model, music_folder
from textmusic.learning.settings import quieten, settled, this_process
from textmusic.learning.trainer import Run
from textmusic.models.attention import use_blocks
from textmusic.models.llm import CONTEXT, MusicLLM
from textmusic.system.progress import tracked
from textmusic.system.whole_files import whole_file, write_text
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.loading import locate

FEWEST = 10  # pairs
BETA = 0.05
KEEP = 1.0  # weight of the preferred piece's own loss, nats an id
LEARNING_RATE = 5e-4
TIMES = 3  # passes through the pairs
TOKENS = 4096  # ids of a batch, about


@dataclass(frozen=True, slots=True)
class Settings(Checked):
    """What a run was begun with. pairs: a hash of them; a run goes on with the same alone."""

    base: str
    rank: int
    beta: float
    pairs: str
    training: Training


_SETTINGS = TypeAdapter(Settings)  # at once: HfArgumentParser takes the None out of fields' types


class Preferring(nn.Module):
    """An LLM that learns to prefer."""

    def __init__(self, llm: MusicLLM, beta: float) -> None:
        """beta: how dearly each nat that it moves from the base model is bought, 1/nat."""
        super().__init__()
        self.llm, self.beta = llm, beta

    def forward(self, ids: Tensor, labels: Tensor, margins: Tensor) -> Tensor:
        """Summed loss over pairs, nats; log 2 each for the base model itself.

        While it trains, the loss of the preferred pieces, nats an id, is added.

        ids, labels: (2 P, T), a preferred piece and then the other one; labels are -100 on text.
        margins: (P,) by how many nats the base model finds the preferred one likelier.
        """
        losses = self.llm.row_losses(ids, labels)
        gained = losses[1::2] - losses[0::2] - margins
        preferring = -F.logsigmoid(self.beta * gained).sum()
        if not self.training:
            return preferring
        ids_learnt = (labels[0::2, 1:] != -100).sum(dim=1)
        return preferring + KEEP * (losses[0::2] / ids_learnt).sum()


def prefer(
    files: Sequence[Path],
    output: Path,
    choices: Choices,
    *,
    beta: float | None = None,
    any_model: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Learnt | None:
    """Train an adapter in <output>/run on what was preferred, and make <output> that adapter.

    Args:
        files: databases that `textmusic listen` or `textmusic serve --feedback` wrote.
        output: the adapter's folder. Where it was begun, this goes on.
        choices: base, rank, steps, hours, learning_rate and seed; of the others none is used.
        beta: how strongly the adapter is held to the base model, 1/nat; None: 0.05, or as begun.
        any_model: also use pieces that another model wrote.
        tell: is given every line for the person; the main process alone speaks.

    Returns what was learnt; None in all processes but the main one.

    Raises:
        TextMusicError: a file is no database of votes, there are too few pairs, the base is no LLM
            or itself an adapter, or the run was begun otherwise.
    """
    quieten()
    main, run = this_process().is_main_process, output / "run"
    begun = _begun(run)
    base = choices.base or (begun.base if begun else "default")
    folder, name = _base_folder(base)
    found = read_preferences(files, None if any_model else name)
    tokenizer = Tokenizer(folder)
    pairs, found = encoded(found, tokenizer, _context(folder))
    if main:
        tell(str(found))
    if len(pairs) < FEWEST:
        raise TextMusicError(
            f"there are {len(pairs)} pairs to learn from, fewer than {FEWEST}; {found.remedy}."
        )
    learnt, held_out = split(pairs)
    settings = configured(replace(choices, base=base), beta, pairs, grouped(learnt, TOKENS), run)
    config = RunConfig(base=base, lora=settings.rank, training=settings.training)
    model = make_model(config, tokenizer)
    assert isinstance(model, MusicLLM)
    training = begin(run, settings, model, learnt, held_out, tell if main else lambda line: None)
    training.train()
    if not main:
        return None
    done = Learnt.read(run)
    tell(str(done))
    write_adapter(run / "best", output, base, _card(output, base, found, settings, done))
    tell(f"{output}: the adapter; textmusic generate --model {output}")
    return done


def _base_folder(base: str) -> tuple[Path, str]:
    """Folder and name of the model that is trained; raises TextMusicError where it can't be."""
    path = Path(base)
    if path.exists() and is_adapter(path):
        raise TextMusicError(
            f"'{base}' is an adapter; give its base with --model, all your votes, and --any-model."
        )
    folder = music_folder(base)
    if folder is None:
        raise _no_llm(base)
    name = locate(None if base == "bundled" else base, None)[1]
    return folder, name


def _context(folder: Path) -> int:
    """Ids that the model of a folder looks back on; raises TextMusicError where it is no LLM."""
    exported = (folder / "textmusic.json").exists()
    try:
        said = json.loads(
            (folder / ("textmusic.json" if exported else "config.json")).read_text("utf-8")
        )
        llm = said["llm"] if exported else said
        return min(CONTEXT, int(llm["max_position_embeddings"]))
    except (OSError, ValueError, LookupError, TypeError):
        raise _no_llm(folder) from None


def _no_llm(model: object) -> TextMusicError:
    return TextMusicError(
        f"'{model}' is not a language model that writes music, and no other model can learn to"
        " prefer; give one with --model."
    )


# The run ------------------------------------------------------------------------------------------


def configured(
    choices: Choices, beta: float | None, pairs: Sequence[Pair], groups: Sequence[Any], run: Path
) -> Settings:
    """The settings of a run: as it was begun, else with the defaults.

    Raises TextMusicError where a choice does not fit what was begun.
    """
    mark = hash_of(pairs)
    settings = _begun(run)
    if settings is None:
        assert choices.base is not None
        steps = choices.steps or TIMES * len(groups)
        training = Training(
            tokens=TOKENS, learning_rate=LEARNING_RATE, weight_decay=0.0, ahead=False, seed=1,
            **_paced(steps),
        )  # fmt: skip
        if not (choices.steps or choices.hours or torch.cuda.is_available()):
            training = replace(training, hours=CPU_HOURS)
        settings = Settings(choices.base, choices.rank or RANK, beta or BETA, mark, training)
    else:
        for given, before, what in (
            (choices.base, settings.base, f"base {settings.base}"),
            (choices.rank, settings.rank, f"LoRA of rank {settings.rank}"),
            (beta, settings.beta, f"beta {settings.beta:g}"),
            (mark, settings.pairs, "other votes"),
        ):
            if given not in (None, before):
                raise otherwise(run, what)
    named = ("steps", "hours", "learning_rate", "seed")
    said = {name: v for name in named if (v := getattr(choices, name)) is not None}
    paces = _paced(choices.steps) if choices.steps is not None else {}
    return replace(settings, training=replace(settings.training, **paces | said))


def _paced(steps: int) -> dict[str, Any]:
    """As for any run, with fewer looks: there are few steps, and a look takes as long as some."""
    return paced(steps) | {"evaluate_every": max(steps // 4, 1), "sample_every": 0}


def _begun(run: Path) -> Settings | None:
    """What a run was begun with; None where it was not."""
    path = run / "settings.json"
    if not path.exists():
        return None
    try:
        return _SETTINGS.validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError):
        raise TextMusicError(f"'{path}' can't be read; delete '{run}' to start over.") from None


def begin(
    run: Path, settings: Settings, model: MusicLLM, learnt: Sequence[Pair],
    held_out: Sequence[Pair], tell: Callable[[str], None] = lambda line: None,
) -> Run:  # fmt: skip
    """The run, from its beginning or its checkpoint; model: the base with a new LoRA."""
    training = settled(settings.training, run)
    if training.blocks:
        use_blocks(model.lm)
    if this_process().is_main_process:
        write_text(run / "settings.json", json.dumps(asdict(settings), indent=1) + "\n")
    everything = [*learnt, *held_out]
    began = time.monotonic()
    margins = reference(model, everything, settings.pairs, bool(training.bf16), run)
    # what an id means is no matter of taste; only now, since peft thaws all when an adapter is back
    for name, weight in model.named_parameters():
        if "trainable_tokens" in name:
            weight.requires_grad_(False)
    spent, groups = time.monotonic() - began, len(grouped(learnt, training.tokens))
    if spent > 1:
        passes = training.steps / groups
        ahead = 3 * spent * passes * len(learnt) / len(everything)  # backwards takes two thirds
        ids = sum(len(one.ids) for pair in learnt for one in (pair.chosen, pair.rejected))
        left = minutes(min(ahead, 3600 * (training.hours or math.inf)))
        tell(f"{training.steps} steps of about {ids // groups:,} ids: about {left} to train here")
    known = margins[: len(learnt)]
    looked_at = grouped(held_out, training.tokens)
    return Run(
        Preferring(model, settings.beta),
        run,
        training,
        lambda lane, skip: batches(
            learnt, known, training.tokens, seed=training.seed + 1000 * lane, skip=skip
        ),
        [batch([held_out[i] for i in group], [margins[len(learnt) + i] for i in group])
         for group in looked_at],
        _save,
        unit="nats per pair",
    )  # fmt: skip


def _save(model: Preferring, folder: Path) -> None:
    model.llm.lm.save_pretrained(folder, save_embedding_layers=False)


@torch.no_grad()
def reference(
    model: MusicLLM, pairs: Sequence[Pair], mark: str, bf16: bool, run: Path
) -> list[float]:
    """By how many nats the base model finds each preferred piece likelier; kept for a resumed run.

    It is computed as training computes, and once: the base does not change.
    """
    path = run / "reference.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["pairs"] == [mark, bf16] and len(kept["margins"]) == len(pairs):
            return [float(margin) for margin in kept["margins"]]
    except (OSError, ValueError, LookupError, TypeError):
        pass
    device = this_process().device
    model.to(device).eval()
    margins = [math.nan] * len(pairs)
    with model.lm.disable_adapter(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for group in tracked(grouped(pairs, TOKENS), "reading", "batches"):
            made = batch([pairs[i] for i in group], [0.0] * len(group))
            ids, labels = (torch.from_numpy(made[name]).to(device) for name in ("ids", "labels"))
            losses = model.row_losses(ids, labels)
            for place, margin in zip(group, (losses[1::2] - losses[0::2]).tolist(), strict=True):
                margins[place] = margin
    shared: list[Any] = [margins]
    broadcast_object_list(shared)  # all processes have to learn from the same
    if this_process().is_main_process:
        write_text(path, json.dumps({"pairs": [mark, bf16], "margins": shared[0]}))
    found: list[float] = shared[0]
    return found


# The adapter --------------------------------------------------------------------------------------


def write_adapter(best: Path, output: Path, base: str, card: str) -> None:
    """Make a folder an adapter that `--model` takes; what makes it one comes last."""
    write_text(output / CARD, card)
    write_text(output / BASE, json.dumps(origin_of(base), indent=1) + "\n")
    for name in (WEIGHTS, CONFIG):
        with whole_file(output / name) as partial_file:
            shutil.copy(best / name, partial_file)


def _card(output: Path, base: str, found: Preferences, settings: Settings, learnt: Learnt) -> str:
    """A model card."""
    said = str(learnt)
    return "\n\n".join((
        f"# {output.resolve().name}",
        f"A LoRA adapter (rank {settings.rank}) for {origin_of(base)['base']}, trained by direct"
        f" preference optimisation (beta {settings.beta:g}).",
        f"Learnt from {found}. {said[:1].upper()}{said[1:]} (nats per pair), {learnt.steps:,}"
        f" steps, {minutes(learnt.seconds)}.",
    )) + "\n"  # fmt: skip
