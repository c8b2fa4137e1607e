"""The genre, where one is clearly named: "ragtime", "an Irish reel", "探戈"; not March rain."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from textmusic.language.reading.people import composers_of
from textmusic.language.reading.text import (
    LEFT,
    RIGHT,
    Reading,
    Span,
    by_first_letter,
    negated,
    overlaps,
)
from textmusic.music.data_files import load_data
from textmusic.music.theory import DRUMS

# Of several genres the one that says most wins: forms and idioms before eras and settings.
_RANKS = (
    "dance piano-solo drums lead-sheet other",
    "classical romantic orchestral ballad",
    "waltz string-quartet renaissance baroque ambient sacred cinematic children electronic pop"
    " folk",
    "chorale hymn celtic march mazurka polonaise ragtime jazz blues swing bossa-nova latin tango"
    " rock country funk reggae game lied metal christmas",
)
_RANK = {genre: rank for rank, genres in enumerate(_RANKS) for genre in genres.split()}
_MUSIC = (
    r"(?:music|songs?|tunes?|pieces?|works?|style|hymns?|motets?|chants?|choral|choir|concert"
    r"|polyphony|vocal)"
)
_MARCH_THE_MONTH = re.compile(
    r"\b(?:[Ii]n|[Oo]f|[Ee]arly|[Ll]ate|[Mm]id|[Ll]ast|[Nn]ext|[Tt]his|[Ee]very|[Ss]ince|[Oo]n)"
    r" March\b|\b\d{1,2}(?:st|nd|rd|th)?(?: of)? March\b"
    r"|\bMarch (?:\d|morning|evening|afternoon|day|night|wind|rain|weather|hare|sun\w*|snow)"
)
_NOT_GENRES = re.compile(
    "|".join(
        (
            # a rock to sit on, to rock a cradle
            r"\b(?:on|onto|under|behind|from|beneath|against|of|by) (?:an? |the |this |that )?"
            r"rocks?\b(?! (?:music|song|band))",
            r"\b(?:an?|the) rock (?:by|on|in|at|of|near|and a hard)\b",
            r"\brock (?:bottom|garden|pool|climb\w*|face|me|you|us)\b|\bto rock\b",
            r"\brock(?:s|ed)? (?:the|an?|my|your) (?:\w+ )?(?:baby|cradle|boat|child)\b",
            # a swing in the garden
            r"\bmood[\s-]swings?|\b(?:on an?|on|porch|garden|tyre|tire|full|the|rope) swing\b"
            r"(?! (?:music|era|tune|band|feel))",
            r"\ba swing (?:in|on|hanging|set)\b",
            r"\bpop (?:the|an?|of|up|in|out|open|quiz|art)\b|\bpopcorn",
            r"\bfolk (?:tales?|who|hero)\b",
            r"\b(?:old|young|country|town|village|little|wee|my|poor|good) folk\b"
            r"(?! (?:song|tune|music|dance|melod))",
            # a metal gate
            r"\bmetal (?:gate|door|box|sheet|object|fence|pipe|plate|spoon|works?|shop|detector"
            r"|factory|wheels?|strings?|bars?)\b",
            r"\b(?:scrap|sheet|precious|rusty|molten|twisted|clanging|of|on|against) metal\b"
            r"(?! (?:music|song|riff|band))",
            # leaves dance on the water
            r"\b(?:to|can|will|we|you|i|they|let's|would|could|must|leaves|shadows|flakes|flames"
            r"|flies|stars|waves) dances?\b",
            r"\bdances? (?:on|in|across|around|over|through|with|of|under)\b",
            r"\b(?:first|last) dance\b",
            r"\bdance (?:floor|class|teacher|studio|hall|partner)s?\b",
            rf"\bsacred\b(?!\s*(?:$|[,.;]|and\b|{_MUSIC}))",
            r"\birish (?:coffee|whiske?y|setter|stew|butter)|\bscottish terrier",
            r"\blatin (?:class|teacher|text|lessons?|words?|lyrics|exam|language)\b",
            # a film reel, to reel in a fish
            r"\b(?:film|news|highlight|fishing) reels?\b|reel[\s-]to[\s-]reel",
            r"\breel(?:s|ed)? (?:in (?:the|an?|my|some)|of film|to)\b",
            r"\b(?:through|in|to|near|from|of|on|across|down) (?:nashville|broadway|hollywood)\b",
            r"\bsoundtracks? (?:for|to|of)\b|\brenaissance (?:painting|man|woman|palace|fair)\b",
            r"\bsymphony of (?!\w+ movements)",
            r"\b(?:got|have|having|feel\w*) the blues\b|\bblues and (?:greens?|reds?|golds?)\b",
            r"\belectronic (?:device|store|shop|mail|voting)",
            r"\bglad rags?\b|\brag (?:doll|and bone)s?\b|\bcarols? (?:is|was|'s)\b",
            r"\b(?:church|quiet|distant) mass in\b|\bmass in (?:the|an?) \b",
            r"\bclassical guitars?\b|\bgame of (?:chess|cards|thrones)\b",
        )
    ),
    re.IGNORECASE,
)
# "country" alone is a landscape more often than a genre.
_COUNTRY = re.compile(
    r"(?<!\bthe )(?<!\bmy )(?<!foreign )(?<!another )(?<!distant )(?<!old )(?<!this )(?<!own )"
    r"(?<!our )(?<!home )(?<!in )(?<!across )(?<!cross[ -])(?<!strange )(?<!open )(?<!of )(?<!new )"
    r"\bcountry(?=\s*(?:$|[,;.]|in (?-i:[A-G])\b|with\b|at \d|for\b|on\b|\d|piece|jam|shuffle"
    r"|swing|rock|riff|vibe|and folk|fiddle|banjo|violin|piano|instrumental|melody|number))",
    re.IGNORECASE,
)


# Between two genres that are two things: "tango and reggae", "from waltz to march", "jazz, metal".
_BETWEEN = re.compile(
    r"(?:\s+(?:music|songs?|tunes?|pieces?|style|part|section|first))?"
    r"(?P<joint>(?:\s*(?:[,;&+]|和|与|或|到)"
    r"|\s+(?:and|or|then|to|into|vs\.?|versus|plus|after|before)\b)+)"
    r"(?:\s+(?:then|an?|the|some|to|later|also))*\s*",
    re.IGNORECASE,
)
# These go with any other: "a christmas waltz and a game of chess".
_SETTINGS = frozenset(
    "christmas game children cinematic sacred orchestral ballad".split() + _RANKS[0].split()
)
# Of these only two named side by side are two things: "folk, waltz" is a folk waltz.
_DANCES = frozenset("waltz march mazurka polonaise".split())
_KIN = tuple(
    frozenset(genres.split())
    for genres in (
        "jazz swing blues", "latin bossa-nova tango", "electronic ambient pop",
        "folk celtic country", "rock metal pop", "hymn chorale",
    )
)  # fmt: skip


@cache
def _words() -> tuple[tuple[re.Pattern[str], str], ...]:
    """One pattern a genre, over its words, its composers and their Chinese."""
    patterns = []
    for genre, entry in load_data("genres.json").items():
        names = composers_of(genre)
        english = [*entry["words"], *(name for name in names if name.isascii())]
        words = sorted(english, key=len, reverse=True)
        latin = by_first_letter(re.sub(r"\\ |\\-", r"[\\s-]?", re.escape(w)) for w in words)
        chinese = [*entry["zh"], *(name for name in names if not name.isascii())]
        han = "|".join(sorted(chinese, key=len, reverse=True))
        tail = f"|{han}" if han else ""
        patterns.append(
            (re.compile(rf"{LEFT}(?:{latin})(?:-like)?{RIGHT}{tail}", re.IGNORECASE), genre)
        )
    return tuple(patterns)


def read_genre(
    text: str, taken: tuple[Span, ...] = (), programs: tuple[int, ...] = ()
) -> Reading[str]:
    """The genre named in a prepared text.

    taken: places that name single instruments ("jazz guitar" is a guitar). programs: what plays;
    "drums only" and "piano only" are genres of theirs if nothing else does.
    """
    traps = (_MARCH_THE_MONTH, _NOT_GENRES)
    skip = [m.span() for pattern in traps for m in pattern.finditer(text)]
    found: list[tuple[Span, str]] = []
    denied: list[tuple[Span, str]] = []
    for pattern, genre in _words():
        for match in pattern.finditer(text):
            if overlaps(match.span(), skip):
                continue
            if negated(text, match.start()):
                denied.append((match.span(), genre))
                continue
            within = any(a <= match.start() and match.end() <= b for a, b in taken)
            solo = {"drums": (DRUMS,), "piano-solo": (0,)}.get(genre)
            if (solo and programs != solo) or (within and solo is None):
                continue
            found.append((match.span(), genre))
    found += [(m.span(), "country") for m in _COUNTRY.finditer(text)]
    # "latin mass" is sacred: what lies inside a longer name does not count.
    outer = [
        (span, genre)
        for span, genre in found
        if not any(
            a <= span[0] and span[1] <= b and (b - a) > span[1] - span[0] for (a, b), _ in found
        )
    ]
    if not outer:
        return Reading()
    outer.sort()
    best = _choose(text, outer)
    notes = [
        f"'{text[slice(*span)]}': one genre for the whole piece; {best} is used"
        for span in _others(text, outer, best)
    ]
    notes += [
        f"'{text[slice(*span)]}': both asked for and excluded; {best} is used unless another is"
        " named"
        for span, genre in denied
        if genre == best
    ]
    return Reading(best, tuple(dict.fromkeys(notes)), tuple(span for span, _ in found))


def _others(text: str, found: list[tuple[Span, str]], best: str) -> list[Span]:
    """Where genres are named beside the chosen one rather than as a part of it."""
    others = []
    for (one, first), (two, second) in pairwise(found):
        between = _BETWEEN.fullmatch(text[one[1] : two[0]])
        if between and first != second and not {first, second} & _SETTINGS:
            tags = not between["joint"].strip(" ,;&+")
            if not (tags and _may_be_one(first, second)):
                others += [span for span, genre in ((one, first), (two, second)) if genre != best]
    return others


def _may_be_one(first: str, second: str) -> bool:
    """Whether two genres that are only listed may be one thing: "jazz, ballad", "folk, waltz"."""
    pair = {first, second}
    if dances := pair & _DANCES:
        return len(dances) == 1
    return _RANK[first] != _RANK[second] or any(pair <= kin for kin in _KIN)


def _choose(text: str, found: list[tuple[Span, str]]) -> str:
    """The highest rank; of equals the head of the phrase ("celtic march"), else the first named."""

    def rank(item: tuple[Span, str]) -> float:
        # In "a folk tune for jazz trio" the players say less than the tune.
        players = re.search(
            r"(?:trio|quartet|quintet|combo|band|乐队)$", text[slice(*item[0])], re.I
        )
        if text[slice(*item[0])].lower().endswith("like"):  # "a hymn-like chorale"
            return _RANK[item[1]] - 0.5
        return 1.5 if players and item[1] != "string-quartet" else _RANK[item[1]]

    top = max(rank(item) for item in found)
    ranked = [item for item in found if rank(item) == top]
    span, best = ranked[0]
    for next_span, genre in ranked[1:]:
        if re.fullmatch(r"[\s-]*", text[span[1] : next_span[0]]):
            span, best = next_span, genre
        else:
            break
    return best
