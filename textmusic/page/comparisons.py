"""The endpoints that compare with what exists: similar and originality."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gradio.data_classes import FileData

from textmusic.errors import TextMusicError
from textmusic.language.prompt import check_length
from textmusic.library import answers
from textmusic.page.calls import told, uploaded
from textmusic.system.values import whole

LIBRARY = "TEXTMUSIC_LIBRARY"  # names the folder that /similar looks in


class Comparisons:
    """Named endpoints; docstrings are their help."""

    def similar(
        self, text: str = "", midi: FileData | None = None, top: int = 10
    ) -> list[dict[str, Any]]:
        """Find pieces of the page's library that are like a piece, or that fit a description.

        Args:
            text: the description; not used where there is a file.
            midi: a MIDI file, up to 2 MB.
            top: how many, 1 to 100.

        Returns:
            by piece, the nearest first: piece (its name), title, score, why (sentences).
        """
        with told():
            folder = os.environ.get(LIBRARY)
            if not folder:
                raise TextMusicError(
                    f"this page has no library; set {LIBRARY} to a folder of music to serve one."
                )
            asked = check_length(text or "") if midi is None else uploaded(midi)
            return answers.similar(asked, Path(folder), whole("top", top, 1, 100))

    def originality(self, midi: FileData, other: FileData) -> dict[str, Any]:
        """Show the longest runs of notes that two pieces share, in any key, at any speed.

        Args:
            midi: a MIDI file, up to 2 MB.
            other: the one to compare it with.

        Returns:
            melody and rhythm, null without one: notes, bars, other_bars, usual (the share of
            unrelated pairs of real pieces that share as much); of the melody also semitones,
            times_as_long, side_by_side.
        """
        with told():
            return answers.shared(uploaded(midi), uploaded(other))
