"""Compare models on the same prompts, seeds and plans: figures, and which of them differ.

    prompts + entrants -> answers (files) -> Entry (figures of one) -> Comparison

Answers that exist are kept, so a run that was stopped continues. `report_page` shows the result.
"""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.evaluation.answers import (
    AnswersOfRuns,
    plans_of,
    read_expectations,
    read_runs,
    runs_of,
    unjudged,
    write_answers,
)
from textmusic.evaluation.bootstrap import Sample, figures
from textmusic.evaluation.distributions import NotesAndPlan, beside, ceiling, figures_of
from textmusic.evaluation.entries import Entry, FigureDifference, differences
from textmusic.evaluation.figures import (
    SOUND_DISTANCES,
    adherence,
    alone,
    beside_sounds,
    likelihood,
    sounds,
    words,
)
from textmusic.evaluation.metrics import Expectation
from textmusic.evaluation.pace import Pace, measure_pace
from textmusic.evaluation.timbre import Sound, floor
from textmusic.result.figures import Figure
from textmusic.system.machine import installed, machine
from textmusic.tokens.tokenizer import check_vocabulary
from textmusic.version import __version__
from textmusic.writing.jobs import Job, read_jobs
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.writers import is_gan, load_writer

PACED = 3  # prompts that speed and memory are measured with


@dataclass(frozen=True, slots=True)
class Entrant:
    """A participant. model: the model that writes; None for existing folders of answers."""

    name: str
    model: str | None
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how. Fields are those of the command line.

    seeds: answers per prompt, each with its own seed. seed: that of the first prompt's first
    answer; it increases by one from prompt to prompt, and by 1,000,000 from answer to answer.
    same_plan: give all models the first one's plan. sounds: answers per model that are rendered and
    analysed as audio. data: a folder that `textmusic prepare` wrote. pace: measure speed and
    memory. words: try mood words.
    """

    seeds: int = 1
    seed: int = 1000
    same_plan: bool = False
    sounds: int = 60
    words: bool = True
    pace: bool = True
    data: Path | None = None
    soundfont: Path | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result. real: the real answers, if given; their figures are the ceiling.

    notes: what has to be said of the prompts, in sentences.
    """

    texts: tuple[str, ...]
    entries: tuple[Entry, ...]
    real: Entry | None
    rows: tuple[FigureDifference, ...]
    about: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Entry, ...]:
        """The entries, and the real answers behind them."""
        return (*self.entries, *([self.real] if self.real else []))

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON; figures that have no value are null."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: plain(v) for k, v in value.items()}
            return None if isinstance(value, float) and value != value else value

        entries = {
            entry.name: {
                "answers": len(entry.answers),
                "broken": [str(file) for file in entry.broken],
                "missing": len(entry.missing),
                "mended": entry.mended,
                "pace": asdict(entry.pace) if entry.pace else None,
                "figures": {
                    section: {name: asdict(value) for name, value in found.items()}
                    for section, found in entry.figures.items()
                },
            }
            for entry in self.columns
        }
        rows = [asdict(row) | {"significant": row.significant} for row in self.rows]
        found: dict[str, Any] = plain({"about": dict(self.about), "entries": entries})
        return found | {"differences": [plain(row) for row in rows]}


def entrants(models: Sequence[str], folders: Sequence[Path]) -> list[Entrant]:
    """Who takes part; raises TextMusicError where names are the same or vocabularies differ."""
    named = [Entrant(_name_of(model), model) for model in models]
    named += [Entrant(folder.resolve().name, None, (folder,)) for folder in folders]
    if not named:
        raise TextMusicError("there is nothing to evaluate; give a model or a folder of answers.")
    name, count = Counter(entrant.name for entrant in named).most_common(1)[0]
    if count > 1:
        raise TextMusicError(
            f"{count} of the models or folders are called '{name}'; rename a folder."
        )
    tokenizers = [
        TextToMusic.from_pretrained(model).tokenizer for model in models if not is_gan(model)
    ]
    for other in tokenizers[1:]:
        check_vocabulary(other, tokenizers[0])
    return named


def _name_of(model: str) -> str:
    path = Path(model)
    return path.resolve().name if path.exists() else model.replace("/", "--")


def compare(
    prompts: Path, taking_part: Sequence[Entrant], folder: Path, options: Options,
    real: Path | None = None,
) -> Comparison:  # fmt: skip
    """Let the models write, and measure what came of it.

    Args:
        prompts: a prompts file, whose fields say what may be expected (see `metrics`); models see
            the text alone.
        taking_part: as `entrants` gives them; differences are those of the first from each other.
        folder: answers go to answers/<name>/run-1/, ...
        options: what is measured.
        real: a folder of real answers to the prompts: the reference for distributions and
            prediction, and the ceiling for all other figures.

    Raises:
        TextMusicError: the prompts or the real answers can't be used, or the folder holds answers
            that were written otherwise.
    """
    if real and "real" in (entrant.name for entrant in taking_part):
        raise TextMusicError("'real' is the name of the reference; rename the other folder.")
    expected = read_expectations(prompts)
    runs = _runs(prompts, taking_part, options)
    theirs = _real(real, expected, options) if real else None
    entries = []
    for entrant in taking_part:
        answered = _answered(entrant, runs, folder)
        pace = _pace(entrant, runs) if options.pace else None
        entries.append(_entry(answered, expected, theirs, options, pace))
    if options.data:
        entries, theirs = _with_data(entries, theirs, expected, options.data)
    rows = chain.from_iterable(differences(entries[0], other) for other in entries[1:])
    return Comparison(
        tuple(line["text"] for line in expected),
        tuple(entries),
        theirs.entry if theirs else None,
        tuple(rows),
        _about(prompts, options),
        tuple(unjudged(expected)),
    )


def _runs(
    prompts: Path, taking_part: Sequence[Entrant], options: Options
) -> Sequence[Sequence[Job]]:
    """The prompts once a seed, with the first model's plans where all are to share them."""
    runs = runs_of(read_jobs(prompts, text_only=True), options.seeds, options.seed)
    models = [entrant.model for entrant in taking_part if entrant.model is not None]
    if not (options.same_plan and models):
        return runs
    plans = plans_of(models[0], runs)
    return [
        [replace(job, plan=plans[run, job.number]) for job in jobs] for run, jobs in enumerate(runs)
    ]


def _answered(entrant: Entrant, runs: Sequence[Sequence[Job]], folder: Path) -> Entrant:
    """An entrant with the folders of its answers, which its model has written."""
    if entrant.model is None:
        return entrant
    places = [folder / "answers" / entrant.name / f"run-{k + 1}" for k in range(len(runs))]
    for place, jobs in zip(places, runs, strict=True):
        write_answers(entrant.model, jobs, place)
    return replace(entrant, folders=tuple(places))


def _pace(entrant: Entrant, runs: Sequence[Sequence[Job]]) -> Pace | None:
    """The speed of an entrant's model, with the first prompts."""
    if entrant.model is None:
        return None
    return measure_pace(entrant.model, [(job.text, job.plan, job.seed) for job in runs[0][:PACED]])


@dataclass(frozen=True, slots=True)
class _Real:
    entry: Entry
    pieces: Sequence[NotesAndPlan]
    sounds: Sequence[Sound]


def _real(folder: Path, expected: Sequence[Expectation], options: Options) -> _Real:
    read = read_runs((folder,), expected)
    answers = read.answers
    samples: dict[str, Mapping[str, Sample]] = {
        "asked": adherence(expected, answers, read.unanswered)
    }
    pieces = [answer.piece for answer in answers]
    samples["beside"] = ceiling(pieces)
    heard: dict[int, list[Sound]] = {}
    entry = _made("real", read, samples)
    if _hears(options):
        heard = sounds(answers[: options.sounds], options.soundfont)
    found = list(chain.from_iterable(heard.values()))
    if found:
        floors = {name: floor(found, distance) for name, distance in SOUND_DISTANCES.items()}
        entry = replace(entry, figures={**entry.figures, "sound": {
            name: Figure(value, value, value, len(found))
            for name, value in floors.items() if value is not None
        }})  # fmt: skip
    return _Real(entry, pieces, found)


def _hears(options: Options) -> bool:
    return options.sounds > 0 and find_spec("librosa") is not None


def _made(
    name: str,
    read: AnswersOfRuns,
    samples: Mapping[str, Mapping[str, Sample]],
    pace: Pace | None = None,
) -> Entry:
    found = {section: figures(these) for section, these in samples.items()}
    kept = tuple(read.answers), tuple(read.broken), tuple(read.missing)
    return Entry(name, *kept, samples, found, pace, tuple(read.notes))


def _entry(
    entrant: Entrant, expected: Sequence[Expectation], theirs: _Real | None, options: Options,
    pace: Pace | None,
) -> Entry:  # fmt: skip
    # what a model writes here has numbers for names, whatever the prompts say
    named = expected if entrant.model is None else [{"text": line["text"]} for line in expected]
    read = read_runs(entrant.folders, named)
    answers = read.answers
    numbers = [answer.number for answer in answers]
    pieces = [answer.piece for answer in answers]
    samples: dict[str, Mapping[str, Sample]] = {
        "asked": adherence(expected, answers, read.unanswered)
    }
    music = load_writer(entrant.model) if entrant.model is not None else None
    if isinstance(music, TextToMusic):
        samples["alone"] = alone(music, expected, options.seeds)
        if options.words:
            samples["words"] = words(music, forced=False, seeds=options.seeds)
        if theirs:
            samples["likelihood"] = likelihood(music, expected, theirs.entry.answers)
    samples["beside"] = (
        beside(pieces, theirs.pieces, numbers) if theirs else figures_of(pieces, numbers)
    )
    if theirs and theirs.sounds:
        heard = sounds(answers[: options.sounds], options.soundfont)
        samples["sound"] = beside_sounds(heard, theirs.sounds)
    return _made(entrant.name, read, samples, pace)


def _with_data(
    entries: Sequence[Entry], theirs: _Real | None, expected: Sequence[Expectation], data: Path
) -> tuple[list[Entry], _Real | None]:
    from textmusic.evaluation.reference import Reference

    reference = Reference.prepare(data, TextToMusic.from_pretrained().tokenizer)

    def more(entry: Entry) -> Entry:
        numbers = [answer.number for answer in entry.answers]
        genres = [[g] if (g := expected[n - 1].get("genre")) else [] for n in numbers]
        found = reference.samples(entry.pieces, genres, numbers)
        return replace(
            entry,
            samples={**entry.samples, "data": found},
            figures={**entry.figures, "data": figures(found)},
        )

    real = replace(theirs, entry=more(theirs.entry)) if theirs else None
    return [more(entry) for entry in entries], real


def _about(prompts: Path, options: Options) -> dict[str, Any]:
    """When, where and with what it was measured."""
    return {
        "date": str(date.today()),
        "textmusic": __version__,
        "python": platform.python_version(),
        "packages": installed(),
        "machine": machine(),
        "prompts": {
            "file": prompts.name,
            "sha256": hashlib.sha256(prompts.read_bytes()).hexdigest(),
        },
        "seeds": options.seeds,
        "first seed": options.seed,
        "same plan": options.same_plan,
    }
