"""New bars behind those of a piece that is there already, or in place of all but its first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symusic import Score

from textmusic.errors import TextMusicError
from textmusic.language.prompt import Prompt
from textmusic.music.material import material_of
from textmusic.music.measure_sketch import measure_sketch
from textmusic.music.notes import joined, notes_of, score_of, to_score
from textmusic.music.plan import MAX_BARS, Plan
from textmusic.music.sketch import Sketch
from textmusic.music.theory import DEFAULT_TEMPO
from textmusic.result.generation import Generation, account, finish
from textmusic.system.values import whole
from textmusic.tokens.sampling import drawn
from textmusic.writing.brief import Brief
from textmusic.writing.take import Take
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from textmusic.writing.loaded_model import LoadedModel

LOOK_BACK = 32  # bars at most


class Continuation:
    """A piece, and the take that goes on from it: `take` is written, then both are put together."""

    def __init__(
        self,
        music: LoadedModel,
        score: Score,
        bars: int,
        brief: Brief,
        *,
        keep: int | None = None,
    ) -> None:
        """What is measured in the last bars is kept to; what the brief says wins over it.

        bars: how many new ones, 1 to 255. keep: of the score's own only the first so many; the
        rest is written anew, and `bars` more, 0 or above. What is looked back on are as many bars
        as fill a third of the context, up to 32. Raises TextMusicError for bars out of range, for a
        score without notes, and where not even one bar of it can be read.
        """
        material = material_of(score)
        if keep is not None:
            whole("keep", keep, 1, material.bars)
            bars = whole("bars", bars, 0, MAX_BARS - 1) + material.bars - keep
            material = material.cut(keep)
            if not bars:
                raise TextMusicError("--keep covers the whole piece; keep fewer bars.")
        whole("bars", bars, 1, MAX_BARS - 1)  # one at least is looked back on
        self.bars = bars
        self._music, self._material = music, material
        brief = replace(brief, controls=replace(brief.controls, bars=bars))
        metre = material.plan.time_signature or "4/4"
        self._prompt = prompt = brief.read(music, bars, metre)
        if prompt.asked.time_signature not in (None, material.plan.time_signature):
            raise TextMusicError(
                f"the piece is in {material.plan.time_signature}; it can't continue in"
                f" {prompt.asked.time_signature}; leave the time signature open."
            )
        given = self._given(prompt, bars)
        self._looked_back = len(given.rows)
        asked = self._facts(prompt, self._looked_back + bars)
        self.take: Take = music.take(
            replace(prompt, asked=asked, seconds=None),
            drawn(1) if brief.seed is None else brief.seed,
            brief.sampling,
            given=given,
        )

    def _facts(self, prompt: Prompt, bars: int) -> Plan:
        """The plan of what is looked back on and what is written, together."""
        material = self._material
        heard = {int(p) for p in material.tail(self._looked_back).program}
        programs = tuple(sorted(heard | set(prompt.asked.programs or ())))
        near = prompt.near
        measured = replace(
            material.plan,
            valence=material.plan.valence if near.valence is None else None,
            arousal=material.plan.arousal if near.arousal is None else None,
            begin=material.begin == 0 and self._looked_back == material.bars,
            end=True,
        )
        return replace(
            prompt.asked.over(measured), programs=programs, bars=bars, tempo=material.plan.tempo,
            time_signature=material.plan.time_signature,
        )  # fmt: skip

    def _given(self, prompt: Prompt, bars: int) -> Given:
        """As many of the last bars as fit a third of the context, with their sketch."""
        tokenizer, material = self._music.tokenizer, self._material
        context = self._music.engine.context
        key = prompt.asked.key or material.plan.key
        metre = material.plan.time_signature or "4/4"
        for many in range(min(material.bars, MAX_BARS - bars, LOOK_BACK), 0, -1):
            tail = material.tail(many)
            if not len(tail) or len(tail) > context // 3:
                continue
            plan = replace(material.plan, bars=many + bars, key=key)
            score = to_score(tail, metre, plan.tempo or DEFAULT_TEMPO)
            ids = tokenizer.encode_score(score, plan)
            if len(ids) - bars <= context // 3:
                sketch = measure_sketch(tail, metre, many, key)
                if many == 1 or len(tokenizer.encode_sketch(sketch, key)) <= context // 6:
                    return Given(tuple(tokenizer.struck(ids)), sketch.rows, (many, many + bars))
        raise TextMusicError(
            "the last bar has too many notes to continue from; choose another file."
        )

    def generation(self) -> Generation:
        """The old bars and the new ones, as far as `take` has got."""
        take, material = self.take, self._material
        written = take.settled()
        plan = written.plan
        new = notes_of(score_of(take.notes.sounding(plan.bars or 0), plan))
        before = material.bars - self._looked_back
        plan = replace(plan, bars=before + (plan.bars or 0), begin=True)
        whole = replace(material, notes=joined(material.notes, new, material.end))
        # what was said of length was said of the new bars, and the account is of the whole piece
        asked = replace(self._prompt.asked, bars=None)
        prompt = replace(self._prompt, asked=asked, seconds=None)
        sketch = self._sketch(written.sketch, before)
        return account(
            prompt, plan, finish(whole.score(), plan), take.seed, self._music.name,
            sketch=sketch, ids=take.count, nats=take.likelihood,
            new_bars=(material.bars, len(sketch.rows)),
        )  # fmt: skip

    def _sketch(self, written: Sketch, before: int) -> Sketch:
        """The sketch of all bars: as heard in the old ones, as decided in the new ones."""
        material, metre = self._material, self._material.plan.time_signature or "4/4"
        old = measure_sketch(
            material.tail(material.bars), metre, material.bars, material.plan.key
        ).rows
        return Sketch((*old, *written.behind(before).rows[self._looked_back :]))
