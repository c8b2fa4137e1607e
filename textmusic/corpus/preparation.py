"""A folder of music -> train.parquet, valid.parquet, test.parquet, and their tokenizer.

    survey -> jobs -> (worker processes) pieces with windows, kept chunk by chunk -> groups, splits

Until all is written, chunks are kept in a hidden folder of the output, under a hash of everything
that they depend on. A killed run continues from them. The outcome is the same as in one go, with
any number of workers.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from textmusic.corpus.pieces import PieceJob, PieceOutcome, failed, work
from textmusic.corpus.preview import PreviewSample, page
from textmusic.corpus.splits import SHARES, SPLITS, grouped, split_all
from textmusic.corpus.summary import Summary
from textmusic.corpus.survey import Survey, survey
from textmusic.corpus.windows import Window, read_windows, window_table, write_windows
from textmusic.errors import TextMusicError
from textmusic.system.crew import Lost, outcomes
from textmusic.system.machine import cores
from textmusic.system.progress import OnStep, progress_bar
from textmusic.system.whole_files import write_text
from textmusic.system.workers import Post, Work, spread
from textmusic.tokens.tokenizer import Tokenizer, copy_tokenizer, create_tokenizer
from textmusic.version import __version__

LONGEST_WINDOW = 1920  # music ids in a window at most
JOBS_PER_CHUNK = 32  # jobs whose outcome is saved together; a killed run loses no more
SECONDS_PER_FILE = 120.0  # of the processor, that a file may take
CHUNK_FORMAT = 5  # of the chunks; raise it when the same files would give other windows
WORK = ".prepare"
Progress = Callable[[str, str], AbstractContextManager[OnStep]]
PieceReader = Callable[[PieceJob], PieceOutcome]
Crew = Callable[
    [PieceReader, Sequence[PieceJob], Sequence[str]], Iterator[tuple[int, PieceOutcome | Lost]]
]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some jobs, and the stem of the two files with their outcome."""

    jobs: tuple[PieceJob, ...]
    stem: Path

    @property
    def whole(self) -> bool:
        """Whether it is done."""
        return self.stem.with_suffix(".json").exists()

    def keep(self, pieces: Sequence[PieceOutcome]) -> None:
        """Write the outcome of its jobs; the second file marks the first as complete."""
        windows = [window for piece in pieces for window in piece.windows]
        write_windows(windows, self.stem.with_suffix(".parquet"))
        rows = [
            asdict(replace(piece, windows=())) | {"windows": len(piece.windows)} for piece in pieces
        ]
        write_text(self.stem.with_suffix(".json"), json.dumps(rows))

    def pieces(self) -> Iterator[tuple[PieceOutcome, int]]:
        """(piece without its windows, how many it has) of every job."""
        for row in json.loads(self.stem.with_suffix(".json").read_text(encoding="utf-8")):
            count = row.pop("windows")
            row["programs"] = tuple(row["programs"])
            yield PieceOutcome(**row), count

    def windows(self) -> Iterator[Window]:
        """The windows of its pieces, in their order."""
        yield from read_windows(self.stem.with_suffix(".parquet"))


def prepare(
    folder: Path,
    output: Path,
    text_tokenizer: Path,
    *,
    longest: int = LONGEST_WINDOW,
    shares: dict[str, int] = SHARES,
    workers: int | None = None,
    ray: str | None = None,
    progress: Progress = progress_bar,
) -> Summary:
    """Read a folder, write training data into another, and return a summary.

    Beside the splits and the tokenizer it writes summary.json and preview.html.

    Args:
        folder: corpora with metadata, or anybody's files; see `survey`.
        output: created if necessary; what an earlier run left there is replaced at the end.
        text_tokenizer: of the LLM that is to be trained, see `writing.loading.text_tokenizer`.
        longest: music ids in a window at most.
        shares: percent of the tunes for "valid" and "test".
        workers: processes; by default one a core.
        ray: a Ray cluster whose processes read the files instead, see `workers.spread`; they have
            to find both folders at the same paths.
        progress: makes a bar of what is being done and the unit it counts in; it is a context that
            gives a function of (done, in all).

    Raises:
        TextMusicError: an extra is missing, the folder holds no music or a table that can't be
            read, nothing in it is fit to be learnt, or the output can't be written.
    """
    if find_spec("pyarrow") is None:
        raise TextMusicError("preparing data needs pyarrow; run pip install 'textmusic[train]'.")
    found = survey(folder if ray is None else folder.absolute(), leave_out=(output,))
    place = output / WORK
    try:
        tokenizer = create_tokenizer(text_tokenizer, place / "tokenizer")
        salt = f"{CHUNK_FORMAT} {__version__} {longest} {_digest(tokenizer)}"
        chunks = _chunks(found.jobs, place, salt)
        crew = partial(_results, workers=workers, ray=ray)
        with progress("reading", "pieces") as step:
            _work_off(chunks, tokenizer.folder, longest, crew, found, step)
        with progress("splitting", "pieces") as step:
            summary = _assemble(chunks, found, shares, output, tokenizer, step)
    except OSError as problem:
        raise TextMusicError(
            f"'{output}' can't be written to ({problem.strerror or problem}); choose another folder"
            " with -o or free some space."
        ) from None
    shutil.rmtree(place)
    return summary


def _digest(tokenizer: Tokenizer) -> str:
    names = ("vocabulary.json", "remi.json")
    data = b"".join((tokenizer.folder / name).read_bytes() for name in names)
    return hashlib.sha256(data).hexdigest()


def _chunks(jobs: Sequence[PieceJob], place: Path, salt: str) -> list[Chunk]:
    """The jobs in chunks. Outdated chunks in the folder are removed."""
    chunks, left = [], iter(jobs)
    while group := tuple(islice(left, JOBS_PER_CHUNK)):
        said = "\n".join((salt, *(f"{job.name}\t{job.source}\t{job.stamp}" for job in group)))
        name = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        chunks.append(Chunk(group, place / name))
    known = {chunk.stem.name for chunk in chunks}
    for path in place.iterdir():
        if path.is_file() and path.name.partition(".")[0] not in known:
            path.unlink(missing_ok=True)  # a leftover process of a killed run may do the same
    return chunks


def _work_off(
    chunks: Sequence[Chunk],
    vocabulary: Path,
    longest: int,
    crew: Crew,
    found: Survey,
    on_step: OnStep,
) -> None:
    """Do the jobs of all chunks that are not complete yet."""
    total = sum(len(chunk.jobs) for chunk in chunks)
    todo = [chunk for chunk in chunks if not chunk.whole]
    places = [(chunk, place) for chunk in todo for place in range(len(chunk.jobs))]
    done = total - len(places)
    on_step(done, total)
    ready: dict[Path, dict[int, PieceOutcome]] = {}
    preload = ["textmusic.corpus.without_torch", "textmusic.corpus.pieces"]
    reading = partial(work, vocabulary=vocabulary.absolute(), longest=longest)
    for number, result in crew(reading, [chunk.jobs[p] for chunk, p in places], preload):
        chunk, place = places[number]
        piece = failed(chunk.jobs[place], result) if isinstance(result, Lost) else result
        pieces = ready.setdefault(chunk.stem, {})
        pieces[place] = piece
        done += 1
        on_step(done, total)
        if len(pieces) == len(chunk.jobs):
            chunk.keep([pieces[i] for i in range(len(pieces))])
            del ready[chunk.stem]


def _results(
    reading: PieceReader,
    jobs: Sequence[PieceJob],
    preload: Sequence[str],
    *,
    workers: int | None,
    ray: str | None,
) -> Iterator[tuple[int, PieceOutcome | Lost]]:
    """(place, what came of it) of every job, as they are done."""
    if ray is not None:
        start = partial(_reader, reading, tuple(preload))
        yield from spread(start, list(enumerate(jobs)), workers=workers, ray=ray)
    elif jobs:
        workers = min(workers or cores(), len(jobs))
        yield from outcomes(
            reading, jobs, workers=workers, seconds=SECONDS_PER_FILE, preload=preload
        )


def _reader(
    reading: PieceReader, preload: Sequence[str], _post: Post
) -> Work[tuple[int, PieceJob], tuple[int, PieceOutcome | Lost]]:
    """What a process of a cluster does: files that end a process end one below it."""

    def read(numbered: Iterable[tuple[int, PieceJob]]) -> Iterator[tuple[int, PieceOutcome | Lost]]:
        places, jobs = zip(*numbered, strict=True)
        for i, result in outcomes(
            reading, jobs, workers=1, seconds=SECONDS_PER_FILE, preload=preload
        ):
            yield places[i], result

    return read


def _assemble(
    chunks: Sequence[Chunk],
    found: Survey,
    shares: dict[str, int],
    output: Path,
    tokenizer: Tokenizer,
    on_step: OnStep,
) -> Summary:
    """Put the chunks together: groups, splits, the files, the account of it all."""
    known = [item for chunk in chunks for item in chunk.pieces()]
    groups, twice = grouped([piece for piece, _ in known])
    kept = [i for i, (_, count) in enumerate(known) if count and i not in twice]
    split = split_all((groups[i] for i in kept), shares)
    summary = Summary(dict(found.formats), dict(found.passed_over), list(found.notes))
    for name, why in found.refused:
        summary.drop(name, why)
    for number, (piece, count) in enumerate(known):
        if number in twice:
            summary.done[piece.source, twice[number].partition(" (")[0]] += 1
            summary.drop(piece.name, twice[number].partition(": ")[2])
            continue
        summary.judge(piece)
        if not count:
            summary.drop(piece.name, piece.problem or "no usable window")
    if not kept:
        shutil.rmtree(output / WORK)
        said = "; ".join(f"{n:,} {why}" for why, n, _ in summary.reasons()[:3])
        raise TextMusicError(f"no usable pieces were found ({said}); give other files.")
    for name in SPLITS:
        summary.splits[name].tunes = sum(s == name for s in split.values())
        if not summary.splits[name].tunes and shares.get(name, 1):
            summary.notes.append(
                f"{name} is empty: {len(split)} different tune{'s' * (len(split) > 1)} can't fill"
                " three splits; add more tunes."
            )
    sample = PreviewSample()
    with Sinks(output) as sinks:
        place = 0
        for chunk in chunks:
            windows = chunk.windows()
            for piece, count in chunk.pieces():
                own = [replace(w, group=groups[place]) for w in islice(windows, count)]
                if own and place not in twice:
                    name = split[groups[place]]
                    sinks.write(name, own)
                    summary.add(piece, name, own)
                    sample.offer(own[0])
                place += 1
            on_step(place, len(known))
    copy_tokenizer(tokenizer.folder, _made(output / "tokenizer"))
    text = json.dumps(summary.to_dict(), indent=1, ensure_ascii=False)
    write_text(output / "summary.json", text + "\n")
    write_text(output / "preview.html", page(summary, sample.windows(), tokenizer))
    return summary


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Sinks:
    """The files of the splits, written window by window; they appear when all are complete."""

    ROWS = 4096  # windows that are written at once

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet as pq

        self._paths = {name: folder / f"{name}.parquet" for name in SPLITS}
        self._writers: dict[str, Any] = {}
        self._waiting: dict[str, list[Window]] = {name: [] for name in SPLITS}
        for name, path in self._paths.items():
            schema = window_table([]).schema
            partial_path = path.with_suffix(".partial")
            self._writers[name] = pq.ParquetWriter(partial_path, schema, compression="zstd")

    def write(self, split: str, windows: Sequence[Window]) -> None:
        """Add windows to a split."""
        self._waiting[split] += windows
        if len(self._waiting[split]) >= self.ROWS:
            self._flush(split)

    def _flush(self, split: str) -> None:
        self._writers[split].write_table(window_table(self._waiting[split]))
        self._waiting[split] = []

    def __enter__(self) -> Sinks:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        partials = {path.with_suffix(".partial"): path for path in self._paths.values()}
        try:
            for name, writer in self._writers.items():
                if kind is None:
                    self._flush(name)
                writer.close()
            if kind is None:
                for partial_path, path in partials.items():
                    partial_path.replace(path)
        finally:  # also where the disk is full
            for partial_path in partials:
                partial_path.unlink(missing_ok=True)
