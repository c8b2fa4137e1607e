"""What a person asks for: free text and explicit controls -> `Prompt`.

Only facts that the words can hardly mean otherwise are fixed in `Prompt.asked`; everything else
stays in the caption, where the model reads it. Moods lie between: "sad" is no number, so its levels
are kept near (`Prompt.near`), and which of them it is the model decides.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from textmusic.language.outlines import (
    OutlineRead,
    covered,
    mode_said,
    read_outline,
    settled,
    without,
)
from textmusic.language.reading import chinese
from textmusic.language.reading.comparatives import compared, plainly, read_comparatives
from textmusic.language.reading.genre import read_genre
from textmusic.language.reading.instruments import read_instruments, spell_out
from textmusic.language.reading.key import read_key
from textmusic.language.reading.languages import read_language
from textmusic.language.reading.length import read_bars, read_seconds
from textmusic.language.reading.levels import read_levels
from textmusic.language.reading.metre import read_time_signature
from textmusic.language.reading.mood import read_mood
from textmusic.language.reading.people import read_names
from textmusic.language.reading.practice import PracticeRead, read_practice
from textmusic.language.reading.practice import settled as suited
from textmusic.language.reading.tempo import (
    read_tempo_number,
    read_tempo_word,
)
from textmusic.language.reading.terms import name
from textmusic.language.reading.text import CJK, Span, blank, prepare, quote, shown, visible_text
from textmusic.language.reading.typos import is_read, read_typos
from textmusic.language.reading.unsupported import read_unsupported
from textmusic.language.reading.usage import read_loop
from textmusic.music.plan import Plan
from textmusic.music.practice import Practice
from textmusic.music.sketch import Outline
from textmusic.music.theory import is_minor
from textmusic.system import values

MAX_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a person asked for.

    text: verbatim. asked: the facts to be forced, controls over words; None is left open.
    seconds: the asked length, never together with `asked.bars`. caption: the English text that the
    model reads; "" if there is none. unused: what was said and can't be used, with the remedy.
    without: General MIDI programs that must not play ("no drums" is (128,)). near: levels of
    valence and arousal that the plan's own may be one off, from mood words. outline: chords and
    form; chords that sound set the key where nothing else does. only: whether nothing but
    `asked.programs` may play, in a piece that has other players. loop: whether it is to be a loop.
    read_as: what was said of a piece that stands ("livelier"), and what that comes to. practice:
    the limits of a practice piece, None for any other.
    """

    text: str
    asked: Plan
    seconds: float | None
    caption: str
    unused: tuple[str, ...]
    without: tuple[int, ...] = ()
    near: Plan = Plan()
    outline: Outline = Outline()
    only: bool = False
    loop: bool = False
    read_as: tuple[str, ...] = ()
    practice: Practice | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """Everything read from a prepared text."""

    plan: Plan
    seconds: float | None
    without: tuple[int, ...]
    unused: tuple[str, ...]
    spans: tuple[Span, ...]
    no_moods: tuple[Span, ...]  # among the spans: names of artists and pieces, levels in numbers
    vain: tuple[Span, ...]  # what nothing can be made of
    tempo_said: str | None  # a tempo word in English, if the tempo comes from one
    outline: OutlineRead
    only: bool
    loop: bool
    practice: PracticeRead


def check_length(text: object) -> str:
    """A text of at most 2,000 characters; raises TextMusicError for any other value."""
    return values.text("prompt", text, MAX_CHARACTERS)


def read_prompt(
    text: str,
    *,
    controls: Plan = Plan(),
    seconds: float | None = None,
    outline: Outline = Outline(),
    standing: Plan | None = None,
) -> Prompt:
    """Read a prompt; `controls`, `seconds` and the fields of `outline` win over the words.

    standing: of the piece that this is said of: "livelier" is livelier than it, where it would be
    "lively" otherwise. A tempo that is None stays.

    Raises TextMusicError for a text of more than 2,000 characters, and for what is no text.
    """
    text = check_length(text)
    visible = visible_text(text)
    if visible and not any(unicodedata.category(c)[0] in "LN" for c in visible):
        prompt = Prompt(text, controls, seconds, "", (f"'{quote(visible)}': no readable words",))
        return _one_length(_outlined(prompt, OutlineRead(), outline), controls)
    if standing is None:
        text_read = plainly(text)
        visible = text_read if visible == text else plainly(visible)
    else:
        text_read = text
    as_typed = prepared = spell_out(prepare(text_read))
    more = () if standing is None else read_comparatives(prepared)
    compared_at = tuple(one.span for one in more)
    prepared = covered(prepared, compared_at)
    read = _read(prepared, controls.genre)
    words = without(visible, as_typed, (*read.outline.taken, *compared_at))
    if more and re.fullmatch(r"(?:and|but|please|make it|[\s,.;])*", words, re.IGNORECASE):
        words = ""
    caption, missed = _caption(words, prepared, read)
    than = compared(more, standing or Plan(), controls, read.plan)
    asked = controls.over(read.plan.over(than.plan))
    if asked.programs is not None and controls.programs is None:
        asked = replace(asked, programs=tuple(sorted(asked.programs)))
    fixed = (controls.valence, controls.arousal)
    if caption == words:
        moods = read_mood(prepared, read.spans, fixed=fixed, stated=True)
    else:
        typed = chinese.typed_moods(prepared)
        moods = read_mood(caption, fixed=fixed, typed=typed, stated=True)
    absent = tuple(p for p in read.without if p not in (asked.programs or ()))
    near = _near(moods.value or (None, None), asked)
    typos = read_typos(prepared, (*read.spans, *read.vain))
    unused = (*read.unused, *moods.unused, *missed, *typos, *_overruled(read, controls))
    unused += than.unused
    if read.loop and standing is not None:
        unused += ("'loop': only a new piece can be a loop; generate one",)
    loop = read.loop and standing is None
    asked = looping(asked) if loop else asked
    prompt = Prompt(
        text, asked, seconds, caption, unused, absent, near,
        only=read.only, loop=loop, read_as=than.read_as,
    )  # fmt: skip
    prompt = _outlined(prompt, read.outline, outline)
    practice, asked, notes = suited(read.practice, prompt.asked)
    prompt = replace(prompt, asked=asked, practice=practice, unused=(*prompt.unused, *notes))
    return _one_length(prompt, controls, read)


def looping(facts: Plan) -> Plan:
    """The facts of a piece that becomes a loop: it has no ending, unless one is asked for."""
    return replace(facts, end=False) if facts.end is None else facts


def reads_loop(text: str) -> bool:
    """Whether a text asks for a loop, as `Prompt.loop` says."""
    return read_prompt(text).loop


def _outlined(prompt: Prompt, read: OutlineRead, control: Outline) -> Prompt:
    """With the chords and the form, the key that follows from them, and notes on them."""
    outline, asked, notes = settled(read, control, prompt.asked)
    return replace(prompt, asked=asked, outline=outline, unused=(*prompt.unused, *notes))


def _near(levels: tuple[int | None, int | None], asked: Plan) -> Plan:
    """Levels to keep near: not those that are fixed, nor a valence that the asked mode belies."""
    valence, arousal = levels
    if asked.key is not None and valence is not None:
        belied = valence > 3 if is_minor(asked.key) else valence < 3
        valence = None if belied else valence
    return Plan(
        valence=valence if asked.valence is None else None,
        arousal=arousal if asked.arousal is None else None,
    )


def _read(text: str, genre: str | None) -> _Read:
    """Every fact of a prepared text. A place that is read as one number is not read as another."""
    outline = read_outline(text)
    text = covered(text, outline.taken)
    names = read_names(text, is_read)
    practice = read_practice(blank(text, names.spans))
    text = blank(text, (*names.spans, *practice.spans))
    levels = read_levels(text)
    text = blank(text, levels.spans)
    loop = read_loop(text)
    tempo = read_tempo_number(text)
    rest = blank(text, tempo.spans)
    metre = read_time_signature(rest)
    key = read_key(rest)
    named_key = " ".join(rest[slice(*span)] for span in key.spans)
    bars = read_bars(blank(rest, metre.spans))
    seconds = read_seconds(blank(rest, (*metre.spans, *bars.spans)))
    word = read_tempo_word(rest, tempo.value)
    named = read_instruments(text)
    assert named.value is not None
    kind = read_genre(text, named.value.singles, tuple(sorted(named.value.programs)))
    genre = genre or kind.value
    players = read_instruments(text, genre) if genre else named
    assert players.value is not None
    length_notes = seconds.unused
    if bars.value is not None and seconds.value is not None:
        length_notes += (f"'{shown(seconds.value)} seconds': the {bars.value} bars set the length",)
    plan = replace(
        levels.value or Plan(),
        genre=kind.value,
        programs=players.value.programs or None,
        key=mode_said(key.value, named_key, outline.outline),
        tempo=tempo.value if tempo.value is not None else word.value,
        time_signature=metre.value,
        bars=bars.value,
    )
    readings = (tempo, metre, key, bars, seconds, word, players, kind, levels, loop)
    unused = (
        *names.unused,
        *levels.unused,
        *key.unused,
        *tempo.unused,
        *word.unused,
        *metre.unused,
    )
    spans = (
        *outline.spans,
        *names.spans,
        *practice.spans,
        *(span for reading in readings for span in reading.spans),
    )
    other = tuple(span for span in spans if span not in kind.spans)
    vain = read_unsupported(text, other, kind.spans)
    return _Read(
        plan=plan,
        seconds=seconds.value if bars.value is None else None,
        without=players.value.without,
        unused=(
            *unused,
            *players.unused,
            *kind.unused,
            *bars.unused,
            *length_notes,
            *vain.unused,
            *practice.unused,
        ),
        spans=spans,
        vain=vain.spans,
        no_moods=(*names.spans, *levels.spans),
        tempo_said=chinese.tempo_in_english(text, word.spans) if tempo.value is None else None,
        outline=outline,
        only=players.value.only,
        loop=bool(loop.value),
        practice=practice,
    )


def _caption(visible: str, prepared: str, read: _Read) -> tuple[str, tuple[str, ...]]:
    """The caption, and notes on what of a text in another script was not understood."""
    if re.search(f"[{CJK}]", prepared):
        moods = chinese.read_moods(blank(prepared, read.no_moods))
        spans = (*read.spans, *moods.spans)
        missed = chinese.not_understood(prepared, (*spans, *read.vain))
        quoted = ", ".join(f"'{quote(part)}'" for part in missed)
        rest = chinese.latin_rest(prepared, spans)
        caption = chinese.compose(
            read.plan, moods.value or (), tempo_said=read.tempo_said, rest=rest
        )
        notes = (f"{quoted}: not understood",) if missed else ()
        return caption, (*notes, *read_language(prepared, read.spans, visible))
    if any(c.isalpha() for c in visible) and not re.search("[A-Za-z]", prepared):
        note = (f"'{quote(visible)}': not understood; write in English or Chinese",)
        return chinese.compose(read.plan, (), tempo_said=read.tempo_said), note
    return visible, read_language(prepared, read.spans, visible)


def _overruled(read: _Read, controls: Plan) -> tuple[str, ...]:
    """Notes on facts in the words that a control replaces by another."""
    fixed = dict(controls.known())
    denied = [p for p in read.without if p in (controls.programs or ())]
    notes = [f"'no {name(p)}': the control for instruments is used instead" for p in denied[:1]]
    for field, value in read.plan.known():
        same = fixed.get(field, value) == value
        if field == "programs" and isinstance(value, tuple):
            same = field not in fixed or set(value) == set(controls.programs or ())
            value = ", ".join(name(p) for p in value)
        if not same:
            notes.append(f"'{value}': the control for {field.replace('_', ' ')} is used instead")
    return tuple(notes)


def _one_length(prompt: Prompt, controls: Plan, read: _Read | None = None) -> Prompt:
    """Bars or seconds, not both: controls before words, bars before seconds."""
    if prompt.seconds is not None:
        if controls.bars is not None:
            note = f"'{shown(prompt.seconds)} seconds': the {controls.bars} bars set the length"
            return replace(prompt, seconds=None, unused=(*prompt.unused, note))
        if prompt.asked.bars is not None:
            note = f"'{prompt.asked.bars} bars': the control for seconds is used instead"
            asked = replace(prompt.asked, bars=None)
            return replace(prompt, asked=asked, unused=(*prompt.unused, note))
        return prompt
    if read is not None and read.seconds is not None:
        if controls.bars is None:
            return replace(prompt, seconds=read.seconds)
        note = f"'{shown(read.seconds)} seconds': the {controls.bars} bars set the length"
        return replace(prompt, unused=(*prompt.unused, note))
    return prompt
