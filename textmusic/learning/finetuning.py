"""The road of `textmusic train`: data and choices -> run -> model folder -> report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textmusic.corpus.windows import read_windows
from textmusic.errors import TextMusicError
from textmusic.learning.outcome import Learnt, export, report, summary
from textmusic.learning.proposal import Choices, described, minutes, propose
from textmusic.learning.runs import Data
from textmusic.learning.settings import check_tracker, quieten, this_process

EXPORT_MINUTES = 1.0
REPORT_MINUTES = 0.1  # a held-out piece: both models answer, both answers are judged


def finetune(
    data: Path,
    output: Path,
    choices: Choices,
    *,
    pieces: int = 40,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Learnt | None:
    """Train in <output>/run, make <output> a model, and measure before and after.

    Args:
        data: a folder that prepare wrote.
        output: the new model's folder. Where it was begun, this goes on.
        choices: what is not left to the data's size.
        pieces: held-out pieces in the report; 0: no report.
        dry_run: tell what would be done, and do nothing.
        tell: is given every line for the person; the main process alone speaks.

    Raises:
        TextMusicError: the data, the base or the choices do not fit, the loss is no number, or the
            disk is full; what was trained until then is kept.
    """
    main = this_process().is_main_process
    quieten()
    run = output / "run"
    check_tracker(choices.tracker or "none")
    _check(data, pieces)
    if main:
        tell("reading the data and measuring the time per step ...")
    proposal = propose(choices, Data.read(data), run)
    estimate = EXPORT_MINUTES + REPORT_MINUTES * pieces
    if main:
        for subject, words in described(proposal, estimate):
            tell(f"{subject:6} {words}")
    if dry_run:
        return None
    training = proposal.start()
    if main and training.step:
        left = minutes((1 - training.done) * proposal.seconds)
        tell(f"already trained; to train it further, use --base {output} with another -o"
             if training.done == 1
             else f"continuing from step {training.step}, about {left} left")  # fmt: skip
    training.train()
    if not main:
        return None
    learnt = Learnt.read(run)
    tell(str(learnt))
    held_out = {(window.source, window.piece) for window in proposal.data.valid}
    for caution in learnt.cautions(len(held_out)):
        tell(caution)
    if export(proposal, output):
        size = sum(file.stat().st_size for file in output.iterdir() if file.is_file())
        tell(f"{output}: {size / 1e6:.0f} MB")
    if pieces:
        comparison = report(proposal, output, data, pieces)
        tell("")
        for line in summary(comparison).splitlines():
            tell(line)
        tell(f"{output / 'evaluation' / 'report.html'}")
    return learnt


def _check(data: Path, pieces: int) -> None:
    """Raise TextMusicError where there is nothing to learn from, or to measure the result on."""
    if not (data / "train.parquet").exists():
        raise TextMusicError(
            f"'{data}' has no prepared data; make some with textmusic prepare FOLDER -o data/."
        )
    test = data / "test.parquet"
    if pieces and not (test.exists() and read_windows(test)):
        raise TextMusicError(
            f"'{data}' has no test split to evaluate on; prepare at least three tunes, raise"
            " --test, or use --no-report."
        )
