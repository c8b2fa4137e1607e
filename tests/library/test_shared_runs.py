"""Copies are found in any key, rhythm and texture; what is new is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from library_pieces import chords, melody, seen, together

from textmusic.library import symbols
from textmusic.library.index import Index
from textmusic.library.lines import WHOLE, joined, lines_of, upper_line
from textmusic.library.originality import (
    melodic,
    rhythmic,
    shared_with,
    speed,
    transposition,
    usual,
)
from textmusic.library.side_by_side import beside, melody_text, pitch_name, usual_text
from textmusic.music.notes import Notes

RARE = 0.01


def part(notes: Notes, first: int, stop: int) -> Notes:
    cut = notes.chosen(np.arange(first, stop))
    return replace(cut, start=cut.start - cut.start[0])


def behind(one: Notes, two: Notes) -> Notes:
    """Two stretches in a row, the second on a bar line."""
    at = 4 * np.ceil(float(one.end.max()) / 4)
    return together(one, replace(two, start=two.start + at))


def planted(copied: Notes) -> Notes:
    return behind(behind(melody(7, 16), copied), melody(8, 16))


def test_the_upper_line_leaves_out_what_accompanies_a_long_note() -> None:
    start = np.array([0.0, 0.5, 1.0, 1.0, 2.0])
    length = np.array([2.0, 0.5, 1.0, 1.0, 1.0])
    pitch = np.array([72, 60, 64, 48, 55])
    ones = np.ones(5, dtype=np.int64)
    assert upper_line(Notes(start, length, pitch, ones, 0 * ones)).tolist() == [[0, 72], [2, 55]]


def test_each_instrument_has_its_line() -> None:
    lines = lines_of(together(melody(1, 20, program=73, low=72), chords(10, program=0)))
    assert lines.program.tolist() == [WHOLE, 0, 73]
    assert len(lines) == lines.begin[-1]


def test_symbols_are_the_same_in_another_key_and_at_another_speed() -> None:
    one = melody(1)
    other = replace(one, pitch=one.pitch - 7, start=one.start * 2, duration=one.duration * 2)
    for kind in (symbols.melody, symbols.rhythm):
        assert kind(lines_of(one)).value.tolist() == kind(lines_of(other)).value.tolist()


def test_repeated_notes_count_once_and_lines_are_apart() -> None:
    one, two = melody(1, 10), melody(2, 10)
    ones = np.ones(4, dtype=np.int64)
    said = Notes(np.arange(4.0), np.ones(4), np.array([60, 60, 62, 62]), ones, 0 * ones)
    assert symbols.melody(lines_of(said)).value.tolist() == [symbols.END, symbols.LEAP + 2]
    both = symbols.melody(joined([lines_of(one), lines_of(two)])).value
    alone = [symbols.melody(lines_of(notes)).value.tolist() for notes in (one, two)]
    assert both.tolist() == alone[0] + alone[1], "no interval leads from one to the next"


@pytest.mark.parametrize("up", [0, 5, -3])
def test_a_planted_melody_is_found_where_it_is(up: int) -> None:
    whole = melody(1)
    copied = part(whole, 10, 34)
    host = planted(replace(copied, pitch=copied.pitch + up))
    run = melodic(lines_of(host), lines_of(whole))[0]
    assert run.usual <= RARE
    assert abs(run.theirs[0] - 10) <= 1 and abs(run.theirs[1] - 33) <= 1
    mine, theirs = lines_of(host), lines_of(whole)
    assert transposition(run, mine, theirs) == up
    assert speed(run, mine, theirs) == pytest.approx(1.0)


def test_a_new_rhythm_a_new_texture_and_a_changed_note_do_not_hide_it() -> None:
    whole = melody(1)
    copied = part(whole, 10, 34)
    even = replace(copied, start=np.arange(24.0), duration=np.ones(24))
    under = replace(copied, program=np.full(24, 42), pitch=copied.pitch - 24)
    texture = together(planted(under), melody(9, 60, program=73, low=80), chords(20))
    wrong = copied.pitch.copy()
    wrong[12] += 1
    for host in (planted(even), texture, planted(replace(copied, pitch=wrong))):
        assert melodic(lines_of(host), lines_of(whole))[0].usual <= RARE
    run = melodic(lines_of(planted(even)), lines_of(whole))[0]
    assert speed(run, lines_of(planted(even)), lines_of(whole)) is None, "another rhythm"


def test_what_is_new_shares_nothing_unusual() -> None:
    runs = [melodic(lines_of(melody(n)), lines_of(melody(n + 100))).get(0) for n in range(30)]
    assert sum(run is not None and run.usual <= RARE for run in runs) <= 1


def test_what_repeats_itself_says_little() -> None:
    ones = np.ones(60, dtype=np.int64)
    pattern = Notes(np.arange(60.0), np.ones(60), np.tile([60, 67, 64, 67], 15), ones, 0 * ones)
    again = replace(pattern, pitch=pattern.pitch + 2)
    run = melodic(lines_of(pattern), lines_of(again)).get(0)
    assert run is None or run.usual > RARE, "a broken chord is nobody's"


def test_a_rhythm_is_found_on_other_pitches() -> None:
    whole, other = melody(1), melody(2)
    same = replace(other, start=whole.start, duration=whole.duration)
    run = rhythmic(lines_of(same), lines_of(whole))[0]
    assert run.notes >= 40 and run.usual < 0.05
    assert 0 not in melodic(lines_of(same), lines_of(whole)) or (
        melodic(lines_of(same), lines_of(whole))[0].notes < 12
    )


def test_usual_falls_with_what_a_run_says() -> None:
    shares = [usual(bits) for bits in (-50, 0, 10, 20, 100)]
    assert shares[0] == 1.0 and shares == sorted(shares, reverse=True) and shares[-1] > 0


def test_each_piece_of_a_library_is_compared() -> None:
    known = [melody(n) for n in range(1, 6)]
    index = Index.of([seen(notes, f"{n}.mid") for n, notes in enumerate(known)])
    steps: list[tuple[int, int]] = []
    mine = seen(planted(part(known[3], 8, 40)))
    shared = shared_with(mine, index, lambda done, total: steps.append((done, total)))
    assert shared[0].piece == 3 and shared[0].usual <= RARE
    assert steps[-1] == (5, 5)
    assert all(one.usual > RARE for one in shared[1:])


def test_the_bars_stand_side_by_side() -> None:
    whole = melody(1)
    copied = part(whole, 8, 40)
    mine, other = seen(planted(replace(copied, pitch=copied.pitch + 5))), seen(whole)
    run = melodic(mine.lines, other.lines)[0]
    rows = beside(run, mine, other, most=99)
    assert all(len(row) == 4 for row in rows)
    here = " ".join(row[1] for row in rows).split()
    there = " ".join(row[3] for row in rows).split()
    assert len(here) == len(there) == run.mine[1] - run.mine[0] + 1
    assert there[:3] == [pitch_name(int(p)) for p in other.lines.pitch[run.theirs[0] :][:3]]
    said = melody_text(run, mine, other)
    assert "5 semitones higher, in the same rhythm" in said and "bars" in said
    assert len(beside(run, mine, other, most=2)) == 2


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "as most unrelated pairs of real pieces do"),
        (0.02, "as 1 in 50 unrelated pairs do"),
        (0.001, "as at most 1 in 1,000 unrelated pairs do"),
    ],
)
def test_a_share_in_words(share: float, said: str) -> None:
    assert usual_text(share) == said


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_notes_share_nothing(n: int) -> None:
    few, many = (
        lines_of(melody(1, n)) if n else lines_of(chords(1).chosen(np.zeros(0, np.int64))),
        melody(1),
    )
    assert melodic(few, lines_of(many)) == {} and melodic(lines_of(many), few) == {}
    assert rhythmic(few, lines_of(many)) == {} and rhythmic(lines_of(many), few) == {}
