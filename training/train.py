"""Train a model: accelerate launch training/train.py --config training/configs/cpu.json

Resumes by itself from the checkpoint in the run folder; more --steps or --hours than before prolong
the run. Any field of the config's "training" part can be given as an option: --steps 20
--learning_rate 3e-4. To fine-tune on your own data, with a report of what has changed, use
`textmusic train`; the config that it writes (my-model/run/config.json) works here too.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.learning.runs import Data, read_config, start
from textmusic.learning.settings import Training


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--run", type=Path, default=Path("runs/default"))
    parser.add_argument("--base", help="Hub id or folder of an LLM, a model folder, or 'bundled'")
    parser.add_argument(
        "--decay-from", type=Path, metavar="RUN",
        help="finish another run's model in --steps steps, its rate falling to nothing",
    )  # fmt: skip
    for field in fields(Training):
        if "bool" in str(field.type):
            parser.add_argument(f"--{field.name}", action=argparse.BooleanOptionalAction)
        else:
            kind = next(kind for kind in (int, float, str) if kind.__name__ in str(field.type))
            parser.add_argument(f"--{field.name}", type=kind)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    config = read_config(args.config, **{f.name: getattr(args, f.name) for f in fields(Training)})
    if args.base:
        config["base"] = args.base
    run = None
    try:
        run = start(config, Data.read(args.data), args.run, decay_from=args.decay_from)
        if run.done >= 1.0:
            print(
                f"'{args.run}' has finished, at step {run.step:,} of {run.training.steps:,}; give"
                " more --steps to prolong it, or another --run."
            )
            return
        best = run.train()
    except TextMusicError as problem:
        print(f"train.py: {problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        where = (
            f" at step {run.step:,}; with the same command {run.where_it_goes_on()}" if run else ""
        )
        print(f"train.py: stopped{where}.", file=sys.stderr)
        sys.exit(130)
    if run.accelerator.is_main_process:
        print(f"best held-out loss: {best:.4f} {run.unit}; model in {args.run / 'best'}")


if __name__ == "__main__":
    main()
