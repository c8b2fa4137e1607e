"""Training examples: what the model reads, what it has to predict, and in which order."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_pieces import windows_of
from decoded import plan_of_ids, sketch_of_ids
from interleaving import ROWS, plain, with_rows
from numpy.typing import NDArray

from textmusic.corpus.captions import Captioner
from textmusic.corpus.cutting import fingerprint
from textmusic.corpus.preparation import LONGEST_WINDOW
from textmusic.corpus.windows import Window, read_windows, write_windows
from textmusic.errors import TextMusicError
from textmusic.learning.examples import Example, Examples, batches, collate, drawn_hole, kindred
from textmusic.music.data_files import load_data
from textmusic.music.measure import estimate_key
from textmusic.music.notes import notes_of
from textmusic.music.theory import DRUMS, shift_of, transposed
from textmusic.tokens.folding import END, struck
from textmusic.tokens.tokenizer import IGNORED, Tokenizer
from textmusic.tokens.vocabulary import FILL, PLAN, SCORE, SKETCH


@pytest.fixture(scope="module")
def windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    found: list[Window] = []
    for path, row in zip(pieces, piece_rows, strict=True):
        made, _ = windows_of(row, path.read_bytes(), row["source"], row["id"], tokenizer, 600)
        found += made[:2]
    return found


@pytest.fixture(scope="module")
def examples(windows: list[Window], tokenizer: Tokenizer) -> Examples:
    return Examples(windows, tokenizer, Captioner(), fills=0.0)


@pytest.fixture(scope="module")
def fills(windows: list[Window], tokenizer: Tokenizer) -> Examples:
    """Examples that are all fills."""
    return Examples(windows, tokenizer, Captioner(), fills=1.0)


def followers(example: Example, tokenizer: Tokenizer, begin: int) -> NDArray[np.int64]:
    """The music ids behind each place from `begin` on; none is predicted of what is said again."""
    following = example.ids[begin + 1 :] - tokenizer.offset
    score = int(np.flatnonzero(example.ids == tokenizer.index[SCORE] + tokenizer.offset)[0])
    again = [tokenizer.vocabulary[i].startswith(ROWS) for i in following]
    behind = np.arange(begin, len(example.ids) - 1) >= score
    return np.where(behind & again, IGNORED, following)


def test_an_example_is_text_plan_sketch_and_score_and_predicts_what_follows(
    examples: Examples, windows: list[Window], tokenizer: Tokenizer
) -> None:
    offset = tokenizer.offset
    plan_mark, sketch_mark, score_mark, end = tokenizer.music_ids([PLAN, SKETCH, SCORE, END])
    for seed, window in enumerate(windows):
        example = examples.make(window, random.Random(seed))
        text = int(np.flatnonzero(example.ids == plan_mark + offset)[0])
        sketch = int(np.flatnonzero(example.ids == sketch_mark + offset)[0])
        score = int(np.flatnonzero(example.ids == score_mark + offset)[0])
        assert np.all(example.ids[:text] < offset) and np.all(example.ids[text:] >= offset)
        assert example.ids[-1] == end + offset
        assert np.all(example.labels[:text] == IGNORED), "no loss on the text"
        assert np.array_equal(example.labels[text:-1], followers(example, tokenizer, text))
        assert example.labels[-1] == IGNORED
        plan = plan_of_ids(tokenizer, (example.ids[text + 1 : sketch] - offset).tolist())
        assert (example.ids[sketch + 1 : score] - offset).tolist() == list(window.sketch)
        assert len(sketch_of_ids(tokenizer, list(window.sketch), plan.key).rows) == plan.bars
        assert all(value is not None for _, value in plan.known())
        assert plan.genre in (*window.genres, "other")
        assert example.notes == len(notes_of(tokenizer.decode_score(list(window.ids), window.plan)))


def test_examples_vary_in_key_tempo_and_now_and_then_an_instrument(
    examples: Examples, windows: list[Window], tokenizer: Tokenizer
) -> None:
    keys, tempi, swapped = set(), set(), 0
    for seed, window in enumerate(windows * 5):
        example = examples.make(window, random.Random(seed))
        text = int(np.flatnonzero(example.labels != IGNORED)[0])
        music = (example.ids[text:] - offset_of(tokenizer)).tolist()
        sketch, mark = music.index(tokenizer.index[SKETCH]), music.index(tokenizer.index[SCORE])
        plan, score = plan_of_ids(tokenizer, music[1:sketch]), music[mark + 1 :]
        assert window.plan.key and plan.key and window.plan.tempo and plan.tempo
        keys.add(plan.key)
        assert plan.key.split()[-1] == window.plan.key.split()[-1], "the mode stays"
        assert abs(plan.tempo / window.plan.tempo - 1) < 0.08, "a little, then to the nearest mark"
        tempi.add(plan.tempo)
        before = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
        after = notes_of(tokenizer.decode_score(score, plan))
        shift = shift_of(plan.key) - shift_of(window.plan.key)
        tonal = before.program != DRUMS
        assert np.array_equal(before.pitch + shift * tonal, after.pitch), "drums stay"
        assert np.array_equal(before.start, after.start)
        assert tuple(np.unique(after.program)) == plan.programs
        swapped += plan.programs != window.plan.programs
    assert len(keys) > 20 and len(tempi) > 20 and swapped


def test_an_instrument_is_swapped_for_its_kin_only_where_the_parts_keep_their_order() -> None:
    assert (0, 3) in kindred((0,)) and (0, 4) not in kindred((0,))
    assert (48, 50) in kindred((48, 73)) and (48, 50) not in kindred((48, 49, 73))
    assert not kindred((13, DRUMS))


def offset_of(tokenizer: Tokenizer) -> int:
    return tokenizer.offset


def test_a_lesson_in_reading_stops_before_the_sketch(
    examples: Examples, windows: list[Window], tokenizer: Tokenizer
) -> None:
    example = examples.make(windows[0], random.Random(1), music=False)
    last = tokenizer.vocabulary[example.ids[-1] - tokenizer.offset]
    assert last == SKETCH
    assert example.notes == 0
    assert len(example.ids) < 150


def take(examples: Examples, n: int, *, skip: int = 0, **options: Any) -> list[dict[str, Any]]:
    settings = {"tokens": 1500, "reading": lambda _: 0.3, "seed": 4} | options
    return list(itertools.islice(batches(examples, skip=skip, **settings), n))


def test_batches_are_the_same_again_and_go_on_where_they_were_left(examples: Examples) -> None:
    whole, again, rest = take(examples, 8), take(examples, 8), take(examples, 5, skip=3)
    for one, two in zip(whole, again, strict=True):
        assert np.array_equal(one["ids"], two["ids"])
    for one, two in zip(whole[3:], rest, strict=True):
        assert np.array_equal(one["ids"], two["ids"])
        assert np.array_equal(one["labels"], two["labels"])
    other = take(examples, 8, seed=5)
    assert any(a["ids"].shape != b["ids"].shape for a, b in zip(whole, other, strict=True))


@pytest.mark.slow
def test_pools_that_are_passed_over_are_not_drawn_again(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = tmp_path / "run" / "batches.json"
    whole = take(examples, 80, tokens=4000, counts=counts)
    sizes = json.loads(counts.read_text())
    assert len(sizes) > 3 and sum(sizes[:-1]) < 80 <= sum(sizes)
    drawn: list[int] = []
    make = Examples.make
    monkeypatch.setattr(
        Examples, "make", lambda *args, **more: (drawn.append(1), make(*args, **more))[1]
    )
    rest = take(examples, 5, skip=75, tokens=4000, counts=counts)
    assert len(drawn) <= 2 * 256, "one pool, or two"
    for one, two in zip(whole[75:], rest, strict=True):
        assert np.array_equal(one["ids"], two["ids"])
    counts.write_text(json.dumps([1] * 400))  # of a run that never came to a checkpoint
    take(examples, 1, tokens=4000, counts=counts)
    assert json.loads(counts.read_text()) == sizes[:1], "a run that begins counts anew"
    counts.write_text("not whole")
    (same,) = take(examples, 1, skip=75, tokens=4000, counts=counts)
    assert np.array_equal(same["ids"], rest[0]["ids"])


def test_batches_have_about_the_size_that_was_asked_for(examples: Examples) -> None:
    for batch in take(examples, 30):
        assert batch["ids"].shape == batch["labels"].shape
        assert batch["ids"].size <= 1500
        assert np.any(batch["labels"] != IGNORED)


def test_padding_is_on_the_right_and_has_no_labels(
    examples: Examples, windows: list[Window]
) -> None:
    short = examples.make(windows[0], random.Random(1), music=False)
    long = examples.make(windows[0], random.Random(1))
    batch = collate([short, long])
    n = len(short.ids)
    assert np.array_equal(batch["ids"][0, :n], short.ids)
    assert not batch["ids"][0, n:].any()
    assert np.all(batch["labels"][0, n:] == IGNORED)
    assert np.array_equal(batch["ids"][1], long.ids)
    assert batch["notes"] == long.notes


def test_sources_are_drawn_by_their_weight(windows: list[Window], tokenizer: Tokenizer) -> None:
    weights = dict.fromkeys({w.source for w in windows}, 0.0)
    with pytest.raises(TextMusicError, match="all sources have weight 0"):
        Examples(windows, tokenizer, Captioner(), weights=weights)
    weights |= {"openhymnal": 3.0, "mutopia": 1.0}
    examples = Examples(windows, tokenizer, Captioner(), weights=weights)
    rng = random.Random(1)
    drawn = [examples.draw(rng).source for _ in range(2000)]
    assert set(drawn) == {"openhymnal", "mutopia"}
    assert drawn.count("openhymnal") / 2000 == pytest.approx(0.75, abs=0.05)


@pytest.mark.train
def test_windows_come_back_from_disk(windows: list[Window], tmp_path: Path) -> None:
    path = tmp_path / "data" / "train.parquet"
    write_windows(windows, path)
    assert read_windows(path) == windows
    assert [file.name for file in path.parent.iterdir()] == ["train.parquet"]


@pytest.mark.train
def test_windows_of_an_older_format_are_refused(windows: list[Window], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from textmusic.corpus.windows import window_table

    path = tmp_path / "train.parquet"
    pq.write_table(window_table(windows[:2]).drop_columns(["sketch"]), path)
    with pytest.raises(TextMusicError, match="made by an older textmusic; make it again"):
        read_windows(path)


def test_missing_windows_are_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(TextMusicError, match="textmusic prepare"):
        read_windows(tmp_path / "none.parquet")


def test_windows_are_whole_bars_of_one_metre(windows: list[Window], tokenizer: Tokenizer) -> None:
    for window in windows:
        assert window.plan.bars and window.plan.bars >= 2
        assert len(window.ids) <= 600
        tokens = [tokenizer.vocabulary[i] for i in window.ids]
        assert sum(t.startswith("Bar_") for t in tokens) == window.plan.bars
        assert tokens[-1] == END
        score = tokenizer.decode_score(list(window.ids), window.plan)
        assert tuple(np.unique(notes_of(score).program)) == window.plan.programs


def test_beginnings_and_endings_are_known(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> None:
    for path, row in zip(pieces, piece_rows, strict=True):
        made, _ = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, LONGEST_WINDOW)
        if len({w.plan.time_signature for w in made}) == 1 and row["bars"] > 20:
            assert any(w.plan.begin for w in made), path.name
            assert any(w.plan.end for w in made), path.name


def test_a_fingerprint_knows_a_tune_in_another_key(
    pieces: list[Path], windows: list[Window], tokenizer: Tokenizer
) -> None:
    prints = []
    tonal = {w.piece: w for w in windows if w.plan.programs != (DRUMS,)}
    for window in list(tonal.values())[::2]:
        notes = notes_of(tokenizer.decode_score(list(window.ids), window.plan))
        moved = replace(notes, pitch=notes.pitch + 3 * (notes.program != DRUMS))
        assert fingerprint(moved) == fingerprint(notes)
        assert estimate_key(moved) == transposed(estimate_key(notes), 3)
        prints.append(fingerprint(notes))
    told = [one for one in prints if one]  # a melody of some notes has none
    assert len(set(told)) == len(told) > 8


def test_a_drill_is_a_word_and_the_plan_as_far_as_its_mood(
    examples: Examples, tokenizer: Tokenizer
) -> None:
    (mark,) = tokenizer.music_ids([PLAN])
    captioner = Captioner()
    for seed in range(20):
        text, *levels = captioner.drill(random.Random(seed))
        example = examples.drill(random.Random(seed))
        cut = int(np.flatnonzero(example.ids == mark + tokenizer.offset)[0])
        assert example.ids[:cut].tolist() == tokenizer.encode_text(text)
        plan = plan_of_ids(tokenizer, (example.ids[cut + 1 :] - tokenizer.offset).tolist())
        assert [name for name, _ in plan.known()] == ["genre", "valence", "arousal"]
        assert [plan.valence, plan.arousal] == levels
        assert (example.labels != IGNORED).sum() == 3 and example.notes == 0


def test_a_drill_says_a_word_of_the_training_list_alone() -> None:
    words: dict[tuple[int, int], list[str]] = {}
    for entry in load_data("words.jsonl"):
        if not entry["held_out"]:
            levels = entry["valence"], entry["arousal"]
            words.setdefault(levels, []).append(entry["text"].lower())
    captioner = Captioner()
    said = [captioner.drill(random.Random(seed)) for seed in range(300)]
    for text, valence, arousal in said:
        assert any(word in text.lower() for word in words[valence, arousal]), text
    assert len({text for text, _, _ in said}) > 250, "every word comes as often as any other"


def test_drills_are_added_to_the_batches(examples: Examples) -> None:
    def share(drills: float) -> float:
        made = batches(examples, tokens=2000, reading=lambda _: 0.5, seed=1, drills=drills)
        first = list(itertools.islice(made, 30))
        rows = sum(len(batch["ids"]) for batch in first)
        return sum((batch["ids"] != 0).sum(axis=1).sum() for batch in first) / rows

    assert share(4) < share(0) / 2, "they are short"


# Fills --------------------------------------------------------------------------------------------


def parts(example: Example, tokenizer: Tokenizer) -> tuple[list[str], list[str], int]:
    """What stands, what is filled in, both as tokens, and the place of `<|fill|>`."""
    music = [tokenizer.vocabulary[i - tokenizer.offset] if i >= tokenizer.offset else ""
             for i in example.ids]  # fmt: skip
    score, fill = music.index(SCORE), music.index(FILL)
    return music[score + 1 : fill], music[fill + 1 :], fill


def test_a_fill_has_loss_behind_its_instruments_alone(
    fills: Examples, windows: list[Window], tokenizer: Tokenizer
) -> None:
    some = 0
    for seed, window in enumerate(windows):
        example = fills.make(window, random.Random(seed))
        if FILL not in [
            tokenizer.vocabulary[i - tokenizer.offset] for i in example.ids if i >= 300
        ]:
            continue
        some += 1
        _, filled, fill = parts(example, tokenizer)
        programs = [t for t in filled[: len(filled)] if t.startswith("Program_")]
        head = next(i for i, token in enumerate(filled) if not token.startswith("Program_"))
        assert 0 < head <= len(programs)
        first = fill + 1 + head  # the first bar that is missing
        assert tokenizer.vocabulary[example.ids[first] - tokenizer.offset].startswith("Bar_")
        assert np.all(example.labels[: first - 1] == IGNORED)
        assert np.array_equal(
            example.labels[first - 1 : -1], followers(example, tokenizer, first - 1)
        )
        assert example.labels[-1] == IGNORED and filled[-1] == END
        assert example.notes == sum(t.startswith("Pitch") for t in filled)
    assert some > len(windows) / 2


def test_what_stands_and_what_is_missing_are_the_window_together(
    windows: list[Window], tokenizer: Tokenizer
) -> None:
    fills = Examples(windows, tokenizer, Captioner(), fills=1.0, vary=False)
    kinds = set()
    for seed, window in enumerate(windows * 3):
        example = fills.make(window, random.Random(seed))
        if tokenizer.index[FILL] + tokenizer.offset not in example.ids:
            continue
        standing, filled, _ = parts(example, tokenizer)
        total = window.plan.bars or 0
        head = [t for t in filled if t.startswith("Program_")]
        programs = {int(t.partition("_")[2]) for t in head}
        bars = [int(t.partition("_")[2]) for t in filled if t.startswith("Bar_")]
        first, last = total - bars[0], total - bars[-1] + 1
        assert bars == list(range(bars[0], bars[-1] - 1, -1)), "every bar of the hole, in order"
        assert [t for t in standing if t.startswith("Bar_")] == [
            f"Bar_{n}" for n in range(total, 0, -1)
        ], "all bars stand, with whatever is left in them"
        body = filled[next(i for i, t in enumerate(filled) if t.startswith("Bar_")) :]
        old, new = struck(standing), struck(body, first)
        assert old and new
        assert sorted([*old, *new]) == sorted(tokenizer.struck(list(window.ids)))
        assert all(first <= note.bar < last and note.program in programs for note in new)
        assert not any(first <= note.bar < last and note.program in programs for note in old)
        assert programs == {note.program for note in new}, "none is named that has nothing to play"
        kinds.add(((first, last) == (0, total), programs == set(window.plan.programs or ())))
    assert kinds == {(False, True), (True, False), (False, False)}, "bars, instruments, and both"


def test_a_hole_is_never_the_whole_and_never_nothing(
    windows: list[Window], tokenizer: Tokenizer
) -> None:
    for window in windows[:6]:
        notes = tokenizer.struck(list(window.ids))
        for seed in range(40):
            hole = drawn_hole(notes, window.plan, random.Random(seed))
            if hole is not None:
                assert hole.missing and hole.standing
                assert len(hole.missing) + len(hole.standing) == len(notes)
    first = replace(windows[0].plan, bars=1, programs=(0,))
    assert drawn_hole([note for note in notes if note.bar == 0], first, random.Random(1)) is None


def test_a_share_of_the_examples_are_fills(windows: list[Window], tokenizer: Tokenizer) -> None:
    mark = tokenizer.index[FILL] + tokenizer.offset
    examples = Examples(windows, tokenizer, Captioner(), fills=0.2)
    rng = random.Random(1)
    made = [examples.make(examples.draw(rng), rng) for _ in range(400)]
    assert 0.1 < sum(mark in example.ids for example in made) / 400 < 0.25
    reading = [examples.make(examples.draw(rng), rng, music=False) for _ in range(50)]
    assert not any(mark in example.ids for example in reading)


@pytest.mark.parametrize("fills", [0.0, 1.0])
def test_no_loss_falls_on_rows_that_are_said_again(
    windows: list[Window], tokenizer: Tokenizer, fills: float
) -> None:
    """And on all else as without them."""
    made = {
        its.interleaved: Examples(windows, its, Captioner(), vary=False, fills=fills)
        for its in (tokenizer, plain(tokenizer))
    }
    filled = 0
    for number, window in enumerate(windows):
        told, once = (made[kind].make(window, random.Random(number)) for kind in (True, False))
        tokens, before = (
            [tokenizer.vocabulary[i - tokenizer.offset] for i in e.ids if i >= tokenizer.offset]
            for e in (told, once)
        )
        filled += FILL in tokens
        sketch = before[before.index(SKETCH) + 1 : before.index(SCORE)]
        score = before.index(SCORE) + 1
        assert tokens == before[:score] + with_rows(before[score:], sketch)
        assert [i for i in told.labels if i != IGNORED] == [i for i in once.labels if i != IGNORED]
        assert told.notes == once.notes
        places = np.flatnonzero(told.labels != IGNORED)
        assert (told.labels[places] == told.ids[places + 1] - tokenizer.offset).all()
    assert (filled > 0) == (fills > 0)
