"""The melody that is to be harmonised: of any file of music, with the chords it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textmusic.corpus.files import MUSIC, RECORDING
from textmusic.errors import TextMusicError
from textmusic.music.harmony import labelled
from textmusic.music.material import Material, material_of
from textmusic.music.measure import estimate_key
from textmusic.music.midi_events import MidiEvents
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Notes
from textmusic.music.plan import MAX_BARS
from textmusic.music.sketch import BeatChord
from textmusic.music.theory import DRUMS
from textmusic.notation.packed import LARGEST_MUSIC_FILE
from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import UnreadableError
from textmusic.transcription.recordings import is_recording
from textmusic.writing.sources import as_score, read_piece

if TYPE_CHECKING:
    from symusic import Score

TICKS_PER_QUARTER = 480  # of a score that was read from notation
ALONE = 0.05  # share of the notes of a melody that may sound beside another one


@dataclass(frozen=True, slots=True)
class Tune:
    """A piece whose melody is harmonised.

    score: all of it. material: its last stretch of one time signature, in its key. notes: pitched
    ones of that stretch, in quarter notes from its first bar. own: the chords that the file names,
    a row for each bar of the stretch; () for none. title: as the file says. events: of a MIDI file.
    """

    score: Score
    material: Material
    notes: Notes
    own: tuple[tuple[BeatChord, ...], ...] = ()
    title: str = ""
    events: MidiEvents | None = None
    remarks: tuple[str, ...] = ()

    @property
    def metre(self) -> str:
        """Of the stretch."""
        return self.material.plan.time_signature or "4/4"

    @property
    def key(self) -> str | None:
        """As stated, else as heard."""
        return self.material.plan.key

    @property
    def bars(self) -> int:
        """Of the stretch."""
        return self.material.bars

    @property
    def single(self) -> bool:
        """Whether hardly ever two notes sound at once."""
        until = np.maximum.accumulate(self.notes.end)
        return float(np.mean(self.notes.start[1:] < until[:-1] - 0.05)) <= ALONE if len(
            self.notes
        ) > 1 else True  # fmt: skip


def read_tune(source: MidiEvents | Score | str | PathLike[str]) -> Tune:
    """A piece to be harmonised: a file, what `read_events` gives, or a symusic.Score.

    Raises TextMusicError for files that can't be read, for what has no pitched note, and for over
    256 bars.
    """
    key, title, events = None, "", None
    labels: list[tuple[float, str]] = []
    if isinstance(source, str | PathLike):
        path = Path(source)
        kind = MUSIC.get(path.suffix.lower()) or (RECORDING if is_recording(path) else None)
        if kind is None:
            raise TextMusicError(
                f"'{path.name}' is not a music file that can be read; give {_kinds()}."
            )
        if kind in ("MIDI", RECORDING):
            source = read_piece(path)
        else:
            score, key, title, labels = _written(path, kind)
            return _tune(score, key, title, labels, None)
    if isinstance(source, MidiEvents):
        events, source = source, to_score(source)
    return _tune(as_score(source), key, title, labels, events)


def _tune(
    score: Score, key: str | None, title: str, labels: Sequence[tuple[float, str]],
    events: MidiEvents | None,
) -> Tune:  # fmt: skip
    if not sum(len(track.notes) for track in score.tracks if not track.is_drum):
        kind = "drums alone" if score.note_num() else "no notes"
        raise TextMusicError(f"the file has {kind}, so there is no melody; choose another file.")
    material = material_of(score)
    notes = material.tail(material.bars)
    notes = notes.chosen(notes.program != DRUMS)
    if not len(notes):
        raise TextMusicError(
            f"the file has drums alone after its change to {material.plan.time_signature}; choose"
            " another file."
        )
    bars = material.before + material.bars
    if bars > MAX_BARS:
        raise TextMusicError(
            f"the melody has {bars} bars; choose a file with at most {MAX_BARS} bars."
        )
    heard = key or estimate_key(notes)
    material = replace(material, plan=replace(material.plan, key=heard))
    metre = material.plan.time_signature or "4/4"
    own: tuple[tuple[BeatChord, ...], ...] = ()
    if any(not symbol.upper().startswith("N") for _, symbol in labels):
        own = tuple(labelled(labels, metre, material.bars, material.begin))
    remarks = []
    if material.before:
        remarks.append(
            f"bars 1 to {material.before}, before the last change of time signature, stay as they"
            " are"
        )
    return Tune(score, material, notes, own, title, events, tuple(remarks))


def _written(path: Path, kind: str) -> tuple[Score, str | None, str, list[tuple[float, str]]]:
    """Score, key, title and chords of a notation file."""
    try:
        if path.stat().st_size > LARGEST_MUSIC_FILE:
            raise UnreadableError(f"is larger than {LARGEST_MUSIC_FILE / 1e6:.0f} MB")
        piece = read_notation(path.read_bytes(), kind)
    except OSError as problem:
        raise TextMusicError(
            f"'{path.name}' can't be read ({problem.strerror}); give a file of music."
        ) from None
    except UnreadableError as problem:
        raise TextMusicError(f"'{path.name}' {problem}; choose another file.") from None
    score = piece.score.resample(TICKS_PER_QUARTER, min_dur=1)
    return score, piece.key, piece.title, list(piece.chords)


def _kinds() -> str:
    return "MIDI (.mid), MusicXML (.musicxml, .mxl), ABC (.abc), kern (.krn) or a recording (.wav)"
