"""What stands in the page's boxes -> values; who asks, in which language; problems, told."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from html import escape
from ipaddress import ip_address, ip_network
from typing import Any

import gradio as gr

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.language.names import genre_name, instrument_name, key_text
from textmusic.language.prompt import MAX_CHARACTERS, check_length, read_prompt
from textmusic.language.sentences import error_text
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES
from textmusic.music.theory import DRUMS, KEYS
from textmusic.music.usual import THIN
from textmusic.music.usual import of as usual
from textmusic.page.service import Visitor, Wish
from textmusic.page.wording import language_of, say
from textmusic.system import values
from textmusic.tokens.sampling import MAX_SEED, Sampling

# The boxes that make a wish, in the order in which the handlers take them.
WISH = (
    "text", "key", "tempo", "time_signature", "instruments", "bars", "seconds", "valence",
    "arousal", "genre", "density", "chords", "form", "seed", "temperature", "top_p",
    "harmony_strength", "form_strength", "melody_strength", "model", "performance",
)  # fmt: skip


MOST_SURPRISING = 5  # instruments


class Told:
    """Problems as a message on the page. It is shown as HTML, and it may quote the text.

    A warning, since an error's mark would stay upon the page.
    """

    def __init__(self, request: gr.Request) -> None:
        self._language = language_for(request)
        self.told = False

    def __enter__(self) -> Told:
        return self

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> bool:
        if not isinstance(problem, TextMusicError):
            return False
        said = escape(error_text(str(problem), self._language), quote=False)
        gr.Warning(said)
        self.told = True
        return True


def wish_of(value: Mapping[str, Any]) -> Wish:
    """What the boxes of `WISH` say; raises TextMusicError for what is no number.

    Browsers send what the boxes hold, and programs what they like.
    """
    levels = {side: count(side, value[side], 0, 5) for side in ("valence", "arousal")}
    mood = None
    if any(levels.values()):  # a slider at 0 leaves its half open
        mood = ",".join(str(level or "open") for level in levels.values())
    controls = Controls(
        value["key"] or None,
        stripped("tempo", value["tempo"]),
        value["time_signature"] or None,
        value["instruments"] or (),
        whole("bars", value["bars"]),
        number("seconds", value["seconds"]),
        mood,
        value["genre"] or None,
        value["density"] or None,
        stripped("chords", value["chords"]),
        stripped("form", value["form"]),
    )
    sampling = Sampling(
        value["temperature"],
        value["top_p"],
        value["harmony_strength"],
        value["form_strength"],
        value["melody_strength"],
    )
    text = well_formed(check_length(value["text"] or ""))
    performance = values.real("performance", value["performance"], 0, 1)
    return Wish(
        text, controls, whole("seed", value["seed"]), sampling, value["model"] or "", performance
    )


def stripped(name: str, said: object) -> str | None:
    """The text in a box; None if it was left empty."""
    return values.text(name, said or "", MAX_CHARACTERS).strip() or None


def count(name: str, said: object, low: int, high: int) -> int:
    """The whole number of a slider, which sends 8.0 for 8, and nothing for its first place."""
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    return values.whole(name, said or 0, low, high)


def number(name: str, said: object) -> float | None:
    """The number in a text box; None if it was left empty."""
    if (text := stripped(name, said)) is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise TextMusicError(
            f"{name} '{text[:40]}' is not a number; give one, or leave the field empty."
        ) from None


def whole(name: str, said: object) -> int | None:
    """The whole number in a text box; None if it was left empty."""
    if (text := stripped(name, said)) is None:
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


def surprise(request: gr.Request) -> str:
    """A description by chance: players and tempo are usual in its genre."""
    language = language_for(request)
    genre = random.choice(_genres(language))
    of_genre = usual(genre)
    sets = [
        programs for programs in of_genre.programs
        if len(programs) <= MOST_SURPRISING and {*programs} != {DRUMS}
    ]  # fmt: skip
    programs = random.choices(sets, [of_genre.programs[one] for one in sets])[0]
    low, high = of_genre.tempi
    moods = [w["text"] for w in load_data("words.jsonl") if w["kind"] == "mood"]
    if language == "zh":
        moods = list(load_data("moods_zh.json"))
    players = say("comma", language).join(instrument_name(one, language) for one in programs)
    return say("surprising", language).format(
        mood=random.choice(moods), genre=genre_name(genre, language), players=players,
        key=key_text(random.choice(KEYS), language), tempo=round(random.uniform(low, high)),
    )  # fmt: skip


@cache
def _genres(language: str) -> list[str]:
    """Genres that are well known, and whose names are read as what they are."""
    return [
        genre for genre in GENRES
        if usual(genre).pieces >= THIN
        and read_prompt(genre_name(genre, language)).asked.genre == genre
    ]  # fmt: skip


def language_for(request: gr.Request) -> str:
    """The language of who asks."""
    return language_of(request.headers.get("accept-language", ""))


def visitor_of(request: gr.Request | None) -> Visitor:
    """Who asks: a browser's session, and the address that it comes from."""
    if request is None:
        return Visitor("program")
    address = network_of(request.client.host) if request.client else ""
    return Visitor(str(request.session_hash or address or "program"), address)


def network_of(host: str) -> str:
    """What limits take for one client: an IPv4 address, or the 64 bits that IPv6 gives a house."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ip_network((int(address), 64), strict=False))
    return str(address.ipv4_mapped or address) if address.version == 6 else host
