"""Broken inputs of every kind: each is read or refused in a sentence, and never anything else.

    python benchmarks/fuzz.py --files 10000 --prompts 10000 --folders 500
    python benchmarks/fuzz.py --section midi --section prompts --seed 7 --keep build/fuzz

What is neither read nor refused is listed, and kept with --keep; then the exit code is 1. The same
seed makes the same inputs. They are made of tests/data, so this needs a checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mutations import (
    CALLS,
    FILE,
    RECORDING,
    WRONG_VALUES,
    mutated_bytes,
    mutated_folder,
    mutated_text,
    wrong_calls,
    zipped,
)

from textmusic.corpus.files import find
from textmusic.corpus.readers import read
from textmusic.errors import TextMusicError
from textmusic.music.midi_files import read_scores
from textmusic.music.sanity import insanity
from textmusic.notation.abc_text import tunes_in
from textmusic.notation.sheet import UnreadableError
from textmusic.sound.audio_files import write_audio
from textmusic.system.crew import Lost, outcomes
from textmusic.system.progress import progress_bar

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
READ, REFUSED, OTHER = "read", "refused", "other"
SECONDS_PER_FILE = 20.0
SECONDS_PER_PROMPT = 1.0  # of the processor
AT_ONCE = 200  # files that are made before they are read
SMALL = 20_000  # bytes of a file that is worth mutating


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an input. kind: READ, REFUSED or OTHER. why: what was said, or went wrong."""

    kind: str
    why: str = ""


Judged = Iterator[tuple[str, Verdict]]  # the name of each input, and what became of it


@dataclass(slots=True)
class Counts:
    """What became of a section's inputs. others: what was neither read nor refused, and why."""

    read: int = 0
    refused: int = 0
    others: list[str] = field(default_factory=list)

    def add(self, name: str, verdict: Verdict) -> None:
        """Count one more input."""
        if verdict.kind == READ:
            self.read += 1
        elif verdict.kind == REFUSED:
            self.refused += 1
        else:
            self.others.append(f"{name}: {verdict.why}")


def judged(work: Callable[[], object]) -> Verdict:
    """What becomes of an input that some work is done with."""
    try:
        work()
    except UnreadableError as problem:
        return Verdict(REFUSED, str(problem))
    except TextMusicError as problem:
        return said(str(problem))
    except Exception as problem:
        return Verdict(OTHER, f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}")
    return Verdict(READ)


def said(words: str) -> Verdict:
    """Refused, if the words are one sentence of ours."""
    ours = words.rstrip().endswith((".", "?")) and "\n" not in words and len(words) < 1_000
    inside = re.search(r"Traceback|object has no attribute|\b[A-Z]\w+Error\b|defect", words)
    return Verdict(REFUSED if ours and not inside else OTHER, words[:300])


# Files --------------------------------------------------------------------------------------------


def midi(files: int, rng: random.Random, keep: Path) -> Judged:
    """MIDI files, as uploads are read; what is read is changed and written, too."""
    sources = [path for path in _sources("pieces", ".mid") if path.stat().st_size < SMALL]
    for batch in range(0, files, AT_ONCE):
        made = []
        for number in range(batch, min(batch + AT_ONCE, files)):
            path = keep / f"{number:05}.mid"
            path.write_bytes(mutated_bytes(rng.choice(sources).read_bytes(), rng))
            made.append(path)
        for path, score in read_scores(made):
            refused = Verdict(REFUSED, score) if isinstance(score, str) else None
            yield path.name, refused or judged(partial(_transposed, score))


def _transposed(score: Any) -> None:
    from symusic import Score

    from textmusic.writing.adjusting import Adjustment, adjust

    made = adjust(score, Adjustment(semitones=1))
    if wrong := insanity(Score.from_midi(made.midi())):
        raise ValueError(f"an adjusted file {wrong}")


def notation(kind: str, files: int, rng: random.Random, keep: Path) -> Judged:
    """Files of music notation, as `prepare` reads them: in processes that may end."""
    sources = _notated(kind)
    paths = []
    for number in range(files):
        path = keep / f"{number:05}{kind}"
        path.write_bytes(mutated_bytes(rng.choice(sources), rng))
        paths.append(path)
    yield from _in_workers(read_file, paths)


def _notated(kind: str) -> list[bytes]:
    if kind != ".musicxml":
        return [path.read_bytes() for path in _sources("own", kind)]
    from textmusic.drawing.sheet_music import musicxml

    small = [path for path in _sources("pieces", ".mid") if path.stat().st_size < 2_500][:3]
    scores = [score for _, score in read_scores(small) if not isinstance(score, str)]
    return [musicxml(score, title="", key=None).encode() for score in scores]


def read_file(path: Path) -> Verdict:
    """In a worker: read all pieces in a file."""
    data = path.read_bytes()

    def work() -> None:
        for tune in tunes_in(data)[:3] if path.suffix == ".abc" else [""]:
            read(data, path.suffix, tune)

    return judged(work)


def archives(files: int, rng: random.Random, keep: Path) -> Judged:
    """Zip archives of MIDI files, broken inside and outside."""
    members = {path.name: path.read_bytes() for path in _sources("pieces", ".mid")[:3]}
    paths = []
    for number in range(files):
        path = keep / f"{number:05}" / "music.zip"
        path.parent.mkdir()
        inside = {name: data if rng.random() < 0.5 else mutated_bytes(data, rng)
                  for name, data in members.items()}  # fmt: skip
        path.write_bytes(mutated_bytes(zipped(inside), rng))
        paths.append(path.parent)
    yield from _in_workers(read_archive, paths)


def read_archive(folder: Path) -> Verdict:
    """In a worker: find and read what is in a folder."""
    found = find(folder)

    def work() -> None:
        pieces = 0
        for file in found.files:
            with suppress(UnreadableError, OSError, zipfile.BadZipFile, NotImplementedError):
                read(file.read(), file.suffix)
                pieces += 1
        if not pieces:
            raise UnreadableError("has no music that can be read")

    return judged(work)


def _in_workers(
    work: Callable[[Path], Verdict], paths: list[Path], *, may_crash: bool = True
) -> Judged:
    """may_crash: what ends its worker is refused; it costs nothing else."""
    for place, result in outcomes(work, paths, workers=1, seconds=SECONDS_PER_FILE):
        kind = REFUSED if may_crash else OTHER
        yield paths[place].name, Verdict(kind, result.why) if isinstance(result, Lost) else result


def _sources(folder: str, suffix: str) -> list[Path]:
    return sorted((DATA / folder).glob(f"*{suffix}"))


# Words and models ---------------------------------------------------------------------------------


def prompts(number: int, rng: random.Random, _keep: Path) -> Judged:
    """Descriptions, a third of them with controls of wrong types, as every way in reads them."""
    from textmusic.language.controls import Controls, read_controls
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(DATA / "tiny_model", threads=1)
    lines = (DATA / "prompts.txt").read_text(encoding="utf-8").splitlines()
    names = [*Controls.__dataclass_fields__]
    music.understand("calm piano")  # what is loaded once does not count

    def understood(text: str, record: dict[str, Any]) -> None:
        controls = read_controls(record)
        plan, outline, began = controls.plan(), controls.outline(), time.process_time()
        music.understand(text, controls=plan, seconds=controls.seconds, outline=outline)
        if (took := time.process_time() - began) > SECONDS_PER_PROMPT:
            raise RuntimeError(f"takes {took:.1f} s of the processor")

    for _ in range(number):
        text = mutated_text(rng.choice(lines), rng.choice(lines), rng)
        record = {}
        if rng.random() < 0.33:
            record = {rng.choice(names): rng.choice(WRONG_VALUES) for _ in range(rng.randint(1, 3))}
        yield f"{text[:200]!r} {str(record)[:200]}", judged(partial(understood, text, record))


def models(folders: int, rng: random.Random, keep: Path) -> Judged:
    """Model folders with a fault each, which are loaded, and write a bar."""
    tiny = [DATA / "tiny_model", DATA / "tiny_model_int8"]
    faults, paths = {}, []
    for number in range(folders):
        path = keep / f"{number:04}"
        source = rng.choice(tiny)
        other = rng.choice([*tiny, DATA / "pieces"])
        faults[path.name] = mutated_folder(source, other, path, rng)
        paths.append(path)
    for name, verdict in _in_workers(use_model, paths, may_crash=False):
        yield f"{name} ({faults[name]})", verdict


def use_model(folder: Path) -> Verdict:
    """In a worker: write a bar with a model, and go on from it."""
    from textmusic.writing.text_to_music import TextToMusic

    def work() -> None:
        music = TextToMusic.from_pretrained(folder, threads=1)
        piece = music.generate("piano, 1 bar", seed=1)
        music.continue_from(piece.score, 1, seed=1)

    return judged(work)


# Endpoints ----------------------------------------------------------------------------------------


def endpoints(number: int, _rng: random.Random, keep: Path) -> Judged:
    """Calls with one wrong value, for each value and each field of every endpoint; at most so many.

    They go to a real server, with the tiny model.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(keep)
    from textmusic.page.layout import serve
    from textmusic.writing.text_to_music import TextToMusic

    music = TextToMusic.from_pretrained(DATA / "tiny_model", threads=1)
    app, url, _ = serve({"default": music}, prevent_thread_lock=True, quiet=True)
    try:
        midi = min(_sources("pieces", ".mid"), key=lambda path: path.stat().st_size)
        uploads = {FILE: _uploaded(url, midi), RECORDING: _uploaded(url, _hummed(keep))}
        for name, field_, value in wrong_calls()[:number]:
            right = {key: uploads.get(said, said) for key, said in CALLS[name].items()}
            data = right | {field_: value}
            yield f"/{name} {field_}={str(value)[:60]!r}", called(url, name, list(data.values()))
    finally:
        app.get_blocks().close(verbose=False)


def called(url: str, name: str, data: list[Any]) -> Verdict:
    """What a call over HTTP comes to: its answer, or the problem that it tells."""
    import httpx

    address = f"{url}gradio_api/call/{name}"
    header = {"Content-Type": "application/json"}
    began = httpx.post(address, content=json.dumps({"data": data}), headers=header, timeout=60)
    if began.status_code != 200:
        kind = REFUSED if 400 <= began.status_code < 500 else OTHER
        return Verdict(kind, f"{began.status_code} {began.text[:200]}")
    answer = httpx.get(f"{address}/{began.json()['event_id']}", timeout=120).text
    events = re.findall(r"event: (\w+)\ndata: (.*)", answer)
    kind, content = events[-1] if events else ("nothing", "null")
    if kind == "complete":
        return Verdict(READ)
    told = json.loads(content)
    told = told.get("error") if isinstance(told, dict) else told
    return said(told) if isinstance(told, str) else Verdict(OTHER, answer[-300:])


def _uploaded(url: str, path: Path) -> dict[str, Any]:
    """A file that the server has."""
    import httpx

    files = {"files": (path.name, path.read_bytes())}
    (there,) = httpx.post(f"{url}gradio_api/upload", files=files, timeout=60).json()
    return {"path": there, "meta": {"_type": "gradio.FileData"}}


def _hummed(folder: Path) -> Path:
    """Four seconds of a tune."""
    at = np.arange(22_050) / 44_100
    swell = np.minimum(1.0, np.minimum(at, 0.5 - at) * 50) / 2
    pitches = 220 * 2 ** (np.array((0, 2, 4, 5, 7, 5, 4, 2)) / 12)
    tone = np.concatenate([np.sin(2 * np.pi * pitch * at) * swell for pitch in pitches])
    path = folder / "hummed.wav"
    folder.mkdir(parents=True, exist_ok=True)
    write_audio(np.stack([tone, tone]).astype(np.float32), path)
    return path


# All ----------------------------------------------------------------------------------------------

Section = Callable[[int, random.Random, Path], Judged]
SECTIONS: dict[str, tuple[str, Section]] = {
    "midi": ("files", midi),
    "musicxml": ("files", partial(notation, ".musicxml")),
    "abc": ("files", partial(notation, ".abc")),
    "kern": ("files", partial(notation, ".krn")),
    "zip": ("files", archives),
    "prompts": ("prompts", prompts),
    "models": ("folders", models),
    "endpoints": ("calls", endpoints),
}  # fmt: skip


def tried(section: str, number: int, seed: int, keep: Path) -> Counts:
    """Try so many inputs of a section. keep: an empty folder for them."""
    unit, inputs = SECTIONS[section]
    counts = Counts()
    with progress_bar(section, unit) as step:
        for done, (name, verdict) in enumerate(inputs(number, random.Random(seed), keep), 1):
            counts.add(name, verdict)
            step(done, number)
    return counts


def main() -> int:
    """Try what is asked for; 1 if anything was neither read nor refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--section", action="append", choices=SECTIONS, help="default: all")
    parser.add_argument("--files", type=int, default=1_000, help="of each format")
    parser.add_argument("--prompts", type=int, default=1_000)
    parser.add_argument("--folders", type=int, default=50, help="of models")
    parser.add_argument("--calls", type=int, default=len(wrong_calls()), help="of endpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for all inputs")
    options = parser.parse_args()
    others = 0
    print(f"{'':10} {'inputs':>8} {'read':>8} {'refused':>8} {'other':>8}")
    for section in options.section or SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            place = options.keep / section if options.keep else Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            counts = tried(section, getattr(options, SECTIONS[section][0]), options.seed, place)
        total = counts.read + counts.refused + len(counts.others)
        line = f"{section:10} {total:8} {counts.read:8} {counts.refused:8} {len(counts.others):8}"
        print(line, *counts.others, sep="\n  ", flush=True)
        others += len(counts.others)
    return int(others > 0)


if __name__ == "__main__":
    sys.exit(main())
