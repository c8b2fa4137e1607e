"""The bytes of a file -> the piece in it: MIDI by symusic, recordings by ear, else `notation`.

In a process that may die (`crew`): symusic takes it along where a file is broken in the right way.
"""

from __future__ import annotations

from textmusic.corpus.files import MUSIC, RECORDING
from textmusic.music.midi_files import LARGEST_MIDI_FILE, parsed
from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece, UnreadableError
from textmusic.transcription.recordings import UnfitError
from textmusic.transcription.transcribing import SURE, transcribe

TRANSCRIBED = "transcribed from a recording"
RHYTHM = 0.5  # share of a recording's onsets that have to fall on its beats


def read(data: bytes, suffix: str, tune: str = "") -> ParsedPiece:
    """The piece in a file. suffix: ".mid", as `files.MUSIC` has them. tune: which one, of ABC.

    Raises UnreadableError. A broken file may also take the process along, or hang it.
    """
    kind = MUSIC[suffix]
    if kind == RECORDING:
        return _heard(data, suffix)
    if kind != "MIDI":
        return read_notation(data, kind, tune)
    if len(data) > LARGEST_MIDI_FILE:
        size = f"{len(data) / 1e6:.1f} MB, at most {LARGEST_MIDI_FILE / 1e6:.0f}"
        raise UnreadableError(f"is too large ({size})")
    read = parsed(data)
    if isinstance(read, str):
        raise UnreadableError(read)
    score, mended = read
    return ParsedPiece(score, mended=mended)


def _heard(data: bytes, suffix: str) -> ParsedPiece:
    """The piece in a recording, if it is sure enough to be learnt or compared."""
    try:
        made = transcribe(data, suffix)
    except UnfitError as problem:
        raise UnreadableError(str(problem)) from None
    found = made.account
    if found.sure < SURE or found.rhythm < RHYTHM:
        raise UnreadableError(
            f"is too uncertain to be transcribed (notes {found.sure:.0%} certain, at least"
            f" {SURE:.0%}; rhythm {found.rhythm:.0%}, at least {RHYTHM:.0%})"
        )
    return ParsedPiece(made.score, tempo=False, mended={TRANSCRIBED: 1})
