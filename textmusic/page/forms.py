"""What stands in the page's boxes -> values; who asks, in which language; problems, told."""

from __future__ import annotations

import random
from collections.abc import Mapping
from html import escape
from typing import Any

import gradio as gr

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES
from textmusic.music.theory import KEYS
from textmusic.page.service import Wish
from textmusic.page.wording import language_of
from textmusic.tokens.sampling import MAX_SEED, Sampling

# The boxes that make a wish, in the order in which the handlers take them.
WISH = (
    "text", "key", "tempo", "time_signature", "instruments", "bars", "seconds", "valence",
    "arousal", "genre", "density", "chords", "form", "seed", "temperature", "top_p",
    "harmony_strength", "form_strength", "model",
)  # fmt: skip


class Told:
    """Problems as a message on the page. It is shown as HTML, and it may quote the text.

    A warning, since an error's mark would stay upon the page.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> bool:
        if not isinstance(problem, TextMusicError):
            return False
        gr.Warning(escape(str(problem), quote=False))
        return True


def wish_of(value: Mapping[str, Any]) -> Wish:
    """What the boxes of `WISH` say; raises TextMusicError for what is no number."""
    mood = None
    if value["valence"] or value["arousal"]:  # a slider at 0 leaves its half open
        mood = ",".join(f"{value[side]:.0f}" if value[side] else "open"
                        for side in ("valence", "arousal"))  # fmt: skip
    controls = Controls(
        value["key"] or None,
        stripped(value["tempo"]),
        value["time_signature"] or None,
        value["instruments"] or (),
        whole("bars", value["bars"]),
        number("seconds", value["seconds"]),
        mood,
        value["genre"] or None,
        value["density"] or None,
        stripped(value["chords"]),
        stripped(value["form"]),
    )
    sampling = Sampling(
        value["temperature"], value["top_p"], value["harmony_strength"], value["form_strength"]
    )
    text, seed = well_formed(value["text"] or ""), whole("seed", value["seed"])
    return Wish(text, controls, seed, sampling, value["model"])


def stripped(said: str | None) -> str | None:
    """The text in a box; None if it was left empty."""
    return (said or "").strip() or None


def number(name: str, said: str | None) -> float | None:
    """The number in a text box; None if it was left empty."""
    if (text := stripped(said)) is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise TextMusicError(
            f"{name} '{text[:40]}' is not a number; give one, or leave the field empty."
        ) from None


def whole(name: str, said: str | None) -> int | None:
    """The whole number in a text box; None if it was left empty."""
    if (text := stripped(said)) is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise TextMusicError(
            f"{name} '{text[:40]}' is not a whole number; give one, or leave the field empty."
        ) from None


def new_seed() -> str:
    """A seed by chance."""
    return str(random.randrange(1, MAX_SEED))


def surprise() -> str:
    """A description by chance."""
    words = [w["text"] for w in load_data("words.jsonl") if w["kind"] == "mood"]
    instruments = [e["name"] for e in load_data("instruments.json")["program"].values()]
    mood, genre, key = random.choice(words), random.choice(GENRES), random.choice(KEYS)
    return f"{mood} {genre} for {random.choice(instruments[:80])} in {key}"


def language_for(request: gr.Request) -> str:
    """The language of who asks."""
    return language_of(request.headers.get("accept-language", ""))


def visitor_of(request: gr.Request | None) -> str:
    """Who asks: a browser's session, or an address."""
    if request is None:
        return "program"
    return str(request.session_hash or (request.client and request.client.host) or "program")
