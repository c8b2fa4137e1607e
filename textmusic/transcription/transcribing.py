"""A recording -> a score, and an account of how sure it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.language.controls import well_formed
from textmusic.music.theory import TIME_SIGNATURES
from textmusic.system.values import real
from textmusic.transcription.activations import activations
from textmusic.transcription.beats import BEATS, pulse_of
from textmusic.transcription.metre import bars_of, quarters_in_beat
from textmusic.transcription.notes_heard import NotesHeard
from textmusic.transcription.polyphony import notes_of
from textmusic.transcription.quantising import score_of
from textmusic.transcription.recordings import UnfitError, Wave, read_recording
from textmusic.transcription.spectra import gated, powers, strokes
from textmusic.transcription.traits import CONSONANTS, CYMBALS, Traits, refusal
from textmusic.transcription.voice import line_of

OnStep = Callable[[int, int], None]
SILENT = 1e-3  # peak of what counts as silence: 60 dB below full scale
SURE = 0.8  # mean of the notes, below which the account warns, and `prepare` drops a recording


@dataclass(frozen=True, slots=True)
class Account:
    """How a recording was heard. All times in seconds.

    voice: whether as one voice. sure: mean probability of the notes. dropped: notes that were too
    short or too weak. rhythm: 0 to 1, how well the onsets fall on the beats. tempo: quarter notes a
    minute. known: what the person had said of it. denoised: whether noise was turned down.
    """

    seconds: float
    voice: bool
    notes: int
    sure: float
    dropped: int
    rhythm: float
    tempo: float
    tempi: int
    metre: str
    key: str
    tuning: float
    denoised: bool
    known: tuple[str, ...] = ()

    @property
    def doubts(self) -> tuple[str, ...]:
        """What may be wrong with it, in sentences without a full stop."""
        said = []
        if self.sure < SURE:
            said.append(
                f"the notes are only {self.sure:.0%} certain: noise, drums or many instruments at"
                " once are more than this can tell apart"
            )
        if self.rhythm < 0.5 and "tempo" not in self.known:
            said.append("the notes follow no steady beat, so bars and note values are a guess")
        return tuple(said)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for the report."""
        return asdict(self) | {"known": list(self.known), "doubts": list(self.doubts)}


@dataclass(frozen=True, slots=True)
class Transcription:
    """A recording as a score. name, sha256: of its file. heard: the notes as they were played."""

    score: Score
    account: Account
    heard: NotesHeard
    name: str = ""
    sha256: str = ""


def transcribe(
    source: str | Path | bytes, suffix: str = "", *, denoise: bool = False,
    tempo: float | None = None, metre: str | None = None, on_step: OnStep | None = None,
) -> Transcription:  # fmt: skip
    """The notes of a recording.

    Args:
        source: a file (WAV, FLAC, MP3, Ogg, AIFF; up to ten minutes), or its bytes.
        suffix: of bytes: the file's, such as ".mp3".
        denoise: turn steady noise down before listening.
        tempo: quarter notes a minute, where it is known; 20 to 400.
        metre: such as "3/4", where it is known.
        on_step: is told (windows heard, in all).

    Raises:
        UnfitError: it can't be read, or holds no music that can be told apart.
        TextMusicError: the audio-in extra is missing, or the tempo or metre is none.
    """
    if tempo is not None:
        real("tempo", tempo, 20, 400)
    if metre is not None and metre not in TIME_SIGNATURES:
        raise TextMusicError(
            f"'{metre}' is not a time signature of ours; choose {', '.join(TIME_SIGNATURES)}."
        )
    file = source if isinstance(source, bytes) else Path(source)
    path = None if isinstance(file, bytes) else file
    audio = read_recording(file, suffix or _suffix(path)).audio
    audio = levelled(audio)
    if denoise:
        audio = gated(audio)
    listening = listened(audio, on_step)
    if why := refusal(listening.traits):
        raise why
    heard, voice = listening.notes, listening.traits.voice
    beat = None if tempo is None else _beat(60 / tempo, metre)
    pulse = pulse_of(heard, beat)
    signature, first = bars_of(heard, pulse, metre)
    score, key = score_of(heard, pulse, signature, first)
    account = Account(
        seconds=round(len(audio) / 22050, 2), voice=voice, notes=score.note_num(),
        sure=round(float(heard.sure.mean()), 3), dropped=listening.dropped,
        rhythm=round(pulse.fit, 3), tempo=float(score.tempos[0].qpm), tempi=len(score.tempos),
        metre=signature, key=key, tuning=round(100 * listening.tuning), denoised=denoise,
        known=tuple(n for n, v in (("tempo", tempo), ("metre", metre)) if v is not None),
    )  # fmt: skip
    data = b"" if path is None else path.read_bytes()
    digest = hashlib.sha256(source if isinstance(source, bytes) else data).hexdigest()
    name = "" if path is None else well_formed(path.name)
    return Transcription(score, account, heard, name, digest)


def _suffix(path: Path | None) -> str:
    return "" if path is None else path.suffix.lower()


def _beat(quarter: float, metre: str | None) -> float:
    """Seconds of a beat, from those of a quarter note."""
    beat = quarter * (1.0 if metre is None else quarters_in_beat(metre))
    while 60 / beat > BEATS[1] * 1.5:
        beat *= 2
    return beat


@dataclass(frozen=True, slots=True)
class Listening:
    """What is heard. dropped: notes that were too short or too weak. tuning: in semitones."""

    notes: NotesHeard
    traits: Traits
    dropped: int
    tuning: float


def levelled(audio: Wave) -> Wave:
    """Audio with its peak where listening expects it; raises UnfitError where it is silent."""
    peak = float(np.abs(audio).max())
    if peak < SILENT:
        raise UnfitError("is silent")
    return audio * np.float32(0.7 / peak)


def listened(audio: Wave, on_step: OnStep | None = None) -> Listening:
    """The notes in levelled audio (samples,), and what it may be instead of music."""
    notes, dropped = notes_of(activations(audio, on_step))
    line = line_of(audio)
    power = powers(audio)
    consonants, _ = strokes(power, CONSONANTS)
    bursts, flatness = strokes(power, CYMBALS)
    sure = float(notes.sure.mean()) if len(notes) else 0.0
    traits = Traits(
        len(notes), len(line.notes), sure, line.voiced, line.swaying, line.steady, consonants,
        bursts, flatness,
    )  # fmt: skip
    if traits.voice:
        return Listening(line.notes, traits, dropped, line.tuning)
    return Listening(notes, traits, dropped, 0.0)
