"""Turn corpus folders into training windows: python training/prepare.py CORPORA -o data/

Measures every piece, cuts it into windows at bar lines, keeps tunes that occur in several sources
in one split, and writes train.parquet, valid.parquet and test.parquet with music ids, and the
tokenizer they belong to; and says what was dropped or repaired (cleaning.json) and what there is
(statistics.md, statistics.png).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import hf_hub_download
from rich.progress import track
from symusic import Score

from textmusic.engine import cores
from textmusic.grammar import layout_of
from textmusic.learning import corpus, statistics
from textmusic.learning.dataset import write_windows
from textmusic.measure import arousal_of, density_of, estimate_key, notes_of, valence_of
from textmusic.pipeline import locate
from textmusic.plan import is_minor, tonic
from textmusic.tokenizer import Tokenizer, create_tokenizer

Job = tuple[dict[str, Any], bytes, str, str]
Report = Counter[tuple[str, str]]  # (source, what was dropped or repaired) -> how often
SHARES = {"valid": 2, "test": 4}  # percent of the tunes, by default


def split_of(group: str, shares: dict[str, int]) -> str:
    """A tune's split, the same on every machine and in every run. shares: percent for each."""
    number = int(hashlib.sha1(group.encode()).hexdigest(), 16) % 100
    if number < shares["valid"]:
        return "valid"
    return "test" if number < shares["valid"] + shares["test"] else "train"


def grouped(folders: list[Path], done: Report) -> list[Job]:
    """Every piece with its group: pieces share one if they share a tune or an opening melody.

    A piece with the opening melody, the instruments and about the length of one met before is a
    near-duplicate and left out, unless both are arrangements of one tune, made to differ.
    """
    jobs, parent = [], {}  # type: ignore[var-annotated]
    met: dict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for folder in folders:
        tunes = corpus.tune_names(folder)
        for row, data in track(list(corpus.read_corpus(folder)), f"reading {folder.name}"):
            own = f"{folder.name}/{row['id'].replace('_', '-')}"
            notes = notes_of(Score.from_midi(data))
            melody = corpus.fingerprint(notes)
            for mark in filter(None, (tunes.get(row["id"]), melody)):
                parent[root(mark)] = root(own)
            twins = met[melody, tuple(row["programs"])]
            if melody and row["id"] not in tunes:
                if any(abs(len(notes) - other) < 0.1 * other for other in twins):
                    done[folder.name, "piece dropped: near-duplicate of one before"] += 1
                    continue
                twins.append(len(notes))
            jobs.append((row, data, folder.name, own))
    return [(row, data, source, root(own)) for row, data, source, own in jobs]


def work(job: Job, vocabulary: Path, longest: int) -> tuple[list[corpus.Window], str, Counter[str]]:
    """Windows of one piece, its source, and what was dropped or repaired."""
    row, data, source, group = job
    tokenizer = _TOKENIZERS.setdefault(vocabulary, Tokenizer(vocabulary))
    try:
        windows, done = corpus.windows_of(row, data, source, group, tokenizer, longest)
    except (ValueError, RuntimeError) as problem:
        return [], source, Counter({f"piece dropped: unreadable ({problem})": 1})
    return windows, source, done


_TOKENIZERS: dict[Path, Tokenizer] = {}  # one a process


def key_agreement(jobs: list[Job]) -> None:
    """Print how often the key estimate equals the source's label."""
    right: dict[str, list[bool]] = defaultdict(list)
    for row, data, source, _ in jobs:
        label = row.get("key")
        if label and label.split()[-1] in ("major", "minor"):
            key = estimate_key(notes_of(Score.from_midi(data)))
            same = key != "none" and (tonic(key), is_minor(key)) == (
                tonic(label),
                label.endswith("minor"),
            )
            right[source].append(same)
    right["all"] = [hit for hits in right.values() for hit in hits]
    for source, hits in right.items():
        print(f"key estimate = label: {source:22} {np.mean(hits):6.1%} of {len(hits)}")


def text_tokenizer(base: str | None) -> Path:
    """The tokenizer.json of a base LLM; by default the bundled model's, which is SmolLM2's."""
    if base is None or Path(base).exists():
        return locate(base, None)[0] / "tokenizer.json"
    return Path(hf_hub_download(base, "tokenizer.json"))


def percentiles(windows: list[corpus.Window], model: Path) -> None:
    """Print where the level edges of `measure` should lie: percentiles over a sample."""
    tokenizer, rows = Tokenizer(model), []
    for window in windows[:: max(1, len(windows) // 3000)]:
        notes = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
        assert window.plan.tempo is not None
        tempo = window.plan.tempo
        rows.append((valence_of(notes, tempo), arousal_of(notes, tempo), density_of(notes)))
    for name, column in zip(("valence", "arousal", "density"), np.array(rows).T, strict=True):
        print(f"{name}: 10/33/67/90 % at", np.percentile(column, (10, 33, 67, 90)).round(2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of corpus folders (midi.zip, metadata)")
    parser.add_argument("-o", "--output", type=Path, default=Path("data"))
    parser.add_argument("--base", help="LLM (folder or Hub id) whose text tokenizer is used")
    parser.add_argument("--longest", type=int, default=1408, help="music ids in a window at most")
    for split, percent in SHARES.items():
        parser.add_argument(f"--{split}", type=int, default=percent, help="percent of the tunes")
    parser.add_argument("--mix", type=Path, help="training config whose weights the table shows")
    parser.add_argument("--workers", type=int, default=cores())
    args = parser.parse_args()
    folders = sorted(p.parent for p in args.corpora.glob("*/metadata.jsonl"))
    shares = {split: getattr(args, split) for split in SHARES}
    if not folders:
        parser.error(f"'{args.corpora}' holds no corpus folder (midi.zip and metadata.jsonl)")
    model = args.output / "tokenizer"
    create_tokenizer(text_tokenizer(args.base), model)
    done: Report = Counter()
    jobs = grouped(folders, done)
    key_agreement(jobs)
    kept: dict[str, list[corpus.Window]] = defaultdict(list)
    with ProcessPoolExecutor(args.workers) as pool:
        n = len(jobs)
        results = pool.map(work, jobs, [model] * n, [args.longest] * n, chunksize=16)
        for windows, source, counted in track(results, "cutting", total=n):
            done.update({(source, what): count for what, count in counted.items() if count})
            for window in windows:
                kept[split_of(window.group, shares)].append(window)
    cleaning = [(what, source, count) for (source, what), count in sorted(done.items())]
    for what, source, count in sorted(cleaning):
        print(f"{what:60} {source:28} {count:6}")
    (args.output / "cleaning.json").write_text(json.dumps(cleaning, indent=1))
    percentiles(kept["train"], model)
    for split, windows in kept.items():
        write_windows(windows, args.output / f"{split}.parquet")
        ids = sum(len(w.ids) for w in windows)
        print(f"{split:6} {len(windows):7} windows {ids:10} ids")
    notes = range(*layout_of(Tokenizer(model).vocabulary).spans["Velocity"])
    mix = json.loads(args.mix.read_text())["mix"] if args.mix else {}
    table = statistics.markdown(kept["train"], notes, mix)
    (args.output / "statistics.md").write_text(table)
    statistics.draw(kept["train"], args.output / "statistics.png")
    print(table)


if __name__ == "__main__":
    main()
