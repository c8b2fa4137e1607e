"""Pieces that were judged: databases for the tests of feedback and of preference."""

from __future__ import annotations

from pathlib import Path

from textmusic.listening.pairs import Pair, Showing, Side
from textmusic.listening.votes import Votes
from textmusic.writing.text_to_music import TextToMusic

PROMPTS = ("calm piano", "happy piano", "sad piano")


def written(music: TextToMusic, folder: Path, text: str, seeds: range, bars: int = 2) -> list[Path]:
    """MIDI files of pieces to a text, each with its report beside it."""
    files = []
    for seed in seeds:
        piece = music.generate(f"{text}, {bars} bars", seed=seed)
        files.append(piece.save(folder, formats=("mid", "json"))[0])
    return files


def shown(one: Path, two: Path, key: str = "p1", text: str = "calm piano, 2 bars") -> Showing:
    """Two files as a listener gets them, the first as A."""
    return Showing(Pair(key, text, Side("one", one), Side("two", two)), swapped=False)


def database(
    music: TextToMusic, folder: Path, *, prompts: tuple[str, ...] = PROMPTS, pieces: int = 3
) -> Path:
    """A database of votes on every two pieces of some prompts: the earlier one is always better."""
    votes = Votes(folder / "votes.sqlite")
    for text in prompts:
        files = written(music, folder / "pieces", text, range(pieces))
        for i, one in enumerate(files):
            for j, two in enumerate(files[i + 1 :], i + 1):
                showing = shown(one, two, f"{text}-{i}-{j}", f"{text}, 2 bars")
                votes.keep([showing.pair])
                votes.add("me", showing, {"overall": "A"})
    return votes.path
