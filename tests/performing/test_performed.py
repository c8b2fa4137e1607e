"""Performed files: what they change and keep, and that they are read as they were written."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from textmusic.music.midi_events import parse
from textmusic.music.midi_files import read_events, read_score
from textmusic.music.midi_playing import MARK, PEDAL, as_written, struck
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note, Notes, notes_of, score_of
from textmusic.music.plan import Plan
from textmusic.music.playing import Playing
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.performing.performance import perform
from textmusic.result.generation import finish

COLUMNS = ("start", "duration", "pitch", "velocity", "program")


def plan_of(genre: str | None = "romantic", metre: str = "4/4", **more: object) -> Plan:
    facts = {"key": "C major", "tempo": 96.0, "bars": 5, "programs": (0, 32, DRUMS)}
    return Plan(genre=genre, time_signature=metre, **{**facts, **more})  # type: ignore[arg-type]


def music(plan: Plan, seed: int = 0) -> list[Note]:
    """Notes of all sorts on the vocabulary's grid, none struck while it sounds."""
    assert plan.bars is not None and plan.time_signature is not None
    dice = np.random.default_rng(seed)
    bar = quarters_per_bar(plan.time_signature)
    notes = []
    for program in plan.programs or ():
        for pitch in (36, 42) if program == DRUMS else (40, 64, 67):
            now = 0.0
            while now < plan.bars * bar - 1e-6:
                length = float(dice.choice([0.25, 0.5, 1.0, 1 / 3, 3.0]))
                length = min(length, plan.bars * bar - now)
                if dice.random() < 0.7:
                    level = int(dice.choice([55, 79, 87, 95]))
                    notes.append(Note(now, length, pitch, level, program))
                now += length
    return notes


def written(plan: Plan, notes: list[Note]) -> bytes:
    return bytes(finish(score_of(notes, plan), plan).dumps_midi())


def performed(plan: Plan, notes: list[Note], amount: float = 1.0, seed: int = 1) -> bytes:
    midi = parse(written(plan, notes))
    return perform(midi, Playing.of(plan, seed, amount), plan.bars).dumps()


def assert_same(one: Notes, other: Notes) -> None:
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column), column)


PLANS = [
    plan_of(), plan_of("jazz"), plan_of("swing", "3/4"), plan_of("pop", "6/8"),
    plan_of("romantic", "6/8", programs=(0, 46, 73)), plan_of(None, "7/8"),
    plan_of("classical", "5/4", programs=(0, 40), tempo=61.7),
]  # fmt: skip


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.genre} {plan.time_signature}")
def test_a_performed_file_is_read_as_it_was_written(plan: Plan, tmp_path: Path) -> None:
    notes = music(plan)
    midi = performed(plan, notes)
    before = notes_of(to_score(parse(written(plan, notes))))
    heard = notes_of(to_score(parse(midi)))
    assert (heard.velocity != before.velocity).any() and (heard.start != before.start).any()
    file = tmp_path / "piece.mid"
    file.write_bytes(midi)
    assert_same(notes_of(read_score(file)), before)
    events = read_events(file)
    assert_same(notes_of(to_score(events)), before)
    assert events.playing == Playing.of(plan, 1, 1.0)
    tempi = [(t.time, t.mspq) for t in to_score(events).tempos]
    assert tempi == [(t.time, t.mspq) for t in to_score(parse(written(plan, notes))).tempos]
    assert not any(c.number == PEDAL for track in to_score(events).tracks for c in track.controls)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.genre} {plan.time_signature}")
def test_it_is_performed_again_in_the_same_way(plan: Plan) -> None:
    notes = music(plan)
    midi = performed(plan, notes)
    back = as_written(parse(midi))
    assert back.playing is not None
    assert perform(back, back.playing, plan.bars).dumps() == midi
    assert performed(plan, notes) == midi and performed(plan, notes, seed=2) != midi


def test_where_another_program_changed_a_note_the_file_is_taken_as_it_sounds() -> None:
    plan = plan_of()
    midi = parse(performed(plan, music(plan)))
    note = struck(midi)[3]
    events = midi.tracks[note.track].events
    events[note.on] = events[note.on]._replace(message=events[note.on].message[:2] + b"\x07")
    read = as_written(midi)
    assert read.playing is None and struck(read) == struck(midi)


def test_without_its_mark_rounding_brings_the_onsets_back() -> None:
    plan = plan_of()  # swing is what moves notes further
    notes = music(plan)
    heard = notes_of(to_score(parse(performed(plan, notes))))
    before = notes_of(to_score(parse(written(plan, notes))))
    starts = np.rint(heard.start * 12) / 12
    assert sorted(zip(heard.program, heard.pitch, starts, strict=True)) == sorted(
        zip(before.program, before.pitch, before.start, strict=True)
    )


@pytest.mark.parametrize("said", ['{"check": 1}', "[]", "nothing", '{"check": null}', ""])
def test_a_forged_mark_is_no_harm(said: str) -> None:
    plan = plan_of()
    midi = parse(performed(plan, music(plan)))
    first = midi.tracks[0].events
    at = next(n for n, event in enumerate(first) if MARK.encode() in event.message)
    first[at] = first[at]._replace(message=first[at].message[:2] + (MARK + said).encode())
    assert as_written(midi).playing is None


def test_at_amount_0_nothing_changes() -> None:
    plan = plan_of()
    assert performed(plan, music(plan), 0.0) == parse(written(plan, music(plan))).dumps()


def test_what_is_written_louder_in_a_bar_is_never_played_softer() -> None:
    plan = plan_of()
    midi = parse(performed(plan, music(plan)))
    after, before = struck(midi), struck(as_written(midi))
    bar = 4 * 480
    for one, its in zip(before, after, strict=True):
        for other, theirs in zip(before, after, strict=True):
            if one.program != other.program or one.start // bar != other.start // bar:
                continue
            if one.velocity > other.velocity:
                assert its.velocity >= theirs.velocity
    far = [(a, b) for a, b in zip(before, after, strict=True) if a.velocity == 55]
    loud = [(a, b) for a, b in zip(before, after, strict=True) if a.velocity == 95]
    for program in (0, 32):
        assert max(b.velocity for a, b in far if a.program == program) < min(
            b.velocity for a, b in loud if a.program == program
        ), "40 apart, wherever they stand"


def test_no_key_is_struck_while_it_is_down() -> None:
    for plan in PLANS:
        notes = struck(parse(performed(plan, music(plan))))
        for one, after in pairwise(notes):
            if (one.program, one.pitch) == (after.program, after.pitch):
                assert after.start >= one.stop
