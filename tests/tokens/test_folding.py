"""MidiTok's stream said more briefly: exactly the same notes, each with one spelling."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from random_music import real_windows, the_tokenizer, tokens_of

from textmusic.music.notes import (
    Note,
    Notes,
    grid_signature,
    notes_of,
    positions_per_beat,
    score_of,
)
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, TIME_SIGNATURES, quarters_per_bar, shift_of
from textmusic.tokens.folding import END, Reader, Struck, fold, spelt, steps_of, struck, unfold
from textmusic.tokens.tokenizer import make_remi

# Two bars of 4/4 in D major, by hand: a piano chord, a bass, drums; then the piano alone.
REMI = [
    "Bar_None", "TimeSig_4/4",
    "Position_0", "Program_0", "Pitch_62", "Velocity_79", "Duration_1.0.12",
    "Pitch_66", "Velocity_79", "Duration_1.0.12",
    "Pitch_69", "Velocity_95", "Duration_1.0.12",
    "Program_32", "Pitch_38", "Velocity_79", "Duration_2.0.12",
    "Program_-1", "PitchDrum_36", "Velocity_127", "Duration_0.3.12",
    "Position_12", "Program_0", "Pitch_74", "Velocity_95", "Duration_0.6.12",
    "Program_-1", "PitchDrum_42", "Velocity_127", "Duration_0.3.12",
    "Bar_None", "TimeSig_4/4",
    "Position_0", "Program_0", "Pitch_62", "Velocity_95", "Duration_0.6.12",
]  # fmt: skip
OURS = [
    "Bar_2",
    "Position_0", "Program_0", "Velocity_79", "Duration_1.0.12", "Pitch_60", "Pitch_64",
    "Velocity_95", "Pitch_67",
    "Program_32", "Velocity_79", "Duration_2.0.12", "Pitch_36",
    "Program_128", "Velocity_127", "Duration_0.3.12", "PitchDrum_36",
    "Position_12", "Program_0", "Duration_0.6.12", "Pitch_72",
    "Program_128", "PitchDrum_42",
    "Bar_1",
    "Position_0", "Program_0", "Pitch_60",
    END,
]  # fmt: skip
NOTES = [
    Struck(0, 0, 0, 60, 79, "1.0.12"),
    Struck(0, 0, 0, 64, 79, "1.0.12"),
    Struck(0, 0, 0, 67, 95, "1.0.12"),
    Struck(0, 0, 32, 36, 79, "2.0.12"),
    Struck(0, 0, DRUMS, 36, 127, "0.3.12"),
    Struck(0, 12, 0, 72, 95, "0.6.12"),
    Struck(0, 12, DRUMS, 42, 127, "0.3.12"),
    Struck(1, 0, 0, 60, 95, "0.6.12"),
]


def columns(notes: Notes) -> Any:
    """(notes, 5) start, program, pitch, duration, velocity, in that order."""
    table = np.stack(
        [notes.start, notes.program, notes.pitch, notes.duration, notes.velocity], axis=1
    )
    return table[np.lexsort(table.T[::-1])]


def test_velocity_and_duration_are_said_where_they_differ_before_the_pitch() -> None:
    """Running status of each instrument by itself, over other instruments and the bar line."""
    assert fold(REMI, 2, shift_of("D major")) == OURS


def test_the_order_of_a_files_tracks_is_not_written() -> None:
    """Drums first, then the bass: as many files have them."""
    piano, bass, drums = REMI[3:13], REMI[13:17], REMI[17:21]
    stream = [*REMI[:3], *drums, *bass, *piano, *REMI[21:]]
    assert len(stream) == len(REMI) and stream != REMI
    assert fold(stream, 2, shift_of("D major")) == OURS


def test_what_ran_on_is_said_again_for_miditok() -> None:
    assert unfold(OURS, "4/4", shift_of("D major")) == REMI


def test_our_tokens_are_read_as_notes_and_spelt_from_them() -> None:
    assert struck(OURS) == NOTES
    assert [*spelt(NOTES, 0, 2, 2), END] == OURS
    assert [note.bar for note in struck(OURS, 7)] == [7] * 7 + [8]
    assert sorted(NOTES, key=lambda note: note.place) == NOTES


def test_a_reader_goes_on_where_the_bar_before_ended() -> None:
    reader = Reader()
    line = OURS.index("Bar_1")
    assert list(reader.bar(OURS[1:line], 0)) == NOTES[:-1]
    assert list(reader.bar(OURS[line + 1 :], 1)) == NOTES[-1:], "0.6.12 and 95 run on"


def test_a_part_goes_on_over_the_bar_line() -> None:
    """The program is said when it changes only."""
    bar = ["Position_0", "Velocity_79", "Duration_1.0.12", "Pitch_60"]
    tokens = ["Bar_2", "Position_0", "Program_9", *bar[1:], "Bar_1", "Position_0", "Pitch_62", END]
    notes = struck(tokens)
    assert notes == [Struck(0, 0, 9, 60, 79, "1.0.12"), Struck(1, 0, 9, 62, 79, "1.0.12")]
    assert [*spelt(notes, 0, 2, 2), END] == tokens


def test_bars_without_notes_and_bars_of_a_window_are_spelt() -> None:
    assert fold([], 3) == ["Bar_3", "Bar_2", "Bar_1", END]
    assert spelt([], 10, 12, 80) == ["Bar_64", "Bar_64"], "64 stands for 64 or more"
    part = [note._replace(bar=note.bar + 4) for note in NOTES]
    assert spelt(part, 4, 6, 9)[0] == "Bar_5"
    assert spelt(part, 4, 6, 9)[1:-4] == OURS[1:-5]


@pytest.mark.parametrize(
    ("metre", "note", "sounds"),
    [
        ("4/4", Struck(2, 18, 0, 60, 80, "1.6.12"), Note(9.5, 1.5, 62, 80, 0)),
        ("6/8", Struck(1, 12, 0, 60, 80, "3.0.12"), Note(3.5, 1.5, 62, 80, 0)),
        ("3/2", Struck(1, 12, 0, 60, 80, "4.0.12"), Note(7.0, 4.0, 62, 80, 0)),
        ("3/4", Struck(1, 4, DRUMS, 38, 80, "0.4.12"), Note(3 + 1 / 3, 1 / 3, 38, 80, DRUMS)),
    ],
)
def test_a_note_sounds_in_the_key_and_metre_of_its_plan(
    metre: str, note: Struck, sounds: Note
) -> None:
    """In D major two semitones above; drums have no key; a step is a twelfth of the grid's beat."""
    found = note.sounding(Plan(key="D major", time_signature=metre))
    assert found == pytest.approx(sounds)


@pytest.mark.parametrize(
    ("duration", "steps"), [("1.0.12", 12), ("0.1.12", 1), ("1.6.12", 18), ("4.1.4", 51)]
)
def test_durations_are_counted_in_twelfths_of_a_beat(duration: str, steps: int) -> None:
    assert steps_of(duration) == steps


@pytest.mark.parametrize("metre", TIME_SIGNATURES)
def test_the_grid_is_fine_enough_and_as_long_as_the_bar(metre: str) -> None:
    steps, per_quarter = positions_per_beat(metre)
    assert steps / per_quarter == quarters_per_bar(metre)
    assert per_quarter == (24 if metre.endswith("/8") else 12)
    top, bottom = map(int, grid_signature(metre).split("/"))
    assert top * 4 / bottom == quarters_per_bar(metre)


# Real pieces --------------------------------------------------------------------------------------


def test_fold_and_unfold_are_exactly_inverse_on_every_window_of_every_source() -> None:
    words = {token.split("_")[0] for token in make_remi().vocab}
    sources: Counter[str] = Counter()
    for name, window in real_windows():
        assert window.plan.bars and window.plan.time_signature
        ours, shift = tokens_of(window.ids), shift_of(window.plan.key)
        remi = unfold(ours, window.plan.time_signature, shift)
        assert {token.split("_")[0] for token in remi} <= words, name
        assert fold(remi, window.plan.bars, shift) == ours, name
        assert [*spelt(struck(ours), 0, window.plan.bars, window.plan.bars), END] == ours, name
        sources[window.source] += 1
    assert len(sources) == 6, "every source of the pieces"


def test_notes_are_those_that_miditok_decodes() -> None:
    """Decoding is our own, since importing MidiTok takes long; it has to agree with MidiTok's."""
    from miditok import TokSequence

    remi = make_remi()
    seen: Counter[str] = Counter()
    for name, window in real_windows():
        seen[name] += 1
        if seen[name] > 3:
            continue
        stream = unfold(
            tokens_of(window.ids), str(window.plan.time_signature), shift_of(window.plan.key)
        )
        theirs = notes_of(remi.decode(TokSequence(tokens=stream)))
        ours = notes_of(the_tokenizer().decode_score(list(window.ids), window.plan))
        assert np.allclose(columns(ours), columns(theirs)), name
        sounding = [note.sounding(window.plan) for note in struck(tokens_of(window.ids))]
        assert np.allclose(columns(notes_of(score_of(sounding, window.plan))), columns(theirs))


def test_running_status_leaves_under_three_ids_a_note() -> None:
    """3.80 with all that MidiTok says, bars and metre apart; see the design."""
    ids = notes = 0
    for _, window in real_windows():
        ids += len(window.ids)
        notes += len(struck(tokens_of(window.ids)))
    print(f"{ids / notes:.2f} ids a note")
    assert ids / notes < 3.0
