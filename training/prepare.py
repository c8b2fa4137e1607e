"""Turn corpus folders into training windows: python training/prepare.py CORPORA -o data/

Measures every piece, cuts it into windows at bar lines, keeps tunes that occur in several sources
in one split, and writes train.parquet, valid.parquet and test.parquet with music ids, and the
tokenizer they belong to.
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

from textmusic.learning import corpus
from textmusic.learning.dataset import write_windows
from textmusic.measure import arousal_of, density_of, estimate_key, notes_of, valence_of
from textmusic.pipeline import locate
from textmusic.plan import is_minor, tonic
from textmusic.tokenizer import Tokenizer, create_tokenizer

Job = tuple[dict[str, Any], bytes, str, str]
SHARES = {"valid": 2, "test": 4}  # percent of the tunes, by default


def split_of(group: str, shares: dict[str, int]) -> str:
    """A tune's split, the same on every machine and in every run. shares: percent for each."""
    number = int(hashlib.sha1(group.encode()).hexdigest(), 16) % 100
    if number < shares["valid"]:
        return "valid"
    return "test" if number < shares["valid"] + shares["test"] else "train"


def grouped(folders: list[Path]) -> list[Job]:
    """Every piece with its group: pieces share one if they share a tune or an opening melody."""
    jobs, parent = [], {}  # type: ignore[var-annotated]

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for folder in folders:
        tunes = corpus.tune_names(folder)
        for row, data in track(list(corpus.read_corpus(folder)), f"reading {folder.name}"):
            own = f"{folder.name}/{row['id'].replace('_', '-')}"
            marks = [tunes.get(row["id"], "")]
            marks.append(corpus.fingerprint(notes_of(Score.from_midi(data))))
            for mark in filter(None, marks):
                parent[root(mark)] = root(own)
            jobs.append((row, data, folder.name, own))
    return [(row, data, source, root(own)) for row, data, source, own in jobs]


def work(job: Job, vocabulary: Path, longest: int) -> tuple[list[corpus.Window], str, str]:
    """Windows of one piece, its source, and why there are none if so."""
    row, data, source, group = job
    tokenizer = _TOKENIZERS.setdefault(vocabulary, Tokenizer(vocabulary))
    try:
        windows, why = corpus.windows_of(row, data, source, group, tokenizer, longest)
    except (ValueError, RuntimeError) as problem:
        return [], source, f"unreadable: {problem}"
    return windows, source, why


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
    parser.add_argument("--longest", type=int, default=960, help="music ids in a window at most")
    for split, percent in SHARES.items():
        parser.add_argument(f"--{split}", type=int, default=percent, help="percent of the tunes")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    folders = sorted(p.parent for p in args.corpora.glob("*/metadata.jsonl"))
    shares = {split: getattr(args, split) for split in SHARES}
    if not folders:
        parser.error(f"'{args.corpora}' holds no corpus folder (midi.zip and metadata.jsonl)")
    model = args.output / "tokenizer"
    create_tokenizer(text_tokenizer(args.base), model)
    jobs = grouped(folders)
    key_agreement(jobs)
    kept: dict[str, list[corpus.Window]] = defaultdict(list)
    dropped: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(args.workers) as pool:
        n = len(jobs)
        results = pool.map(work, jobs, [model] * n, [args.longest] * n, chunksize=16)
        for windows, source, why in track(results, "cutting", total=n):
            if why:
                dropped[source, why] += 1
            for window in windows:
                kept[split_of(window.group, shares)].append(window)
    for (source, why), count in sorted(dropped.items()):
        print(f"dropped {count:5} of {source}: {why}")
    percentiles(kept["train"], model)
    for split, windows in kept.items():
        write_windows(windows, args.output / f"{split}.parquet")
        ids = sum(len(w.ids) for w in windows)
        print(f"{split:6} {len(windows):7} windows {ids:10} ids")
    print(json.dumps(Counter(w.source for w in kept["train"]), indent=1))


if __name__ == "__main__":
    main()
