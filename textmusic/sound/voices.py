"""Score -> strikes: what a soundfont plays for each note, when, how loud, and from where.

Here a part's controllers count: pedal, volume, expression, pan, bend, wheel and the two sends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from symusic import Score

from textmusic.music.theory import DRUMS
from textmusic.sound.soundfont import BUNDLED, SoundFont
from textmusic.sound.stage import Place, place_of, trim_of
from textmusic.sound.zones import Zone

RELEASE_TAIL = 3.0
"""Seconds at most that a sound rings on after the last note has ended."""
SHORTEST_RELEASE = 0.02
"""Seconds; a sound cut off at once clicks."""
FADE = 60.0
"""Decibels below the note's level at which its release is taken as silence."""

_BEND_RANGE = 2.0  # semitones, until a file says another
_WHEEL, _DATA, _VOLUME, _PAN, _EXPRESSION, _PEDAL, _REVERB, _CHORUS = 1, 6, 7, 10, 11, 64, 91, 93
_RPN_LOW, _RPN_HIGH = 100, 101
_USUAL_VOLUME, _USUAL_REVERB, _MOST = 100, 40, 127
_HELD = 64  # from this on a pedal is down


@dataclass(frozen=True, slots=True)
class Curve:
    """A value over time: from each time on it is so, up to the next. Times rise, from -inf."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, time: float) -> float:
        """The value at a time."""
        return self.values[bisect_right(self.times, time) - 1]

    def repeated(self, rounds: int, period: float) -> Curve:
        """The same again and again, `period` seconds long."""
        if len(self.times) == 1:
            return self
        rows = [
            (max(time, 0.0) + k * period, value)
            for k in range(rounds)
            for time, value in zip(self.times, self.values, strict=True)
            if time < period
        ]
        return _curve(rows, self.values[0])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a track's notes share."""

    index: int
    name: str
    program: int
    drums: bool
    level: Curve
    """Volume and expression as a factor; 1 at the volume that is usual."""
    bend: Curve
    """Semitones."""

    @property
    def steady(self) -> bool:
        """Whether the level stays the same all the time."""
        return len(self.level.times) == 1


@dataclass(frozen=True, slots=True)
class VoiceStrike:
    """One note on one layer; times in seconds."""

    zone: Zone
    part: Part
    instrument: int
    """Its program; 128 is the drum kit."""
    pitch: int
    start: float
    stop: float
    gain: float
    pan: float
    """-1 (left) to 1."""
    reverb: float
    chorus: float
    """Amplitudes that go to the two effects."""
    cut: float = np.inf
    """When a later note of its exclusive class cuts it off."""

    @property
    def release(self) -> float:
        """How long it rings on after `stop`."""
        full = max(self.zone.release * FADE / 100, SHORTEST_RELEASE)
        return min(full, RELEASE_TAIL)

    @property
    def end(self) -> float:
        """From when on it is silent."""
        return min(self.stop + self.release, self.cut + SHORTEST_RELEASE)


@dataclass(slots=True)
class _Controls:
    """The controllers of one track."""

    rows: dict[int, Curve] = field(default_factory=dict)

    @staticmethod
    def of(track: Any) -> _Controls:
        found: dict[int, list[tuple[float, float]]] = {}
        for control in track.controls:
            found.setdefault(control.number, []).append((control.time, float(control.value)))
        return _Controls({number: _curve(rows, 0.0) for number, rows in found.items()})

    def at(self, number: int, time: float, usual: float) -> float:
        """A controller's value; what stands at a note's very beginning counts for it."""
        curve = self.rows.get(number)
        if curve is None or time < curve.times[1] - 1e-6:
            return usual
        return curve.at(time + 1e-6)


def _curve(rows: Iterable[tuple[float, float]], before: float) -> Curve:
    times, values = [-np.inf], [before]
    for time, value in sorted(rows, key=lambda row: row[0]):
        if time == times[-1]:
            values[-1] = value
        elif value != values[-1] or len(times) == 1:
            times.append(time)
            values.append(value)
    return Curve(tuple(times), tuple(values))


def voice_strikes(score: Score, font: SoundFont, programs: Sequence[int] = ()) -> list[VoiceStrike]:
    """What a soundfont plays for each note of a score.

    programs: the instruments of the whole piece, where the score is a stretch of it; they decide
    who sits where.
    """
    score = score.to("second")
    tracks = [track for track in score.tracks if len(track.notes)]
    playing = sorted({DRUMS if t.is_drum else t.program for t in tracks} | set(programs))
    strikes: list[VoiceStrike] = []
    for index, track in enumerate(tracks):
        strikes += _of_track(index, track, font, place_of(track.program, track.is_drum, playing))
    return strikes


def _of_track(index: int, track: Any, font: SoundFont, place: Place) -> list[VoiceStrike]:
    controls = _Controls.of(track)
    part = Part(
        index, track.name, track.program, track.is_drum, _level(controls), _bend(track, controls)
    )
    instrument = DRUMS if track.is_drum else track.program
    trim = trim_of(instrument) if font.path == BUNDLED else 1.0
    strikes = []
    notes = [note for note in track.notes if note.velocity > 0]  # else: in MIDI, the end of one
    stops = _stops(notes, controls.rows.get(_PEDAL), track.is_drum)
    for note, stop in zip(notes, stops, strict=True):
        at = note.time
        wheel = int(controls.at(_WHEEL, at, 0))
        pan = controls.at(_PAN, at, -1)
        pan = place.pan if pan < 0 else (pan - 64) / 63
        reverb = place.reverb * controls.at(_REVERB, at, _USUAL_REVERB) / _USUAL_REVERB
        chorus = controls.at(_CHORUS, at, 0) / _MOST
        for zone in font.zones(track.program, track.is_drum, note.pitch, note.velocity, wheel):
            # 40 dB over the velocities: the curve that the soundfont format prescribes.
            gain = (note.velocity / 127) ** 2 * 10 ** (-zone.attenuation / 20) * trim
            strikes.append(
                VoiceStrike(
                    zone, part, instrument, note.pitch, at, stop, gain,
                    float(np.clip(pan + zone.pan, -1, 1)), reverb + place.reverb * zone.reverb,
                    min(chorus + zone.chorus, 1.0),
                )
            )  # fmt: skip
    return strikes


def _stops(notes: Sequence[Any], pedal: Curve | None, drums: bool) -> list[float]:
    """When each note is let go: what ends under the pedal goes on until that is lifted.

    A key that is struck again ends its own last sound.
    """
    ends = [note.time + note.duration for note in notes]
    if pedal is None or drums or not notes:
        return ends
    last = max(ends)
    again: dict[int, float] = {}
    order = sorted(range(len(notes)), key=lambda n: notes[n].time, reverse=True)
    for n in order:
        pitch, end = notes[n].pitch, ends[n]
        place = bisect_right(pedal.times, end + 1e-6) - 1
        if pedal.values[place] >= _HELD:
            lifts = (
                time
                for time, value in zip(pedal.times[place:], pedal.values[place:], strict=True)
                if value < _HELD
            )
            ends[n] = max(end, min(next(lifts, last), again.get(pitch, np.inf)))
        again[pitch] = notes[n].time
    return ends


def _level(controls: _Controls) -> Curve:
    """Volume times expression, squared: 40 dB a decade, as velocities have them."""
    volume, expression = controls.rows.get(_VOLUME), controls.rows.get(_EXPRESSION)
    times = sorted({*(volume.times if volume else ()), *(expression.times if expression else ())})

    def value(time: float) -> float:
        loud = controls.at(_VOLUME, time, _USUAL_VOLUME) / _USUAL_VOLUME
        return (loud * controls.at(_EXPRESSION, time, _MOST) / _MOST) ** 2

    rows = [(time, value(time)) for time in times if time > -np.inf]
    if not rows:
        return Curve((-np.inf,), (1.0,))
    # What is stated at the beginning holds from the beginning: no part fades in by being set up.
    if rows[0][0] <= 0:
        begun = [value for time, value in rows if time <= 0][-1]
        later = [row for row in rows if row[0] > 0]
        return _curve(later, begun) if later else Curve((-np.inf,), (begun,))
    return _curve(rows, 1.0)


def _bend(track: Any, controls: _Controls) -> Curve:
    """The pitch wheel in semitones, within the range that the file states (RPN 0)."""
    rows = []
    for bend in track.pitch_bends:
        reach = _BEND_RANGE
        if not controls.at(_RPN_HIGH, bend.time, 1) and not controls.at(_RPN_LOW, bend.time, 1):
            reach = controls.at(_DATA, bend.time, _BEND_RANGE)
        rows.append((bend.time, reach * bend.value / 8192))
    if not any(value for _, value in rows):
        return Curve((-np.inf,), (0.0,))
    return _curve(rows, 0.0)


def choked(strikes: list[VoiceStrike]) -> list[VoiceStrike]:
    """The strikes, each cut off by the next one of its instrument and exclusive class.

    What sounds at a time depends on what was struck until then, and on nothing that follows.
    """
    result = []
    starts: dict[tuple[int, int], tuple[float, float]] = {}  # the two that follow, of each class
    for strike in sorted(strikes, key=lambda strike: strike.start, reverse=True):
        if strike.zone.exclusive:
            group = strike.instrument, strike.zone.exclusive
            start, later = starts.get(group, (np.inf, np.inf))
            if strike.start < start:
                start, later = strike.start, start
            starts[group] = start, later
            strike = replace(strike, cut=min(strike.cut, later))
        result.append(strike)
    return result
