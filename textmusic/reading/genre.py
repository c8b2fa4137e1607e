"""The genre, where one is clearly named: "ragtime", "an Irish reel", "探戈"; not "the month of March"."""

from __future__ import annotations

import re
from functools import cache

from textmusic.caption import load_data
from textmusic.plan import DRUMS
from textmusic.reading.text import LEFT, RIGHT, Reading, Span, negated, overlaps

# Of several genres the one that says most wins: forms and idioms before eras and settings.
_RANKS = (
    "dance piano-solo drums lead-sheet other",
    "classical romantic orchestral ballad",
    "waltz string-quartet renaissance baroque ambient sacred cinematic children electronic pop folk",
    "chorale hymn celtic march mazurka polonaise ragtime jazz blues swing bossa-nova latin tango rock"
    " country funk reggae game lied metal christmas",
)
_RANK = {genre: rank for rank, genres in enumerate(_RANKS) for genre in genres.split()}
_MUSIC = r"(?:music|songs?|tunes?|pieces?|works?|style|hymns?|motets?|chants?|choral|choir|concert|polyphony|vocal)"
_NOT_GENRES = tuple(
    re.compile(pattern)
    for pattern in (
        # March, the month
        r"\b(?:[Ii]n|[Oo]f|[Ee]arly|[Ll]ate|[Mm]id|[Ll]ast|[Nn]ext|[Tt]his|[Ee]very|[Ss]ince|[Oo]n) March\b",
        r"\bMarch (?:\d|morning|evening|afternoon|day|night|wind|rain|weather|hare|sun\w*|snow|madness)",
        r"\b\d{1,2}(?:st|nd|rd|th)?(?: of)? March\b",
        # a rock, a swing, a dance, a piece of metal
        r"(?i)\b(?:on|onto|under|behind|from|beneath|against|of|by) (?:an? |the |this |that )?rocks?\b(?! (?:music|song|band))",
        r"(?i)\b(?:an?|the) rock (?:by|on|in|at|of|near|and a hard)\b|\brock (?:bottom|garden|pool|climb\w*|face|me|you|us)\b",
        r"(?i)\brock(?:s|ed)? (?:the|an?|my|your) (?:\w+ )?(?:baby|cradle|boat|child)\b|\bto rock\b",
        r"(?i)\bmood[\s-]swings?|\b(?:on|porch|garden|tyre|tire|full|the|rope) swing\b(?! (?:music|era|tune|band|feel))|\ba swing (?:in|on|hanging|set)\b",
        r"(?i)\bpop (?:the|an?|of|up|in|out|open|quiz|art)\b|\bpopcorn",
        r"(?i)\bfolk (?:tales?|who|hero)\b|\b(?:old|young|country|town|village|little|wee|my|poor|good) folk\b(?! (?:song|tune|music|dance|melod))",
        r"(?i)\bmetal (?:gate|door|box|sheet|object|fence|pipe|plate|spoon|works?|shop|detector|factory|wheels?|strings?|bars?)\b",
        r"(?i)\b(?:scrap|sheet|precious|rusty|molten|twisted|clanging|of|on|against) metal\b(?! (?:music|song|riff|band))",
        r"(?i)\b(?:to|can|will|we|you|i|they|let's|would|could|must|leaves|shadows|flakes|flames|flies|stars|waves) dances?\b",
        r"(?i)\bdances? (?:on|in|across|around|over|through|with|of|under)\b|\b(?:first|last) dance\b",
        r"(?i)\bdance (?:floor|class|teacher|studio|hall|partner)s?\b",
        rf"(?i)\bsacred\b(?!\s*(?:$|[,.;]|and\b|{_MUSIC}))",
        r"(?i)\birish (?:coffee|whiske?y|setter|stew|butter)|\bscottish terrier",
        r"(?i)\blatin (?:class|teacher|text|lessons?|words?|lyrics|exam|language)\b",
        r"(?i)\b(?:film|news|highlight|fishing) reels?\b|reel[\s-]to[\s-]reel|\breel(?:s|ed)? (?:in|of film|to)\b",
        r"(?i)\b(?:through|in|to|near|from|of|on|across|down) (?:nashville|broadway|hollywood)\b",
        r"(?i)\bsoundtracks? (?:for|to|of)\b|\brenaissance (?:painting|man|woman|palace|fair)\b",
        r"(?i)\bsymphony of (?!\w+ movements)|\b(?:got|have|having|feel\w*) the blues\b|\bblues and (?:greens?|yellows?|reds?|golds?)\b",
        r"(?i)\belectronic (?:device|store|shop|mail|voting)|\bglad rags?\b|\brag (?:doll|and bone)s?\b|\bcarols? (?:is|was|'s)\b",
        r"(?i)\b(?:an?|the|ancient) (?:church|quiet|distant) mass in\b|\bmass in (?:the|an?) \b",
        r"(?i)\bclassical guitars?\b|\bgame of (?:chess|cards|thrones)\b|\bgrunge[ds]\b",
        r"交响情人|摇篮(?!曲)",
    )
)  # fmt: skip
# "country" alone is a landscape more often than a genre.
_COUNTRY = re.compile(
    r"(?i)(?<!\bthe )(?<!\bmy )(?<!foreign )(?<!another )(?<!distant )(?<!old )(?<!this )(?<!own )(?<!our )"
    r"(?<!home )(?<!in )(?<!across )(?<!cross[ -])(?<!strange )(?<!open )(?<!of )(?<!new )\bcountry"
    r"(?=\s*(?:$|[,;.]|in [A-G]\b|with\b|at \d|for\b|on\b|\d|piece|jam|shuffle|swing|rock|riff|vibe|and folk|fiddle|banjo"
    r"|violin|piano|instrumental|melody|number|love|-\s?))"
)


@cache
def _words() -> tuple[tuple[re.Pattern[str], str], ...]:
    """One pattern a genre, over its words and their Chinese."""
    patterns = []
    for genre, entry in load_data("genres.json").items():
        words = sorted((*entry["words"], genre if genre != "other" else "experimental"), key=len)
        words = [w for w in words if genre not in ("drums", "country", "children") or w != genre]
        latin = "|".join(
            re.sub(r"\\ |\\-", r"[\\s-]?", re.escape(w)) for w in sorted(set(words), key=len, reverse=True)
        )
        han = "|".join(sorted(entry["zh"], key=len, reverse=True))
        tail = f"|{han}" if han else ""
        patterns.append((re.compile(rf"{LEFT}(?:{latin})(?:-like)?{RIGHT}{tail}", re.IGNORECASE), genre))
    return tuple(patterns)


def read_genre(
    text: str, taken: tuple[Span, ...] = (), programs: tuple[int, ...] = ()
) -> Reading[str]:
    """The genre named in a prepared text.

    taken: places that name single instruments ("jazz guitar" is a guitar). programs: what plays;
    "drums only" and "piano only" are genres of theirs if nothing else does.
    """
    skip = [m.span() for pattern in _NOT_GENRES for m in pattern.finditer(text)]
    found: list[tuple[Span, str]] = []
    for pattern, genre in _words():
        for match in pattern.finditer(text):
            if overlaps(match.span(), skip) or negated(text, match.start()):
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
        if not any(a <= span[0] and span[1] <= b and (b - a) > span[1] - span[0] for (a, b), _ in found)
    ]
    if not outer:
        return Reading()
    best = _choose(text, sorted(outer))
    return Reading(best, (), tuple(span for span, _ in found))


def _choose(text: str, found: list[tuple[Span, str]]) -> str:
    """The highest rank; of equals the head of the phrase ("celtic march"), else the first named."""
    top = max(_RANK[genre] for _, genre in found)
    ranked = [item for item in found if _RANK[item[1]] == top]
    span, best = ranked[0]
    for next_span, genre in ranked[1:]:
        if re.fullmatch(r"[\s-]*", text[span[1] : next_span[0]]):
            span, best = next_span, genre
        else:
            break
    return best
