"""What is done to pieces before they are learnt from: repairs, cuts, and what is left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cut_pieces import windows_of
from symusic import Note, Score, Tempo, TimeSignature, Track

from textmusic.corpus import statistics
from textmusic.corpus.captions import Captioner
from textmusic.corpus.windows import PERMISSIVE, Window
from textmusic.errors import TextMusicError
from textmusic.evaluation.bootstrap import figure
from textmusic.learning.examples import Examples
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.tokens.tokenizer import Tokenizer

ROW = {
    "id": "x", "velocity": "real", "key": None, "tempo_bpm": 100.0, "licence": "PD",
    "genre": ["folk"], "style": "", "title": "", "programs": [0],
}  # fmt: skip


def midi(
    tmp_path: Path, notes: list[tuple[float, float, int]], metres: list[tuple[float, int, int]]
) -> bytes:
    """A file of one piano part; times in quarter notes."""
    score = Score(480)
    score.tempos.append(Tempo(0, 100.0))
    for at, top, bottom in metres:
        score.time_signatures.append(TimeSignature(int(at * 480), top, bottom))
    track = Track(program=0)
    for start, length, pitch in notes:
        track.notes.append(Note(int(start * 480), int(length * 480), pitch, 80))
    score.tracks.append(track)
    score.dump_midi(tmp_path / "x.mid")
    return (tmp_path / "x.mid").read_bytes()


def cut(
    data: bytes, tokenizer: Tokenizer, longest: int = 2000, **changes: Any
) -> tuple[list[Window], Counter[str]]:
    return windows_of(ROW | changes, data, "test", "x", tokenizer, longest)


def steps(first: float, n: int, length: float = 1.0) -> list[tuple[float, float, int]]:
    """A C major scale up and down, a note a beat."""
    up = (60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62)
    return [(first + i * length, length, up[i % len(up)]) for i in range(n)]


def test_a_bar_cut_short_by_a_change_of_metre_is_left_out(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    data = midi(tmp_path, steps(0, 30), [(0, 4, 4), (10, 3, 4)])
    windows, done = cut(data, tokenizer)
    assert done["bar dropped: cut short by a change of metre"] == 1
    first, second = windows
    assert (first.plan.time_signature, first.plan.bars) == ("4/4", 2), "beats 8 and 9 are gone"
    assert (second.plan.time_signature, second.plan.begin, second.plan.end) == ("3/4", False, True)


def test_stuck_and_doubled_notes_are_repaired(tokenizer: Tokenizer, tmp_path: Path) -> None:
    data = midi(tmp_path, [*steps(0, 20), (0, 200, 40), (4, 3, 67)], [(0, 4, 4)])
    _, done = cut(data, tokenizer)
    assert done["note shortened: stuck for over 32 quarter notes"] == 1
    assert done["note dropped: struck twice at once"] == 1


def test_a_bar_that_is_too_dense_is_passed_over_and_the_rest_is_kept(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    storm = [(8 + i / 12, 1 / 12, 40 + p) for i in range(48) for p in range(0, 40, 4)]
    data = midi(tmp_path, [*steps(0, 8), *storm, *steps(12, 24)], [(0, 4, 4)])
    windows, _ = cut(data, tokenizer, longest=300)
    assert sum(w.plan.bars or 0 for w in windows) >= 6
    assert any(w.plan.end for w in windows), "what follows the dense bar is there"


def test_windows_with_a_long_silence_are_left_out(tokenizer: Tokenizer, tmp_path: Path) -> None:
    data = midi(tmp_path, [*steps(0, 16), *steps(60, 16)], [(0, 4, 4)])
    windows, done = cut(data, tokenizer)
    assert not windows and done["window dropped: over 4 bars of silence"] == 1
    assert done["piece dropped: no usable window"] == 1


def test_a_key_label_that_the_notes_contradict_loses(tokenizer: Tokenizer, tmp_path: Path) -> None:
    data = midi(tmp_path, steps(0, 28), [(0, 4, 4)])
    for label, dropped in (("F# major", 1), ("C major", 0), (None, 0)):
        [window], done = cut(data, tokenizer, key=label)
        assert done["key label dropped: the notes contradict it"] == dropped
        assert window.plan.key == "C major"


def test_slow_held_music_is_called_ambient_and_nothing_else_is(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    quiet = [(start, length, pitch) for start, length, pitch in steps(0, 20, 4.0)]
    [slow], _ = cut(midi(tmp_path, quiet, [(0, 4, 4)]), tokenizer, tempo_bpm=50.0)
    [fast], _ = cut(midi(tmp_path, steps(0, 28), [(0, 4, 4)]), tokenizer)
    assert slow.genres[0] == fast.genres[0] == "folk"
    assert ("ambient" in slow.genres) == (slow.plan.arousal == 1)
    assert "ambient" not in fast.genres


@pytest.mark.parametrize(
    ("licence", "let_in"),
    [
        ("MIT", True), ("PD", True), ("CC0-1.0", True), ("BSD-3-Clause", True), ("CC-BY-4.0", True),
        ("public domain (stated in the file)", True), ("CC-BY (stated in the file)", True),
        ("CC-BY-SA-4.0", False), ("CC-BY-NC-4.0", False), ("GPL-3.0", False),
        ("Artistic-1.0", False), ("music21 corpus licence", False),
    ],
)  # fmt: skip
def test_the_permissive_mix_lets_in_what_asks_for_attribution_at_most(
    licence: str, let_in: bool, tokenizer: Tokenizer
) -> None:
    assert bool(PERMISSIVE.match(licence)) == let_in
    window = Window("x", "s", "g", licence, ("folk",), Plan(key="C major"), (3,), (1, 2))
    if let_in:
        assert len(Examples([window], tokenizer, Captioner(), permissive=True).windows) == 1
    else:
        with pytest.raises(TextMusicError, match="licence"):
            Examples([window], tokenizer, Captioner(), permissive=True)


def test_statistics_count_every_value_and_name_the_thin_ones(
    pieces: list[Path], piece_rows: list[dict[str, Any]], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    windows: list[Window] = []
    for path, row in list(zip(pieces, piece_rows, strict=True))[::3]:
        windows += windows_of(row, path.read_bytes(), row["source"], "", tokenizer, 800)[0][:2]
    strikes = {i for i, t in enumerate(tokenizer.vocabulary) if t.startswith("Pitch")}
    amounts = statistics.amounts(windows, strikes)
    assert sum(a.windows for a in amounts.values()) == len(windows)
    scores = [tokenizer.decode_score(list(w.ids), w.plan) for w in windows]
    assert sum(a.notes for a in amounts.values()) == sum(len(notes_of(s)) for s in scores)
    counts = statistics.counts(windows)
    for field in ("key", "time signature", "tempo", "valence", "arousal", "density"):
        assert sum(counts[field].values()) == len(windows), field
    assert "5/8" in statistics.thin(counts)["time signature"]
    text = statistics.markdown(windows, strikes, {})
    assert "Too rare" in text and windows[0].source in text
    pytest.importorskip("matplotlib")
    statistics.draw(windows, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.train
def test_the_reference_finds_a_copy_and_knows_genres(
    pieces: list[Path], piece_rows: list[dict[str, Any]], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    from textmusic.corpus.windows import write_windows
    from textmusic.evaluation.reference import Reference, real_pieces

    windows: list[Window] = []
    for path, row in zip(pieces, piece_rows, strict=True):
        made, _ = windows_of(row, path.read_bytes(), row["source"], row["id"], tokenizer, 900)
        windows += [replace(w, group=w.piece) for w in made[:2]]
    train, test = windows[::2], windows[1::2]
    write_windows(train, tmp_path / "train.parquet")
    write_windows(test, tmp_path / "test.parquet")
    reference = Reference.prepare(tmp_path, tokenizer)
    real = real_pieces(tmp_path / "test.parquet", tokenizer)
    assert len(real) == len({w.piece for w in test})
    copies = [(notes_of(tokenizer.decode_score(list(w.ids), w.plan)), w.plan) for w in train]
    numbers = range(len(copies))
    copied = reference.samples(copies, [w.genres for w in train], numbers)
    shared, known = "longest shared run, steps", "genre recognised"
    new = reference.samples(real, [[] for _ in real], range(len(real)))
    assert figure(copied[shared]).value > figure(new[shared]).value
    assert figure(copied[known]).value > 0.6, "it has learnt from these"
    assert figure(new[known]).n == 0, "no genre was asked for"
