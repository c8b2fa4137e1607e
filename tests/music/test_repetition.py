"""Music that is stuck."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from random_music import Dice, the_layout, write, written_file
from symusic import Score

from textmusic.music.measure import measure
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.repetition import (
    FULL_NOTES,
    MOST_NOTES_AT_ONCE,
    SAME_CHORD,
    SAME_FULL,
    SAME_NOTE,
    SAME_NOTE_LOW,
    SAME_TWO,
    THICK,
    THICK_NOTES,
    Repetition,
    RepetitionRun,
    longest_repetition,
    runs,
)
from textmusic.music.theory import DRUMS
from textmusic.result.flags import ONE_PITCH, flags
from textmusic.tokens.folding import END, steps_of
from textmusic.tokens.score_grammar import ScoreGrammar

Rows = list[tuple[float, float, int, int]]


def notes(rows: Rows) -> Notes:
    """(start, duration, pitch, program) rows as notes."""
    start, duration, pitch, program = (np.array(column) for column in zip(*rows, strict=True))
    order = np.lexsort((pitch, program, start))
    velocity = np.full(len(rows), 80)
    columns = (start / 1.0, duration / 1.0, pitch, velocity, program)
    return Notes(*(column[order] for column in columns))


def struck(times: int, *pitches: int, every: float = 1.0, program: int = 0, at: float = 0) -> Rows:
    """The same pitches so many times."""
    return [(at + i * every, every, p, program) for i in range(times) for p in pitches]


def tune(bars: int, program: int = 73) -> Rows:
    """A line in which nothing is wrong."""
    steps = (72, 76, 74, 77, 71, 74, 69, 72)
    return [(float(i), 1.0, steps[(i + i // 8) % 8], program) for i in range(4 * bars)]


def plan(bars: int, *programs: int) -> Plan:
    return Plan(time_signature="4/4", bars=bars, key="C major", programs=programs)


def test_a_run_is_as_many_strikes_of_the_same_pitches_as_stand_in_a_row() -> None:
    music = notes([*struck(3, 60, 64), *struck(2, 60, at=3), *struck(1, 60, 64, at=5)])
    assert runs(music) == [
        RepetitionRun(0, (60, 64), 3, 3.0),
        RepetitionRun(0, (60,), 2, 2.0),
        RepetitionRun(0, (60, 64), 1, 0.0),
    ]
    assert longest_repetition(music, plan(2, 0)) == 3.0


def test_what_other_instruments_play_does_not_break_a_run_and_drums_are_none() -> None:
    music = notes([*struck(8, 60), *tune(2), *struck(32, 42, every=0.25, program=DRUMS)])
    assert max(runs(music), key=lambda run: run.onsets) == RepetitionRun(0, (60,), 8, 8.0)
    assert math.isnan(longest_repetition(notes(struck(8, 42, program=DRUMS)), plan(2, DRUMS)))
    assert longest_repetition(notes(tune(2)), plan(2, 73)) == 0


def test_a_run_lasts_to_the_end_of_its_last_note_over_rests() -> None:
    music = notes([(0.0, 1.0, 60, 0), (4.0, 3.0, 60, 0), (8.0, 1.0, 62, 0)])
    assert longest_repetition(music, plan(3, 0)) == 7.0


@pytest.mark.parametrize(
    ("pitches", "program", "limit", "what"),
    [
        ((60,), 0, SAME_NOTE, "note"),
        ((36,), 33, SAME_NOTE_LOW, "note"),
        ((36,), 42, SAME_NOTE_LOW, "note"),
        ((60, 67), 0, SAME_TWO, "two notes"),
        ((60, 64, 67), 0, SAME_CHORD, "chord"),
        (tuple(range(60, 59 + FULL_NOTES)), 0, SAME_CHORD, "chord"),
        (tuple(range(60, 60 + FULL_NOTES)), 0, SAME_FULL, "chord"),
    ],
)
def test_one_more_than_real_music_has_is_flagged(
    pitches: tuple[int, ...], program: int, limit: int, what: str
) -> None:
    def said(times: int) -> list[str]:
        rows = struck(times, *pitches, every=0.5, program=program)
        other = [(times * 0.5, 1.0, 70, program)]  # or else it had one pitch only
        return flags(notes([*rows, *other, *tune(16)]), plan(16, program, 73))

    assert [s for s in said(limit) if "same" in s] == []
    name = {0: "piano", 33: "bass guitar", 42: "cello"}[program]
    found = [s for s in said(limit + 1) if "same" in s]
    assert len(found) == 1
    assert found[0].endswith(f"part strikes the same {what} {limit + 1} times in a row.")
    assert name.split()[0] in found[0]


def test_too_many_notes_at_once_are_flagged() -> None:
    def said(size: int) -> list[str]:
        return flags(notes([*tune(8), *struck(1, *range(40, 40 + size))]), plan(8, 0, 73))

    assert not [s for s in said(MOST_NOTES_AT_ONCE) if "at once" in s]
    assert f"The piano part strikes {MOST_NOTES_AT_ONCE + 1} notes at once." in said(
        MOST_NOTES_AT_ONCE + 1
    )


def test_thick_chords_count_where_they_are_close_together() -> None:
    def said(every: float, size: int = THICK_NOTES) -> list[str]:
        rows: Rows = []
        for i in range(THICK + 1):
            rows += struck(1, *range(40 + i, 40 + i + size), at=i * every)
        found = flags(notes([*tune(8), *rows]), plan(8, 0, 73))
        return [sentence for sentence in found if "sixteenth" in sentence]

    assert len(said(0.25)) == 1 and f" {THICK + 1} chords" in said(0.25)[0]
    assert said(0.5) == [] and said(0.25, THICK_NOTES - 1) == []


def test_one_harmony_for_long_silence_and_a_single_pitch_are_flagged() -> None:
    chord = [(4.0 * bar, 4.0, p, 0) for bar in range(10) for p in (48, 55, 64)]
    guitar = [(0.0, 1.0, 64, 24), (1.0, 1.0, 67, 24)]
    flute = [(4.0 * bar, 4.0, 72, 73) for bar in range(10)]
    said = flags(notes([*chord, *guitar, *flute]), plan(10, 0, 24, 40, 73))
    assert said == [
        "The harmony stays on one chord for 10 bars.",
        "The nylon-string guitar part is silent for 9 of 10 bars.",
        "The violin part is silent for 10 of 10 bars.",
        "The flute part plays one pitch only.",
    ]


def test_silence_is_a_fault_of_few_instruments_sooner_than_of_many() -> None:
    def said(bars: int, *others: int) -> list[str]:
        """A guitar plays so many bars of ten, beside a flute and others."""
        rows = [*tune(10), *tune(bars, 24)]
        for program in others:
            rows += tune(10, program)
        found = flags(notes(rows), plan(10, 24, *others, 73))
        return [sentence for sentence in found if "silent" in sentence]

    assert said(4) == [] and said(3) == ["The nylon-string guitar part is silent for 7 of 10 bars."]
    assert said(3, 40, 41) and said(3, 40, 41, 42) == [] and said(1, 40, 41, 42) == []
    assert flags(notes(tune(10)), plan(10, 24, 40, 41, 42, 73)), "not heard at all"


def test_timpani_and_parts_of_few_notes_may_have_one_pitch() -> None:
    def said(program: int, times: int) -> list[str]:
        rows = [*tune(8), *struck(times, 48, every=4.0, program=program)]
        return [text for text in flags(notes(rows), plan(8, program, 73)) if "one pitch" in text]

    assert said(33, ONE_PITCH) == ["The electric bass part plays one pitch only."]
    assert said(33, ONE_PITCH - 1) == [] and said(47, 8) == []


@pytest.mark.parametrize(
    "stuck_part",
    [
        struck(16, 60, 64, 67, 70, 74, 77),
        struck(16, *range(60, 78, 2), every=0.25),
        struck(64, 60, every=0.5),
    ],
    ids=["a six-note chord again and again", "nine notes on sixteenths", "one note for bars"],
)
def test_what_is_stuck_is_flagged(stuck_part: Rows) -> None:
    other = [(32.0, 1.0, 62, 0)]  # or else it had one pitch only
    said = flags(notes([*stuck_part, *other, *tune(9)]), plan(9, 0, 73))
    assert any("The piano part strikes" in sentence for sentence in said)


def test_a_tune_and_the_real_pieces_have_no_flags(pieces: list[Path]) -> None:
    assert flags(notes(tune(16)), plan(16, 73)) == []
    scores = [(path, Score(path)) for path in pieces]
    said = {path.name: flags(notes_of(score), measure(score)) for path, score in scores}
    assert not any(said.values()), said


def strike(follows: Repetition, at: int, *pitches: int, program: int = 0) -> None:
    follows.onset(program, at)
    for pitch in pitches:
        follows.note(program, pitch)


def test_a_note_may_come_as_often_as_in_real_music_and_then_another_has_to() -> None:
    follows = Repetition((0, 33))
    for i in range(SAME_NOTE):
        assert follows.banned_first(0) is None
        strike(follows, 12 * i, 60)
    assert follows.banned_first(0) == 60, "the strike under way counts"
    follows.onset(0, 12 * SAME_NOTE)
    assert follows.banned_first(0) == 60 and follows.banned_first(33) is None
    follows.note(0, 62)
    follows.onset(0, 12 * SAME_NOTE + 12)
    assert follows.banned_first(0) is None, "after another note it may come again"


def test_chords_and_basses_have_limits_of_their_own() -> None:
    follows = Repetition((0, 33))
    for i in range(SAME_CHORD):
        strike(follows, 12 * i, 60, 64, 67)
        strike(follows, 12 * i, 36, program=33)
    assert follows.banned_first(0) == 60
    for i in range(SAME_CHORD, SAME_NOTE_LOW):
        assert follows.banned_first(33) is None
        strike(follows, 12 * i, 36, program=33)
    assert follows.banned_first(33) == 36


def test_while_a_chord_is_struck_its_own_tones_are_not_what_is_banned() -> None:
    follows = Repetition((0,))
    for i in range(SAME_CHORD):
        strike(follows, 12 * i, 60, 64, 67)
    follows.onset(0, 12 * SAME_CHORD)
    assert follows.banned_first(0) == 60
    follows.note(0, 62)
    assert follows.banned_first(0) is None


def test_after_thick_chords_close_together_a_thinner_one_has_to_come() -> None:
    thick = range(40, 40 + THICK_NOTES)
    follows = Repetition((0,))
    for i in range(THICK):
        strike(follows, 3 * i, *thick)
        assert follows.most_at_once(0) == MOST_NOTES_AT_ONCE
    follows.onset(0, 3 * THICK)
    assert follows.most_at_once(0) == THICK_NOTES - 1
    later = Repetition((0,))
    for i in range(THICK):
        strike(later, 3 * i, *thick)
    later.onset(0, 3 * THICK + 1)  # a step more than a sixteenth behind the last one
    assert later.most_at_once(0) == MOST_NOTES_AT_ONCE
    eighths = Repetition((0,), steps_per_quarter=24)
    for i in range(THICK):
        strike(eighths, 6 * i, *thick)
    eighths.onset(0, 6 * THICK)
    assert eighths.most_at_once(0) == THICK_NOTES - 1


def test_drums_are_never_limited() -> None:
    follows = Repetition((DRUMS,))
    for i in range(200):
        strike(follows, 3 * i, 42, program=DRUMS)
    assert follows.banned_first(DRUMS) is None and follows.most_at_once(DRUMS) == 128


def test_what_is_written_within_the_limits_has_no_such_flag() -> None:
    """A writer that always wants the same thick chord, and listens."""
    follows, rows = Repetition((0,)), []
    for i in range(120):
        follows.onset(0, 3 * i)
        lowest = 41 if follows.banned_first(0) == 40 else 40
        for pitch in range(lowest, lowest + min(14, follows.most_at_once(0))):
            follows.note(0, pitch)
            rows.append((i / 4, 0.25, pitch, 0))
    said = flags(notes([*rows, *tune(8)]), plan(8, 0, 73))
    assert not [s for s in said if "same" in s or "at once" in s or "sixteenth" in s], said


@pytest.mark.parametrize(
    ("pitches", "every", "bars", "said"),
    [
        ((60, 64, 67, 70, 74, 77), "1.0.12", 4, "strikes the same chord 16 times in a row"),
        ((60, 62, 64, 65, 67, 69, 71, 72, 74), "0.3.12", 2, "7 notes or more in a row"),
        ((60,), "0.6.12", 8, "strikes the same note"),
    ],
)
def test_a_writer_that_is_stuck_is_moved_on(
    pitches: tuple[int, ...], every: str, bars: int, said: str
) -> None:
    """It wants one thing only; without the limits, late, it gets it."""
    plan = Plan(programs=(0,), key="C major", tempo=80.0, time_signature="4/4", bars=bars)
    index = the_layout().index
    away = {"Bar": -20, END: -20, "Position": -60, "Pitch": -100, "Duration": -300}
    dice = Dice(0, taste=0, noise=0, kinds={**away, "Velocity": -300})
    dice.fixed[index[f"Duration_{every}"]] = 300
    for place, pitch in enumerate(pitches):  # from the lowest up, then on to the next place
        dice.fixed[index[f"Pitch_{pitch}"]] = 250 - 15 * place
    for position in range(0, 48, steps_of(every)):
        dice.fixed[index[f"Position_{position}"]] = 60 - position

    def faults(late: bool) -> str:
        ids = write(ScoreGrammar(the_layout(), plan, late=late), dice)
        told = flags(notes_of(written_file(ids, plan)), plan)
        return " ".join(text for text in told if "strikes" in text)

    assert said in faults(late=True)
    assert faults(late=False) == ""
