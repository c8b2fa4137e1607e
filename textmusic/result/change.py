"""What was done to a person's file: enough, with the file itself, to do it again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from textmusic.music.midi_events import TEXT, Event, MidiEvents, decoded

MARK = "textmusic recipe: "  # begins the text event that holds a recipe
_SAID = "textmusic "  # begins the one before it, for people


@dataclass(frozen=True, slots=True)
class Change:
    """how: the command, such as "adjust". name, sha256: of the file. options: what was asked."""

    how: str
    name: str
    sha256: str
    options: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(how: str, source: object, options: Any) -> Change | None:
        """The change of a file; None of music that is no file. options: a dataclass, or a dict."""
        if not isinstance(source, MidiEvents) or not source.sha256:
            return None
        if not isinstance(options, dict):
            usual = {f.name: f.default for f in fields(options)}
            options = {k: v for k, v in asdict(options).items() if v != usual[k]}
        return Change(how, source.name, source.sha256, options)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Change:
        """Inverse of `asdict`; raises ValueError or TypeError for what is no change."""
        made = Change(**data)
        texts = (made.how, made.name, made.sha256)
        if not (all(isinstance(text, str) for text in texts) and isinstance(made.options, dict)):
            raise ValueError("not a change")
        return made


def without_recipe(midi: MidiEvents) -> MidiEvents:
    """The piece without the recipe that textmusic wrote into it, which no longer makes it."""
    made = midi.copy()
    for track in made.tracks:
        marks = {at for at, event in enumerate(track.events) if _says(event, MARK)}
        said = {at - 1 for at in marks if at and _says(track.events[at - 1], _SAID)}
        if marks:
            kept = [event for at, event in enumerate(track.events) if at not in marks | said]
            track.events = kept
    return made


def _says(event: Event, beginning: str) -> bool:
    return event.is_meta(TEXT) and decoded(event.message[2:]).startswith(beginning)
