"""Names: composers, whose music is known, and artists and titles, which say nothing that is read.

"in the style of Chopin" is a genre and a piano. "like Jailhouse Rock" and 周杰伦风格 are reported,
and their words are read as nothing else: no rock, no mood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from textmusic.language.reading.text import (
    CJK,
    LEFT,
    RIGHT,
    Reading,
    Span,
    by_first_letter,
    negated,
    overlaps,
)
from textmusic.music.data_files import load_data

NOT_READ = (
    "names of artists and pieces are not read; describe the style, e.g. 'slow pop ballad with"
    " piano'"
)
# In these a composer of piano music is still one: "a waltz like Chopin's", not "rock like Liszt".
_FOR_KEYBOARD = frozenset("classical romantic waltz mazurka polonaise march dance".split())

_SMALL = r"(?:of|the|in|to|and|on|a|an|my|is|for|de|la|le|el|des|du|van|von|'n'|n'|&)"
_CAPITAL = r"(?:[A-Z][A-Za-z'’-]*|[A-Z]\.)"
_RUN = rf"{_CAPITAL}(?:\s+(?:{_SMALL}\s+){{0,2}}{_CAPITAL})*"
# What stands before the name of somebody or of a piece.
_CUE = re.compile(
    r"(?:\b(?:in (?:the|a) (?:style|manner|spirit|vein) of|(?:sounds?|sounding|feels?|just|a bit"
    r"|much|something|anything) like|like|inspired by|influenced by|reminiscent of|similar to"
    r"|(?:songs?|pieces?|tunes?|music|hits?|tracks?|something|anything|written|composed) by"
    r"|a la|covers? of|(?:theme|music|songs?) from|soundtrack of|(?P<called>called|named|titled"
    rf"|entitled)))\s+(?:(?:the (?:song|piece|band|singer|group)|the|an?)\s+)?[\"']?(?P<run>{_RUN})"
)
_STYLE_OF = re.compile(
    rf"(?<![A-Za-z0-9_'-])(?P<run>{_RUN})(?:'s)?"
    r"(?=[\s-]+(?:style|type beat|inspired|vibes?)\b|-(?:like|esque)\b)"
)
# "March of the Penguins": a form with a capital, and what it is of with one.
_OF_THE = re.compile(
    r"(?<![A-Za-z])(?:March|Dance|Waltz|Ballad|Symphony|Hymn|Song|Carol|Tango|Parade|Ride|Flight"
    rf"|Lament|Anthem) of (?:the )?{_CAPITAL}(?: {_CAPITAL})*"
)
# No names, though written with a capital: "like Sunday morning", "by Friday".
_NO_NAMES = frozenset(
    "i i'm a am the monday tuesday wednesday thursday friday saturday sunday january february march"
    " april may june july august september october november december english american british"
    " chinese japanese korean indian african arabic persian turkish russian polish german french"
    " italian spanish mexican brazilian cuban greek hungarian gypsy jewish european asian western"
    " eastern northern southern middle old new deep far south north east west nordic balkan slavic"
    " thai vietnamese hawaiian caribbean jamaican egyptian viennese andalusian swedish finnish"
    " danish dutch portuguese halloween easter thanksgiving god ai midi gm".split()
)
_PLAIN_NOUNS = frozenset("music song songs tune tunes style piece sound sounds theme".split())
_QUOTED = re.compile(r'"(?P<inner>[^"]{2,60})"|(?<![A-Za-z0-9])\'(?P<inner2>[A-Z][^\']{2,60})\'')
_QUOTE_CUE = re.compile(
    r"(?:\b(?:called|named|titled|entitled|songs?|pieces?|tunes?|theme|like|from|by|covers?(?: of)?"
    r"|sing\w*|version of|title[:\s]*(?:is)?)|叫做?|名为|题为|标题[是为:]?|像|演唱|歌曲)[\s,:]*$",
    re.IGNORECASE,
)
_BOOK_TITLE = re.compile(r"[《〈「『][^》〉」』]{1,40}[》〉」』]")
# A Chinese name of three characters by its surname, where it is somebody's style or songs.
_SURNAMES = (
    "周林邓王张李陈刘杨赵吴徐孙朱胡郭何罗郑梁谢宋唐许韩冯曹彭曾萧田董袁潘蔡蒋于杜叶程魏苏吕丁任卢姚沈姜"
    "崔谭陆范汪廖石贾韦付邹熊孟秦邱侯尹薛段龙陶贺毛郝顾龚邵万钱戴严欧莫孔汤阿"
)
_HAN_NAME = re.compile(
    rf"(?:(?<![{CJK}])|(?<=[像似仿学首曲段个的种点要写和与]))(?P<run>[{_SURNAMES}][{CJK}]{{2}})"
    r"(?=(?:的|那样的?|那种|这种)?(?:风格|曲风|风味|的歌|歌曲|式的|那样|那种|类型))"
)
# Characters that are hardly in a name of three, but in phrases that begin like one.
_NOT_IN_NAMES = re.compile("[的是和与有在很不之风乐曲歌调拍快慢古典流行摇滚爵士民族传统中国]")


@cache
def composers() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Every spelling of a composer's name, English ones in lower case -> genre and programs.

    There are programs only for those whose music hardly ever has other players.
    """
    known = {}
    for name, entry in load_data("artists.json")["composers"].items():
        for spelling in (name, *entry.get("also", ()), *entry["zh"]):
            known[spelling.lower()] = entry["genre"], tuple(entry.get("programs", ()))
    return known


def composers_of(genre: str) -> list[str]:
    """The names, as in `composers`, of those whose music is of a genre."""
    return [name for name, (own, _) in composers().items() if own == genre]


def composers_players(text: str, genre: str | None) -> tuple[int, ...]:
    """Programs that a named composer wrote for: Chopin is the piano; () if no such one is named.

    Only in genres of theirs.
    """
    for match in _composer_pattern().finditer(text):
        own, programs = composers()[match[0].lower()]
        fitting = genre == own or genre in _FOR_KEYBOARD
        if programs and fitting and not negated(text, match.start()):
            return programs
    return ()


@cache
def _composer_pattern() -> re.Pattern[str]:
    return re.compile(_alternatives(list(composers())), re.IGNORECASE)


@cache
def _listed() -> re.Pattern[str]:
    """Artists and titles that are known by name."""
    data = load_data("artists.json")
    return re.compile(
        _alternatives([word for group in data if group != "composers" for word in data[group]]),
        re.IGNORECASE,
    )


def _alternatives(names: list[str]) -> str:
    """A pattern of these names, whole words where they are English, the longest first."""
    names = sorted(names, key=len, reverse=True)
    latin = by_first_letter(re.escape(name) for name in names if name.isascii())
    han = "|".join(re.escape(name) for name in names if not name.isascii())
    return rf"{LEFT}(?:{latin}){RIGHT}|{han}"


def read_names(text: str, is_read: Callable[[str], bool]) -> Reading[None]:
    """Names of artists and pieces in a prepared text, which are reported and no more.

    is_read: whether a word, in lower case, is one that is read. "like Irish Music" names nobody,
    "like Jailhouse Rock" does, though rock is read.
    """
    found: list[Span] = []
    for span in sorted(_names(text, is_read), key=lambda span: (span[0], -span[1])):
        if not overlaps(span, found):
            found.append(span)
    notes = (f"'{text[slice(*span)]}': {NOT_READ}" for span in found)
    return Reading(None, tuple(dict.fromkeys(notes)), tuple(found))


def _names(text: str, is_read: Callable[[str], bool]) -> Iterator[Span]:
    for match in (*_listed().finditer(text), *_BOOK_TITLE.finditer(text)):
        yield match.span()
    yield from _quoted_titles(text)
    for match in _HAN_NAME.finditer(text):
        if not (_NOT_IN_NAMES.search(match["run"]) or _composer_pattern().search(match["run"])):
            yield match.span("run")
    if text.istitle() or text.isupper():
        return
    for match in _OF_THE.finditer(text):
        if not _composer_pattern().search(match[0]):
            yield match.span()
    for pattern in (_CUE, _STYLE_OF):
        for match in pattern.finditer(text):
            first = pattern is _STYLE_OF and match.start() == 0 and " " not in match["run"]
            called = match.groupdict().get("called")
            if called or (not first and _is_name(match["run"], is_read)):
                yield match.span("run")


def _quoted_titles(text: str) -> Iterator[Span]:
    for match in _QUOTED.finditer(text):
        inner = match["inner"] or match["inner2"]
        if match.end() - match.start() >= len(text.strip(" .,;!?")):
            continue  # a prompt that is quoted whole
        cued = _QUOTE_CUE.search(text[: match.start()])
        words = re.findall(r"[A-Za-z][A-Za-z']*", inner)
        capitals = [word for word in words if word[0].isupper()]
        title = len(capitals) > 1 and len(capitals) >= len(words) / 2
        if (cued or title) and not _composer_pattern().search(inner):
            yield match.span()


def _is_name(run: str, is_read: Callable[[str], bool]) -> bool:
    """Whether words with capitals hold one that is neither a composer nor read as anything."""
    if _composer_pattern().search(run) or re.fullmatch(r"[A-G][#b]?m?", run.split()[0]):
        return False
    words = (word.removesuffix("'s") for word in re.findall(r"[a-z][a-z']+", run.lower()))
    odd = {word for word in words if not (is_read(word) or re.fullmatch(_SMALL, word))}
    return bool(odd - _NO_NAMES - _PLAIN_NOUNS)
