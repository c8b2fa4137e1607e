"""What of a recording tells music that can be written down from speech and from drums.

The rules were fitted to recordings of the training split: training/judge_refusals.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from textmusic.transcription.recordings import UnfitError

FEWEST = 3  # notes of music
VOICE = (0.115, 0.8, 0.8)  # a voice: its pitch sways more, it is voiced more, steadier than this
SPEECH = (0.25, 0.85)  # speech: its pitch sways more, and is less steady than this
# Bursts above 6 kHz and their flatness above, certainty of the notes and pitched time below.
DRUMS = (0.001, 0.19, 0.85, 0.75)


@dataclass(frozen=True, slots=True)
class Traits:
    """Of a whole recording.

    notes, sung: how many are heard by the network, and by what follows one voice. sure: mean
    probability of the notes. voiced, swaying, steady: of its pitch, see `voice.Line`. bursts,
    flatness: of strokes, see `spectra.strokes`.
    """

    notes: int
    sung: int
    sure: float
    voiced: float
    swaying: float
    steady: float
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
        return self.swaying >= SPEECH[0] and self.steady < SPEECH[1]

    @property
    def drums(self) -> bool:
        """Whether drums are in it."""
        bursts, flatness, sure, voiced = DRUMS
        unsure = self.sure < sure and self.voiced < voiced
        return self.bursts >= bursts and self.flatness >= flatness and unsure


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
