"""What of a prompt a model can use; what it can't is said."""

from __future__ import annotations

from dataclasses import replace

from textmusic.language.prompt import Prompt
from textmusic.music.outline import check
from textmusic.music.theory import DRUMS
from textmusic.tokens.plan_grammar import bars_for
from textmusic.tokens.tokenizer import Tokenizer


def usable(
    prompt: Prompt, tokenizer: Tokenizer, longest: int, room: tuple[int, str] | None = None
) -> Prompt:
    """A prompt without what can't be used, which is noted in `unused`.

    longest: ids that its text may have. room: (bars, time signature) that chords and form are for;
    by default those asked for. Raises TextMusicError for chords or a form that these bars can't
    hold.
    """
    bars, metre = room or (_bars_asked(prompt), prompt.asked.time_signature or "4/4")
    if bars is not None:
        check(prompt.outline, bars, metre)
    if prompt.asked.programs == (DRUMS,) and prompt.asked.key is not None:
        note = f"'{prompt.asked.key}': drums on their own have no key"
        asked = replace(prompt.asked, key=None)
        prompt = replace(prompt, asked=asked, unused=(*prompt.unused, note))
    caption = tokenizer.beginning(prompt.caption, longest)
    if caption != prompt.caption:
        rest = prompt.caption[len(caption) :].strip()[:40]
        note = f"'{rest}…': the text is long; from here on only musical facts are read"
        prompt = replace(prompt, caption=caption, unused=(*prompt.unused, note))
    return prompt


def _bars_asked(prompt: Prompt) -> int | None:
    """The length in bars, where it is known before anything is planned."""
    asked = prompt.asked
    if prompt.seconds is None or asked.tempo is None or asked.time_signature is None:
        return asked.bars
    return bars_for(asked, prompt.seconds)
