"""GanWriter: words -> plan -> score, through a GAN's patches. Its ways in are TextToMusic's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textmusic.engines.protocol import Floats32
from textmusic.errors import TextMusicError
from textmusic.language.controls import check_request
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.models.gan import Gan, load_gan
from textmusic.models.gan_patches import (
    binarised,
    completed,
    condition,
    joined,
    notes_of_roll,
    summary,
    total_patches,
)
from textmusic.music.notes import to_score
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.music.theory import DRUMS, KEYS, NO_KEY
from textmusic.result.account import account
from textmusic.result.generation import Generation, finish
from textmusic.tokens.plan_grammar import OPEN_BARS, bars_for

if TYPE_CHECKING:
    from symusic import Score

# The facts by which plans are compared with what was asked.
LIKENESS = ("genre", "valence", "arousal", "time_signature", "density")


class GanWriter:
    """A trained GAN, ready to write music.

    >>> GanWriter.from_folder(Path("runs/gan/best")).generate(plan, seed=1)
    """

    def __init__(self, gan: Gan, plans: Sequence[Plan], name: str) -> None:
        """plans: complete ones of real music, from which open fields are drawn."""
        self.gan, self.plans, self.name = gan.eval(), tuple(plans), name

    @classmethod
    def from_folder(cls, folder: Path) -> GanWriter:
        """Raises TextMusicError where the folder is not whole."""
        return cls(*load_gan(folder), folder.resolve().name)

    def understand(
        self,
        text: str,
        *,
        controls: Plan = Plan(),
        seconds: float | None = None,
        outline: Outline = Outline(),
    ) -> Prompt:
        """The facts that a text and these controls fix, and what could not be used.

        Raises TextMusicError for controls that no plan can have.
        """
        check_request(controls, seconds)
        return read_prompt(text, controls=controls, seconds=seconds, outline=outline)

    def plan(self, text: str, *, seed: int) -> Plan:
        """The plan alone that a piece with this text and seed follows."""
        return plan_of(self.understand(text), self.plans, np.random.default_rng(seed))

    def generate(self, plan: Plan, seed: int) -> Score:
        """Write one piece, patch after patch; the same plan and seed give the same score.

        plan: programs, tempo, time signature and bars known. The score has exactly these.
        """
        assert plan.tempo is not None and plan.time_signature is not None
        rng = np.random.default_rng(seed)
        written: list[Floats32] = []
        previous = None
        for index in range(total_patches(plan)):
            noise = rng.standard_normal(self.gan.shape["noise"])
            written.append(self.gan.write(noise, condition(plan, index, previous)))
            previous = summary(binarised(written[-1][None]))[0]
        logits = np.stack(written)
        roll = completed(joined(binarised(logits), plan), joined(logits, plan), plan)
        notes = notes_of_roll(roll, plan)
        return finish(to_score(notes, plan.time_signature, plan.tempo), plan)

    def complete(
        self,
        prompts: Iterable[tuple[Prompt, int]],
        *,
        sampling: Any = None,
        slots: int = 1,
        on_bar: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[int, Generation]]:
        """Write many pieces: `TextToMusic.complete`'s signature, so that `batch.write` can use it.

        sampling and slots have no meaning here; on_bar is called once a piece.
        """
        for place, (prompt, seed) in enumerate(prompts):
            plan = plan_of(prompt, self.plans, np.random.default_rng(seed))
            assert plan.bars is not None
            score = self.generate(plan, seed)
            if on_bar:
                on_bar(plan.bars, plan.bars)
            # a GAN writes no ids and knows no likelihood
            yield place, account(prompt, plan, score, seed, self.name, ids=0, nats=0.0)


def plan_of(prompt: Prompt, plans: Sequence[Plan], rng: np.random.Generator) -> Plan:
    """A complete plan: what is asked, and for the rest a real plan that is most like it.

    Whole plans are drawn, not values of single fields, so that what is left open goes together:
    drums with rock, and four strings with a quartet. Levels stay near where a mood word wants that.
    Raises TextMusicError where all instruments are unwanted.
    """
    asked, near = prompt.asked, prompt.near
    drawn = _most_like(prompt, plans, rng)
    plan = replace(asked.over(drawn), begin=True, end=True)
    if asked.programs is None:
        plan = replace(plan, programs=_wanted(drawn.programs or (), set(prompt.without)))
    plan = replace(
        plan,
        valence=_clamped(plan.valence, near.valence),
        arousal=_clamped(plan.arousal, near.arousal),
    )
    if plan.programs == (DRUMS,):
        plan = replace(plan, key=NO_KEY)
    elif plan.key in (None, NO_KEY):
        keys = [p.key for p in plans if p.key not in (None, NO_KEY)] or list(KEYS)
        plan = replace(plan, key=keys[int(rng.integers(len(keys)))])
    if asked.bars is None:
        assert drawn.bars is not None
        bars = min(max(drawn.bars, OPEN_BARS[0]), OPEN_BARS[1])
        bars = bars if prompt.seconds is None else bars_for(plan, prompt.seconds)
        plan = replace(plan, bars=bars)
    return plan


def _most_like(prompt: Prompt, plans: Sequence[Plan], rng: np.random.Generator) -> Plan:
    """One of the plans that agree most with what is asked, if possible with nothing unwanted in it.

    Key, tempo, bars and instruments go with any other fact, and are not compared.
    """
    asked, unwanted = prompt.asked, set(prompt.without)
    wanted = {name: v for name, v in asked.over(prompt.near).known() if name in LIKENESS}
    if asked.key not in (None, NO_KEY) and asked.programs is None:
        plans = [plan for plan in plans if plan.key != NO_KEY] or plans  # drums have no key
    alike = np.array([
        2 * sum(getattr(plan, name) == value for name, value in wanted.items())
        - bool(unwanted & set(plan.programs or ()))
        for plan in plans
    ])  # fmt: skip
    return plans[int(rng.choice(np.flatnonzero(alike == alike.max())))]


def _wanted(programs: Sequence[int], unwanted: set[int]) -> tuple[int, ...]:
    """The programs without the unwanted ones; any other one if none is left."""
    left = [p for p in (*programs, *range(DRUMS + 1)) if p not in unwanted]
    if not left:
        raise TextMusicError("the prompt excludes all instruments; allow at least one.")
    return tuple(p for p in programs if p in left) or (left[0],)


def _clamped(level: int | None, middle: int | None) -> int | None:
    """The level, moved to within one of the middle where there is one."""
    if level is None or middle is None:
        return level
    return min(max(level, middle - 1), middle + 1)
