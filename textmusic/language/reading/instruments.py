"""The instruments: General MIDI programs by every ordinary name, ensembles, "no drums"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from textmusic.language.reading.parts import chosen, read_several
from textmusic.language.reading.people import composers_players
from textmusic.language.reading.terms import Named, lookup, name, pattern, squash, terms
from textmusic.language.reading.text import LEFT, RIGHT, Reading, Span, around, overlaps
from textmusic.language.reading.usage import read_only
from textmusic.music.plan import MAX_PROGRAMS
from textmusic.music.theory import DRUMS


@dataclass(frozen=True, slots=True)
class Instruments:
    """What is said about instruments: those to play, those that must not, and where."""

    programs: tuple[int, ...] = ()  # in the order of the text
    without: tuple[int, ...] = ()
    only: bool = False  # nothing else may play, in a piece that has other players
    singles: tuple[Span, ...] = ()  # where single instruments are named: "jazz guitar" is no genre


# Where an instrument's name means something else.
_NOT_INSTRUMENTS = re.compile(
    "|".join(
        (
            r"jingle bells|\b(?:wedding|alarm|warning|school) bells?|bells and whistles",
            r"wind chimes|harp seal",
            r"heart[\s-]?strings|strings attached|synth[\s-]?(?:pop|wave)|pad thai|lily pads?",
            r"drum[\s-]*(?:and|&|n|'n'?)[\s-]*bass\b|\bd\s?&\s?b\b|drum major|drummer boy",
            r"(?:tape|voice|sound) recorder|voice[\s-]?overs?\b",
            r"(?:car|fog|air|shoe) ?horns?\b|horn of plenty",
            r"\bbass[\s-]heavy|\b(?:treble|bass|alto|tenor) clefs?|top brass|brass monkey",
            r"singer[\s-]songwriter|second fiddle|fiddle (?:with|around)",
            r"organ (?:donor|transplant)",
            r"(?:computer|laptop|typing on an?) keyboard|piano (?:tuner|mover|stool)s?",
            r"(?:from )?piano (?:to|and) (?:forte|fortissimo)",
            # voices of a texture rather than singers
            r"(?:two|three|four|five|six|\d)[\s-](?:voice|part)s?\b(?= (?:invention|fugue"
            r"|counterpoint|texture|harmony|writing|canon|chorale|piece|setting|song|hymn)|$)",
            r"in (?:two|three|four|five|six|\d) (?:voices|parts)|voice leading|inner voice",
            r"\bchorales\b",
            "风筝|鼓舞|鼓励|鼓掌|鼓起|大号字|笙歌|人声鼎沸|钢琴家",
        )
    ),
    re.IGNORECASE,
)
# Words that mean an instrument only in a list of instruments: "voice and piano", "on vibes".
_IN_LISTS = {"voice", "voices", "vibes", "keys", "whistle", "chimes", "virginal", "brushes"}
# Of these the following mean one right behind an instrument, too: "bass drums keys".
_ON_STAGE = {"voice", "voices", "keys"}
_DETERMINER = (
    r"(?:(?:an?|the|any|some|solo|soft|gentle|single|two|three|four|female|male|human)\s+)*"
)
_LIST_BEFORE = re.compile(
    r"(?:^|[,;&+(/:]|\b(?:for|with|on|and|plus|by|or|no|without|just|only|add|features?|featuring))"
    rf"\s*{_DETERMINER}$",
    re.IGNORECASE,
)
_LIST_AFTER = re.compile(
    r"\s*(?:$|[,.;&+)/!?]|(?:and|with|in|at|plus|or|only|solo|alone|over|but|playing|part|melody"
    r"|line)\b)",
    re.IGNORECASE,
)
# Nothing but words that describe it stands before a voice that is meant to sing: "sad, fogbound
# voice", "I need voice"; "find your voice" and "a voice of reason" are none.
_NO_SINGER = (
    r"an?|the|my|your|his|her|its|our|their|this|that|each|every|all|both|any|of|in|with|at|by|as"
    r"|like|and|or|to|from|under|no|not|never|without|don't|do|avoid|exclud(?:e|ing)|remov(?:e|ing)"
    r"|skip|minus|less|have|has|had|find|los(?:e|t|ing)|rais(?:e|ed|ing)|lower|giv(?:e|ing)|us(?:e|ing)"
    r"|hear|heard|one|two|three|four|five|six|many|inner|middle|outer|upper|top|equal|independent"
    r"|speaking|talking|narrat(?:or|ion)|computer|robot"
)
_DESCRIBED = re.compile(
    r"(?:^|[,;&+(/:]|\band\b)\s*"
    r"(?:(?:i\s+(?:need|want|would like)|give me|compose|write|generate|create|make|play)\s+"
    r"(?:an?\s+)?)?"
    rf"(?:(?!(?:{_NO_SINGER})\b)[a-z][a-z'-]*\s+){{0,4}}$",
    re.IGNORECASE,
)
# "two bass drums" and "timpani and bass drums" are drums alone.
_BIG = re.compile(
    r"\b(?:two|three|four|big|huge|deep|loud|orchestral|concert|marching|pounding|thundering|booming"
    r"|(?:timpani|taikos?|snares?|cymbals?|gongs?|percussion)(?:\s*(?:,|and|&))?)\s+$",
    re.IGNORECASE,
)
_REACH = 40  # characters before a name in which the one beside it stands whole
_KIT = re.compile(r"[\s-](?:kit|set|machine|beat|loop|groove|track|part)s?\b", re.IGNORECASE)
_AND = re.compile(r"\s*(?:\band\b|&|\+)\s*(?:(?:a|an|the|solo) )?", re.IGNORECASE)
_AND_BEFORE = re.compile(r"\s*(?:\band\b|&|\+)\s*(?:(?:a|an|the|solo) )?$", re.IGNORECASE)
# What denies the instrument that follows; a few adjectives may stand between.
_NO = re.compile(
    r"(?:\b(?:without(?: using)?|with no|no|minus|excluding|exclude|omit(?:ting)?|drop"
    r"|avoid(?:ing)?|instead of|(?:any|every)thing but|rather than|leave out|leaving out|free of"
    r"|lacking"
    r"|skip(?:ping)?|never|remove|hates?|except(?: for)?|but not"
    r"|(?:do not|don't|please don't|not) (?:use|want|include|add|have|like|need)(?: in)?"
    r"|not(?! (?:only|just|merely|so|too)))"
    r"\s+(?:(?:the|an?|any|of|for|with|some|use|using)\s+)*"
    r"(?:(?:loud|soft|heavy|big|extra|added|live|backing|lead|harsh|busy|real|kind of)\s+)?"
    r"|(?:不要|不用|没有|无需|不含|不带|不加|除了|去掉|别用|别加|不使用|无)(?:任何|有)?)$",
    re.IGNORECASE,
)
_EXCEPT_OF_NONE = re.compile(
    r"\b(?:no|nothing|none|without)\b[^,.;]*\b(?:except|but|other than)\b[^,.;]*$", re.I
)
_NO_THANKS = re.compile(r"\s*[?:]\s*no\b", re.IGNORECASE)
_LESS = re.compile(rf"{LEFT}(?:drum|beat|percussion)(?:less|[\s-]free){RIGHT}", re.IGNORECASE)
_LIKE = re.compile(
    r"(?:\b(?:sounds?|sounding|a bit|much|rather|something|play\w*|just|feels?) like"
    r"|\b(?:resembl|imitat|mimick?|emulat|evok|recall)(?:es?|ing|s)|reminiscent of|as if"
    r"|inspired by|in the (?:style|manner|spirit) of|similar to"
    r"|(?<!would )(?<!'d )(?<!\bi )(?<!we )\blike)"
    r"\s+(?:(?:an?|the|some|of|it were|played on)\s+)*(?:[a-z]+\s+)?$",
    re.IGNORECASE,
)
_STYLE_AFTER = re.compile(r"-?(?:like|esque|ish)\b|[\s-]style\b", re.IGNORECASE)
# "acoustic and electric guitar" names two instruments with one noun.
_KIND = (
    r"acoustic|electric|nylon|classical|distorted|overdriven|clean|soprano|alto|tenor|baritone|synth"
    r"|slap"
)
_SHARED_NOUN = re.compile(
    rf"\b(?P<a>{_KIND})(?P<sep>\s*(?:,|and|&|\+|plus)\s*(?:an? )?)(?P<b>(?:{_KIND})\s+)"
    r"(?P<noun>guitar|sax(?:ophone)?|bass|piano)(?P<s>e?s)?\b",
    re.IGNORECASE,
)
# What a denied general word excludes: "no guitar" means none of them.
_KINDS = {
    "piano": range(4), "organ": range(16, 21), "guitar": range(24, 32), "bass": range(32, 40),
    "strings": range(40, 52), "choir": (52, 53, 54), "voice": (52, 53, 54), "voices": (52, 53, 54),
    "vocals": (52, 53, 54), "vocal": (52, 53, 54), "singer": (52, 53, 54), "brass": range(56, 64),
    "saxophone": range(64, 68), "sax": range(64, 68), "synth": (38, 39, *range(80, 104)),
    "synthesizer": (38, 39, *range(80, 104)), "pads": range(88, 96), "钢琴": range(4),
    "吉他": range(24, 32), "贝斯": range(32, 40), "弦乐": range(40, 52), "人声": (52, 53, 54),
}  # fmt: skip
_FOUR_VOICES = re.compile(
    r"\bsopranos?[,\s]+altos?[,\s]+tenors?[,\s]+(?:and |& )?bass(?:es)?\b", re.IGNORECASE
)
# A general word is read as the kind of instrument that its genre uses.
_BY_GENRE = {
    "guitar": {
        25: "pop country folk ballad celtic christmas lead-sheet", 26: "jazz swing",
        27: "funk reggae blues", 29: "rock", 30: "metal",
    },
    "organ": {16: "jazz swing blues funk reggae pop latin", 18: "rock metal"},
    "bass": {
        32: "jazz swing bossa-nova folk country tango blues latin ragtime classical ballad",
        38: "electronic game",
    },
    "doublebass": {32: "jazz swing bossa-nova blues ragtime country folk"},
    "saxophone": {66: "jazz swing blues funk rock reggae latin"},
    "bells": {112: "christmas"},
}  # fmt: skip
_SAME = {
    "bassline": "bass", "basslines": "bass", "bassist": "bass", "贝斯": "bass", "贝司": "bass",
    "guitarist": "guitar", "吉他": "guitar", "sax": "saxophone", "saxophonist": "saxophone",
    "萨克斯": "saxophone", "萨克斯管": "saxophone", "萨克斯风": "saxophone",
}  # fmt: skip
_LOOSE = re.compile(
    "jazz|rock|metal|punk|pop|bigband|power|bluegrass|dixie|mariachi|rhythm|爵士|摇滚|金属|大乐队"
)


def read_instruments(text: str, genre: str | None = None) -> Reading[Instruments]:
    """The instruments of a prepared text. `genre` decides what "guitar" or "bass" stand for.

    The order of `Instruments.programs` is that of the text; at most 15 besides what is reported.
    """
    found, choices = chosen(text, _weigh(text, _find(text)))
    asked = [n for n in found if not n.negated and not n.left_out and n.term.programs]
    sure = [n for n in asked if not n.simile]
    playing = sure or asked
    notes = [
        f"'{text[slice(*n.span)]}': {_absent(n)}"
        for n in found
        if not (n.negated or n.left_out) and _absent(n)
    ]
    notes += choices
    several, counted = read_several(text, playing)
    notes += several
    programs = _programs(playing, genre)
    listed = {p for n in sure if n.term.kind != "ensemble" for p in _of_genre(n, genre)}
    notes += [
        f"'{text[slice(*n.span)]}': both asked for and excluded, so it plays; say only one of the"
        " two"
        for n in found
        if n.negated and n.term.kind != "ensemble" and listed.intersection(_of_genre(n, genre))
    ]
    without = {p for n in found if n.negated for p in (*n.term.programs, *_KINDS.get(n.word, ()))}
    if less := _LESS.search(text):
        without |= {DRUMS}
        if DRUMS in listed:
            notes.append(
                f"'{less[0]}': drums are also asked for, so they play; say only one of the two"
            )
    without -= listed
    kept = tuple(dict.fromkeys(p for p in programs if p not in without))
    if all(n.negated or n.left_out for n in found):
        kept = tuple(p for p in composers_players(text, genre) if p not in without)
    if programs and not kept:
        said = text[slice(*playing[0].span)]
        notes.append(f"'{said}': both asked for and excluded; the model chooses what plays")
    if len(kept) > MAX_PROGRAMS:
        names = ", ".join(name(p) for p in kept[MAX_PROGRAMS:])
        notes.append(
            f"'{names}': at most {MAX_PROGRAMS} instruments play at once; the first are used"
        )
    singles = tuple(n.span for n in found if n.term.kind != "ensemble")
    only = read_only(text, tuple(n.span for n in playing))
    value = Instruments(kept[:MAX_PROGRAMS], tuple(sorted(without)), only, singles)
    spans = (*(n.span for n in found), *counted)
    return Reading(value, tuple(dict.fromkeys(notes)), spans)


def spell_out(text: str) -> str:
    """A text in which every instrument has its own noun, and the four voices are one choir."""

    def share_noun(match: re.Match[str]) -> str:
        first, second = f"{match['a']} {match['noun']}", f"{match['b']}{match['noun']}"
        return f"{first}{match['sep']}{second}{match['s'] or ''}"

    return _FOUR_VOICES.sub("satb", _SHARED_NOUN.sub(share_noun, text))


def _find(text: str) -> list[Named]:
    skip = [m.span() for m in _NOT_INSTRUMENTS.finditer(text)]
    found = []
    for match in pattern().finditer(text):
        term = lookup(match[0])
        if term is None or overlaps(match.span(), skip):
            continue
        if both := _bass_and_drums(text, match):
            found += both
            continue
        key = squash(match[0])
        key = key if key in terms() else key.removesuffix("s")
        beside = key in _ON_STAGE and found and text[found[-1].span[1] : match.start()] == " "
        if key in _IN_LISTS and not (beside or _in_list(text, match) or _joined(text, match)):
            continue
        found.append(Named(key, term, match.span()))
    return found


def _bass_and_drums(text: str, match: re.Match[str]) -> list[Named]:
    """The two that a list without commas names: "guitar bass drums", "sax bass drum kit"."""
    said = re.fullmatch(r"(bass)([\s-]+)(drums?)", match[0], re.IGNORECASE)
    if said is None:
        return []
    before, _ = around(text, *match.span())
    several = said[3].lower() == "drums" and not _BIG.search(before)
    close = before[-_REACH:].rstrip(" /")
    listed = any(m.end() == len(close) for m in pattern().finditer(close))
    if not (several or listed or _KIT.match(text, match.end())):
        return []
    middle, start = match.start() + len(said[1]), match.start(0) + said.start(3)
    return [
        Named("bass", terms()["bass"], (match.start(), middle)),
        Named("drums", terms()["drums"], (start, match.end())),
    ]


def _in_list(text: str, match: re.Match[str]) -> bool:
    if not _LIST_AFTER.match(text[match.end() :]):
        return False
    before, _ = around(text, *match.span())
    sung = squash(match[0]) == "voice" and _DESCRIBED.search(before)
    return bool(sung or _LIST_BEFORE.search(before))


def _joined(text: str, match: re.Match[str]) -> bool:
    """Whether "and" joins a word to a plain instrument: "sad voice and piano in C"."""
    after = _AND.match(text, match.end())
    beside = pattern().match(text, after.end()) if after else None
    before = _AND_BEFORE.search(text[: match.start()])
    last = list(pattern().finditer(text[: before.start()])) if before else []
    if before and last and last[-1].end() == before.start():
        beside = beside or last[-1]
    return beside is not None and squash(beside[0]) not in _IN_LISTS


def _weigh(text: str, found: list[Named]) -> list[Named]:
    """Mark what is denied ("no drums, bass or guitar") and what is only a comparison."""
    weighed: list[Named] = []
    denied_until = -1
    for i, named in enumerate(found):
        before, after = around(text, *named.span)
        if _NO_THANKS.match(after):
            weighed.append(replace(named, negated=True))
            continue
        if i > denied_until and _is_denied(before, named, found[max(i - 1, 0) : i]):
            denied_until = _last_denied(text, found, i)
        if i <= denied_until:
            weighed.append(replace(named, negated=True))
            continue
        simile = bool(_LIKE.search(before) or _STYLE_AFTER.match(after))
        weighed.append(replace(named, simile=simile))
    return weighed


def _is_denied(before: str, named: Named, earlier: list[Named]) -> bool:
    match = _NO.search(before)
    if not match or re.search(r"\bnothing\s*$", before[: match.start()], re.IGNORECASE):
        return False
    denial = named.span[0] - (len(before) - match.start())
    if earlier and earlier[-1].span[1] > denial:  # another instrument stands between
        return False
    return not _EXCEPT_OF_NONE.search(before)


def _last_denied(text: str, found: list[Named], first: int) -> int:
    """The index of the last instrument in the list that a "no" opens.

    "no drums, bass or guitar" denies three, "no drums, piano and cello" one: a comma carries the
    denial on only towards an "or".
    """
    last, reach = first, first
    for i in range(first + 1, len(found)):
        gap = text[found[i - 1].span[1] : found[i].span[0]].strip().lower()
        either = re.fullmatch(
            r",?\s*(?:(?:or|nor)(?: any| the| an?)?|and no|和|或|或者|与|及)", gap
        )
        if either or (gap in ("and", "&", "/") and last == i - 1):
            last = reach = i
        elif gap == "," and reach == i - 1:
            reach = i
        else:
            break
    return last


def _programs(playing: list[Named], genre: str | None) -> tuple[int, ...]:
    """Programs in the order of the text.

    "jazz quartet with saxophone, piano, bass and drums" lists its players; "jazz quartet with
    saxophone" replaces one of them.
    """
    listed = {p for n in playing if n.term.kind != "ensemble" for p in _of_genre(n, genre)}
    programs: list[int] = []
    for named in playing:
        members = _of_genre(named, genre)
        if named.term.kind == "ensemble" and _LOOSE.match(named.word):
            if len(listed) >= max(2, len(members) - 1):
                continue
            families = {p // 8 for p in listed}
            members = tuple(p for p in members if p in listed or p // 8 not in families)
        programs += members
    return tuple(dict.fromkeys(programs))


def _of_genre(named: Named, genre: str | None) -> tuple[int, ...]:
    """The programs of a name; a general one ("guitar") as the genre uses it."""
    for program, genres in _BY_GENRE.get(_SAME.get(named.word, named.word), {}).items():
        if genre and genre in genres.split():
            return (program,)
    return named.term.programs


def _absent(named: Named) -> str:
    if named.term.kind == "near":
        return f"not a General MIDI sound; {name(named.term.programs[0])} is used instead"
    if named.term.kind == "absent":
        return f"not a General MIDI sound; try '{named.term.instead}'"
    return ""
