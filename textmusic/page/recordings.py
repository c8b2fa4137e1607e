"""The endpoint that takes a recording: transcribe."""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData

from textmusic.page.calls import files_of, told, uploaded
from textmusic.page.service import Service
from textmusic.system.values import LONGEST_SHOWN, real, text, truth
from textmusic.writing.hearing import piece_heard, transcription_of


class Recordings:
    """Named endpoints of a service; docstrings are their help."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def transcribe(
        self, recording: FileData, denoise: bool = False, tempo: float = 0, time_signature: str = ""
    ) -> dict[str, Any]:
        """Write down what is heard in a recording: one voice, or one instrument, or a few.

        Args:
            recording: a WAV, FLAC, MP3, Ogg or AIFF file of up to ten minutes, without drums.
            denoise: turn steady noise down before listening.
            tempo: quarter notes per minute, where it is known; 0 finds it.
            time_signature: for example "3/4", where it is known; "" finds it.

        Returns:
            as /generate, and heard (how sure it is, what was dropped, doubts).
        """
        with told():
            path = uploaded(recording)
            made = transcription_of(
                path,
                denoise=truth("denoise", denoise),
                tempo=real("tempo", tempo, 0, 400) or None,
                metre=text("time_signature", time_signature, LONGEST_SHOWN) or None,
            )
            piece = self._service.keep(piece_heard(made), path.stem)
            return files_of(piece) | {"heard": made.account.to_dict()}
