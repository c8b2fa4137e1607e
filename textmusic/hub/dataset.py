"""Prepared data as a dataset on the Hugging Face Hub: what is sent, its card, what licences allow.

data/ (train.parquet, ..., tokenizer/) -> licences checked -> card -> one commit
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textmusic.errors import TextMusicError, one_line
from textmusic.hub.card import TAGS, read_card
from textmusic.hub.files import CARD, Contents
from textmusic.hub.licences import hub_id, may_share
from textmusic.hub.push import Push, check_target, send

SPLITS = {"train": "train", "valid": "validation", "test": "test"}  # file -> name on the Hub
PATTERNS = (
    *(f"{name}.parquet" for name in SPLITS),
    "tokenizer/*.json", "tokenizer/*.model", "statistics.md", "statistics.png",
)  # fmt: skip
NAMED = 5  # sources that a refusal names
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))


@dataclass(frozen=True, slots=True)
class Share:
    """What of a dataset comes from one source under one licence."""

    source: str
    licence: str
    pieces: int
    windows: int


def is_prepared(folder: Path) -> bool:
    """Whether a folder holds prepared data, and no model."""
    return (folder / "train.parquet").exists() and (folder / "tokenizer").is_dir()


def push_dataset(
    folder: Path,
    repo: str,
    *,
    private: bool = False,
    revision: str | None = None,
    any_licence: bool = False,
    dry_run: bool = False,
) -> Push:
    """Send prepared data to a dataset repository, which is created if necessary.

    any_licence: also send pieces whose licence forbids sharing or is not stated. Else as
    `TextToMusic.push_to_hub`; raises TextMusicError for such licences, too.
    """
    check_target(repo, dry_run)
    shares = read_shares(folder)
    if not any_licence:
        check_licences(folder, shares)
    files: Contents = {
        file.relative_to(folder).as_posix(): file
        for pattern in PATTERNS
        for file in sorted(folder.glob(pattern))
        if file.is_file()
    }
    files[CARD] = complete(folder, repo, shares, any_licence).encode()
    return send(
        repo, files, folder.resolve().name, kind="dataset", private=private, revision=revision,
        dry_run=dry_run,
    )  # fmt: skip


def read_shares(folder: Path) -> list[Share]:
    """The sources of all splits with their licences, sorted by name.

    Raises TextMusicError if a file can't be read or lacks these columns.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise TextMusicError(
            "sharing a dataset needs pyarrow; run pip install 'textmusic[train]'."
        ) from None
    tables = []
    for file in _parquets(folder):
        try:
            tables.append(pq.read_table(file, columns=["source", "licence", "piece"]))
        except (pa.ArrowException, OSError, LookupError) as problem:
            why = one_line(problem, 200)
            raise TextMusicError(
                f"'{file}' lacks source and licence columns ({why}); prepare the data again."
            ) from None
    counted = [("piece", "count_distinct"), ("piece", "count")]
    rows = pa.concat_tables(tables).group_by(["source", "licence"]).aggregate(counted).to_pylist()
    shares = [
        Share(
            row["source"] or "",
            row["licence"] or "",
            row["piece_count_distinct"],
            row["piece_count"],
        )
        for row in rows
    ]
    return sorted(shares, key=lambda share: (share.source, share.licence))


def _parquets(folder: Path) -> Iterator[Path]:
    return (file for name in SPLITS if (file := folder / f"{name}.parquet").exists())


def check_licences(folder: Path, shares: Sequence[Share]) -> None:
    """Raise TextMusicError, naming them, if sources may not be shared or state no licence."""
    closed = [share for share in shares if not may_share(share.licence)]
    if not closed:
        return
    named = [
        f"{share.source} ({_short(share.licence) or 'no licence stated'})"
        for share in closed[:NAMED]
    ]
    more = [f"{len(closed) - NAMED} more"] if len(closed) > NAMED else []
    raise TextMusicError(
        f"'{folder}' contains material whose licence forbids sharing, or has no stated licence:"
        f" {', '.join([*named, *more])}; prepare the data without it, state the licence in"
        " captions.csv, or use --any-licence if you are allowed to share it."
    )


def _short(licence: str, longest: int = 80) -> str:
    return licence if len(licence) <= longest else licence[: longest - 1].rstrip() + "…"


# The card -----------------------------------------------------------------------------------------


def complete(folder: Path, repo: str, shares: Sequence[Share], any_licence: bool) -> str:
    """The card of a dataset, in the form for a repository; an existing card is kept.

    Raises TextMusicError where the metadata that are there can't be read.
    """
    file = folder / CARD
    card = read_card(file.read_bytes() if file.exists() else b"---\n{}\n---\n", "dataset")
    if not card.text.strip():
        card.text = _text(repo, shares, any_licence)
    windows = sum(share.windows for share in shares)
    known: dict[str, Any] = {
        "pretty_name": repo.split("/")[1],
        "license": list(dict.fromkeys(sorted(hub_id(share.licence) for share in shares))),
        "task_categories": ["text-to-audio"],
        "size_categories": [next((name for most, name in SIZES if windows < most), "1M<n<10M")],
    }
    for name, value in known.items():
        card.data[name] = card.data.get(name) or value
    card.data["tags"] = list(dict.fromkeys([*(card.data.get("tags") or []), *TAGS]))
    card.data["configs"] = [
        {
            "config_name": "default",
            "data_files": [
                {"split": SPLITS[path.stem], "path": path.name} for path in _parquets(folder)
            ],
        }
    ]
    return str(card)


def _text(repo: str, shares: Sequence[Share], any_licence: bool) -> str:
    pieces, windows = (sum(getattr(share, n) for share in shares) for n in ("pieces", "windows"))
    lines = [
        "| source | licence, as stated | may be shared | pieces | windows |",
        "|---|---|---|---|---|",
    ]
    for share in shares:
        allowed = "yes" if may_share(share.licence) else "not stated, or no"
        stated = _cell(share.licence) or "none"
        lines.append(
            f"| {_cell(share.source)} | {stated} | {allowed} | {share.pieces:,} |"
            f" {share.windows:,} |"
        )
    parts = [
        f"# {repo.split('/')[1]}",
        f"Music for training text-to-music models with textmusic: {windows:,} stretches of whole"
        f" bars from {pieces:,} pieces, as token ids, with the facts measured in them.",
        "## Use",
        f"```sh\nhf download {repo} --repo-type dataset --local-dir data/\n```",
        "after which textmusic trains on `data/`; or",
        f'```python\nfrom datasets import load_dataset\n\ndata = load_dataset("{repo}")\n```',
        "## Columns",
        "`piece` and `source`: where a stretch is from. `group`: the same for pieces that share a"
        " tune, which are kept in one split. `licence`: of the piece. `genres`. `plan`: key, tempo"
        " (quarter notes per minute), time signature, instruments (General MIDI programs, 128 for"
        " drums), bars, mood"
        " and density, as measured. `texts`: descriptions written by people, if there are any."
        " `ids`: the notes, as indices into `tokenizer/vocabulary.json`.",
        "## Licences",
        "Each row states its own licence. If you use a row, follow its licence and credit its"
        " source.",
        "\n".join(lines),
    ]
    if any_licence and not all(may_share(share.licence) for share in shares):
        parts.append(
            "Some of these licences do not allow sharing, or none is stated; whoever pushed this"
            " data chose to share it anyway."
        )
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """A text that can stand in a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
