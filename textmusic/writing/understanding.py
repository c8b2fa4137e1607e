"""What of a prompt a model can use; what it can't is said."""

from __future__ import annotations

from dataclasses import replace

from textmusic.language.names import chords_text, form_text
from textmusic.language.prompt import Prompt
from textmusic.music.outline import bars_for_all, check, left_out
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
        prompt = replace(prompt, unused=(*prompt.unused, *_no_room(prompt, bars, metre)))
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


def _no_room(prompt: Prompt, bars: int, metre: str) -> list[str]:
    """A note on the chords that so many bars, or a form of so many, have no room for."""
    outline, key = prompt.outline, prompt.asked.key
    lost = left_out(outline, key, bars, metre)
    if not lost:
        return []
    named = chords_text([[chord] for chord in lost], key)
    form = f"{bars} bar{'s' * (bars != 1)}"
    if outline.form:
        form += f" of {form_text(outline.form, outline.names)}"
    more = bars_for_all(outline, key, bars, metre)
    remedy = "use fewer chords" if more is None else f"ask for {more} bars"
    return [f"'{named}': these chords find no room in {form}; {remedy}"]


def _bars_asked(prompt: Prompt) -> int | None:
    """The length in bars, where it is known before anything is planned."""
    asked = prompt.asked
    if prompt.seconds is None or asked.tempo is None or asked.time_signature is None:
        return asked.bars
    return bars_for(asked, prompt.seconds)
