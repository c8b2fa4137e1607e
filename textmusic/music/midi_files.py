"""MIDI files of others: parsed in a process that may crash or hang, before this one touches them.

The parser is quick because it is written in C++, and a file that is broken in the right way takes
its whole process along: uploads, and folders of other systems' output, must not do that to ours.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.music.markers import as_lyrics

if TYPE_CHECKING:
    from symusic import Score

LARGEST_MIDI_FILE = 2_000_000  # bytes of a file
MOST_NOTES = 50_000
LONGEST_SCORE = 50_000  # quarter notes
PARSING_SECONDS = 2.5  # for one file
PARSER_MEMORY = 2 << 30  # bytes that the parsing process may take, where the system can limit it


def read_score(path: Path) -> Score:
    """The score in a MIDI file; raises TextMusicError, in a sentence, if it is not sane."""
    ((_, found),) = read_scores([path])
    if isinstance(found, str):
        raise TextMusicError(f"'{path.name}' {found}; choose another MIDI file.")
    return found


def read_scores(paths: Sequence[Path]) -> Iterator[tuple[Path, Score | str]]:
    """Each file with its score, or with what is wrong with it: "has no notes"."""
    from symusic import Score

    left = list(paths)
    while left:
        with _reader() as child:
            while left and child.poll() is None:
                path = left.pop(0)
                answer = _asked(child, path)
                problem, midi = json.loads(answer) if answer else ("can't be parsed", "")
                yield path, problem or Score.from_midi(base64.b64decode(midi))


@contextmanager
def _reader() -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to read files."""
    command = [sys.executable, "-m", "textmusic.music.midi_files"]
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


# In the other process -----------------------------------------------------------------------------


def _answer(path: Path) -> tuple[str, str]:
    """Why a file is no sane MIDI, or "", and then its music as base64 of well-formed MIDI."""
    try:
        if (size := path.stat().st_size) > LARGEST_MIDI_FILE:
            return f"is {size / 1e6:.1f} MB, more than {LARGEST_MIDI_FILE / 1e6:.0f}", ""
        data = path.read_bytes()
    except OSError as reason:
        return f"can't be read ({reason.strerror})", ""
    score = parsed(as_lyrics(data))
    if isinstance(score, str):
        return score, ""
    # written anew: the parser reads past the end of broken data, now with luck and now without
    return "", base64.b64encode(score.dumps_midi()).decode()


def parsed(data: bytes) -> Score | str:
    """The score in the bytes of a MIDI file, or what is wrong with it: "is truncated".

    For a process that may die: broken files can take the parser's process along.
    """
    from symusic import Score

    if data[:4] != b"MThd" or len(data) < 14 or int.from_bytes(data[4:8], "big") < 6:
        return "is not a MIDI file"
    if not _whole(data):  # the parser would read on behind its end
        return "is truncated"
    if data[8:10] == b"\0\2":
        return "is a type 2 MIDI file, whose patterns have no order"
    try:
        score = Score.from_midi(data)
        return insanity(score) or score
    except (RuntimeError, ValueError, MemoryError):
        return "can't be parsed"


def _whole(data: bytes) -> bool:
    """Whether the chunks of a MIDI file are as long as they say."""
    place = 0
    while place + 8 <= len(data):
        place += 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    return place <= len(data)


def insanity(score: Score) -> str:
    """The problem of a score (in ticks), or ""."""
    if (notes := score.note_num()) == 0:
        return "has no notes"
    if notes > MOST_NOTES:
        return f"has {notes:,} notes, more than {MOST_NOTES:,}"
    if score.ticks_per_quarter <= 0:
        return "measures time in frames, not in quarter notes"
    if score.end() > LONGEST_SCORE * score.ticks_per_quarter or score.start() < 0:
        return f"is longer than {LONGEST_SCORE:,} quarter notes"
    if any(not 1 <= tempo.qpm <= 10_000 for tempo in score.tempos):
        return "has an invalid tempo"
    if any(ts.numerator <= 0 or ts.denominator <= 0 for ts in score.time_signatures):
        return "has an invalid time signature"
    return ""


def _serve() -> None:
    """Answer each path on stdin with its problem, or null."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (PARSER_MEMORY, PARSER_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import symusic  # noqa: F401  (before the clock runs)

    print(json.dumps("ready"), flush=True)  # noqa: T201
    for line in sys.stdin:
        print(json.dumps(_answer(Path(json.loads(line)))), flush=True)  # noqa: T201


if __name__ == "__main__":
    _serve()
