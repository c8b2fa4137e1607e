"""A description -> the pieces of a library that fit it, and why.

The text is read as a prompt is (`language.prompt`); each fact that it states is held against what
was measured in the notes. Words that state no fact are looked for in titles and paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from textmusic.errors import TextMusicError
from textmusic.language.names import genre_name, instrument_name
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.library.index import Index
from textmusic.library.neighbours import Neighbour
from textmusic.library.portrait import Facts
from textmusic.library.reasons import mood
from textmusic.music import usual
from textmusic.music.plan import Plan
from textmusic.music.theory import is_minor, tonic

# How much a fact counts where it fits: what a listener notices first, most.
WEIGHTS = {
    "name": 1.5, "programs": 1.5, "key": 1.0, "time_signature": 1.0, "mood": 1.0, "genre": 1.0,
    "tempo": 0.8, "bars": 0.5, "density": 0.5,
}  # fmt: skip
SHORTEST_WORD = 3  # letters of a word that is looked for in names
COMMON = frozenset("and the for with from piece music song like some that this not but".split())
Fit = tuple[str, float, str]  # (field, how well it fits, 0 to 1, why)


def fitting(text: str, index: Index, top: int = 10) -> list[Neighbour]:
    """The pieces that fit a description best, the best first; none that does not fit at all.

    Raises TextMusicError where nothing can be looked for.
    """
    prompt = read_prompt(text)
    wanted = prompt.asked.over(prompt.near)
    words = _words(text)
    if not words and wanted == Plan():
        raise TextMusicError(
            f"nothing to look for was found in '{text[:60]}'; give the path of a piece or a"
            ' description such as "slow waltz in D minor".'
        )
    found = []
    for number, facts in enumerate(index.facts):
        fits = list(_fits(wanted, prompt, words, facts))
        most = sum(WEIGHTS[field] for field, _, _ in fits)
        score = sum(WEIGHTS[field] * fit for field, fit, _ in fits) / most if most else 0.0
        if score > 0:
            why = sorted((f for f in fits if f[1] > 0), key=lambda f: -WEIGHTS[f[0]] * f[1])
            found.append(Neighbour(number, score, tuple(said for _, _, said in why)))
    return sorted(found, key=lambda n: (-n.score, n.piece))[:top]


def _words(text: str) -> list[str]:
    """The words of a text that a title may have."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return [w for w in words if (len(w) >= SHORTEST_WORD or not w.isascii()) and w not in COMMON]


def _fits(wanted: Plan, prompt: Prompt, words: list[str], facts: Facts) -> Iterator[Fit]:
    """What is asked for, how well a piece fits it, and why."""
    plan = facts.plan
    named = f"{facts.title} {facts.name}".lower()
    there = [word for word in words if word in named]
    if there:
        yield "name", len(there) / len(words), f"its name has “{' '.join(there)}”"
    elif words and wanted == Plan():
        yield "name", 0.0, ""
    if wanted.key is not None:
        yield _key(wanted.key, plan.key)
    if wanted.time_signature is not None:
        same = wanted.time_signature == plan.time_signature
        yield "time_signature", float(same), f"in {plan.time_signature}"
    if wanted.tempo is not None and plan.tempo:
        apart = abs(plan.tempo / wanted.tempo - 1)
        yield "tempo", max(1 - apart / 0.4, 0.0), f"{plan.tempo:.0f} bpm"
    if wanted.programs is not None or prompt.without:
        yield _programs(wanted.programs or (), prompt.without, plan.programs or ())
    if wanted.valence or wanted.arousal:
        yield _mood(wanted, plan)
    if wanted.bars is not None and plan.bars:
        apart = abs(plan.bars - wanted.bars) / wanted.bars
        yield "bars", max(1 - apart, 0.0), f"{plan.bars} bars"
    if wanted.density is not None and plan.density:
        yield "density", max(1 - abs(wanted.density - plan.density) / 2, 0.0), "as full"
    if wanted.genre is not None:
        yield _genre(wanted.genre, plan, named)


def _key(wanted: str, key: str | None) -> Fit:
    if key is None or " " not in key:
        return "key", 0.0, ""
    if (tonic(wanted), is_minor(wanted)) == (tonic(key), is_minor(key)):
        return "key", 1.0, f"in {key}"
    return "key", 0.3 * (is_minor(wanted) == is_minor(key)), f"in {key}"


def _programs(wanted: tuple[int, ...], without: tuple[int, ...], played: tuple[int, ...]) -> Fit:
    families = {program // 8 for program in played}
    fits = [1.0 if p in played else 0.5 * (p // 8 in families) for p in wanted]
    fits += [float(program not in played) for program in without]
    heard = [instrument_name(p) for p in wanted if p in played]
    also = [f"no {instrument_name(p)}" for p in without if p not in played]
    more = len(set(played) - set(wanted))
    score = sum(fits) / len(fits) - (min(0.05 * more, 0.3) if wanted else 0.0)
    return "programs", max(score, 0.0), ", ".join([*heard, *also]) or "instruments of that family"


def _mood(wanted: Plan, plan: Plan) -> Fit:
    if not plan.valence or not plan.arousal:
        return "mood", 0.0, ""
    pairs = ((wanted.valence, plan.valence), (wanted.arousal, plan.arousal))
    apart = [abs(asked - heard) for asked, heard in pairs if asked is not None]
    return "mood", max(1 - sum(apart) / len(apart) / 2, 0.0), mood(plan)


def _genre(genre: str, plan: Plan, named: str) -> Fit:
    """Whether a name has the genre, or else how usual metre, tempo and instruments are in it."""
    if genre in named or genre_name(genre) in named:
        return "genre", 1.0, f"its name has “{genre_name(genre)}”"
    known = usual.of(genre)
    metre = plan.time_signature in known.metres
    tempo = plan.tempo is not None and known.has_tempo(plan.tempo)
    players = (plan.programs or ()) in known.heard
    return "genre", 0.2 * (metre + tempo + players), f"it could be a {genre_name(genre)}"
