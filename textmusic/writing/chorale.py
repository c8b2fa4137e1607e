"""A melody and its chords -> a chorale: soprano, alto, tenor and bass, by rule and without a model.

The melody is the soprano, note for note. The other voices move where the chord changes and where
the melody begins a note on a beat; the voicings are those of `music.voicing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.language.controls import programs_of
from textmusic.language.prompt import Prompt
from textmusic.music.chords import Chord
from textmusic.music.harmony import on_beats, strengths
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch, quarters_per_beat
from textmusic.music.theory import DRUMS
from textmusic.music.voice_leading import VOICE_RANGES, faults, moments
from textmusic.music.voicing import slots_of, voiced
from textmusic.result.account import account
from textmusic.result.generation import Generation
from textmusic.writing.harmonising import Rows, change_of, remark
from textmusic.writing.tunes import Tune

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.music.harmonising import Proposal

CHOIR = (52, 52, 52, 52)
STRINGS = (40, 40, 41, 42)  # two violins, viola, cello
BY_RULE = "voice leading"  # what a report calls its model
# Nats for each change of chord: so the chords change as often as in Bach's chorales.
OFTEN = 2.0
_NAMES = ("Soprano", "Alto", "Tenor", "Bass")
_VELOCITY = 72  # of the voices beside a melody that is as loud or louder
_BRIEF = 0.1  # quarter notes; for less no voice comes in: a note was played a little long
Sung = tuple[float, float, int]  # begin, end, pitch; in quarter notes


@dataclass(frozen=True, slots=True)
class Chorale:
    """Four voices. voices: (begin, end, pitch) of the notes of each, in quarters of the stretch.

    rows: the chords. moved: semitones that the melody was moved by, whole octaves.
    """

    voices: tuple[tuple[Sung, ...], ...]
    rows: Rows
    moved: int = 0

    def faults(self, tune: Tune) -> dict[str, int]:
        """What `voice_leading.faults` counts in it."""
        sounding = moments(self.voices)
        times = sorted({round(t, 6) for voice in self.voices for note in voice for t in note[:2]})
        chords = on_beats(self.rows, tune.bars, tune.metre)
        beat = quarters_per_beat(tune.metre)
        at = [chords[min(int(t / beat + 1e-6), len(chords) - 1)] for t in times]
        return faults(sounding, at, tune.key)


def sung_by(instruments: Sequence[str | int]) -> tuple[int, ...]:
    """Who has the four voices: a choir, strings, or one instrument for all.

    Raises TextMusicError for others.
    """
    programs = programs_of(instruments)
    if programs is None or programs == (52,):
        return CHOIR
    if set(programs) <= {40, 41, 42, 43, 48, 49}:
        return STRINGS if set(programs) <= {40, 41, 42, 43} else programs[:1] * 4
    if len(programs) == 1 and DRUMS not in programs:
        return programs * 4
    if len(programs) == 4 and DRUMS not in programs:
        return tuple(programs)
    raise TextMusicError(
        "a chorale has four voices; name choir, strings, one instrument for all, or four."
    )


def four_part(tune: Tune, rows: Rows) -> Chorale:
    """The four voices of a tune under its chords."""
    melody = _top_line(tune)
    moved = _octaves([pitch for _, _, pitch in melody])
    melody = [(begin, end, pitch + moved) for begin, end, pitch in melody]
    spans = _spans(tune, melody, rows)
    if not spans:
        raise TextMusicError("no chord sounds under the melody; give other chords.")
    sung = [_heard(melody, begin, end) for begin, end, _ in spans]
    rests = [at > 0 and spans[at - 1][1] < begin - 1e-6 for at, (begin, _, _) in enumerate(spans)]
    slots = slots_of(sung, [chord for *_, chord in spans], rests, tune.key)
    others = voiced(slots, tune.key)
    voices: list[list[Sung]] = [list(melody), [], [], []]
    for at, ((begin, end, chord), pitches) in enumerate(zip(spans, others, strict=True)):
        held = at > 0 and not rests[at] and spans[at - 1][2] == chord
        for voice, pitch in zip(voices[1:], pitches, strict=True):
            # a voice that stays while the melody moves on over one chord is not struck again
            if held and voice[-1][2] == pitch and _weak(tune, begin):
                voice[-1] = (voice[-1][0], end, pitch)
            else:
                voice.append((begin, end, pitch))
    return Chorale(tuple(map(tuple, voices)), rows, moved)


def chorale(tune: Tune, proposal: Proposal, instruments: Sequence[str | int] = ()) -> Generation:
    """The piece, with its report. Raises TextMusicError for instruments that can't sing it."""
    players = sung_by(instruments)
    made = four_part(tune, proposal.rows)
    score = _score(tune, made, players)
    notes = notes_of(score)
    heard = tune.material.heard(score, notes)
    plan = replace(heard, key=tune.key, begin=True, end=True)
    before = tune.material.before
    sung = Sketch(tuple(Row(chords=chords) for chords in made.rows))
    remarks = [*tune.remarks, remark(tune, proposal), _said(made.faults(tune))]
    if made.moved:
        way = "up" if made.moved > 0 else "down"
        remarks.append(f"the melody is {abs(made.moved) // 12} octave {way}, where sopranos sing")
    if not tune.single:
        remarks.append("the file has more than a melody; its top line is the soprano")
    change = change_of(tune, proposal, {"style": "chorale", "programs": list(players)})
    return account(
        Prompt("", Plan(), None, "", ()), plan, score, 0, BY_RULE, ids=0, nats=0.0,
        sketch=Sketch((*([Row()] * before), *sung.behind(before).rows)), notes=notes,
        measured=heard, kept=tune.material.kept(notes, sung.rows, (0, tune.bars)), change=change,
        new_bars=(before, before + tune.bars), remarks=tuple(remarks),
    )  # fmt: skip


def _said(found: dict[str, int]) -> str:
    """The faults of voice leading, in words."""
    said = [
        f"{'parallel ' * (name in ('fifths', 'octaves'))}{name} {count}"
        for name, count in found.items()
        if count
    ]
    return f"voice leading: {', '.join(said) or 'no faults'}"


def _top_line(tune: Tune) -> list[Sung]:
    """The highest note at each onset, ended by the next."""
    notes, made = tune.notes, list[Sung]()
    order = np.lexsort((-notes.pitch, notes.start))
    for at in order:
        begin, end, pitch = float(notes.start[at]), float(notes.end[at]), int(notes.pitch[at])
        if made and begin < made[-1][0] + 1e-6:
            continue
        if made and begin < made[-1][1] - 1e-6:
            if not tune.single and pitch < made[-1][2]:
                continue  # an inner voice that moves under a held note
            made[-1] = (made[-1][0], begin, made[-1][2])
        made.append((begin, end, pitch))
    return made


def _octaves(pitches: Sequence[int]) -> int:
    """Semitones, in octaves, after which most of a melody lies where a soprano sings."""
    low, high = VOICE_RANGES[0]
    line = np.array(pitches)

    def outside(moved: int) -> tuple[int, int]:
        return int(((line + moved < low) | (line + moved > high)).sum()), abs(moved)

    return min((0, 12, -12, 24, -24), key=outside)


def _spans(tune: Tune, melody: Sequence[Sung], rows: Rows) -> list[tuple[float, float, Chord]]:
    """(begin, end, chord) of the stretches in which the lower voices stand still, in quarters.

    They come in and end with the melody, and go on where it rests for no more than a bar.
    """
    chords = on_beats(rows, tune.bars, tune.metre)
    strong = strengths(tune.metre, tune.bars)
    beat = quarters_per_beat(tune.metre)
    onsets = {round(begin / beat, 3) for begin, _, _ in melody}
    spans: list[tuple[float, float, Chord]] = []
    for begin, end in _sounding(melody, tune.material.bar):
        fresh = True
        for at in range(int(begin / beat + 1e-6), min(ceil(end / beat - 1e-6), len(chords))):
            chord, start = chords[at], max(begin, at * beat)
            if min(end, (at + 1) * beat) - start < _BRIEF:
                continue
            if chord is None:
                fresh = True
                continue
            if fresh or chord != spans[-1][2] or (at in onsets and strong[at] < 3):
                spans.append((start, min(end, start + beat), chord))
            spans[-1] = (spans[-1][0], min(end, (at + 1) * beat), chord)
            fresh = False
    return spans


def _sounding(melody: Sequence[Sung], most: float) -> list[tuple[float, float]]:
    """(begin, end) of the phrases of a melody, between which it rests for over `most` quarters."""
    phrases: list[tuple[float, float]] = []
    for begin, end, _ in melody:
        if phrases and begin - phrases[-1][1] <= most + 1e-6:
            phrases[-1] = (phrases[-1][0], max(end, phrases[-1][1]))
        else:
            phrases.append((begin, end))
    return phrases


def _heard(melody: Sequence[Sung], begin: float, end: float) -> tuple[int, ...]:
    """The melody's pitches in a stretch; where it rests, the one before that."""
    found = tuple(p for b, e, p in melody if b < end - 1e-6 and e > begin + 1e-6)
    return found or tuple(pitch for at, _, pitch in melody if at <= begin + 1e-6)[-1:]


def _weak(tune: Tune, begin: float) -> bool:
    """Whether a moment is no bar line, so that a note may be held over it."""
    place = begin / quarters_per_beat(tune.metre)
    strong = strengths(tune.metre, tune.bars)
    return abs(place - round(place)) > 1e-3 or strong[min(round(place), len(strong) - 1)] > 0


def _score(tune: Tune, made: Chorale, players: Sequence[int]) -> Score:
    """The tune's score with four tracks in place of its own; bars before the stretch keep theirs.

    A melody alone keeps its own notes, to the tick.
    """
    from symusic import Note, Track

    score = tune.score.copy()
    quarter: int = score.ticks_per_quarter
    origin = tune.material.begin
    tonal = [track for track in score.tracks if not track.is_drum and len(track.notes)]
    whole = tune.single and len(tonal) == 1
    own = [note for track in tonal for note in track.notes]
    begun = ceil(origin * quarter - 1e-6)
    score.tracks.clear()
    for number, (voice, program) in enumerate(zip(made.voices, players, strict=True)):
        track = Track(name=_NAMES[number], program=program)
        if number == 0 and whole:
            for note in own:
                up = made.moved if note.time >= begun else 0
                track.notes.append(Note(note.time, note.duration, note.pitch + up, note.velocity))
        else:
            for begin, end, pitch in voice:
                time, stop = (round((origin + at) * quarter) for at in (begin, end))
                track.notes.append(Note(time, max(stop - time, 1), pitch, _VELOCITY))
            if number == 0:
                track.notes.extend([note for note in own if note.time < begun])
        track.notes.sort(key=lambda note: (note.time, note.pitch))
        score.tracks.append(track)
    return score
