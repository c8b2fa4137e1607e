"""Chords and form together: what the words and the controls ask for, and what speaks against it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textmusic.language.names import chords_text, form_text
from textmusic.language.reading.chord_key import key_of_chords
from textmusic.language.reading.form import read_form, read_last
from textmusic.language.reading.numerals import in_mode
from textmusic.language.reading.progression import read_progression
from textmusic.language.reading.text import Span, prepare
from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline
from textmusic.music.theory import DRUMS, NO_KEY, degrees_of, is_minor, key_name, shift_of, tonic

_REACH = 40  # characters that preparing a text adds or leaves out in one place, at most


@dataclass(frozen=True, slots=True)
class OutlineRead:
    """What a text says of chords and form.

    chords_said: the words for the chords. last: the chord to end on where it is named as it sounds.
    last_said: the words for it. spans: all places; taken: those that mean nothing else.
    """

    outline: Outline = Outline()
    chords_said: str = ""
    last: Chord | None = None
    last_said: str = ""
    unused: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    taken: tuple[Span, ...] = ()


def read_outline(text: str) -> OutlineRead:
    """The chords, the form and the last chord that a prepared text names."""
    chords = read_progression(text)
    kept = chords.value.shared if chords.value else ()
    taken = tuple(span for span in chords.spans if span not in kept)
    last = read_last(covered(text, taken))
    taken += last.spans
    form = read_form(covered(text, taken))
    outline = chords.value.outline if chords.value else Outline()
    if form.value is not None:
        said = form.value.outline
        outline = replace(outline, last=said.last)
        if said.form:
            outline = replace(outline, form=said.form, names=said.names)
        kept += form.value.shared
    spans = (*chords.spans, *last.spans, *form.spans)
    return OutlineRead(
        outline,
        chords.value.said if chords.value else "",
        last.value,
        " ".join(text[start:end] for start, end in last.spans),
        (*chords.unused, *form.unused),
        spans,
        tuple(span for span in spans if span not in kept),
    )


def covered(text: str, spans: tuple[Span, ...]) -> str:
    """The text with these places made a mark and spaces: to the other readers, a clause ends."""
    for start, end in spans:
        text = text[:start] + ";" + " " * (end - start - 1) + text[end:]
    return text


def without(visible: str, prepared: str, spans: tuple[Span, ...]) -> str:
    """What a person sees of a text, without the phrases at these places of the prepared text."""
    if not spans:
        return visible
    at = _positions(visible, prepared)
    for start, end in sorted(spans, reverse=True):
        first, last = at[start], at[end]
        before = visible[:first]
        # "in 32-bar AABA form": the length stays, "in" does not
        before = re.sub(r"\b(?:in|with) (?:an? )?(?=[\w-]+[\s-]bars? ?$)", "", before)
        visible = f"{before}\0{visible[last:]}"
    visible = re.sub(r"\(\s*\0\s*\)|[\s,;:-]*\0\s*(?=[,;.:)])|\0", " ", visible)
    visible = re.sub(r"\(\s*\)|\s+(?=[,;.:!?)])", "", visible)
    visible = re.sub(r"^[\s,;:.)–—-]+|[\s,;:(–—-]+$|(?<=[,;:])\s*[,;:]+", "", visible)
    return " ".join(visible.split())


def _positions(visible: str, prepared: str) -> list[int]:
    """For each place of the prepared text, and its end, where that is in the visible one."""
    if visible == prepared:
        return list(range(len(prepared) + 1))
    # The visible text, each character made ready by itself, and which one each comes from.
    ready = [(" " if char == " " else prepare(char), n) for n, char in enumerate(visible)]
    one = "".join(made for made, _ in ready)
    origin = [n for made, n in ready for _ in made] + [len(visible)]
    places: list[int] = []
    i = j = 0
    while j < len(prepared):
        if i < len(one) and one[i] != prepared[j]:  # what `prepare` and `spell_out` put in or out
            added, left = _shift(one[i:], prepared[j:]), _shift(prepared[j:], one[i:])
            if added <= min(left, _REACH):
                places += [origin[i]] * added
                j += added
            elif left <= _REACH:
                i += left
        places.append(origin[min(i, len(one))])
        i, j = i + 1, j + 1
    return [*places, len(visible)]


def _shift(wanted: str, text: str) -> int:
    """How many characters of the text come before what is wanted; `_REACH` + 1 if it is far."""
    begin = wanted[:6]
    at = text.find(begin, 1, _REACH + len(begin))
    return at if at > 0 else _REACH + 1


def settled(read: OutlineRead, control: Outline, asked: Plan) -> tuple[Outline, Plan, list[str]]:
    """(outline, facts, notes): the control's fields before those of the words, and the key of
    chords that sound where no key is asked for.

    Chords that drums alone can't play are left out; chords that hardly fit the key are kept.
    """
    words, notes = read.outline, list(read.unused)
    outline = words
    if control.chords:
        if words.chords and words.chords != control.chords:
            notes.append(f"'{read.chords_said}': the control for chords is used instead")
        outline = replace(
            outline, chords=control.chords, relative=control.relative, minor=control.minor
        )
    other = (words.form, words.names) != (control.form, control.names)
    if control.form and words.form and other:
        said = form_text(words.form, words.names)
        notes.append(f"'{said}': the control for form is used instead")
    if control.form or (control.chords and not words.form):
        outline = replace(outline, form=control.form, names=control.names)
    if control.last is not None:
        outline = replace(outline, last=control.last)
    sounds = read.last if outline.last is None else None
    if asked.programs == (DRUMS,) and (outline.chords or outline.last or sounds):
        said = _said(outline, read, control) or read.last_said or "ends on the dominant"
        notes.append(f"'{said}': drums on their own play no chords")
        return replace(outline, chords=(), relative=False, minor=None, last=None), asked, notes
    open_key = asked.key is None
    if open_key and outline.chords and not outline.relative:
        asked = replace(asked, key=key_of_chords(outline.chords))
    if sounds is not None:
        key = asked.key or mode_said(_key_of_ending(sounds), "", outline)
        asked = replace(asked, key=key)
        outline = replace(outline, last=sounds.moved(-shift_of(key)))
    if not outline.chords or (open_key and not outline.relative):
        return outline, asked, notes
    if asked.key is not None and asked.key != NO_KEY:
        outline = in_mode(outline, is_minor(asked.key))
        if not _fits(outline, asked.key):
            said = _said(outline, read, control)
            notes.append(f"'{said}': these chords do not fit {asked.key} well; both are kept")
    return outline, asked, notes


def _key_of_ending(last: Chord) -> str:
    """The key that a chord ends in by itself: a seventh chord is a dominant."""
    return key_of_chords([[Chord((last.root + 5) % 12, "maj") if last.quality == "7" else last]])


def mode_said(key: str | None, said: str, outline: Outline) -> str | None:
    """The key, its mode that of the numerals where the words for it name none: "in A, i VI VII"."""
    if key is None or not outline.minor or not outline.relative:
        return key
    if re.search(r"maj|dur\b|maggiore|mayor|大", said, re.IGNORECASE):
        return key
    return key_name(tonic(key), True)


def _said(outline: Outline, read: OutlineRead, control: Outline) -> str:
    if control.chords or not read.chords_said:
        return chords_text(outline.chords, relative=outline.relative, minor=bool(outline.minor))
    return read.chords_said


def _fits(outline: Outline, key: str) -> bool:
    """Whether at least half of the roots lie in the scale, and the mode is the progression's."""
    if outline.relative and outline.minor is not None and outline.minor != is_minor(key):
        return False
    roots = {(c.root - tonic(key)) % 12 for bar in outline.sounding(key) for c in bar}
    return len(roots & set(degrees_of(key))) * 2 >= len(roots)


__all__ = ["OutlineRead", "covered", "mode_said", "read_outline", "settled", "without"]
