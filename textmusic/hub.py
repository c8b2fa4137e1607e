"""Models, and data sets, on the Hugging Face Hub: pushed as one commit, fetched into the cache.

    folder -> contents (path -> file or bytes) -> commit ... fetch -> checked folder

checksums.json states the SHA-256 of what is pushed; what is fetched is checked against it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textmusic.adapter import FILES, is_adapter, read_origin
from textmusic.engine import broken, read_config
from textmusic.errors import TextMusicError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

    from textmusic.pipeline import TextToMusic

# Never weights in a format that could run code when loaded.
PATTERNS = ["*.json", "*.onnx", "*.onnx.data", "*.safetensors", "*.model", "*.md"]
BELOW = ["adapter/*.json", "adapter/*.safetensors", "samples/*.mp3"]  # pushed, but not fetched
EVALUATION = ("report.json", "report.md")
DESCRIPTIONS = [
    "textmusic.json", "config.json", "recurrent.json", "vocabulary.json", "adapter_config.json",
]  # fmt: skip
CARD, CHECKSUMS = "README.md", "checksums.json"
Contents = dict[str, Path | bytes]  # by path in the repository
Kind = Literal["model", "dataset"]  # of a repository


@dataclass(frozen=True, slots=True)
class Push:
    """What was sent to a repository, or would be.

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
    """Send a model's folder to a repository, which is made if need be; see `push_to_hub`."""
    check_target(repo, dry_run)
    files = contents(music, repo, evaluation, samples, adapter=adapter)
    return send(repo, files, music.name, private=private, revision=revision, dry_run=dry_run)


def check_target(repo: str, dry_run: bool) -> None:
    """Raise TextMusicError, before anything is done, for what is no id, and without a token."""
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
    """Send files to a repository, which is made if need be. name: for the commit's message."""
    from textmusic.card import read_metadata

    card = files[CARD]
    assert isinstance(card, bytes)
    sizes = {
        path: len(file) if isinstance(file, bytes) else file.stat().st_size
        for path, file in sorted(files.items())
    }
    pushed = Push(repo, sizes, read_metadata(card.decode()))
    if dry_run:
        return pushed
    with _in_words(repo, pushing=True):
        return replace(pushed, url=_commit(repo, files, name, kind, private, revision))


def contents(
    music: TextToMusic, repo: str, evaluation: Path | None, samples: int, *, adapter: bool = False
) -> Contents:
    """What is pushed of a model: its own files, report, samples, and a card and checksums of them.

    adapter: its LoRA adapter instead of its own files. Raises TextMusicError where the report, the
    card or the adapter can't be used.
    """
    from textmusic.card import complete, make_samples, read_evaluation

    folder = music.tokenizer.folder
    base = None
    if adapter:
        base = read_origin(folder / "adapter", music.name).base
        if Path(base).exists():
            raise TextMusicError(
                f"'{music.name}' is an adapter to the folder '{base}', which others lack; share the"
                " whole model, or train from a Hub id."
            )
        files: Contents = {name: folder / "adapter" / name for name in FILES}
    else:
        files = {
            file.relative_to(folder).as_posix(): file
            for pattern in [*PATTERNS, *BELOW]
            for file in sorted(folder.glob(pattern))
            if file.is_file() and not file.name.startswith(".")
        }
    sums = {
        path: _sha256(file)
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
        raise TextMusicError(f"'{repo}' is no Hub id; give user/name.")


def _check_token() -> None:
    from huggingface_hub import get_token

    if get_token() is None:
        raise TextMusicError(
            "there is no Hub token here; make one that may write at"
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

    from textmusic import __version__

    api = HfApi(library_name="textmusic", library_version=__version__)
    api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True)
    # the Hub leaves a repository that is there as it was
    if private and not api.repo_info(repo, repo_type=kind).private:
        raise TextMusicError(
            f"'{repo}' is there already, and public; make it private in its settings, or choose"
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
    """Whether a file of the repository is of an earlier push, and not in this one."""
    own = [*BELOW, *(f"evaluation/{name}" for name in EVALUATION)]
    if kind == "dataset":
        own = ["*.parquet", "tokenizer/*"]
    elif "/" not in path:
        own = [pattern for pattern in PATTERNS if pattern != "*.md"]
    return path not in files and any(fnmatch(path, pattern) for pattern in own)


def fetch(model: str, revision: str | None = None) -> Path:
    """Download a model repository (or find it in the cache); the folder it lies in.

    Raises TextMusicError if there is no such model, if it is not one that this version can use, if
    it is not what was pushed, or if it cannot be reached and is not cached.
    """
    with _in_words(model, revision=revision):
        described = _download(model, revision, DESCRIPTIONS)
        adapter = is_adapter(described)
        if not adapter and not (described / "vocabulary.json").exists():
            raise TextMusicError(
                f"'{model}' is not a textmusic model; choose another, or look for one under"
                " huggingface.co/models?library=textmusic."
            )
        try:
            if not adapter:
                read_config(described)  # said before the weights are fetched
        except TextMusicError as problem:
            raise TextMusicError(str(problem).replace(str(described), model)) from None
        folder = _download(model, described.name, PATTERNS)  # the same commit
    _check(folder, model)
    return folder


def fetch_tokenizer(model: str) -> Path:
    """The tokenizer.json of an LLM on the Hub.

    Raises TextMusicError where it cannot be had.
    """
    from huggingface_hub import hf_hub_download

    with _in_words(model):
        return Path(hf_hub_download(model, "tokenizer.json"))


def is_music_model(repo: str) -> bool:
    """Whether a repository holds a model of textmusic, rather than an LLM that knows no music.

    Raises TextMusicError where the Hub can't be asked and the cache does not know.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    with _in_words(repo):
        try:
            hf_hub_download(repo, "vocabulary.json")
        except LocalEntryNotFoundError:  # not in the cache, and the Hub is out of reach
            if not isinstance(try_to_load_from_cache(repo, "config.json"), str):
                raise
            return False
        except EntryNotFoundError:
            return False
    return True


def _download(model: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            model, revision=revision, allow_patterns=patterns, ignore_patterns=["*/*"]
        )
    )


def _check(folder: Path, model: str) -> None:
    """Raise TextMusicError where files are not those that were pushed, and forget those."""
    if not (folder / CHECKSUMS).exists():  # not pushed by `push`
        return
    try:
        stated = dict(json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as problem:
        raise TextMusicError(broken(folder, problem)) from None
    here = {file.name: file for file in folder.iterdir() if file.name in stated}
    wrong = [name for name, file in here.items() if _sha256(file) != stated[name]]
    for name in wrong:
        here[name].resolve().unlink()  # in the cache, so that it is fetched anew
        here[name].unlink(missing_ok=True)
    if wrong:
        raise TextMusicError(
            f"{' and '.join(wrong)} of '{model}' came with another SHA-256 than was pushed, and"
            " will be fetched anew the next time; if it stays so, ask its owner to push it again."
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


# Problems, in a sentence each ---------------------------------------------------------------------


@contextmanager
def _in_words(model: str, *, revision: str | None = None, pushing: bool = False) -> Iterator[None]:
    """Turn what the Hub's client raises in this block into a TextMusicError."""
    from huggingface_hub import errors

    # HTTPError is that of requests, httpx or httpx2, on which the client is built in its versions;
    # a failed upload of a large file is wrapped in a RuntimeError.
    try:
        yield
    except errors.HFValidationError:
        raise TextMusicError(
            f"'{model}' is neither a folder nor a Hub id; give a folder that exists or user/name."
        ) from None
    except (errors.HTTPError, OSError, RuntimeError) as problem:  # type: ignore[attr-defined]
        raise TextMusicError(_explained(model, problem, revision, pushing)) from None
    except ValueError as problem:
        if not pushing:
            raise
        # the Hub's judgement of the card's metadata
        raise TextMusicError(
            f"'{model}' could not be pushed ({_line(problem)}); mend the metadata of {CARD}."
        ) from None


def _explained(model: str, problem: Exception, revision: str | None, pushing: bool) -> str:
    from huggingface_hub import errors

    causes = list(_causes(problem))
    answers = [cause for cause in causes if isinstance(cause, errors.HfHubHTTPError)]
    if answers:
        unknown = isinstance(answers[0], errors.RevisionNotFoundError)
        if unknown and revision is not None:
            return f"'{model}' has no revision '{revision}'; choose one of its branches or tags."
        return _refusal(model, answers[0], pushing)
    if any(isinstance(cause, errors.OfflineModeIsEnabled) for cause in causes):
        there = "" if pushing else f"'{model}' is not in the cache, and "
        return f"{there}HF_HUB_OFFLINE keeps the Hub from being asked; unset it."
    if isinstance(problem, errors.LocalEntryNotFoundError):
        return (
            f"'{model}' is not a folder here and the Hub cannot be reached; check the name and the"
            " connection."
        )
    return (
        f"the connection to the Hub failed ({_line(problem)}); try again, files that are complete"
        " are kept."
    )


def _refusal(model: str, answer: HfHubHTTPError, pushing: bool) -> str:
    """What an HTTP status of the Hub means; the client has tried again by then where that helps."""
    status = answer.response.status_code
    if status == 401 and pushing:
        return (
            "the Hub does not accept your token; make one that may write at"
            " huggingface.co/settings/tokens, and run 'hf auth login' or set HF_TOKEN."
        )
    if status in (401, 404):
        return (
            f"there is no '{model}' on the Hub, or it is private and your token does not open it;"
            " check the name, or run 'hf auth login'."
        )
    if status == 403 and pushing:
        return (
            f"your token may not write to '{model}'; choose a name of your own, or make a token"
            " that may write at huggingface.co/settings/tokens."
        )
    if status == 403:
        return f"you may not read '{model}'; ask for access at huggingface.co/{model}."
    if status == 429:
        return "the Hub has had too many requests from here (429); wait some minutes and try again."
    if status >= 500:
        return f"the Hub has a problem of its own ({status}); try again later."
    doing = "pushed" if pushing else "fetched"
    return f"'{model}' could not be {doing} ({_line(answer)}); check the name and the revision."


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
