"""Thumbs up and down: what somebody thinks of a piece that they asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from textmusic.errors import TextMusicError
from textmusic.feedback.database import Database, store_piece, transaction, with_report


class Thumbs(Database):
    """Thumbs in a database; a piece has one at most, and a later one replaces it."""

    def add(self, midi: Path, up: bool) -> None:
        """Keep a thumb, and the piece with it: its MIDI file, and the report beside it.

        Raises TextMusicError where the file is gone, or the thumb can't be stored.
        """
        found = with_report(midi)
        if found is None:
            raise TextMusicError("the piece is no longer kept; write it again with its seed.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self.connected() as db, transaction(db):
            db.execute(
                "INSERT INTO thumb (piece, up, at) VALUES (?, ?, ?)"
                " ON CONFLICT (piece) DO UPDATE SET up = excluded.up, at = excluded.at",
                (store_piece(db, *found), int(up), now),
            )
