"""Blind listening: pairs of answers to a prompt, in a random order, under names that say nothing.

    answer folders -> Pair -> Showing -> Vote -> WinRate

Which model is A is drawn anew for every showing and stored with the vote, so that the order can be
checked afterwards. Votes are in `votes`, the page is in `page`.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from threading import Lock
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.listening.votes import Votes
from textmusic.system.whole_files import whole_file

_DICE = random.SystemRandom()  # a seed would give every listener the same order of sides


@dataclass(frozen=True, slots=True)
class Side:
    """A model's answer. audio: None if it has yet to be rendered from the MIDI file."""

    model: str
    midi: Path
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt. key: the same as long as prompt, models and notes are the same."""

    key: str
    prompt: str
    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class Showing:
    """A pair in the order in which a listener gets it."""

    pair: Pair
    swapped: bool

    @property
    def a(self) -> Side:
        """The answer that is called A."""
        return self.pair.second if self.swapped else self.pair.first

    @property
    def b(self) -> Side:
        """The answer that is called B."""
        return self.pair.first if self.swapped else self.pair.second


def read_pairs(prompts: Path, folders: Sequence[Path]) -> tuple[list[Pair], list[str]]:
    """Every two models' answers to every prompt, and the names of the files that can't be read.

    folders: two or more, as `textmusic batch` writes them; a folder's name is the model's. Where a
    folder holds several answers to a prompt, the first counts. A prompt that a model has no answer
    to is left out for that model.

    Raises TextMusicError for folders that can't be told apart, that hold nothing to compare or that
    were written from other prompts.
    """
    from textmusic.evaluation.answers import read_expectations

    expected = read_expectations(prompts)
    texts = [line["text"] for line in expected]
    if len(folders) < 2:
        raise TextMusicError(
            "one folder of answers is not enough; give at least two answer folders."
        )
    names = Counter(folder.resolve().name for folder in folders)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise TextMusicError(
            f"{count} folders are named '{name}'; rename them, since folder names identify the"
            " models."
        )
    found, broken = [], []
    for folder in folders:
        sides, bad = _sides(folder, expected)
        found.append(sides)
        broken += bad
    pairs = [
        _pair(text, *two)
        for number, text in enumerate(texts, 1)
        for two in combinations([sides[number] for sides in found if number in sides], 2)
    ]
    if not pairs:
        raise TextMusicError(
            "no prompt has answers in two folders; write answers to the same prompts."
        )
    return pairs, broken


def _sides(
    folder: Path, expected: Sequence[Mapping[str, Any]]
) -> tuple[dict[int, Side], list[str]]:
    """A folder's answers by the number of their prompt, and the names of broken files."""
    from textmusic.evaluation.answers import read_answers

    answers, broken = read_answers(folder, expected)
    sides: dict[int, Side] = {}
    for answer in answers:
        midi = answer.file
        report = midi.with_suffix(".json")
        text = expected[answer.number - 1]["text"]
        if report.exists() and json.loads(report.read_text(encoding="utf-8"))["text"] != text:
            raise TextMusicError(
                f"'{report}' is from another prompt; give the prompts file that the folder was"
                " written from."
            )
        wav = midi.with_suffix(".wav")
        side = Side(folder.resolve().name, midi, wav if wav.exists() else None)
        sides.setdefault(answer.number, side)
    return sides, [str(file) for file in broken]


def _pair(prompt: str, first: Side, second: Side) -> Pair:
    """The key has the notes in it: a vote is on music, not on whatever has its file name later."""
    both = sorted(
        (side.model, hashlib.sha256(side.midi.read_bytes()).hexdigest()) for side in (first, second)
    )
    digest = hashlib.sha256(json.dumps([prompt, both]).encode()).hexdigest()
    # a letter in front, or spreadsheets take some keys for numbers
    return Pair(f"p{digest[:15]}", prompt, first, second)


class Sounds:
    """The audio of answers, in files whose names say nothing; made when it is first wanted.

    An instance may be shared by threads.
    """

    def __init__(self, folder: Path, soundfont: str | Path | None = None) -> None:
        """folder: for the files; it belongs to this run alone. soundfont: as in `render`."""
        self.folder = folder
        self.soundfont = soundfont
        self._made: dict[Path, Path] = {}
        self._lock = Lock()  # two listeners may come to the same pair at once

    def path(self, side: Side) -> Path:
        """A 16-bit WAV file of an answer, as loud as all the others: at -16 LUFS.

        Existing audio is written anew too: its metadata could name the model, and its level give it
        away. Raises TextMusicError, which names the model, for what can't be read or written.
        """
        with self._lock:
            if side.midi not in self._made:
                path = self.folder / f"{secrets.token_hex(16)}.wav"
                try:
                    with whole_file(path) as partial:
                        self._write(side, partial)
                except (OSError, RuntimeError, ValueError) as problem:  # of symusic and libsndfile
                    raise TextMusicError(
                        f"'{side.audio or side.midi}' can't be played ({problem}); write it again."
                    ) from None
                self._made[side.midi] = path
            return self._made[side.midi]

    def _write(self, side: Side, path: Path) -> None:
        from textmusic.sound.audio_files import write_audio
        from textmusic.sound.loudness import levelling
        from textmusic.sound.render import SAMPLE_RATE, render

        rate = SAMPLE_RATE
        if side.audio is None:
            from symusic import Score

            audio = render(Score(side.midi), soundfont=self.soundfont)
        else:
            import soundfile

            read, rate = soundfile.read(side.audio, dtype="float32", always_2d=True)
            audio = read.T
            audio = audio * levelling(audio, rate)  # else the louder one is liked better
        write_audio(audio, path, rate)


def next_pair(
    pairs: Sequence[Pair], votes: Votes, listener: str, dice: random.Random = _DICE
) -> Showing | None:
    """A pair that a listener has not judged, in a random order; None if there is none left.

    It is one of those that the fewest have judged, so that a test that ends early has about as many
    votes on each.
    """
    judged, counts = votes.judged(listener), votes.counts()
    left = [pair for pair in pairs if pair.key not in judged]
    if not left:
        return None
    fewest = min(counts.get(pair.key, 0) for pair in left)
    pair = dice.choice([pair for pair in left if counts.get(pair.key, 0) == fewest])
    return Showing(pair, swapped=dice.random() < 0.5)
