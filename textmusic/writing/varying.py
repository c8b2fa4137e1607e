"""Theme and variations: the harmony and the form of a piece, in music that is otherwise new."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music import usual
from textmusic.music.material import Material, material_of
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.midi_events import MidiEvents, mended_words
from textmusic.music.midi_sounding import to_score
from textmusic.music.outline import as_asked
from textmusic.music.plan import MAX_BARS, Plan
from textmusic.music.sketch import Outline, Sketch
from textmusic.music.theory import NO_KEY, is_minor, key_name, tonic
from textmusic.music.turning import in_metre, turned
from textmusic.result.change import Change
from textmusic.result.generation import Generation
from textmusic.system.values import whole
from textmusic.tokens.sampling import check_seed, drawn
from textmusic.writing.brief import Brief
from textmusic.writing.decoding import decode_rounds
from textmusic.writing.rewriting import MOST_VARIATIONS
from textmusic.writing.sources import events_of
from textmusic.writing.take import Take

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.writing.loaded_model import LoadedModel
    from textmusic.writing.text_to_music import OnBar

COMMON = 0.2  # share of a genre's music from which on it has a metre
HOW = "vary"  # what a recipe calls it
_OF_THEME = ("bars",)  # facts that a variation has from its theme, whatever is said
_MINOR = re.compile(r"\b(?:minor|minore|moll|mineur|menor)\b|小调|小調", re.IGNORECASE)
_MAJOR = re.compile(r"\b(?:major|maggiore|dur|majeur|mayor)\b|大调|大調", re.IGNORECASE)


class Theme:
    """A piece as variations see it. sketch: its harmony and form. plan: as measured."""

    def __init__(self, source: MidiEvents | Score | str | PathLike[str]) -> None:
        """source: as for `TextToMusic.vary`; raises TextMusicError for what is no theme."""
        self.midi = events_of(source)
        self.material: Material = material_of(to_score(self.midi))
        self.plan = self.material.plan
        bars, metre = self.material.bars, self.metre
        if bars > MAX_BARS:
            raise TextMusicError(f"the piece has {bars} bars; give a theme of at most {MAX_BARS}.")
        self.sketch = measure_sketch(self.material.tail(bars), metre, bars, self.plan.key)

    @property
    def metre(self) -> str:
        """The time signature of the theme."""
        return self.plan.time_signature or "4/4"

    @property
    def key(self) -> str:
        """The key, "none" of drums alone."""
        return self.plan.key or NO_KEY

    @property
    def programs(self) -> tuple[int, ...]:
        """What plays in the theme."""
        return tuple(sorted({int(p) for p in self.material.tail(self.material.bars).program}))

    def in_mode(self, minor: bool) -> str | None:
        """The key on the same tonic; None without one."""
        return None if self.key == NO_KEY else key_name(tonic(self.key), minor)


@dataclass(frozen=True, slots=True)
class Variation:
    """What a variation is. name: as its report says it. controls: facts that it has."""

    name: str
    controls: Plan = Plan()


def usual_variations(theme: Theme) -> list[Variation]:
    """Variations for a theme of which nothing is said, in the order in which they are written."""
    plan, metre = theme.plan, theme.metre
    fuller = (plan.density or 3) <= 3
    density = 5 if fuller else 2
    triple = metre.split("/")[0] in ("3", "6", "9", "12")
    other = (
        Plan(genre="march", time_signature="4/4")
        if triple
        else Plan(genre="waltz", time_signature="3/4")
    )
    found = [
        Variation(
            "another texture: livelier figures" if fuller else "another texture: fewer notes",
            Plan(density=density, programs=theme.programs),
        ),
        Variation(f"another metre: a {other.genre} in {other.time_signature}", other),
    ]
    if key := theme.in_mode(not is_minor(theme.key)):
        found.append(Variation(f"the other mode: {key}", Plan(key=key, programs=theme.programs)))
    styles = [
        ("jazz", "another style: jazz"), ("string-quartet", "other instruments: string quartet"),
        ("bossa-nova", "another style: bossa nova"), ("chorale", "another texture: a chorale"),
        ("ragtime", "another style: ragtime"), ("rock", "another style: rock"),
    ]  # fmt: skip
    return [*found, *(Variation(name, Plan(genre=genre)) for genre, name in styles)]


class Varying:
    """A theme and what is asked of its variations."""

    def __init__(
        self, music: LoadedModel, brief: Brief, theme: Theme, n: int = 1, number: int | None = None
    ) -> None:
        """n: how many, 1 to 16, with the seeds seed, seed + 1, ... number: of the only one of the
        usual variations that is written, from 0.

        Raises TextMusicError for what `LoadedModel.understand` refuses.
        """
        whole("variations", n, 1, MOST_VARIATIONS)
        self._music, self.theme, self._sampling = music, theme, brief.sampling
        seed = drawn(n) if brief.seed is None else check_seed(brief.seed, n)
        self._seeds = range(seed, seed + n)
        nothing_said = not brief.text.strip() and not list(brief.controls.known())
        self._each: list[tuple[Prompt, str, int | None]] = []
        for at in range(n):
            one, name = brief, ""
            which = number if number is not None else at if nothing_said else None
            if which is not None:
                known = usual_variations(theme)
                chosen = known[which % len(known)]
                name = chosen.name
                one = replace(brief, controls=brief.controls.over(chosen.controls))
            self._each.append((self._read(one), name, which))
        # what a recipe of all of them says
        self.options: dict[str, Any] = {} if number is None else {"number": number}
        by_number = self._each[0][2] is not None
        self.asked: Plan = brief.controls if by_number else self._each[0][0].asked

    def _read(self, brief: Brief) -> Prompt:
        """What is asked of a variation; what it has from its theme is said where it was asked."""
        theme, controls, text = self.theme, brief.controls, brief.text
        minor = bool(_MINOR.search(text))
        if (
            controls.key is None
            and minor != bool(_MAJOR.search(text))
            and self._music.understand(text).asked.key is None
        ):
            controls = replace(controls, key=theme.in_mode(minor))
        prompt = self._music.understand(
            text, controls=controls, room=(theme.material.bars, theme.metre)
        )
        unused = [
            *filter(None, map(_without_mode, prompt.unused)),
            *(f"'{value}': a variation has its theme's {name}"
              for name, value in prompt.asked.known()
              if name in _OF_THEME and value != theme.material.bars),
        ]  # fmt: skip
        if prompt.seconds is not None:
            unused.append(f"'{prompt.seconds:g} seconds': a variation has its theme's bars")
        if prompt.outline.known:
            unused.append("chords or form: a variation has its theme's")
        return replace(
            prompt, asked=replace(prompt.asked, bars=None), seconds=None, outline=Outline(),
            unused=tuple(unused),
        )  # fmt: skip

    @property
    def length(self) -> int:
        """How many bars a variation has."""
        return self.theme.material.bars

    @property
    def bars(self) -> int:
        """How many bars are written, all variations together."""
        return self.length * len(self._each)

    def write(self, on_bar: OnBar | None = None) -> list[Generation]:
        """The variations, written side by side."""
        return decode_rounds(self._music.engine, self.writing(), self.bars, on_bar)

    def writing(self) -> Generator[list[Take], None, list[Generation]]:
        """`write` for whoever decodes by themselves: the takes that it yields are to be written."""
        takes = [
            self._take(prompt, seed)
            for (prompt, _, _), seed in zip(self._each, self._seeds, strict=True)
        ]
        yield takes
        return [self._generation(take, *each) for take, each in zip(takes, self._each, strict=True)]

    def _take(self, prompt: Prompt, seed: int) -> Take:
        """A variation to be written: the theme's sketch, in its own key and metre."""
        theme, asked = self.theme, prompt.asked
        key, metre = asked.key or theme.key, asked.time_signature or self._metre(asked.genre)
        sketch = in_metre(theme.sketch, theme.metre, metre)
        if NO_KEY not in (key, theme.key):
            sketch = turned(sketch, theme.key, key)
        own_style = asked.genre is not None
        plan = replace(
            asked, key=key, time_signature=metre, bars=theme.material.bars, begin=True, end=True,
            tempo=asked.tempo if own_style else asked.tempo or theme.plan.tempo,
            programs=asked.programs if own_style else asked.programs or theme.programs,
        )  # fmt: skip
        rows = [as_asked(row, sketch) for row in sketch.rows]
        prompt = replace(prompt, asked=plan)
        return self._music.take(prompt, seed, self._sampling, asked_rows=rows)

    def _metre(self, genre: str | None) -> str:
        """The theme's, or, of a genre that hardly has it, the genre's own: no jazz in 6/8."""
        shares = usual.of(genre).metres
        metre = self.theme.metre
        if genre is None or shares.get(metre, 0.0) >= COMMON:
            return metre
        return next(iter(shares), metre)

    def _generation(self, take: Take, prompt: Prompt, name: str, which: int | None) -> Generation:
        made = self._music.finished(take)
        remarks = [*mended_words(self.theme.midi.mended), *self.theme.material.remarks]
        if name:
            remarks.insert(0, f"variation {(which or 0) + 1}, {name}")
        if before := self.theme.material.before:
            remarks.append(f"the theme begins in bar {before + 1}, with the last time signature")
        options: dict[str, Any] = {} if which is None else {"number": which}
        report = replace(
            made.report, asked=prompt.asked, remarks=tuple(remarks), unused=prompt.unused,
            change=Change.of(HOW, self.theme.midi, options) if take.done else None,
        )  # fmt: skip
        return replace(made, prompt=prompt, report=report)


def _without_mode(note: str) -> str:
    """What is said to be of no use, without the mode, which is of use here; "" for nothing left."""
    words, colon, why = note.partition(": ")
    if not why.startswith(("not understood", "name the tonic")):
        return note
    left = [w for w in words.split(", ") if not (_MINOR.search(w) or _MAJOR.search(w))]
    return f"{', '.join(left)}{colon}{why}" if left else ""


def heard_as(piece: Generation, theme: Theme) -> Sketch:
    """The theme's sketch in a variation's key and metre: what should be heard of it."""
    metre = piece.plan.time_signature or "4/4"
    sketch = in_metre(theme.sketch, theme.metre, metre)
    key = piece.plan.key or NO_KEY
    return sketch if NO_KEY in (key, theme.key) else turned(sketch, theme.key, key)
