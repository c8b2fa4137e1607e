"""A person's score -> one that can be cut at its bar lines, or the reason why it can't.

Corpora come with bar lines that are right. Files of others have pickups, bars of silence in front,
tempi that change in every bar, and notes that were played with no regard to the bar lines at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from symusic import Note, Score, Tempo, TimeSignature

from textmusic.music.notes import Floats
from textmusic.music.plan import TEMPO_RANGE
from textmusic.music.theory import DEFAULT_TEMPO

GRIDS = (2, 3, 4, 6, 8, 12)  # onsets a quarter note that music is quantised to
FIT = 0.4  # of `grid_fit`: below it, notes are off any grid
FEWEST_GRID_ONSETS = 24  # onsets that a judgement on the grid takes
SETTLED = 4  # bars that a tempo has to last
NEW_TEMPO = 1.1  # ratio from which two tempi count as different


def grid_fit(starts: Floats) -> float:
    """How well onsets (in quarter notes) fall on a grid: 1 all of them, about 0 by chance.

    The mean over the onsets of cos(2 pi n start), for the best n of `GRIDS`: the real part of the
    mean resultant of circular statistics (Mardia & Jupp 2000). Onsets that scatter around the
    sixteenths by a standard deviation of s quarter notes have exp(-(8 pi s)^2 / 2): 0.73 for a
    thirty-second of a quarter, which is 16 ms at 120 bpm; 0.29 for a sixteenth of one.
    """
    return max(float(np.cos(2 * np.pi * n * starts).mean()) for n in GRIDS)


def treated(score: Score, done: Counter[str]) -> Score | str:
    """The score as it can be cut, or why it can't be: "was played freely ...".

    done: counts what was done to it. The score is one of ticks, as it was read.
    """
    times = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes)]
    starts = np.unique(np.concatenate([np.zeros(0, int), *times])) / score.ticks_per_quarter
    if len(starts) >= FEWEST_GRID_ONSETS and (fit := grid_fit(starts)) < FIT:
        return (
            f"was played freely: its notes are off the grid (fit {max(fit, 0):.2f}, at least"
            f" {FIT:g} is needed); quantise it in a sequencer, or record it to a click"
        )
    score = score.copy()
    if len(score.tempos) and min(mark.time for mark in score.tempos) > 0:
        score.tempos.insert(0, Tempo(0, DEFAULT_TEMPO))  # what a file means before its first tempo
    metres = _metres(score)
    if lacking := _pickup(score, metres):
        done["pickup: bar filled with silence at the start"] += 1
        metres = [(0, *metres[1][1:]), *_moved(metres[2:], lacking)]
        _shift(score, 0, lacking)
    if silent := _silence(score, metres):
        done["silence at the start removed: bars"] += silent // _bar(score, metres[0])
        metres = [metres[0], *_moved(metres[1:], -silent)]
        _shift(score, 0, -silent)
    metres = _mended(score, metres, done)
    tempi = [(int(mark.time), float(mark.qpm)) for mark in score.tempos]
    tempi.sort(key=lambda mark: mark[0])  # of those at one place the last one counts
    lines = list(_bar_lines(score, metres))
    stretches = _stretches(tempi, lines, int(score.end()))
    if len(stretches) > 1:
        done["tempo changes, each with its own bars"] += len(stretches) - 1
    score.tempos.clear()
    for time, qpm in stretches:
        score.tempos.append(Tempo(time, qpm))
    # repeating the time signature separates stretches, since a window has one tempo
    starts_of = {time: (top, bottom) for time, top, bottom in metres}
    for time, _ in stretches[1:]:
        _, top, bottom = max(metre for metre in metres if metre[0] <= time)
        starts_of.setdefault(time, (top, bottom))
    score.time_signatures.clear()
    for time, (top, bottom) in sorted(starts_of.items()):
        score.time_signatures.append(TimeSignature(time, top, bottom))
    return score


Metre = tuple[int, int, int]  # tick, numerator, denominator


def _metres(score: Score) -> list[Metre]:
    """The time signatures in order, the last one said where several stand at one place."""
    said = {ts.time: (ts.numerator, ts.denominator) for ts in score.time_signatures}
    said.setdefault(0, (4, 4))  # what MIDI files mean without a time signature
    metres: list[Metre] = []
    for time, (top, bottom) in sorted(said.items()):
        if not metres or metres[-1][1:] != (top, bottom):
            metres.append((time, top, bottom))
    return metres


def _moved(metres: Sequence[Metre], ticks: int) -> list[Metre]:
    return [(time + ticks, top, bottom) for time, top, bottom in metres]


def _bar(score: Score, metre: Metre) -> int:
    return max(int(score.ticks_per_quarter * 4 * metre[1] // metre[2]), 1)


def _pickup(score: Score, metres: Sequence[Metre]) -> int:
    """Ticks by which a pickup falls short of a bar; 0 without one.

    Notation programs write a pickup as one bar of a shorter metre, before the real one.
    """
    if len(metres) < 2:
        return 0
    return max(_bar(score, metres[1]) - metres[1][0], 0)


def _silence(score: Score, metres: Sequence[Metre]) -> int:
    """Ticks of the whole bars at the front in which nothing is played."""
    tracks = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes)]
    first = min(int(times.min()) for times in tracks)
    if len(metres) > 1:
        first = min(first, metres[1][0])
    bar = _bar(score, metres[0])
    return first // bar * bar


def _mended(score: Score, metres: Sequence[Metre], done: Counter[str]) -> list[Metre]:
    """The metres without those that only divide a bar, or hold a pickup in the middle.

    A bar that is written in two parts, as around a repeat sign, is one again. One of less than
    half a bar, after which all goes on as before, is filled up at its front, as at the beginning;
    a longer one is taken to be meant.
    """
    mended, moved, place = [metres[0]], 0, 1
    while place < len(metres):
        time = metres[place][0]
        before, bar = mended[-1], _bar(score, mended[-1])
        nearby = range(place + 1, min(place + 4, len(metres)))
        back = next((i for i in nearby if metres[i][1:] == before[1:]), None)
        length = metres[back][0] - time if back is not None else 0
        on_line = (time + moved - before[0]) % bar == 0
        if back is not None and on_line and (length == bar or length * 2 < bar):
            if length != bar:
                done["pickup in the middle: bar filled with silence"] += 1
                _shift(score, time + moved, bar - length)
                moved += bar - length
            place = back + 1
            continue
        mended.append((time + moved, *metres[place][1:]))
        place += 1
    return mended


def _shift(score: Score, since: int, ticks: int) -> None:
    """Move what begins at or after a tick."""
    for track in score.tracks:
        columns = track.notes.numpy()
        time = columns.pop("time")
        time = np.where(time >= since, time + ticks, time).astype(np.int32)
        track.notes = Note.from_numpy(time, *columns.values(), ttype="tick")
    tempi = [(int(mark.time), float(mark.qpm)) for mark in score.tempos]
    score.tempos.clear()
    for at, qpm in tempi:
        score.tempos.append(Tempo(max(at + ticks, 0) if at >= since else at, qpm))


def _bar_lines(score: Score, metres: Sequence[Metre]) -> Iterator[int]:
    """Where bars begin, in ticks."""
    end = int(score.end())
    for metre, following in pairwise([*metres, (max(end, metres[-1][0] + 1), 0, 0)]):
        yield from range(metre[0], following[0], _bar(score, metre))


def _stretches(
    tempi: Sequence[tuple[int, float]], lines: Sequence[int], end: int
) -> list[tuple[int, float]]:
    """(tick, tempo) of the stretches of one tempo, which begin at bar lines.

    A tempo holds for the bars in which it is the longest; what lasts for fewer than `SETTLED` bars
    (a slowing at the end, a pause) belongs to the stretch before it, and what differs by less than
    `NEW_TEMPO` is no change.
    """
    if not tempi:
        return []
    times = np.array([time for time, _ in tempi])
    bars: list[float] = []
    for begin, stop in pairwise([*lines, max(end, lines[-1] + 1)]):
        inside = [begin, *times[(times > begin) & (times < stop)], stop]
        longest = max(pairwise(inside), key=lambda span: span[1] - span[0])[0]
        place = int(np.searchsorted(times, longest, side="right")) - 1
        bars.append(min(max(tempi[max(place, 0)][1], TEMPO_RANGE[0]), TEMPO_RANGE[1]))
    runs: list[list[float]] = []  # first bar, bars, tempo
    for place, tempo in enumerate(bars):
        if runs and max(tempo, runs[-1][2]) / min(tempo, runs[-1][2]) < NEW_TEMPO:
            runs[-1][1] += 1
        else:
            runs.append([place, 1, tempo])
    settled: list[list[float]] = []
    for first, count, tempo in runs:
        near = settled and max(tempo, settled[-1][2]) / min(tempo, settled[-1][2]) < NEW_TEMPO
        if settled and (count < SETTLED or near):
            settled[-1][1] += count
        elif settled and settled[-1][1] < SETTLED:  # the first tempo was too short to count
            settled[-1] = [settled[-1][0], settled[-1][1] + count, tempo]
        else:
            settled.append([first, count, tempo])
    return [(lines[int(first)], tempo) for first, _, tempo in settled]
