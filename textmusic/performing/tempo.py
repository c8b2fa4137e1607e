"""A tempo that breathes: a rule of phrases and endings, for the genres that are played so.

The last bars slow down as runners do (Friberg & Sundberg 1999); a phrase is a little faster in its
middle and slower at its end. It depends on the plan alone, so that it is known before the notes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from textmusic.music.playing import Playing
from textmusic.performing.features import PHRASE, Metre

BREATHING: dict[str, float] = {
    "romantic": 1.25, "classical": 1.0, "lied": 1.0, "piano-solo": 1.0, "string-quartet": 1.0,
    "orchestral": 0.8, "sacred": 0.7, "ballad": 0.7, "hymn": 0.6, "chorale": 0.6,
    "cinematic": 0.6, "baroque": 0.5, "renaissance": 0.5, "ambient": 0.5, "mazurka": 0.5,
    "children": 0.4, "christmas": 0.4, "waltz": 0.4,
}  # fmt: skip
"""How much a genre breathes; those that are not here keep a steady tempo, as all with drums do."""
_ARCH = 0.03  # faster in the middle of a phrase than at its ends
_PHRASE_END, _PERIOD_END = 0.04, 0.08  # slower in the last beats of four bars, and of eight
_LAST, _CURVE = 0.45, 3.0  # what the tempo has lost at the very end; Friberg & Sundberg's q


@dataclass(frozen=True, slots=True)
class Breathing:
    """The tempo of a piece. strength: 0 is steady. bars: of the whole piece."""

    metre: Metre
    bars: int
    strength: float

    @staticmethod
    def of(playing: Playing, metre: Metre, bars: int) -> Breathing:
        """As the genre is played."""
        strength = 0.0 if playing.steady else BREATHING.get(playing.genre or "", 0.0)
        return Breathing(metre, bars, playing.amount * strength)

    @property
    def beats(self) -> int:
        """Beats of a bar; the last one may be shorter."""
        return math.ceil(self.metre.length / self.metre.beat - 1e-6)

    def factors(self) -> list[tuple[float, float]]:
        """(quarter note, what the tempo is multiplied by from there on), beat by beat."""
        if not self.strength:
            return []
        return [
            (bar * self.metre.length + beat * self.metre.beat, self._factor(bar, beat))
            for bar in range(self.bars)
            for beat in range(self.beats)
        ]

    def _factor(self, bar: int, beat: int) -> float:
        place = (bar % PHRASE + (beat + 0.5) / self.beats) / PHRASE
        factor = 1 + self.strength * _ARCH * (math.sin(math.pi * place) - 2 / math.pi)
        left = self.beats - beat - 1  # beats behind this one
        if bar % PHRASE == PHRASE - 1 and left < 2 and bar + 1 < self.bars:
            depth = _PERIOD_END if bar % (2 * PHRASE) == 2 * PHRASE - 1 else _PHRASE_END
            factor *= 1 - self.strength * depth * (1 if left == 0 else 0.5)
        return factor * self._ending(bar, beat)

    def _ending(self, bar: int, beat: int) -> float:
        """The final ritard: over the last bar, and the one before it where bars are short."""
        stretch = self.beats if self.beats >= 3 else 2 * self.beats
        gone = (bar - self.bars + 1) * self.beats + beat + stretch - self.beats
        if gone < 0 or self.bars < 4:
            return 1.0
        last = 1 - min(_LAST * self.strength, 0.6)
        place = (gone + 0.5) / stretch
        return float((1 + (last**_CURVE - 1) * place) ** (1 / _CURVE))

    def longer(self) -> float:
        """How many times as long the piece is as in a steady tempo."""
        end = self.bars * self.metre.length
        places = [(0.0, 1.0), *self.factors(), (end, 1.0)]
        return sum((b - a) / factor for (a, factor), (b, _) in pairwise(places)) / end
