"""Words one slip of the finger away from a word that is read: "pinao", "guitra", "walz".

They are reported with a guess, and left to the model as they are: a wrong guess costs a line, a
wrong fact could not be undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from textmusic.language.reading.people import composers
from textmusic.language.reading.tempo import tempo_words
from textmusic.language.reading.terms import english_names
from textmusic.language.reading.text import Span, overlaps
from textmusic.music.data_files import load_data

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
# Letters of a word that may have lost, gained or changed one, and of a mood: of these there are
# thousands, so only a doubled letter is a slip in shorter ones ("joyfull"), and a changed one in
# none. In shorter words two letters may have changed places; "band" and "hand" are both words.
_LONG, _LONG_MOOD, _SHORT = 5, 7, 4
_REACH = 40  # characters beside a word in which the rest of its name may stand
_ENDINGS = (
    "'s", "s", "es", "ed", "d", "ing", "er", "r", "ers", "rs", "est", "y", "ly", "ily", "ish",
    "ness", "ful", "less", "ic", "al", "ist", "ists", "like", "able",
)  # fmt: skip
# "please" and "pleased", "health" and "healthy"
_STEM_OF = ("s", "d", "ed", "y", "ing", "ic", "al")
# Ordinary English words and names that are one slip away from a word that is read. Found by trying
# the 12,600 English words among the tokens of a language model's vocabulary.
_ORDINARY = (
    "accused aspirin baseline belts bonding booming brick brink brushed buys calves canon chimps"
    " clam climatic cloning cloves congenital continue continuous cooked cornea corner courant"
    " dante deleted dent deriving disc discrete diving dries drugs external failing fats favored"
    " flaring flue fluke flux focussed folly fungal garlic gave gluck grade grafting grange grant"
    " grape grate gratin gravel graven graze grudge handle hurling insulated iris large lent"
    " liable liming list lots manor marc marital mayor meal mediating mental merch meta monet"
    " neural nobel organism overturn patent peasant phenomena polska preston radial rationale"
    " rebels reign rotating samoa scaling selling sewing shake share sighted sighting simulate"
    " sinners sipping snacking snore soldering sowing spare sparta spectra stare sting stinger"
    " studios sung swine synthesize tala tang tangy tapped therein ticked topical trash tried"
    " tumor tutor tympan ultraviolet vale value valve vice vines violet vocab voila withdraw"
    " worried"
).split()
# Ordinary words that are hardly meant where an instrument or a genre follows: "clam piano".
_DOUBTFUL = frozenset(("clam",))


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """What is read, to compare with.

    names: words that are read, and their order as guesses (0: an instrument, a genre, a tempo or a
    mode, 1: a mood). parts: words of longer names -> these names ("bossa" -> "bossa nova").
    shortened: every word without one of its letters -> the words. known: all words of the data.
    """

    names: dict[str, int]
    parts: dict[str, tuple[str, ...]]
    shortened: dict[str, tuple[str, ...]]
    known: frozenset[str]


@cache
def _vocabulary() -> _Vocabulary:
    words = load_data("words.jsonl")
    moods = [e["text"].lower() for e in words if e["kind"] == "mood" and not e["held_out"]]
    facts = [*english_names(), *(word for word in tempo_words() if word.isascii())]
    facts += [word for genre in load_data("genres.json").values() for word in genre["words"]]
    facts += [name for name in composers() if name.isascii()]
    facts = [" ".join(_WORD.findall(name.lower())) for name in (*facts, "major", "minor")]
    names = dict.fromkeys((m for m in moods if m.isalpha()), 1)
    names |= dict.fromkeys((fact for fact in facts if fact.isalpha()), 0)
    parts: dict[str, set[str]] = {}
    for fact in facts:
        for part in fact.split() if " " in fact else ():
            if part not in names:
                parts.setdefault(part, set()).add(fact)
    shortened: dict[str, set[str]] = {}
    for word in (*names, *parts):
        for shorter in _without_one(word):
            shortened.setdefault(shorter, set()).add(word)
    known = {
        word
        for text in (*facts, *(e["text"].lower() for e in words))
        for word in _WORD.findall(text)
    }
    return _Vocabulary(
        names,
        {part: tuple(sorted(longer)) for part, longer in parts.items()},
        {word: tuple(sorted(longer)) for word, longer in shortened.items()},
        frozenset(known).union(_ORDINARY),
    )


def is_read(word: str) -> bool:
    """Whether a word in lower case is read, by itself or as a part of a longer name."""
    vocabulary = _vocabulary()
    singular = word.removesuffix("s")
    return any(w in vocabulary.names or w in vocabulary.parts for w in (word, singular))


def read_typos(text: str, taken: tuple[Span, ...] = ()) -> tuple[str, ...]:
    """Notes on the words of a prepared text that are probably mistyped, with a guess each.

    taken: places that were read. A capital inside a sentence is a name, and no slip.
    """
    notes: dict[str, None] = {}
    shouted = text.isupper() or text.istitle()
    for match in _WORD.finditer(text):
        before = text[max(match.start() - 2, 0) : match.start()]
        name = match[0][0].isupper() and not shouted and re.fullmatch("[a-z,] ", before)
        if not name and not overlaps(match.span(), taken) and (guess := _guess(text, match)):
            notes[f"'{match[0]}': did you mean '{guess}'?"] = None
    return tuple(notes)


def _guess(text: str, match: re.Match[str]) -> str | None:
    """The word that was probably meant, None if this one is right or nothing is near."""
    word, names = match[0].lower(), _vocabulary().names
    doubtful = word in _DOUBTFUL and _plays(text[match.end() :])
    if len(word) < _SHORT or (_is_known(word) and not doubtful):
        return None
    guesses = [near for near in _near(word) if near in names or _completes(text, match, near)]
    if guesses:
        return min(guesses, key=lambda near: (not _swapped(word, near), names.get(near, 0), near))
    one = word.removesuffix("s")
    several = () if one == word or _is_known(one) else _near(one)
    return min((f"{near}s" for near in several if names.get(near) == 0), default=None)


def _plays(after: str) -> bool:
    """Whether an instrument or a genre follows at once."""
    following = re.match(r" ([a-z]+)", after.lower())
    return following is not None and _vocabulary().names.get(following[1]) == 0


def _is_known(word: str) -> bool:
    """Whether a word or what it is a form of is known: "waltzes", "drummer", "jazzy"."""
    known = _vocabulary().known
    if word in known:
        return True
    if any(f"{word}{ending}" in known for ending in _STEM_OF):
        return True
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            if stem in known or f"{stem}e" in known or f"{stem}y" in known:
                return True
            if len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in known:
                return True
    return False


def _near(word: str) -> Iterator[str]:
    """Words of the vocabulary that are one slip away."""
    # Found by an index. rapidfuzz compares a word with all 3,300 of them, in 600 microseconds where
    # this takes 7, and what counts as a slip would still have to be decided here.
    vocabulary = _vocabulary()
    for shorter in {word, *_without_one(word)}:
        for near in vocabulary.shortened.get(shorter, ()):
            if _one_slip(word, near):
                yield near
        right = shorter in vocabulary.names or shorter in vocabulary.parts
        if right and _one_slip(word, shorter):
            yield shorter


def _one_slip(word: str, meant: str) -> bool:
    """Two neighbouring letters swapped; or a letter too much, too few or wrong, not the first."""
    if _swapped(word, meant):
        return len(meant) >= _SHORT
    if len(meant) < _LONG or word[0] != meant[0] or word == meant:
        return False
    mood = _vocabulary().names.get(meant) == 1
    if len(word) == len(meant):
        return not mood and sum(a != b for a, b in zip(word, meant, strict=True)) == 1
    longer, shorter = sorted((word, meant), key=len, reverse=True)
    if mood and len(meant) < _LONG_MOOD:
        return any(
            a == b and longer[:n] + longer[n + 1 :] == shorter
            for n, (a, b) in enumerate(pairwise(longer))
        )
    return shorter in _without_one(longer)


def _swapped(word: str, meant: str) -> bool:
    if len(word) != len(meant):
        return False
    off = [n for n, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
    return (
        len(off) == 2
        and off[1] == off[0] + 1
        and word[off[0]] == meant[off[1]]
        and word[off[1]] == meant[off[0]]
    )


def _without_one(word: str) -> set[str]:
    return {word[:n] + word[n + 1 :] for n in range(len(word))}


def _completes(text: str, match: re.Match[str], part: str) -> bool:
    """Whether a word of a longer name makes it complete: "bossa" in "bosa nova"."""
    before, after = text[: match.start()][-_REACH:], text[match.end() :][:_REACH]
    around = " ".join(_WORD.findall(f"{before}{part}{after}".lower()))
    return any(f" {name} " in f" {around} " for name in _vocabulary().parts[part])
