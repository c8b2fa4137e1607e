"""Train a model: accelerate launch training/train.py --config training/configs/cpu.json

Resumes by itself from the checkpoint in the run folder; more --steps or --hours than before prolong
the run. Options win over the config file. To fine-tune on your own data, with a report of what has
changed, use `textmusic train`; the config that it writes (my-model/run/config.json) works here too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_type_hints

from transformers import HfArgumentParser

from textmusic.learning.config import RunConfig, RunOptions, Training
from textmusic.learning.config_files import read_config, with_options
from textmusic.learning.runs import Data, start
from textmusic.system.scripts import ended

OPTIONS = (RunOptions, Training)


class Help(argparse.RawDescriptionHelpFormatter):
    """Shows a default where there is one to tell of, and the texts' own line breaks."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = not any(action.default is value for value in (None, False, argparse.SUPPRESS))
        return f"{action.help} (default: %(default)s)" if told else action.help


def parser() -> argparse.ArgumentParser:
    """The script's own options, and one for each field of a config that fits into one."""
    made = HfArgumentParser(OPTIONS, description=__doc__, formatter_class=Help)
    own = made.add_argument_group("the run")
    own.add_argument(
        "--config", type=Path, required=True, help="Config file, see training/configs."
    )
    own.add_argument("--data", type=Path, default=Path("data"), help="Folder of prepared data.")
    own.add_argument(
        "--run", type=Path, default=Path("runs/default"),
        help="Folder for checkpoints, log and model.",
    )  # fmt: skip
    own.add_argument(
        "--decay-from", type=Path, metavar="RUN",
        help="Finish the model of another run's folder: its learning rate falls to zero in --steps"
        " steps.",
    )  # fmt: skip
    for kind in OPTIONS:  # --no-bf16 is --bf16 false; HfArgumentParser has it for what is on only
        types = get_type_hints(kind)
        for field in fields(kind):
            if types[field.name] in (bool, bool | None) and field.default is not True:
                made.add_argument(
                    f"--no-{field.name}", dest=field.name, action="store_false",
                    default=field.default, help=argparse.SUPPRESS,
                )  # fmt: skip
    options = {field.name for field in fields(RunOptions)} | {"training"}
    rest = [field for field in fields(RunConfig) if field.name not in options]
    told = "\n".join(f"  {field.name}: {field.metadata['help']}" for field in rest)
    made.epilog = f"fields that only the config file can have:\n{told}"
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser()
    args, run = options.parse_args(argv), None
    try:
        config = read_config(args.config)
        found = asdict(config) | asdict(config.training)
        known = {field.name: found[field.name] for kind in OPTIONS for field in fields(kind)}
        # what stands in a namespace already is not set to its default
        args = options.parse_args(argv, argparse.Namespace(**known))
        config = with_options(config, vars(args))
        run = start(config, Data.read(args.data), args.run, decay_from=args.decay_from)
        if run.done >= 1.0:
            print(
                f"'{args.run}' has finished, at step {run.step:,} of {run.training.steps:,}; give"
                " more --steps to prolong it, or another --run."
            )
            return 0
        best = run.train()
    except KeyboardInterrupt:
        where = (
            f" at step {run.step:,}; with the same command {run.where_it_goes_on()}" if run else ""
        )
        print(f"train.py: stopped{where}.", file=sys.stderr)
        return 130
    if run.accelerator.is_main_process:
        print(f"best held-out loss: {best:.4f} {run.unit}; model in {args.run / 'best'}")
    return 0


if __name__ == "__main__":
    sys.exit(ended(main, "train.py"))
