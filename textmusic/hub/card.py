"""A model card: README.md with the metadata that the Hugging Face Hub reads.

An existing card is kept, and missing metadata are added. A card without text gets one, written from
the folder and an evaluation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textmusic.engines.folder import is_trained
from textmusic.errors import TextMusicError, one_line
from textmusic.hub.files import CARD
from textmusic.result.figures import SECTIONS, Figure
from textmusic.system.values import within

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, RepoCard

    from textmusic.hub.files import Kind
    from textmusic.writing.text_to_music import TextToMusic

TASK = "text-to-audio"  # the Hub's nearest to text to MIDI
TAGS = ["textmusic", "music", "midi", "symbolic-music", "text-to-music"]
LANGUAGES = ["en", "zh"]  # that prompts are read in
EXAMPLES = (
    "calm piano in D minor, 8 bars",
    "energetic rock in E minor with distorted guitar, bass and drums, 8 bars",
    "sad waltz for violin and cello, 16 bars",
    "cheerful ragtime piano in C major, 8 bars",
)
SEED = 1  # of every sample
# Metadata that only the person who trained a model knows, from its folder's README.md.
UNKNOWN = {
    "license": "the licence of the weights",
    "base_model": "the base model",
    "datasets": "the training data",
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's figures from `textmusic evaluate`, by section of the report and name."""

    date: str
    prompts: str
    figures: Mapping[str, Mapping[str, Figure]]


def read_evaluation(folder: Path, names: Sequence[str]) -> Evaluation:
    """A model's figures in the reports of a folder. names: what the model is called.

    Raises TextMusicError where there is no report, or none of this model.
    """
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        (folder / "report.md").stat()  # goes along
        entries = {name: e for name, e in report["entries"].items() if name != "real"}
        called = {name.removeprefix("textmusic-").replace("/", "--") for name in names}
        named = [name for name in entries if name.removeprefix("textmusic-") in called]
        (ours,) = named or entries
        figures = {
            section: {name: Figure(**value) for name, value in found.items()}
            for section, found in entries[ours]["figures"].items()
        }
        about = report["about"]
        return Evaluation(about["date"], about["prompts"]["file"], figures)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise TextMusicError(
            f"'{folder}' has no report of this model; write one with textmusic evaluate PROMPTS"
            f" --model MODEL -o {folder}."
        ) from None


def make_samples(music: TextToMusic, folder: Path, n: int) -> dict[str, Path]:
    """The first n example prompts, written and played: MP3 files by prompt."""
    within("samples", n, 0, len(EXAMPLES))
    found = {}
    for number, text in enumerate(EXAMPLES[:n], 1):
        piece = music.generate(text, seed=SEED)
        (found[text],) = piece.save(folder, formats=("mp3",), stem=f"{number:02}")
    return found


def complete(
    folder: Path,
    repo: str,
    evaluation: Evaluation | None,
    samples: Mapping[str, str],
    *,
    base: str | None = None,
) -> str:
    """The card of a model's folder, in the form for a repository.

    samples: paths of audio in the repository, by prompt. base: what the repository holds an adapter
    to, if that is all that it holds. Raises TextMusicError where the metadata
    that are there can't be read.
    """
    file = folder / CARD
    card = read_card(file.read_bytes() if file.exists() else b"---\n{}\n---\n")
    data = card.data
    if not card.text.strip():
        unknown = [words for name, words in UNKNOWN.items() if not data.get(name)]
        card.text = _text(folder, repo, evaluation, samples, unknown)
    if base is not None:
        card.text += (
            f"\nThis repository has a LoRA adapter for `{base}`; textmusic loads and merges both.\n"
        )
        data["base_model_relation"] = "adapter"
    data["library_name"] = "textmusic"
    data["tags"] = list(dict.fromkeys([*(data.get("tags") or []), *TAGS]))
    for name, value in {"pipeline_tag": TASK, "language": LANGUAGES}.items():
        data[name] = data.get(name) or value
    if samples or not data.get("widget"):
        data["widget"] = _widget(samples)
    if evaluation is not None:
        asked = evaluation.figures.get("asked", {})
        data["metrics"] = list(asked)
        data["model_name"] = repo.split("/")[1]
        data["eval_results"] = [_result(name, figure, evaluation) for name, figure in asked.items()]
    return str(card)


def read_head(folder: Path) -> dict[str, Any]:
    """The metadata of the card in a model's folder, empty where there is none.

    Raises TextMusicError where they can't be read.
    """
    file = folder / CARD
    return dict(vars(read_card(file.read_bytes()).data)) if file.exists() else {}


def read_metadata(card: str) -> str:
    """The metadata of a card, YAML."""
    return read_card(card.encode()).data.to_yaml()


def read_card(content: bytes, kind: Kind = "model") -> RepoCard:
    """A card that can be changed. Raises TextMusicError where its metadata can't be read."""
    from huggingface_hub import DatasetCard, ModelCard

    try:
        return (DatasetCard if kind == "dataset" else ModelCard)(content.decode("utf-8"))
    except Exception as problem:  # of the YAML parser too, which is not a dependency of ours
        why = one_line(problem)
        raise TextMusicError(f"the metadata of {CARD} can't be read ({why}); fix it.") from None


def _widget(samples: Mapping[str, str]) -> list[dict[str, Any]]:
    """Examples on the model's page: prompts, and how they sound where that is known."""
    if samples:
        return [{"text": text, "output": {"url": path}} for text, path in samples.items()]
    return [{"text": text} for text in EXAMPLES]


def _result(name: str, figure: Figure, evaluation: Evaluation) -> EvalResult:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=TASK,
        dataset_type=Path(evaluation.prompts).stem,
        dataset_name=evaluation.prompts,
        metric_type=name,
        metric_name=name,
        metric_value=figure.value,
    )


def _text(
    folder: Path,
    repo: str,
    evaluation: Evaluation | None,
    samples: Mapping[str, str],
    unknown: Sequence[str],
) -> str:
    name = repo.split("/")[1]
    parts = [
        f"# {name}",
        f"Writes music (MIDI) from a text description. {_architecture(folder)}",
        "## Use",
        f'```sh\npip install textmusic\ntextmusic generate "{EXAMPLES[0]}" --model {repo}\n```',
        "```python\nfrom textmusic import TextToMusic\n\n"
        f'music = TextToMusic.from_pretrained("{repo}")\n'
        f'music.generate("{EXAMPLES[0]}", seed={SEED}).save("out")\n```',
    ]
    if samples:
        heard = [f"- [{text}]({path}) (seed {SEED})" for text, path in samples.items()]
        parts += ["## Samples", "\n".join(heard)]
    if evaluation is not None:
        parts += ["## Evaluation", *_figures(evaluation)]
    if unknown:
        parts += [
            "## Not stated",
            f"{', '.join(unknown).capitalize()}: not stated in the model's files.",
        ]
    return "\n\n".join(parts) + "\n"


def _architecture(folder: Path) -> str:
    """One sentence on what is in the folder."""
    name = "config.json" if is_trained(folder) else "textmusic.json"
    config = json.loads((folder / name).read_text(encoding="utf-8"))
    if config.get("architecture") == "recurrent":
        size = f"{config['layers']} layers of {config['hidden']}"
        return f"A recurrent model ({config['cell'].upper()}, {size}), ONNX, {config['precision']}."
    llm = config.get("llm", config)
    size = f"{llm['num_hidden_layers']} layers, hidden size {llm['hidden_size']}"
    kind = f"ONNX, {config['precision']}" if "precision" in config else "in training format"
    return f"A fine-tuned language model ({llm['model_type']}, {size}), {kind}."


def _figures(evaluation: Evaluation) -> list[str]:
    """Tables of what was asked and read, with intervals; the report has all."""
    parts = [
        f"Measured on {evaluation.date} with `textmusic evaluate` on the prompts in"
        f" {evaluation.prompts}; 95 % bootstrap intervals in brackets. All figures:"
        " [evaluation/report.md](evaluation/report.md)."
    ]
    for section in ("asked", "alone"):
        if rows := evaluation.figures.get(section):
            lines = [f"| {SECTIONS[section].title} | | n |", "|---|---|---|"]
            for name, figure in rows.items():
                interval = f"{figure.value:.1%} [{figure.low:.1%}, {figure.high:.1%}]"
                lines.append(f"| {name} | {interval} | {figure.n} |")
            parts.append("\n".join(lines))
    return parts
