"""A recording -> the piece that is heard in it, with its report; or its events, to go on from."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.measure import measure
from textmusic.music.midi_events import MidiEvents, parse
from textmusic.music.plan import Plan
from textmusic.result.account import account
from textmusic.result.generation import Generation, named
from textmusic.result.report import ADJUSTED
from textmusic.system.progress import OnStep, progress_bar
from textmusic.transcription.recordings import UnfitError
from textmusic.transcription.transcribing import Account, Transcription, transcribe

HEARD = "notes transcribed from a recording"


def transcription_of(
    path: str | PathLike[str], *, denoise: bool = False, tempo: float | None = None,
    metre: str | None = None, on_step: OnStep | None = None,
) -> Transcription:  # fmt: skip
    """What is heard in a recording's file; see `transcribing.transcribe`.

    Raises TextMusicError where nothing can be.
    """
    path = Path(path)
    try:
        return transcribe(path, denoise=denoise, tempo=tempo, metre=metre, on_step=on_step)
    except UnfitError as problem:
        raise TextMusicError(problem.of(path.name)) from None


def events_heard(path: Path) -> MidiEvents:
    """A recording as the events of a MIDI file, under the recording's own name and SHA-256."""
    with progress_bar("listening", "windows") as step:
        made = transcription_of(path, on_step=step)
    midi = parse(bytes(made.score.dumps_midi()))
    midi.name, midi.sha256 = made.name, made.sha256
    midi.mended[HEARD] = made.account.notes
    return midi


def piece_heard(made: Transcription) -> Generation:
    """The piece in a recording, with what is measured in it and how sure that is."""
    score = named(made.score)
    plan = measure(score)
    return account(
        Prompt("", Plan(), None, "", ()), replace(plan, begin=True, end=True), score, 0, ADJUSTED,
        ids=0, nats=0.0, measured=plan, remarks=remarks_on(made.account, made.name),
    )  # fmt: skip


def remarks_on(found: Account, name: str) -> tuple[str, ...]:
    """How a recording was heard, a sentence each."""
    how = "as one voice" if found.voice else "as an instrument, or several"
    heard = (
        f"'{name}' ({found.seconds:.1f} s) was heard {how}: {found.notes:,} notes,"
        f" {found.sure:.0%} certain; {found.dropped:,} more were too short or too weak"
    )
    beats = f"{found.rhythm:.0%} of the rhythm falls on the beats"
    if found.tempi > 1:
        beats += f"; the tempo changes, and has {found.tempi:,} marks"
    if found.tuning:
        beats += f"; it is {found.tuning:+d} cents off concert pitch"
    return (heard, beats, *found.doubts)
