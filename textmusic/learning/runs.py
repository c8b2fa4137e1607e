"""A config file and prepared data -> a training run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import Window, read_windows
from textmusic.errors import TextMusicError
from textmusic.hub.fetch import is_music_model
from textmusic.learning import checkpoint
from textmusic.learning.config import RunConfig, given
from textmusic.learning.examples import Examples, batches, collate
from textmusic.learning.gan_runs import start_gan
from textmusic.learning.samples import write_sample
from textmusic.learning.settings import this_process
from textmusic.learning.trainer import Run
from textmusic.models.attention import use_blocks
from textmusic.models.cutting import cut
from textmusic.models.export import open_llm
from textmusic.models.growing import grown
from textmusic.models.llm import MusicLLM, new_llm, save_llm, with_lora
from textmusic.models.recurrent import MusicRNN, RecurrentConfig, save_recurrent
from textmusic.tokens.tokenizer import (
    Tokenizer,
    captions_file,
    check_vocabulary,
    copy_tokenizer,
    create_tokenizer,
    is_interleaved,
    read_vocabulary,
)
from textmusic.writing.loading import BUNDLED, locate

TOKENIZER = "tokenizer"  # folder of a run
HELD_OUT = 32  # validation windows, where the config does not say


@dataclass(frozen=True, slots=True)
class Data:
    """Prepared data, read once: several runs may share it."""

    tokenizer: Tokenizer
    train: Sequence[Window]
    valid: Sequence[Window]

    @classmethod
    def read(cls, folder: Path) -> Data:
        """Raises TextMusicError where a file is missing."""
        train, valid = (read_windows(folder / f"{split}.parquet") for split in ("train", "valid"))
        return cls(Tokenizer(folder / "tokenizer"), train, valid)


def start(
    config: RunConfig,
    data: Data,
    folder: Path,
    model: MusicLLM | MusicRNN | None = None,
    *,
    spelling: type[Examples] = Examples,
    decay_from: Path | None = None,
) -> Run:
    """The run that a config describes, from its beginning or from the folder's checkpoint.

    model: as `make_model` gives it, if it is there already. spelling: how examples are written, see
    training/ablate.py. decay_from: the folder of another run of this config, from whose newest
    checkpoint the rate falls to nothing: a finished model in so many steps, while the other run may
    go on. Raises TextMusicError where there is no checkpoint to begin with, or the model or the
    data do not fit.
    """
    training = config.training
    if decay_from is not None:
        if not any((run / checkpoint.FILE).exists() for run in (folder, decay_from)):
            raise checkpoint.missing(decay_from)  # said before a model is looked for
        # other batches than those that the other run goes on with; a falling rate needs no average
        training = replace(training, warmup=0, decay=1.0, ema=0.0, seed=training.seed + 1)
    captioner = Captioner()
    if model is None and config.recurrent is None and config.gan is None:
        model = make_model(config, data.tokenizer)  # what can't be is said before a file is written
    tokenizer = tokenizer_for(config, data.tokenizer, folder, decay_from)
    examples = spelling(
        data.train,
        tokenizer,
        captioner,
        weights=config.mix,
        permissive=config.permissive,
        favoured=config.favoured,
        fills=config.fills,
    )
    if config.gan is not None:
        held_out = held_out_examples(data.valid, tokenizer, captioner)
        return start_gan(config, training, examples, held_out, folder)
    feed = partial(
        batches,
        examples,
        tokens=training.tokens,
        reading=training.reading_at,
        drills=training.drills,
    )
    sample = None
    if config.recurrent is None and config.sample is not None:
        sample = partial(write_sample, tokenizer=tokenizer, text=config.sample)
    model = model or make_model(config, tokenizer)
    run = Run(
        model,
        folder,
        training,
        lambda lane, skip: feed(
            seed=training.seed + 1000 * lane, skip=skip, counts=folder / f"batches-{lane}.json"
        ),
        validation_batches(data.valid, tokenizer, captioner, config.held_out or HELD_OUT, spelling),
        partial(
            save_llm if config.recurrent is None else save_recurrent,
            tokenizer_folder=tokenizer.folder,
        ),
        sample=sample,
        branch_of=decay_from,
    )
    if run.training.blocks and isinstance(model, MusicLLM):
        use_blocks(model.lm)
    return run


def tokenizer_for(
    config: RunConfig, of_data: Tokenizer, run: Path, decay_from: Path | None = None
) -> Tokenizer:
    """The tokenizer in a run's folder, made when the run begins: how it writes sequences stays.

    decay_from: see `start`; its sequences are those of the branch. Raises TextMusicError where the
    config asks for others than the run, or the base of an adapter, has; where the base's folder is
    broken, or the Hub can't be asked for it.
    """
    folder = run / TOKENIZER
    with this_process().main_process_first():
        if not (folder / "vocabulary.json").exists():
            partial = run / f"{TOKENIZER}.partial"
            partial.mkdir(parents=True, exist_ok=True)
            interleaved = _interleaved(config, of_data, run, decay_from)
            if config.recurrent is not None:
                create_tokenizer(captions_file(), partial, interleaved=interleaved)
            else:
                copy_tokenizer(of_data.folder, partial, interleaved=interleaved)
            checkpoint.replace_folder(partial, folder)
    made = Tokenizer(folder)
    check_vocabulary(made, of_data)
    if config.interleaved not in (None, made.interleaved):
        rows = "with" if made.interleaved else "without"
        raise TextMusicError(
            f"'{run}' was begun {rows} the sketch's rows in the score; give another --run, or leave"
            " out --interleaved."
        )
    return made


def _interleaved(config: RunConfig, of_data: Tokenizer, run: Path, decay_from: Path | None) -> bool:
    """How the sequences of a run that begins are written."""
    for begun in (run, decay_from):
        if begun is not None and (begun / checkpoint.FILE).exists():
            return is_interleaved(begun / TOKENIZER)  # False where an earlier version began it
    base = None
    if config.recurrent is None and config.base is not None and not config.grow:
        base = music_folder(config.base)
    usual = of_data.interleaved if base is None else is_interleaved(base)
    interleaved = usual if config.interleaved is None else config.interleaved
    if config.lora and interleaved != usual:
        raise TextMusicError(
            "an adapter writes sequences as its base does; leave out --interleaved, or --lora."
        )
    return interleaved


def make_model(config: RunConfig, tokenizer: Tokenizer) -> MusicLLM | MusicRNN:
    """The model to begin with: of an LLM, the text rows or everything but LoRA is frozen.

    Raises TextMusicError where no base is named, there is none such, or one that reads other ids.
    """
    music = len(tokenizer.vocabulary)
    torch.manual_seed(config.training.seed)  # LoRA begins at random
    if config.recurrent is not None:
        return MusicRNN(RecurrentConfig(tokenizer.offset, music, **given(config.recurrent)))
    if config.base is None:
        raise TextMusicError("the config names no model to train; give one with --base.")
    base, layers = config.base, config.layers
    folder = music_folder(base)
    if folder is not None and config.grow:
        model = open_llm(folder, older=True)
        model = grown(model, read_vocabulary(folder), tokenizer.vocabulary)
    elif folder is not None:
        check_vocabulary(tokenizer, Tokenizer(folder))
        model = open_llm(folder)
    else:
        try:
            model = new_llm(
                base,
                music,
                layers=None if isinstance(layers, list) else layers,
                pretrained=config.pretrained,
            )
        except (OSError, ValueError) as problem:
            first = str(problem).splitlines()[0].rstrip(".")
            raise TextMusicError(
                f"'{base}' is not a model that training can start from ({first}); give the folder"
                " or Hub id of one."
            ) from None
    if folder is not None and isinstance(layers, int):
        layers = list(range(min(layers, model.lm.config.num_hidden_layers)))
    if isinstance(layers, list):
        model = cut(model, layers)
    if model.offset != tokenizer.offset:
        raise TextMusicError(
            f"'{base}' has {model.offset:,} text rows, the data's tokenizer {tokenizer.offset:,};"
            f" prepare the data again with --base {base}."
        )
    if config.lora:
        return with_lora(model, config.lora)
    model.freeze_text_rows()
    return model


def music_folder(base: str) -> Path | None:
    """The folder of a base that is a music model; None for an LLM that knows no music yet.

    base: "bundled" or what `--model` takes, or the Hub id or folder of an LLM. Raises
    TextMusicError where the Hub can't be asked.
    """
    if base == "bundled" or base.removeprefix("textmusic-") in BUNDLED:
        return locate(None if base == "bundled" else base, None)[0]
    path = Path(base)
    if path.exists():
        return path if (path / "vocabulary.json").exists() else None
    return locate(base, None)[0] if is_music_model(base) else None


def validation_batches(
    windows: Sequence[Window],
    tokenizer: Tokenizer,
    captioner: Captioner,
    size: int,
    spelling: type[Examples] = Examples,
) -> list[dict[str, Any]]:
    """The same held-out examples for every run: nothing varied, captions from a fixed seed."""
    rng = random.Random(0)
    examples = held_out_examples(windows, tokenizer, captioner, spelling)
    drawn = sorted(
        (examples.make(examples.draw(rng), rng) for _ in range(size)), key=lambda e: len(e.ids)
    )
    return [collate(drawn[i : i + 4]) for i in range(0, size, 4)]


def held_out_examples(
    windows: Sequence[Window],
    tokenizer: Tokenizer,
    captioner: Captioner,
    spelling: type[Examples] = Examples,
) -> Examples:
    """Examples with nothing varied, every source as often as any other."""
    weights = dict.fromkeys(sorted({w.source for w in windows}), 1.0)
    return spelling(windows, tokenizer, captioner, weights=weights, vary=False, fills=0.0)
