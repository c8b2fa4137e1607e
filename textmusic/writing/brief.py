"""What new bars in a piece should be like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.tokens.sampling import Sampling

if TYPE_CHECKING:
    from textmusic.language.prompt import Prompt
    from textmusic.writing.loaded_model import LoadedModel


@dataclass(frozen=True, slots=True)
class Brief:
    """What is said of bars that are continued or filled, and how they are drawn.

    text, controls: what they should be like; controls win. outline: their chords and form.
    seed: None draws one. sampling: how freely the model chooses.
    """

    text: str = ""
    controls: Plan = Plan()
    outline: Outline = Outline()
    seed: int | None = None
    sampling: Sampling = Sampling()

    def read(self, music: LoadedModel, bars: int, metre: str, standing: Plan) -> Prompt:
        """What is asked of so many bars; raises what `LoadedModel.understand` raises.

        standing: what the piece is like, of which "livelier" is more.
        """
        prompt = music.understand(
            self.text, controls=self.controls, outline=self.outline, room=(bars, metre),
            standing=standing,
        )  # fmt: skip
        if prompt.practice is None:
            return prompt
        note = (
            f"'grade {prompt.practice.grade}': only a whole piece can be a practice piece; use"
            " textmusic practise"
        )
        return replace(prompt, practice=None, unused=(*prompt.unused, note))
