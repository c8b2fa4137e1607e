"""What is said in comparison: "livelier", "more space", "much slower", 更欢快, 慢一点.

Said of a piece that stands, it moves a level or the tempo of that piece; said of nothing, it is
read as the plain word: "livelier" as "lively".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from textmusic.language.reading.level_names import AROUSAL_NAMES, DENSITY_NAMES, VALENCE_NAMES
from textmusic.language.reading.mood import mood_levels
from textmusic.language.reading.text import LEFT, RIGHT, Span, around, negated, shown
from textmusic.music.data_files import load_data
from textmusic.music.plan import LEVELS, TEMPO_RANGE, Plan

_NAMES = {"valence": VALENCE_NAMES, "arousal": AROUSAL_NAMES, "density": DENSITY_NAMES}
_MIDDLE = 3  # the level of what has none
_STEPS = {1: 1.08, 2: 1.15, 3: 1.3}  # by how much a tempo changes: a bit, plainly, much

Moves = dict[str, int]  # field -> up or down
# Beside the mood words, whose own levels say what they move.
_TEMPI = {"fast": 1, "quick": 1, "slow": -1}
_DENSITIES = {
    "dense": 1, "busy": 1, "full": 1, "thick": 1, "sparse": -1, "spacious": -1, "airy": -1,
    "thin": -1, "empty": -1, "open": -1, "minimal": -1,
}  # fmt: skip
_LOUDNESSES = {"loud": 1}
_NOUNS = {
    r"more (?:space|room|air|rests|silence|pauses)|fewer notes|less notes": {"density": -1},
    r"more notes|less space|fewer rests": {"density": 1},
    r"more energy|more drive|more power": {"arousal": 1},
    r"less energy|less drive": {"arousal": -1},
}
_NO_COMPARATIVES = {"stranger", "downer", "primer", "rasher", "chiller", "cooler", "opener"}
_HAN = {
    "快": {"tempo": 1}, "慢": {"tempo": -1}, "密集": {"density": 1}, "密": {"density": 1},
    "饱满": {"density": 1}, "稀疏": {"density": -1}, "空旷": {"density": -1},
    "疏朗": {"density": -1}, "空灵": {"density": -1}, "响": {"arousal": 1}, "大声": {"arousal": 1},
    "轻": {"arousal": -1}, "小声": {"arousal": -1}, "欢快": {"valence": 1, "arousal": 1},
    "有力": {"arousal": 1}, "安静": {"arousal": -1},
}  # fmt: skip
_HAN_NOUNS = {
    "更?多(?:一?点|一?些)?(?:留白|空间|休止)": {"density": -1},
    "更少(?:的)?音符|音符(?:更少|少一?[点些])": {"density": -1},
    "更多(?:的)?音符|音符(?:更多|多一?[点些])": {"density": 1},
}
_MUCH = r"(?:much|far|a lot|way|lots|considerably|significantly)"
_A_BIT = r"(?:a (?:little |tiny )?bit|a little|slightly|somewhat|a touch)"
_ON_THE_WAY = re.compile(
    r"\b(?:get\w*|grow\w*|becom\w+|turn\w*|getting)\s+(?:\w+ly\s+|ever\s+|a bit\s+|and\s+)*$",
    re.IGNORECASE,
)
_HAN_ON_THE_WAY = re.compile(r"(?:越来|变得|逐渐|渐渐|慢慢)$")


@dataclass(frozen=True, slots=True)
class Comparative:
    """said: the words. plain: what they are without comparing. amount: 1 a bit, 2, 3 much."""

    said: str
    plain: str
    span: Span
    moves: tuple[tuple[str, int], ...]
    amount: int = 2


@dataclass(frozen=True, slots=True)
class Compared:
    """What a piece becomes. read_as, unused: a note for each thing said, in `Prompt`'s form."""

    plan: Plan = Plan()
    read_as: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def read_comparatives(text: str) -> tuple[Comparative, ...]:
    """The comparatives of a text in their order, but for those that tell of a change on the way."""
    found: list[Comparative] = []
    for one in sorted(_all(text), key=lambda one: (one.span[0], -one.span[1])):
        start, end = one.span
        before, after = around(text, start, end)
        if found and start < found[-1].span[1]:
            continue
        same = re.escape(one.said)  # "faster and faster"
        again = re.match(rf"\s+and\s+{same}\b", after, re.IGNORECASE) or re.search(
            rf"\b{same}\s+and\s+$", before, re.IGNORECASE
        )
        if again or _ON_THE_WAY.search(before) or _HAN_ON_THE_WAY.search(before):
            continue
        if not negated(text, start):
            found.append(one)
    return tuple(found)


def plainly(text: str) -> str:
    """The text with its comparatives put plainly: "livelier, 更慢" -> "lively, 慢速".

    "more lively" and 更欢快 stay: they have the plain word in them.
    """
    for one in reversed(read_comparatives(text)):
        start, end = one.span
        text = text[:start] + one.plain + text[end:]
    return text


def compared(said: tuple[Comparative, ...], piece: Plan, controls: Plan, exactly: Plan) -> Compared:
    """What a piece becomes that is to be livelier, slower, ... than it is.

    controls: what is fixed already, and wins. exactly: what other words say, which is more than
    these do: "faster, at 140 bpm". A tempo of the piece that is None cannot change.
    """
    fixed = dict(controls.known())
    words: dict[str, list[Comparative]] = {}
    for one in said:
        for field, _ in one.moves:
            words.setdefault(field, []).append(one)
    plan: dict[str, int | float] = {}
    read_as: list[str] = []
    unused: list[str] = []
    for field, ones in words.items():
        if getattr(exactly, field) is not None:
            continue
        quoted = ", ".join(f"'{word}'" for word in dict.fromkeys(one.said for one in ones))
        ways = {dict(one.moves)[field] for one in ones}
        amount = max(one.amount for one in ones)
        if field in fixed:
            thing = "mood" if field in ("valence", "arousal") else field
            unused.append(f"{quoted}: the control for {thing} is used instead")
        elif len(ways) > 1:
            unused.append(f"{quoted}: these exclude each other; say only one of them")
        elif field == "tempo":
            value, note = _tempo(piece.tempo, ways.pop(), amount)
            plan |= {} if value is None else {"tempo": value}
            (unused if value is None else read_as).append(f"{quoted}: {note}")
        else:
            old = getattr(piece, field) or _MIDDLE
            new = min(max(old + ways.pop() * max(amount - 1, 1), LEVELS[0]), LEVELS[-1])
            names = _NAMES[field]
            if new == old:
                unused.append(f"{quoted}: the piece is {names[old - 1]} already, as far as it goes")
            else:
                plan[field] = new
                read_as.append(
                    f"{quoted}: the new music is to be {names[new - 1]} ({new}/5); the piece is"
                    f" {names[old - 1]} ({old}/5)"
                )
    return Compared(Plan(**plan), tuple(read_as), tuple(unused))  # type: ignore[arg-type]


def _tempo(old: float | None, way: int, amount: int) -> tuple[float | None, str]:
    if old is None:
        return None, "the piece keeps its own tempo"
    new = round(min(max(old * _STEPS[amount] ** way, TEMPO_RANGE[0]), TEMPO_RANGE[1]))
    if abs(new / old - 1) < 0.01:
        return None, f"the piece is at {shown(round(old))} bpm, as far as tempos go"
    return new, f"the new music is to be at {new} bpm; the piece is at {shown(round(old))} bpm"


def _all(text: str) -> Iterator[Comparative]:
    for match in _english().finditer(text):
        word = match["word"].lower()
        more = (match["more"] or "").strip().lower()
        base = word if more else _base(word)
        if base is None or base not in _moves():
            continue
        way = -1 if more.endswith("less") else 1
        moves = tuple((field, way * step) for field, step in _moves()[base].items())
        plain = match[0] if more else base  # "more lively" is read as it stands
        yield Comparative(match[0], plain, match.span(), moves, _amount(match))
    for pattern, nouns in _nouns():
        for match in pattern.finditer(text):
            yield Comparative(
                match[0], match[0], match.span(), tuple(nouns.items()), _amount(match)
            )
    for match in _chinese().finditer(text):
        if match["more"] is None and match["some"] is None:
            continue
        word = match["word"]
        plain = {"快": "快速", "慢": "慢速"}.get(word, match[0])
        much = 3 if re.search("多|大大", f"{match['more']}{match['some']}") else 2
        yield Comparative(match[0], plain, match.span(), tuple(_han_moves()[word].items()), much)
    for han, nouns in _HAN_NOUNS.items():
        for match in re.finditer(han, text):
            yield Comparative(match[0], match[0], match.span(), tuple(nouns.items()))


_HOW = rf"(?:(?P<much>{_MUCH}) |(?P<bit>{_A_BIT}) |even |still )?"


def _amount(match: re.Match[str]) -> int:
    return 3 if match["much"] else 1 if match["bit"] else 2


@cache
def _english() -> re.Pattern[str]:
    return re.compile(
        rf"{LEFT}{_HOW}(?P<more>(?:more|less) )?(?P<word>[a-z][a-z-]+){RIGHT}", re.IGNORECASE
    )


@cache
def _nouns() -> tuple[tuple[re.Pattern[str], Moves], ...]:
    return tuple(
        (re.compile(rf"{LEFT}{_HOW}(?:{pattern}){RIGHT}", re.IGNORECASE), nouns)
        for pattern, nouns in _NOUNS.items()
    )


def _base(word: str) -> str | None:
    """The plain form of "livelier", "sadder", "gentler", "calmer"; None for what is none."""
    if not word.endswith("er") or word in _NO_COMPARATIVES:
        return None
    stem = word[:-2]
    forms = [f"{stem[:-1]}y"] if stem.endswith("i") else [stem, f"{stem}e"]
    if len(stem) > 3 and stem[-1] == stem[-2]:
        forms.append(stem[:-1])
    return next((form for form in forms if form in _moves()), None)


@cache
def _moves() -> dict[str, Moves]:
    """Plain words, and what more of them moves."""
    moods = {word: moves for word in mood_levels() if (moves := _of_mood(word))}
    return {
        **moods,
        **{word: {"arousal": way} for word, way in _LOUDNESSES.items()},
        **{word: {"tempo": way} for word, way in _TEMPI.items()},
        **{word: {"density": way} for word, way in _DENSITIES.items()},
    }


def _of_mood(word: str) -> Moves:
    """The levels that a mood word is about, and in which direction: "gloomy" is about both."""
    valence, arousal = (level - _MIDDLE for level in mood_levels()[word])
    moves = {}
    if abs(valence) >= abs(arousal) and valence and word != "lively":
        moves["valence"] = 1 if valence > 0 else -1
    if abs(arousal) >= abs(valence) and arousal:
        moves["arousal"] = 1 if arousal > 0 else -1
    return moves


@cache
def _han_moves() -> dict[str, Moves]:
    moods = {
        chinese: moves
        for chinese, english in load_data("moods_zh.json").items()
        if (moves := _moves().get(english))
    }
    return {**moods, **_HAN}


@cache
def _chinese() -> re.Pattern[str]:
    words = "|".join(sorted(_han_moves(), key=len, reverse=True))
    return re.compile(
        rf"(?P<more>(?:再|还要)?更加?(?:的)?|更为|大大地?|再)?(?P<word>{words})"
        r"(?P<some>(?:上?一?点儿?|一?些|得多|许多|很多|多了)(?!都不))?"
    )
