"""What of a recording tells music that can be written down from speech and from drums.

The rules were fitted to recordings of the training split: training/judge_refusals.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from textmusic.transcription.recordings import UnfitError

FEWEST = 3  # notes of music
VOICE = (0.115, 0.8, 0.8)  # a voice: its pitch sways more, it is voiced more, steadier than this
CONSONANTS, CYMBALS = 2000.0, 6000.0  # Hz above which their bursts are
SPOKEN = (0.01, 0.45)  # share of consonants, and of voiced time, from which it may be speech
# ... if its pitch sways more and is less steady than this; or more, less, and it is voiced less.
WILD, BROKEN = (0.25, 0.85), (0.15, 0.92, 0.8)
# Drums: strokes of so much of the sound, and so flat; louder ones may be less flat.
DRUMS = ((0.0003, 0.13), (0.002, 0.08))


@dataclass(frozen=True, slots=True)
class Traits:
    """Of a whole recording.

    notes, sung: how many are heard by the network, and by what follows one voice. sure: mean
    probability of the notes. voiced, swaying, steady: of its pitch, see `voice.Line`.
    consonants: share of what bursts out above `CONSONANTS`. bursts, flatness: of what does above
    `CYMBALS`, see `spectra.strokes`.
    """

    notes: int
    sung: int
    sure: float
    voiced: float
    swaying: float
    steady: float
    consonants: float
    bursts: float
    flatness: float

    @property
    def voice(self) -> bool:
        """Whether it is one voice, which sways and slides."""
        sways, voiced, steady = VOICE
        sung = self.swaying >= sways and self.voiced >= voiced and self.steady >= steady
        return sung and self.sung > 0

    @property
    def speech(self) -> bool:
        """Whether somebody speaks."""
        wild = self.swaying >= WILD[0] and self.steady < WILD[1]
        sways, steady, voiced = BROKEN
        broken = self.swaying >= sways and self.steady < steady and self.voiced < voiced
        spoken = self.consonants >= SPOKEN[0] and self.voiced >= SPOKEN[1]
        return spoken and (wild or broken)

    @property
    def drums(self) -> bool:
        """Whether drums are in it."""
        return any(self.bursts >= bursts and self.flatness >= flat for bursts, flat in DRUMS)


def refusal(found: Traits) -> UnfitError | None:
    """Why a recording can't be written down; None where it can."""
    if found.speech:
        return UnfitError("sounds like speech, not like music")
    if (found.sung if found.voice else found.notes) < FEWEST:
        return UnfitError("has hardly a note that can be told from noise")
    if found.drums:
        return UnfitError(
            "has drums in it, and a mix with drums is more than can be told apart; give one"
            " instrument or voice alone"
        )
    return None
