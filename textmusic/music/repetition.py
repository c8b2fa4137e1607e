"""Music that is stuck: one thing struck again and again, or more at once than hands can hold.

`Repetition` keeps a writer from it note by note, `flags` (of `textmusic.result`) says what of it a
finished piece has. The limits are set so that real music is left alone. Of 1,999 windows of 8 to 64
bars with pitched instruments, one a tune and under 12 % from any one source, so many per cent are
above a limit (*: the one in force), and in so many it would have kept a note from being written:

                                                                                          kept
    one note in a row         > 16 0.90   > 20 0.60   > 24 0.45   > 28 0.35  *> 32 0.25   0.25
    one note in a row, low    > 24 0.70   > 32 0.40   > 48 0.25  *> 64 0.15   > 96 0.05   0.15
    two notes in a row        > 16 0.90   > 20 0.75   > 24 0.55   > 28 0.55  *> 32 0.20   0.20
    three or four notes       > 12 1.20   > 16 0.50   > 20 0.40  *> 24 0.10   > 28 0.10   0.20
    five notes or more        >  4 1.00   >  8 0.35  *> 12 0.10   > 15 0.10               0.15
    thick chords in a row     >  1 0.45   >  2 0.05  *>  3 0.05   >  4 0.00               0.05
    notes struck at once      >  8 0.95   >  9 0.45   > 10 0.25   > 11 0.10  *> 12 0.00   0.00

(What is banned of a chord is its lowest note, so that now and then another chord on it is kept from
being written, too.) One limit of `Repetition` or another is met in 0.95 % of the windows, and
`flags` has something to say of 2.15 %: the same in a row 0.75, thick chords 0.05, one harmony 0.70,
silence 0.65, one pitch 0.25.

The counts are from training/judge_repetition.py. The limits were chosen on 2,000 windows of other
tunes, of which 0.75 and 2.35 % are met; of the 8,395 tunes of the large sources that are in neither
half, 0.58 and 1.47 %. No half is quite untouched: two limits were raised after all of these had
been looked at. With 28 for two notes and 2 thick chords, 1.30 % of the 1,999 were met.

Notes are in a row if the instrument strikes nothing else in between, whatever their lengths and the
time between them. Drums are never stuck.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from textmusic.music.notes import GRID, Notes
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS

PERCUSSION = (47, *range(112, 120))  # timpani, and percussion that has a pitch
# Basses, cello and contrabass too: real music gives them pedal points and beats.
LOW_PROGRAMS = (*range(32, 40), 42, 43, *PERCUSSION)
SAME_NOTE = 32  # times in a row: four bars of eighths
SAME_NOTE_LOW = 64  # the same for `LOW_PROGRAMS`
SAME_TWO = 32  # two notes: octaves, thirds and fifths accompany
SAME_CHORD = 24  # three notes or more, but under `FULL_NOTES`
SAME_FULL = 12  # `FULL_NOTES` or more
FULL_NOTES = 5
THICK_NOTES = 7  # struck at once make a chord thick
THICK = 3  # of them in a row, each `SIXTEENTH_QUARTERS` or less behind the one before
SIXTEENTH_QUARTERS = 0.25  # quarter notes
MOST_NOTES_AT_ONCE = 12  # notes of one instrument at once


@dataclass(frozen=True, slots=True)
class RepetitionRun:
    """A set of pitches that an instrument strikes again and again, with nothing else in between.

    onsets: how often. quarters: from the first strike to the end of the last; 0.0 if struck once.
    """

    program: int
    pitches: tuple[int, ...]
    onsets: int
    quarters: float

    @property
    def limit(self) -> int:
        """How often this may come in a row, as real music has it."""
        return limit(self.program, len(self.pitches))


def limit(program: int, size: int) -> int:
    """How often an instrument may strike the same pitches, so many of them, in a row."""
    if size > 1:
        return SAME_TWO if size == 2 else SAME_CHORD if size < FULL_NOTES else SAME_FULL
    return SAME_NOTE_LOW if program in LOW_PROGRAMS else SAME_NOTE


def runs(notes: Notes) -> list[RepetitionRun]:
    """Every run of each pitched instrument, single strikes too; by instrument, in time order."""
    found = []
    for program, strikes in strikes_of(notes).items():
        for pitches, group in groupby(strikes, key=lambda strike: strike.pitches):
            same = list(group)
            quarters = same[-1].end - same[0].start if len(same) > 1 else 0.0
            found.append(RepetitionRun(program, pitches, len(same), quarters))
    return found


def longest_repetition(notes: Notes, plan: Plan) -> float:
    """How long the longest repetition of one set of pitches lasts, quarter notes, 0 upwards.

    One pitched instrument strikes the same pitches again and again, and nothing else in between;
    `runs` says how often. 0 where nothing is struck twice in a row; NaN without pitched notes. A
    definition of our own.
    """
    return max((run.quarters for run in runs(notes)), default=float("nan"))


@dataclass(frozen=True, slots=True)
class PitchStrike:
    """Notes of one instrument that are struck at once. Quarter notes; pitches ascending."""

    start: float
    end: float  # of the last of its notes
    pitches: tuple[int, ...]


def strikes_of(notes: Notes) -> dict[int, list[PitchStrike]]:
    """What each pitched instrument strikes at each of its onsets."""
    found: dict[int, list[PitchStrike]] = {}
    for program in np.unique(notes.program[notes.program != DRUMS]):
        mine = notes.program == program
        start, end, pitch = notes.start[mine], notes.end[mine], notes.pitch[mine]
        which = np.rint(start * GRID).astype(np.int64)
        order = np.lexsort((pitch, which))
        cuts = np.flatnonzero(np.diff(which[order])) + 1
        found[int(program)] = [
            PitchStrike(
                float(start[part].min()), float(end[part].max()), tuple(map(int, pitch[part]))
            )
            for part in np.split(order, cuts)
        ]
    return found


@dataclass(slots=True)
class _Part:
    """An instrument so far: its last complete strike, how often it came, and the one under way."""

    at: float = -np.inf  # where it strikes now, in steps
    struck: list[int] = field(default_factory=list)  # there, so far
    last: tuple[int, ...] = ()
    last_at: float = -np.inf
    same: int = 0  # how often `last` came in a row
    thick: int = 0  # thick chords in a row, up to `last`


class Repetition:
    """Follows a piece as it is written, and says what an instrument had better not strike next.

    Call `onset` when an instrument begins to play at a place, and `note` for each note of it there,
    in ascending order of pitch. A writer for whom nothing is left to strike because of what is
    banned should strike it nevertheless: these limits are of taste, and not of grammar.
    """

    def __init__(self, programs: Iterable[int], steps_per_quarter: int = GRID) -> None:
        """steps_per_quarter: of the positions that `onset` is given; 24 in metres of eighths."""
        self._parts = {program: _Part() for program in programs if program != DRUMS}
        self._sixteenth = SIXTEENTH_QUARTERS * steps_per_quarter

    def onset(self, program: int, position_in_steps: int) -> None:
        """An instrument is about to strike. position_in_steps: from the beginning of the piece."""
        part = self._parts.get(program)
        if part is None or part.at == position_in_steps:
            return
        if part.struck:
            near = part.at - part.last_at <= self._sixteenth
            part.last, part.same = self._after(part)
            thick = len(part.last) >= THICK_NOTES
            part.thick = (part.thick + 1 if near else 1) if thick else 0
            part.last_at, part.struck = part.at, []
        part.at = position_in_steps

    def note(self, program: int, pitch: int) -> None:
        """It strikes a pitch, there."""
        if (part := self._parts.get(program)) is not None:
            part.struck.append(pitch)

    def banned_first(self, program: int) -> int | None:
        """The lowest pitch of what came too often in a row: not to begin the next strike with.

        The strike under way counts as complete. None where all is well, and for drums.
        """
        if (part := self._parts.get(program)) is None:
            return None
        last, same = self._after(part)
        return last[0] if last and same >= limit(program, len(last)) else None

    def most_at_once(self, program: int) -> int:
        """How many notes the strike may have that `onset` has begun; 128 for drums."""
        if (part := self._parts.get(program)) is None:
            return 128
        near = part.at - part.last_at <= self._sixteenth
        return THICK_NOTES - 1 if near and part.thick >= THICK else MOST_NOTES_AT_ONCE

    @staticmethod
    def _after(part: _Part) -> tuple[tuple[int, ...], int]:
        """What was struck last once the strike under way is complete, and how often in a row."""
        if not part.struck:
            return part.last, part.same
        strike = tuple(sorted(part.struck))
        return strike, part.same + 1 if strike == part.last else 1
