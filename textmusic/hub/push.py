"""Models, and data sets, on the Hugging Face Hub: pushed as one commit.

    folder -> contents (path -> file or bytes) -> commit ... fetch -> checked folder

checksums.json states the SHA-256 of what is pushed; what is fetched is checked against it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from textmusic.engines.adapter_files import FILES, read_origin
from textmusic.errors import TextMusicError
from textmusic.hub.card import complete, make_samples, read_evaluation, read_metadata
from textmusic.hub.files import (
    BELOW,
    CARD,
    CHECKSUMS,
    EVALUATION,
    PATTERNS,
    Contents,
    Kind,
    sha256,
)
from textmusic.hub.problems import in_words
from textmusic.tokens.sketch_counts import counts_file
from textmusic.version import __version__

if TYPE_CHECKING:
    from textmusic.writing.text_to_music import TextToMusic


@dataclass(frozen=True, slots=True)
class Push:
    """What was sent to a repository, or would be sent.

    files: bytes of each, by path. metadata: the card's, YAML. url: of the commit; None if nothing
    was sent.
    """

    repo: str
    files: Mapping[str, int]
    metadata: str
    url: str | None = None


def push(
    music: TextToMusic,
    repo: str,
    *,
    private: bool = False,
    revision: str | None = None,
    evaluation: Path | None = None,
    samples: int = 0,
    adapter: bool = False,
    dry_run: bool = False,
) -> Push:
    """Send a model's folder to a repository, which is created if necessary; see `push_to_hub`."""
    check_target(repo, dry_run)
    files = contents(music, repo, evaluation, samples, adapter=adapter)
    return send(repo, files, music.name, private=private, revision=revision, dry_run=dry_run)


def check_target(repo: str, dry_run: bool) -> None:
    """Raise TextMusicError, before anything is done, for an invalid id or a missing token."""
    _check_id(repo)
    if not dry_run:
        _check_token()


def send(
    repo: str,
    files: Contents,
    name: str,
    *,
    kind: Kind = "model",
    private: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
) -> Push:
    """Send files to a repository, which is created if necessary. name: for the commit's message."""
    card = files[CARD]
    assert isinstance(card, bytes)
    sizes = {
        path: len(file) if isinstance(file, bytes) else file.stat().st_size
        for path, file in sorted(files.items())
    }
    pushed = Push(repo, sizes, read_metadata(card.decode()))
    if dry_run:
        return pushed
    with in_words(repo, pushing=True):
        return replace(pushed, url=_commit(repo, files, name, kind, private, revision))


def contents(
    music: TextToMusic, repo: str, evaluation: Path | None, samples: int, *, adapter: bool = False
) -> Contents:
    """The files to push of a model: its own files, report, samples, card, and checksums of them.

    adapter: its LoRA adapter instead of its own files. Raises TextMusicError where the report, the
    card or the adapter can't be used.
    """
    folder = music.tokenizer.folder
    base = None
    if adapter:
        base = read_origin(folder / "adapter", music.name).base
        if Path(base).exists():
            raise TextMusicError(
                f"'{music.name}' is an adapter for the local folder '{base}', which other people"
                " don't have; share the whole model, or train from a Hub id."
            )
        files: Contents = {name: folder / "adapter" / name for name in FILES}
    else:
        files = {
            file.relative_to(folder).as_posix(): file
            for pattern in [*PATTERNS, *BELOW]
            for file in sorted(folder.glob(pattern))
            if file.is_file() and not file.name.startswith(".")
        }
        if shared := counts_file(folder):  # of a model below another's folder
            files[shared.name] = shared
    sums = {
        path: sha256(file)
        for path, file in files.items()
        if isinstance(file, Path) and "/" not in path and path not in (CARD, CHECKSUMS)
    }
    found = None
    if evaluation is not None:
        found = read_evaluation(evaluation, (music.name, folder.resolve().name))
        files |= {f"evaluation/{name}": evaluation / name for name in EVALUATION}
    with tempfile.TemporaryDirectory() as work:
        made = make_samples(music, Path(work), samples)
        files |= {f"samples/{file.name}": file.read_bytes() for file in made.values()}
    heard = {text: f"samples/{file.name}" for text, file in made.items()}
    files[CARD] = complete(folder, repo, found, heard, base=base).encode()
    files[CHECKSUMS] = (json.dumps(sums, indent=1) + "\n").encode()
    return files


def _check_id(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
        valid = repo.count("/") == 1
    except HFValidationError:
        valid = False
    if not valid:
        raise TextMusicError(f"'{repo}' is not a Hub id; give user/name.")


def _check_token() -> None:
    from huggingface_hub import get_token

    if get_token() is None:
        raise TextMusicError(
            "there is no Hub token; create one with write access at"
            " huggingface.co/settings/tokens, and run 'hf auth login' or set HF_TOKEN."
        )


def _commit(
    repo: str, files: Contents, name: str, kind: Kind, private: bool, revision: str | None
) -> str:
    """One commit with these files; the commit's address.

    A repository holds one model, or one dataset: files of an earlier one that this one lacks are
    deleted, or else an old textmusic.json could stand beside new weights.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api = HfApi(library_name="textmusic", library_version=__version__)
    api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True)
    # the Hub leaves a repository that is there as it was
    if private and not api.repo_info(repo, repo_type=kind).private:
        raise TextMusicError(
            f"'{repo}' already exists and is public; make it private in its settings, or choose"
            " another name."
        )
    if revision is not None:
        api.create_branch(repo, repo_type=kind, branch=revision, exist_ok=True)
    old = api.list_repo_files(repo, repo_type=kind, revision=revision)
    operations = [CommitOperationDelete(path) for path in old if _replaced(path, files, kind)]
    added = [CommitOperationAdd(path, file) for path, file in files.items()]
    return api.create_commit(
        repo, [*operations, *added], repo_type=kind, revision=revision,
        commit_message=f"{name}, pushed by textmusic {__version__}",
    ).commit_url  # fmt: skip


def _replaced(path: str, files: Contents, kind: Kind) -> bool:
    """Whether a file of the repository comes from an earlier push and is not in this one."""
    own = [*BELOW, *(f"evaluation/{name}" for name in EVALUATION)]
    if kind == "dataset":
        own = ["*.parquet", "tokenizer/*"]
    elif "/" not in path:
        own = [pattern for pattern in PATTERNS if pattern != "*.md"]
    return path not in files and any(fnmatch(path, pattern) for pattern in own)


# Problems, in a sentence each ---------------------------------------------------------------------
