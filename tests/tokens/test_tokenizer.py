"""Scores and plans as ids, and back: nothing may be lost on the way."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cut_pieces import windows_of
from decoded import plan_of_ids, sketch_of_ids
from hypothesis import given, settings
from hypothesis import strategies as st
from interleaving import plain

import textmusic
from textmusic.errors import TextMusicError
from textmusic.music.chords import Chord
from textmusic.music.notes import Notes, notes_of, positions_per_beat, to_score
from textmusic.music.plan import (
    COUNTED_BARS,
    GENRES,
    LEVELS,
    MAX_BARS,
    TEMPO_MARKS,
    TEMPO_RANGE,
    Plan,
    rounded,
    seconds_of,
)
from textmusic.music.sketch import Row as SketchRow
from textmusic.music.sketch import Sketch
from textmusic.music.theory import (
    DRUM_PITCH_RANGE,
    DRUMS,
    KEYS,
    PITCH_RANGE,
    TIME_SIGNATURES,
    WRITTEN_RANGE,
    quarters_per_bar,
    shift_of,
    tonic,
)
from textmusic.tokens.folding import END
from textmusic.tokens.tokenizer import (
    Tokenizer,
    check_vocabulary,
    create_tokenizer,
    make_remi,
    make_vocabulary,
    read_vocabulary,
    remi_file,
)
from textmusic.tokens.vocabulary import FILL, MARKS, PLAN, SCORE, SKETCH

LONGEST = 1500  # ids of a window
Row = dict[str, Any]


class Recording(Tokenizer):
    """A tokenizer that keeps the scores it was given, to compare them with what ids give back."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: list[tuple[Any, Plan, list[int]]] = []

    def encode_score(self, score: Any, plan: Plan) -> list[int]:
        ids = super().encode_score(score, plan)
        self.seen.append((score.copy(), plan, ids))
        return ids


def columns(notes: Notes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(notes, 5) start, program, pitch, duration, velocity, in that order."""
    table = np.stack(
        [notes.start, notes.program, notes.pitch, notes.duration, notes.velocity], axis=1
    )
    return np.asarray(table[np.lexsort(table.T[::-1])])


def representable(quarters: float, metre: str) -> bool:
    """Whether a duration is one of the vocabulary: exact up to 4 beats, then quarter beats."""
    beats = quarters * int(metre.split("/")[1]) / 4
    beats *= 2 if metre.endswith("/2") else 1  # written on the quarter-note grid
    return beats <= 4 or (beats <= 16 and round(beats * 4, 6).is_integer())


def test_every_window_of_every_piece_comes_back_from_its_ids(
    tiny_model: Path, pieces: list[Path], piece_rows: list[Row]
) -> None:
    tokenizer = Recording(tiny_model)
    metres: Counter[str] = Counter()
    drums = changed = total = 0
    for path, row in zip(pieces, piece_rows, strict=True):
        tokenizer.seen.clear()
        windows, why = windows_of(row, path.read_bytes(), row["source"], "", tokenizer, LONGEST)
        assert windows, f"{path.name}: {why}"
        for score, plan, ids in tokenizer.seen:
            before = columns(notes_of(score))
            after = columns(notes_of(tokenizer.decode_score(ids, plan)))
            assert before.shape == after.shape, path.name
            assert np.allclose(before[:, :3], after[:, :3], atol=1e-9), path.name
            assert np.abs(before[:, 4] - after[:, 4]).max() <= 4, "16 velocities, 8 apart"
            metre = str(plan.time_signature)
            for old, new in zip(before[:, 3], after[:, 3], strict=True):
                assert not representable(old, metre) or abs(old - new) < 1e-9, path.name
                changed += abs(old - new) > 1e-9
            metres[metre] += 1
            drums += bool(np.any(before[:, 1] == DRUMS))
            total += len(before)
    assert set(metres) == set(TIME_SIGNATURES), "the pieces no longer cover every metre"
    assert drums
    assert changed / total < 0.001


def test_decoded_scores_say_their_metre_and_tempo(tokenizer: Tokenizer) -> None:
    plan = Plan(time_signature="3/2", tempo=77.7, bars=2, programs=(0,))
    notes = Notes(*(np.array([v]) for v in (7.0, 4.0, 60, 80, 0)))
    score = tokenizer.decode_score(tokenizer.encode_score(to_score(notes, "3/2", 77.7), plan), plan)
    assert [(t.time, t.numerator, t.denominator) for t in score.time_signatures] == [(0, 3, 2)]
    assert [t.time for t in score.tempos] == [0]
    assert score.tempos[0].qpm == pytest.approx(77.7, abs=0.01)
    assert notes_of(score).start.tolist() == [7.0]
    assert notes_of(score).duration.tolist() == [4.0]


@pytest.mark.parametrize("bars", [1, 63, 64, 65, 80, 256])
def test_bars_count_down_and_stay_at_64_before_that(tokenizer: Tokenizer, bars: int) -> None:
    start = np.arange(bars) * 3.0
    notes = Notes(start, start * 0 + 3, *(np.full(bars, v) for v in (62, 95, 73)))
    plan = Plan(time_signature="3/4", tempo=90.0, bars=bars, programs=(73,))
    ids = tokenizer.encode_score(to_score(notes, "3/4", 90.0), plan)
    tokens = [tokenizer.vocabulary[i] for i in ids]
    lines = [int(t[4:]) for t in tokens if t.startswith("Bar_")]
    assert lines == [min(left, COUNTED_BARS) for left in range(bars, 0, -1)]
    assert tokens[-1] == END
    back = notes_of(tokenizer.decode_score(ids, plan))
    assert np.array_equal(columns(back), columns(notes))


def test_bars_without_notes_are_written_too(tokenizer: Tokenizer) -> None:
    notes = Notes(*(np.array([v]) for v in (4.0, 1.0, 60, 80, 0)))
    plan = Plan(time_signature="4/4", tempo=120.0, bars=4, programs=(0,))
    ids = tokenizer.encode_score(to_score(notes, "4/4", 120.0), plan)
    tokens = [tokenizer.vocabulary[i] for i in ids]
    assert [t for t in tokens if t.startswith("Bar_")] == ["Bar_4", "Bar_3", "Bar_2", "Bar_1"]
    assert tokens[:3] == ["Bar_4", "Bar_3", "Position_0"]


def test_what_is_transposed_has_the_same_ids(tokenizer: Tokenizer) -> None:
    """Pitches are spelt from C: only the plan says in which key they sound."""
    start = np.arange(4.0)
    pitch = np.array([60, 64, 67, 71])
    spelt = set()
    for key in KEYS:
        notes = Notes(start, start * 0 + 1, pitch + shift_of(key), pitch * 0 + 95, pitch * 0)
        plan = Plan(key=key, time_signature="4/4", tempo=90.0, bars=1, programs=(0,))
        ids = tokenizer.encode_score(to_score(notes, "4/4", 90.0), plan)
        spelt.add(tuple(ids))
        assert np.array_equal(notes_of(tokenizer.decode_score(ids, plan)).pitch, notes.pitch)
        assert (60 + shift_of(key)) % 12 == tonic(key) and -5 <= shift_of(key) <= 6
    assert len(spelt) == 1


plans = st.builds(
    Plan,
    genre=st.none() | st.sampled_from(GENRES),
    valence=st.none() | st.sampled_from(LEVELS),
    arousal=st.none() | st.sampled_from(LEVELS),
    programs=st.none()
    | st.sets(st.integers(0, DRUMS), min_size=1, max_size=15).map(lambda s: tuple(sorted(s))),
    key=st.none() | st.sampled_from([*KEYS, "none"]),
    tempo=st.none() | st.floats(*TEMPO_RANGE),
    time_signature=st.none() | st.sampled_from(TIME_SIGNATURES),
    bars=st.none() | st.integers(1, MAX_BARS),
    density=st.none() | st.sampled_from(LEVELS),
    begin=st.none() | st.booleans(),
    end=st.none() | st.booleans(),
)


@settings(deadline=None)
@given(plan=plans)
def test_a_plan_comes_back_from_its_ids_as_its_tokens_can_say_it(plan: Plan) -> None:
    tokenizer = Tokenizer(Path(__file__).parents[1] / "data" / "tiny_model")
    again = plan_of_ids(tokenizer, tokenizer.encode_plan(plan))
    assert again == rounded(plan)
    assert rounded(again) == again


def test_neighbouring_tempo_marks_are_closer_than_five_per_cent() -> None:
    ratios = [b / a for a, b in pairwise(TEMPO_MARKS)]
    assert (TEMPO_MARKS[0], TEMPO_MARKS[-1]) == TEMPO_RANGE
    assert max(ratios) < 1.05


@pytest.mark.parametrize("metre", TIME_SIGNATURES)
def test_the_grid_has_a_bar_s_length(metre: str) -> None:
    steps, per_quarter = positions_per_beat(metre)
    assert steps / per_quarter == quarters_per_bar(metre)
    assert per_quarter % 12 == 0, "sixteenths and triplets must both be on the grid"


def test_the_tiny_models_are_made_from_the_package_s_own_remi_file(tiny_model: Path) -> None:
    assert (tiny_model / "remi.json").read_text() == remi_file().read_text()
    vocabulary = json.loads((tiny_model / "vocabulary.json").read_text())
    assert vocabulary == make_vocabulary(make_remi())
    assert len(set(vocabulary)) == len(vocabulary)


def test_a_tokenizer_is_created_from_a_text_tokenizer(tiny_model: Path, tmp_path: Path) -> None:
    made = create_tokenizer(tiny_model / "tokenizer.json", tmp_path / "new")
    assert made.vocabulary == Tokenizer(tiny_model).vocabulary
    assert made.encode_text("a calm waltz") == Tokenizer(tiny_model).encode_text("a calm waltz")


@pytest.mark.parametrize(("text", "ids"), [("", 0), ("calm piano", 1), ("平静 🎹", 1)])
def test_any_text_has_ids_below_the_music_rows(tokenizer: Tokenizer, text: str, ids: int) -> None:
    encoded = tokenizer.encode_text(text)
    assert len(encoded) >= ids
    assert all(0 <= i < tokenizer.offset for i in encoded)


def test_the_vocabulary_holds_each_kind_together_and_the_marks_first(tokenizer: Tokenizer) -> None:
    assert tokenizer.vocabulary[:5] == MARKS == (PLAN, SKETCH, SCORE, FILL, END)
    kinds = [token.partition("_")[0] for token in tokenizer.vocabulary]
    runs = [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before]
    assert len(runs) == len(set(runs)), "the grammars count on it"
    counts = Counter(kinds)
    assert counts["Bar"] == counts["Like"] == counts["Vary"] == COUNTED_BARS
    assert (counts["Velocity"], counts["Beat"], counts["New"]) == (16, 11, 1)
    assert counts["Chord"] == 12 * 11 + 1


def test_a_sequence_begins_what_is_given_and_nothing_else(tokenizer: Tokenizer) -> None:
    """<text> <|plan|> plan <|sketch|> rows <|score|> bars, and where the score begins."""
    plan = Plan(key="D major", time_signature="4/4", bars=1, programs=(0,), tempo=120.0)
    rows = tokenizer.encode_sketch(Sketch((SketchRow(chords=((0, Chord(2, "maj")),)),)), "D major")
    spelt = [tokenizer.vocabulary[i] for i in rows]
    assert spelt == ["Bar_1", "New", "Chord_0-maj"], "its root is the tonic"
    score = tokenizer.music_ids(["Bar_1", END])
    text = tokenizer.encode_text("calm")
    head = [*tokenizer.music_ids([PLAN]), *tokenizer.encode_plan(plan)]

    def ids(*parts: list[int]) -> list[int]:
        return [*text, *(i + tokenizer.offset for part in parts for i in part)]

    sketch, begun = tokenizer.music_ids([SKETCH]), tokenizer.music_ids([SCORE])
    assert tokenizer.sequence("calm", plan) == (ids(head), len(ids(head)))
    assert tokenizer.sequence("calm", plan, []) == (ids(head, sketch), len(ids(head, sketch)))
    whole, first = tokenizer.sequence("calm", plan, rows, score)
    row = tokenizer.music_ids(["New", "Chord_0-maj"])
    assert whole == ids(head, sketch, rows, begun, score[:1], row, score[1:])
    assert whole[first] == score[0] + tokenizer.offset
    once, first = plain(tokenizer).sequence("calm", plan, rows, score)
    assert once == ids(head, sketch, rows, begun, score)
    assert once[first:] == [i + tokenizer.offset for i in score]
    assert tokenizer.sequence("calm", plan, rows, [])[0] == ids(head, sketch, rows, begun)
    assert sketch_of_ids(tokenizer, rows, "D major").rows[0].chords == ((0, Chord(2, "maj")),)


def test_another_vocabulary_is_told_by_its_first_token_that_differs(
    tokenizer: Tokenizer, tiny_model: Path, tmp_path: Path
) -> None:
    for name in ("tokenizer.json", "remi.json"):
        (tmp_path / name).write_bytes((tiny_model / name).read_bytes())
    words = read_vocabulary(tiny_model)
    assert tuple(words) == tokenizer.vocabulary
    (tmp_path / "vocabulary.json").write_text(json.dumps([*words[:-1], "Duration_99"]))
    with pytest.raises(TextMusicError, match="Duration_99"):
        check_vocabulary(tokenizer, Tokenizer(tmp_path))
    check_vocabulary(tokenizer, Tokenizer(tiny_model))


def test_seconds_of_a_plan_count_its_bars() -> None:
    assert seconds_of(Plan(tempo=120.0, time_signature="6/8", bars=8)) == 12.0
    assert seconds_of(Plan(tempo=60.0, time_signature="2/2", bars=1)) == 4.0


@pytest.mark.parametrize(
    ("name", "content"),
    [("vocabulary.json", None), ("vocabulary.json", "{"), ("tokenizer.json", None),
     ("vocabulary.json", '["<|plan|>", "<|score|>", "<|end|>"]'),
     ("tokenizer.json", "[1]"), ("remi.json", None), ("remi.json", "not json")],
)  # fmt: skip
def test_a_broken_tokenizer_folder_is_named_with_the_remedy(
    tiny_model: Path, tmp_path: Path, name: str, content: str | None
) -> None:
    for file in ("vocabulary.json", "tokenizer.json", "remi.json"):
        (tmp_path / file).write_bytes((tiny_model / file).read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    plan = Plan(time_signature="4/4", tempo=120.0, bars=1)
    with pytest.raises(TextMusicError, match="download it again"):
        use(Tokenizer(tmp_path), plan)


def use(tokenizer: Tokenizer, plan: Plan) -> Sequence[int]:
    """Touch every file of a tokenizer."""
    tokenizer.decode_score([], replace(plan))
    return tokenizer.encode_text("a")


@pytest.mark.parametrize("what", ["shuffled", "shorter", "a number", "exchanged", "of notes only"])
def test_a_vocabulary_that_is_not_whole_is_refused(
    tiny_model: Path, tmp_path: Path, what: str
) -> None:
    for file in ("vocabulary.json", "tokenizer.json", "remi.json"):
        (tmp_path / file).write_bytes((tiny_model / file).read_bytes())
    words: list[Any] = json.loads((tiny_model / "vocabulary.json").read_text())
    pitch = words.index("Pitch_60")
    match what:
        case "shuffled":
            random.Random(1).shuffle(words)
        case "shorter":
            del words[500:]
        case "a number":
            words[700] = 5
        case "exchanged":
            words[pitch], words[pitch + 1] = words[pitch + 1], words[pitch]
        case _:
            words = words[words.index("Pitch_12") :]
    (tmp_path / "vocabulary.json").write_text(json.dumps(words))
    with pytest.raises(TextMusicError, match="not this version's list of music tokens"):
        Tokenizer(tmp_path)


def test_settings_of_another_miditok_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    for file in ("vocabulary.json", "tokenizer.json", "remi.json"):
        (tmp_path / file).write_bytes((tiny_model / file).read_bytes())
    remi = json.loads((tmp_path / "remi.json").read_text())
    remi["config"]["beat_res"] = {"0_4": 8}
    (tmp_path / "remi.json").write_text(json.dumps(remi))
    with pytest.raises(TextMusicError, match=r"remi\.json: not this version's settings"):
        Tokenizer(tmp_path)


def test_the_vocabulary_holds_the_pitches_of_theory() -> None:
    names = json.loads(
        (Path(textmusic.__file__).parent / "bundled" / "vocabulary.json").read_text("utf-8")
    )
    pitches = {int(name[6:]) for name in names if name.startswith("Pitch_")}
    drums = {int(name[10:]) for name in names if name.startswith("PitchDrum_")}
    assert drums == set(range(DRUM_PITCH_RANGE[0], DRUM_PITCH_RANGE[1] + 1))
    assert set(range(WRITTEN_RANGE[0], WRITTEN_RANGE[1] + 1)) <= pitches
    shifts = [shift_of(key) for key in KEYS]
    assert PITCH_RANGE[0] - max(shifts) >= WRITTEN_RANGE[0]
    assert PITCH_RANGE[1] - min(shifts) <= WRITTEN_RANGE[1]
