"""What comes of a run: a model folder for `--model`, its card, a report of before and after."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from textmusic.corpus.windows import read_windows, with_genre
from textmusic.engines.adapter_files import weights_hash
from textmusic.errors import TextMusicError
from textmusic.evaluation.cautions import cautions
from textmusic.evaluation.comparison import Comparison, Entrant, Options, compare
from textmusic.evaluation.held_out_prompts import describe
from textmusic.evaluation.report_page import save
from textmusic.hub.card import read_head
from textmusic.hub.files import CARD
from textmusic.learning import checkpoint
from textmusic.learning.proposal import Proposal, Size, minutes
from textmusic.learning.runs import music_folder
from textmusic.models.export import export_onnx
from textmusic.models.llm import load_llm
from textmusic.system.machine import machine
from textmusic.system.whole_files import write_text
from textmusic.tokens.sketch_counts import FILE as COUNTS
from textmusic.tokens.sketch_counts import SketchCounts, sketch_counts
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.version import __version__

BEFORE = "before"
FEW_PIECES = 10  # held out for validation
MOST_COUNTED = 10_000  # windows whose sketches are counted
NOTICEABLE = 0.005  # share of the loss
# What the summary shows of a report: section, name, and how it is put.
FIGURES = (
    ("likelihood", "nats per note", "nats per note of the held-out pieces"),
    ("beside", "overlap, mean", "overlap with their distributions, mean of eight"),
    ("asked", "CK", "key heard as asked (by music21)"),
    ("asked", "instruments F1", "instruments, F1"),
    ("asked", "bars", "bars exact"),
    ("alone", "genre", "genre planned as asked, not forced"),
    ("beside", "ends on the tonic", "ends on the tonic"),
    ("beside", "notes outside the scale", "notes outside the scale"),
    ("data", "longest shared run, steps", "longest run shared with a training piece, steps"),
)


@dataclass(frozen=True, slots=True)
class Learnt:
    """Held-out loss of a run, nats per plan or score id: before it, at its best, and at its end.

    step: of the best. steps, ids, seconds: of the whole run.
    """

    before: float
    best: float
    last: float
    step: int
    steps: int
    ids: int
    seconds: float

    @classmethod
    def read(cls, run: Path) -> Learnt:
        """From a run's log."""
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        looks = [row for row in rows if "held_out" in row]
        best = min(looks, key=lambda row: row["held_out"])
        ids = sum(row.get("ids", 0) for row in rows)
        before, last = looks[0]["held_out"], looks[-1]["held_out"]
        return cls(before, best["held_out"], last, best["step"], rows[-1]["step"], ids,
                   rows[-1]["seconds"])  # fmt: skip

    def cautions(self, pieces: int) -> list[str]:
        """A sentence for each reason to doubt that much was learnt.

        pieces: held out for validation, on whose windows the loss was measured.
        """
        found = []
        if pieces < FEW_PIECES:
            found.append(
                f"the held-out loss rests on only {pieces} piece(s), too few to tell learning from"
                " chance; prepare more music, or raise --valid"
            )
        if self.step and self.best > self.before * (1 - NOTICEABLE):
            found.append(
                f"the held-out loss fell by less than {NOTICEABLE:.1%}, so the model has learnt"
                " next to nothing; train longer, or prepare more data"
            )
        if self.step and self.last > self.before:
            found.append(
                f"the held-out loss rose to {self.last:.3f} by the last step, above where it began,"
                f" so the model of step {self.step} was kept; try a lower --learning-rate, or more"
                " data"
            )
        return found

    def __str__(self) -> str:
        change = (self.best / self.before - 1) * 100
        if self.step == 0:
            return (
                f"training did not lower the held-out loss of {self.before:.3f}, so this is the"
                " unchanged base model; try a lower --learning-rate, or more data"
            )
        return (
            f"held-out loss {self.before:.3f} before, {self.best:.3f} at step {self.step}"
            f" ({change:+.1f} %)"
        )


def export(proposal: Proposal, output: Path) -> bool:
    """Make the folder a model, 8-bit ONNX, with LoRA's adapter in `adapter/`; False if it is one.

    Its files appear when all are whole, what makes it a model last.
    """
    run = proposal.folder
    learnt = Learnt.read(run)
    made, mark = run / "exported.json", json.dumps({"step": learnt.step, "best": learnt.best})
    if made.exists() and made.read_text() == mark and (output / "textmusic.json").exists():
        return False
    partial, best = run / "export.partial", run / "best"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        name = output.resolve().name
        export_onnx(load_llm(best), partial, best, name=name)
        write_text(partial / CARD, card(proposal, name, learnt))
        sketches(proposal).save(partial / COUNTS)
        if (best / "adapter").exists():
            shutil.copytree(best / "adapter", partial / "adapter")
            origin = json.dumps(origin_of(proposal.base), indent=1)
            write_text(partial / "adapter" / "base.json", origin + "\n")
        shutil.rmtree(output / "evaluation", ignore_errors=True)  # of an earlier export
        shutil.rmtree(output / "adapter", ignore_errors=True)
        for file in sorted(partial.iterdir(), key=lambda f: f.name == "textmusic.json"):
            file.replace(output / file.name)
    except OSError as problem:
        raise TextMusicError(
            f"'{output}' could not be written ({checkpoint.reason(problem)}); free some space and"
            " start again; the training is finished and kept."
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    write_text(made, mark)
    return True


def sketches(proposal: Proposal) -> SketchCounts:
    """How the sketches of the data go on, on top of those that the base has seen."""
    data, base = proposal.data, music_folder(proposal.base)
    windows = data.train[:: -(-len(data.train) // MOST_COUNTED) or 1]
    rng = random.Random(0)  # for the genre, where a piece has several
    pairs = ((with_genre(window, rng), list(window.sketch)) for window in windows)
    own = SketchCounts.of(pairs, data.tokenizer.vocabulary, least=1)
    known = sketch_counts(base) if base else None
    return known.adapted(own) if known else own


def origin_of(base: str) -> dict[str, str]:
    """What an adapter belongs to: the base's name, and the SHA-256 of its weights."""
    folder = music_folder(base)
    found = {"base": "textmusic-default" if base in ("bundled", "default") else base}
    if folder is not None:
        found["sha256"] = weights_hash(folder)
    return found


# The report ---------------------------------------------------------------------------------------


def report(proposal: Proposal, output: Path, data: Path, n: int) -> Comparison:
    """Measure base and result on up to n held-out pieces, into <output>/evaluation.

    Captions of the test split are the prompts, its pieces the reference; originality is measured
    against the training split. A base that knows no music yet is left out.
    """
    folder = output / "evaluation"
    prompts, real, asked = folder / "held-out.jsonl", folder / "real", folder / "asked.json"
    if not asked.exists() or json.loads(asked.read_text()) != n:
        shutil.rmtree(folder, ignore_errors=True)
        windows = read_windows(data / "test.parquet")
        describe(windows, Tokenizer(data / "tokenizer"), prompts, pieces=real, n=n)
        write_text(asked, json.dumps(n))
    base = music_folder(proposal.base)
    taking_part = [Entrant(BEFORE, str(base))] if base else []
    taking_part.append(Entrant(output.resolve().name, str(output)))
    options = Options(words=False, sounds=0, pace=False, data=data)
    comparison = compare(prompts, taking_part, folder, options, real)
    save(comparison, folder, examples=4, soundfont=None)
    learnt = Learnt.read(proposal.folder)
    write_text(output / CARD, card(proposal, output.resolve().name, learnt, comparison))
    return comparison


def summary(comparison: Comparison) -> str:
    """The figures that tell most, as a Markdown table, and what they can't tell.

    A star stands where chance is unlikely.
    """
    columns = comparison.columns
    apart = {(row.section, row.name) for row in comparison.rows if row.significant}
    lines = [f"| | {' | '.join(e.name for e in columns)} |", "|---" * (len(columns) + 1) + "|"]
    for section, name, words in FIGURES:
        cells = []
        for entry in columns:
            found = entry.figures.get(section, {}).get(name)
            shown = "" if found is None or found.value != found.value else f"{found.value:.3g}"
            ours = entry is comparison.entries[-1] and len(comparison.entries) > 1
            cells.append(f"{shown} *" if shown and ours and (section, name) in apart else shown)
        if any(cells):
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n\n".join(["\n".join(lines), *cautions(comparison)])


def card(
    proposal: Proposal, name: str, learnt: Learnt, comparison: Comparison | None = None
) -> str:
    """A model card: base, data, training and, where there is a report, its figures."""
    size = Size.of(proposal.data)
    base = music_folder(proposal.base)
    origin = str(origin_of(proposal.base)["base"])
    head = read_head(base) if base else {"base_model": origin}
    rank = proposal.config.lora
    how = f"LoRA of rank {rank}, merged" if rank else "all weights except the text rows"
    licences = Counter((w.source, w.licence) for w in proposal.data.train)
    rows = [
        f"| {source} | {licence.replace('|', '/')} | {count} |"
        for (source, licence), count in sorted(licences.items())
    ]
    known = {"base_model": head["base_model"]} if head.get("base_model") else {}
    parts = [
        "---\n" + "".join(f"{k}: {json.dumps(v)}\n" for k, v in known.items()) + "---",
        f"# {name}",
        f"Writes music (MIDI) from a text description: {origin}, fine-tuned on the data below"
        f" ({how}).",
        "## Training",
        f"{date.today():%-d %B %Y}, textmusic {__version__}, {machine()}: {learnt.steps:,} steps,"
        f" {learnt.ids:,} ids, {minutes(learnt.seconds)}. {str(learnt)[:1].upper()}"
        f"{str(learnt)[1:]}.",
        "## Data",
        f"{size.pieces:,} pieces in {size.windows:,} windows, {size.ids:,} ids.",
        "\n".join(["| source | licence | windows |", "|---|---|---|", *rows]),
    ]
    if comparison:
        parts += [
            "## Evaluation",
            f"{len(comparison.texts)} captions of held-out pieces; real: the pieces themselves. An"
            " asterisk marks a significant difference from before (paired bootstrap, Holm, 5 %).",
            summary(comparison),
        ]
    parts += [
        "## Not stated",
        "The licence of the weights; add `license` to the metadata of this card.",
    ]
    return "\n\n".join(parts) + "\n"
