"""MIDI files of others: parsed in a process that may crash or hang, before this one touches them.

The parser is quick because it is written in C++, and a file that is broken in the right way takes
its whole process along: uploads, and folders of other systems' output, must not do that to ours.
What it is given is read event by event before, and is well formed (`midi_events`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.music.markers import as_lyrics
from textmusic.music.midi_events import MidiError, MidiEvents, parse
from textmusic.music.midi_playing import as_written
from textmusic.music.midi_sounding import sounding
from textmusic.music.playing import Playing
from textmusic.music.sanity import LONGEST_SCORE, insanity

if TYPE_CHECKING:
    from symusic import Score

# In any case; ".kar" has lyrics, ".rmi" is in a RIFF wrapper.
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".rmid", ".smf")
LARGEST_MIDI_FILE = 2_000_000  # bytes of a file
BROKEN = "can't be parsed"
PARSING_SECONDS = 15.0  # for one file; the largest takes four, of an idle core
PARSER_MEMORY = 2 << 30  # bytes that the parsing process may take, where the system can limit it
# `python -m textmusic.music.midi_files`, but for the current folder: it may be one of downloads,
# whose Python files must not be taken for modules.
_READER = (
    "import runpy, sys; sys.path.append(sys.argv[1]);"
    " runpy.run_module('textmusic.music.midi_files', run_name='__main__')"
)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the other process says. problem: why a file is no sane MIDI, or ""; else the rest.

    events: all of the file, as well-formed MIDI. score: what of it sounds, as symusic keeps it.
    Both are base64. mended: what was no proper MIDI, and how often. sha256: of the file. playing:
    the fields of `Playing`, if it holds a performance of ours; the events are as written then.
    """

    problem: str = ""
    events: str = ""
    score: str = ""
    mended: dict[str, int] | None = None
    sha256: str = ""
    playing: tuple[float, int, str | None, bool] | None = None


def read_score(path: Path) -> Score:
    """The score in a MIDI file; raises TextMusicError, in a sentence, if it is not sane."""
    ((_, found),) = read_scores([path])
    if isinstance(found, str):
        raise _refused(path, found)
    return found


def read_events(path: Path) -> MidiEvents:
    """All events of a MIDI file; raises TextMusicError, in a sentence, if it is not sane."""
    ((_, answer),) = _answers([path])
    if answer.problem:
        raise _refused(path, answer.problem)
    midi = parse(base64.b64decode(answer.events))
    midi.mended.update(answer.mended or {})
    midi.name = path.name.encode("utf-8", "replace").decode()  # some are no Unicode
    midi.sha256 = answer.sha256
    midi.playing = Playing(*answer.playing) if answer.playing else None
    return midi


def read_scores(paths: Sequence[Path]) -> Iterator[tuple[Path, Score | str]]:
    """Each file with its score, or with what is wrong with it: "has no notes"."""
    for path, score, _ in read_mended(paths):
        yield path, score


def read_mended(paths: Sequence[Path]) -> Iterator[tuple[Path, Score | str, Counter[str]]]:
    """As `read_scores`, and what in each file was no proper MIDI and was mended, how often."""
    for path, answer in _answers(paths):
        yield path, answer.problem or _unpacked(answer.score), Counter(answer.mended or {})


def _refused(path: Path, problem: str) -> TextMusicError:
    return TextMusicError(f"'{path.name}' {problem}; choose another MIDI file.")


def _answers(paths: Sequence[Path]) -> Iterator[tuple[Path, _Answer]]:
    left = list(paths)
    while left:
        with _reader() as child:
            while left and child.poll() is None:
                path = left.pop(0)
                answer = _asked(child, path)
                yield path, _Answer(**json.loads(answer)) if answer else _Answer(BROKEN)


@contextmanager
def _reader() -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to read files."""
    command = [sys.executable, "-P", "-c", _READER, str(Path(__file__).parents[2])]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, encoding="utf-8")
    assert child.stdin and child.stdout
    try:
        child.stdout.readline()  # it is ready: importing does not count as parsing
        yield child
    finally:
        with suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        child.wait()


def _asked(child: subprocess.Popen[str], path: Path) -> str:
    """The answer to a path; empty if the process died of it, or took too long."""
    assert child.stdin and child.stdout
    timer = Timer(PARSING_SECONDS, child.kill)
    timer.start()
    try:
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(str(path.absolute())) + "\n")
            child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            child.wait()
        return answer
    finally:
        timer.cancel()


def _unpacked(state: str) -> Score | str:
    """The score that the other process has sent, as its parser made it."""
    from symusic.core import ScoreTick

    score = ScoreTick.__new__(ScoreTick)
    try:
        score.__setstate__(base64.b64decode(state))
    except (RuntimeError, ValueError, MemoryError):
        return BROKEN
    return score


# In the other process -----------------------------------------------------------------------------


def _answer(path: Path) -> _Answer:
    """What is in a file, or why it is no sane MIDI."""
    try:
        if (size := path.stat().st_size) > LARGEST_MIDI_FILE:
            return _Answer(f"is {size / 1e6:.1f} MB, more than {LARGEST_MIDI_FILE / 1e6:.0f}")
        data = path.read_bytes()
    except OSError as reason:
        return _Answer(f"can't be read ({reason.strerror})")
    read = _read(data)
    if isinstance(read, str):
        return _Answer(read)
    midi, score = read
    # As symusic keeps it, not as MIDI: what its parser makes of a file is not parsed again where it
    # would crash us.
    events, heard = (
        base64.b64encode(part).decode() for part in (midi.dumps(), score.__getstate__())
    )
    playing = None if midi.playing is None else astuple(midi.playing)
    sha256 = hashlib.sha256(data).hexdigest()
    return _Answer("", events, heard, dict(midi.mended), sha256, playing)


def parsed(data: bytes) -> tuple[Score, Counter[str]] | str:
    """The score in the bytes of a MIDI file and what was mended in it, how often.

    Or what is wrong with it: "is truncated". For a process that may die: broken files can take the
    parser's process along.
    """
    read = _read(data)
    return read if isinstance(read, str) else (read[1], read[0].mended)


def _read(data: bytes) -> tuple[MidiEvents, Score] | str:
    """The events in the bytes of a MIDI file, what symusic is given of them, and its score."""
    from symusic import Score

    try:
        midi = as_written(parse(data))
        if midi.end > LONGEST_SCORE * midi.division:
            return f"is longer than {LONGEST_SCORE:,} quarter notes"
        score = Score.from_midi(as_lyrics(sounding(midi).dumps()))
        return insanity(score) or (midi, score)
    except MidiError as problem:
        return str(problem)
    except (RuntimeError, ValueError, MemoryError):
        return BROKEN


def _serve() -> None:
    """Answer each path on stdin with its problem, or null."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (PARSER_MEMORY, PARSER_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import symusic  # noqa: F401  (before the clock runs)

    print(json.dumps("ready"), flush=True)  # noqa: T201
    for line in sys.stdin:
        print(json.dumps(asdict(_answer(Path(json.loads(line))))), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
