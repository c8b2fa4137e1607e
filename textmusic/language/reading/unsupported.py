"""What can be said of music and not be asked for: hands, grades, pitches, changes on the way.

It stays in the caption, where the model sees it, but nothing makes it happen, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from textmusic.language.reading.text import LEFT, RIGHT, Reading, Span, overlaps

_N = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)"
_NOTE = r"(?-i:[A-G](?:#|b)?[0-8])"
_SECTION = r"(?:verse|chorus|bridge|refrain|breakdown)"
_CLEAR_SECTION = r"(?:intro|outro|coda|pre[\s-]?chorus|middle eight|interlude)s?"
_CHANGED = (
    r"(?:louder|softer|quieter|faster|slower|bigger|darker|brighter|happier|sadder|calmer|higher"
    r"|lower|(?:more|less) (?:intense|tense|dramatic|energetic|excited|complex))"
)
_HIGH = r"(?:higher|lower|above|below|over|under|starting on|beginning on|ending on|up to|down to)"
_INSTRUMENT = (
    r"(?:piano|guitar|violin|cello|flute|piece|song|tune|music|version|arrangement|exercise"
    r"|melody|waltz|etude|duet|solo)"
)
_IMITATION = (
    "forms in which voices follow each other cannot be set; name instruments, and a form such as"
    " 'AABA'"
)
# Why it can't be asked for -> English patterns, Chinese ones.
_KINDS = {
    "hands and fingers cannot be chosen": (
        r"(?<!on the )(?:left|right|both|each|alternating|crossed)[\s-]hand(?:s|ed)?"
        r"(?: only| alone)?|two[\s-]handed|(?<!all )hands (?:together|separately|alone|crossing)"
        r"|alternating hands|hand positions?|fingers?(?: \d){1,5}"
        rf"|{_N}[\s-]fingers?(?: (?:position|pattern|exercise)s?)?|fingerings?|finger numbers?"
        r"|finger positions?|finger exercises?|thumbs?[\s-]under",
        "左手|右手|双手|两手|单手|五指(?:位置|练习)?|指法|手指|手位|换指",
    ),
    "the difficulty cannot be set; a slow tempo and a low density make a piece easier": (
        r"(?:abrsm|rcm|trinity|suzuki)(?:[\s-](?:exam|book|grade|level))*(?:\s*\d{1,2})?"
        rf"|grade[\s-]{_N}|(?:for )?(?:absolute |complete |young )?beginners?(?:[\s-]level|'s?)?"
        rf"|level[\s-]{_N}(?= {_INSTRUMENT})|(?:intermediate|advanced)(?:[\s-]level)?"
        rf"(?= {_INSTRUMENT}| players?| pianists?| students?)"
        rf"|(?:very |quite )?(?:easy|difficult|hard)(?: to play|(?= {_INSTRUMENT}))"
        r"|sight[\s-]reading|(?:of )?(?:moderate|medium|low|high) difficulty",
        "[一二三四五六七八九十1-9]级(?!别)|初级|中级|高级|初学者?|入门|考级|难度|视奏"
        "|(?:简单|容易)(?:一点|一些)?",
    ),
    "single notes and their range cannot be set; choose an instrument and a key": (
        rf"(?:notes? |pitch(?:es)? |range |from |between )+{_NOTE}\s*(?:to|and|-|~)\s*{_NOTE}"
        r"|(?-i:[A-G][#b]?(?P<octave>[0-8])\s*(?:to|-|~)\s*[A-G][#b]?(?!(?P=octave))[0-8])"
        rf"|(?:no )?{_HIGH} (?:than )?{_NOTE}|(?:notes?|pitch(?:es)?|range)[\s:]+{_NOTE}"
        r"|(?:above|below|around|from|on|under) middle c|middle c|ledger lines?|tessitura"
        r"|(?:starts?|starting|begins?|beginning) (?:on|with) (?:the note )?(?-i:[A-G][#b]?)"
        r"(?![A-Za-z0-9#']| (?:major|minor|chord|flat|sharp))"
        r"|(?:do|re|mi|fa|sol|la|si|ti)(?:[\s,-]+(?:do|re|mi|fa|sol|la|si|ti)){2,}"
        rf"|within (?:an|{_N}) octaves?|{_N}[\s-]octaves?(?: range)?"
        r"|octaves? (?:higher|lower|apart)"
        r"|(?:high|higher|low|lower|middle|upper) register|(?:narrow|wide|limited|small) range"
        r"|(?:no|without|few|without any) (?:sharps|flats|accidentals)(?:(?: or| and|,)? "
        r"(?:sharps|flats))?|(?:(?:only|just|no|without)(?: the)? )?(?:white|black) (?:keys|notes)"
        r"(?: only)?|(?:only |just )?(?:the )?notes? "
        r"(?-i:[A-G][#b]?(?:,? (?:and )?[A-G][#b]?){1,6})(?![A-Za-z0-9#])",
        r"音域|音区|[高低]音(?:区|\s?[A-G](?![A-Za-z#b]))|最[高低]音|八度|中央\s?C|升降号|[升降]号|[黑白]键"
        r"|(?:从\s?)?[A-G][#b]?[0-8]\s*[到至]\s*[A-G][#b]?[0-8]",
    ),
    "note values cannot be set; choose a tempo, a time signature or a density": (
        r"(?:only )?(?:whole|half|quarter|eighth|sixteenth|8th|16th|32nd|thirty-second|dotted)"
        r"[\s-]notes?(?: only)?|(?:crotchet|quaver|minim|semibreve|semiquaver)s?|triplets?"
        r"|dotted rhythms?",
        "(?:全|二分|四分|八分|十六分|附点)音符|三连音|附点|切分(?:音|节奏)?",
    ),
    "how notes are played cannot be set": (
        r"pizzicato|pizz\.?|arco|spiccato|con sordino|tremolo|arpeggiated|vibrato"
        r"|palm[\s-]mut(?:ed|ing)"
        r"|fingerpick(?:ed|ing)|strumm(?:ed|ing)|a cappella|con (?:fuoco|brio|moto|espressione)"
        r"|dolce|cantabile|espressivo|staccato|legato|marcato|tenuto|portamento"
        r"|glissand[oi]|fermatas?|rubato|grace notes|trills?|mordents?|(?:sustain )?pedall?ing"
        r"|ornament(?:s|ation)",
        "断奏|连奏|跳音|顿音|颤音(?!琴)|装饰音|踏板|滑音|揉弦|延长记号|自由速度",
    ),
    "how loud it is cannot be set; a calm mood is softer, an excited one louder": (
        r"(?-i:ppp?|mp|mf|fff?|sfz|sf|fp)|pianissimo|fortissimo|mezzo[\s-]?(?:piano|forte)"
        r"|(?<!pian)(?<!piano )forte(?!piano)|sforzando|sotto voce|(?:very )?(?<!out )loud(?:ly)?"
        r"|dynamics?(?= (?:markings?|range|contrasts?))|dynamic (?:markings?|range|contrasts?)"
        r"|(?:low|high|full) volume",
        "(?:很|最|特别)?[强弱]奏|音量|响亮|大声|小声|力度(?:变化)?",
    ),
    _IMITATION: (
        r"(?:double |triple |three-part |four-part )?fug(?:ue|ues|al|ato|hetta)|canons?(?! in d\b)"
        r"|canonic|inventions?|sinfonias?|ricercare?|counterpoint|contrapuntal|polyphon(?:y|ic)"
        r"|stretto|passacaglias?|chaconnes?|ground bass|in imitation|imitative"
        r"|call[\s-]and[\s-]response|(?:question|call) and answer|inversions? of the theme"
        r"|retrograde|twelve-bar canon",
        "赋格|卡农(?!和弦|进行)|对位|复调|创意曲|帕萨卡利亚|恰空|模仿(?:句|进行)",
    ),
    "changes within a piece cannot be set; a form such as 'verse chorus' can": (
        r"(?:slowly |gradually |steadily )?(?:builds?|building)[\s-]up(?: slowly| gradually| to"
        r"(?: an?| the)? \w+)?|build-?ups?|(?:slow(?:ly)?|gradual(?:ly)?|steadily) build(?:s|ing)?"
        r"|builds? (?:slowly|gradually|to (?:an? |the )?\w+)|(?:de)?crescendos?|diminuendos?"
        rf"|(?:gets?|getting|grow(?:s|ing)?|becom(?:es?|ing)|turns?|turning) (?:gradually |slowly"
        rf"|steadily |ever )?{_CHANGED}(?: and {_CHANGED})?|fad(?:es?|ing)[\s-](?:in|out)\b"
        r"|fade-?(?:in|out)s?|(?:an? )?climax(?:es)?"
        r"|(?:with )?(?:an? )?(?:big |huge |bass |beat )drops?|key changes?"
        r"|modulat(?:es?|ing|ions?)|ritardando|rallentando|accelerando|speed(?:s|ing)? up"
        r"|slow(?:s|ing) down|tempo changes?|changes? of tempo|ends? (?:softly|quietly|loudly)"
        r"|starts? (?:off )?(?:softly|quietly|quiet|soft|loud|slow|slowly|calm|calmly)",
        r"渐[强弱快慢]|越来越[\u4e00-\u9fff]{1,2}|转调|变调|变速|淡[入出]|高潮|层层推进"
        r"|(?:逐渐|慢慢|渐渐)(?:加强|增强|减弱|加快|放慢|变[\u4e00-\u9fff])"
        r"|[由从][弱慢静快强]到[强快弱慢动]",
    ),
    "a section by itself cannot be set; name the whole form, e.g. 'intro verse chorus outro'": (
        rf"(?:{_N}[\s-]bars? )?{_CLEAR_SECTION}(?! \w+ to)"
        rf"|(?:with|has|plus|then|and|add) (?:an? |the )?(?:\w+ )?{_SECTION}(?! (?:over|of|pedal"
        rf"|across|in|to|effect)\b)(?<!\bchildren's chorus)"
        rf"|(?:big|final|last|first|second|catchy|epic|huge|anthemic|soaring|loud) {_SECTION}"
        rf"|(?:^|[,;:] ?)(?:the )?{_SECTION}(?=\s*(?:$|[,;:]))",
        "前奏|引子|间奏|尾奏|尾声|桥段|主歌|副歌|导歌",
    ),
    "lyrics are not written, only music": (
        r"(?:with )?(?:the )?lyrics?(?! soprano| tenor)(?: about \w+)?|with (?:sung )?words"
        r"|with singing words|rap(?:ping)? verses?",
        "歌词|填词|作词|带词",
    ),
    "only major and minor scales can be set": (
        r"pentatonic(?:s|[\s-]scales?)?|whole[\s-]tone(?:[\s-]scales?)?"
        r"|blues scales?|chromatic(?:ism|[\s-]scales?)?|octatonic|hexatonic|(?:diminished|altered"
        r"|bebop|exotic|arabic|arabian|persian|hungarian|gypsy|japanese|chinese|byzantine|oriental"
        r"|double harmonic|phrygian dominant)(?: (?:minor|major))? scales?|hirajoshi|raga|maqam"
        r"|hijaz|microton\w+|quarter[\s-]tones?|atonal\w*|(?:twelve|12)[\s-]tone|dodecaphonic"
        r"|bitonal|polytonal",
        "五声(?:音阶|调式|性)?(?:音乐)?|[宫商角徵羽]调式?|全音阶|半音阶|(?:布鲁斯|蓝调)音阶|无调性|十二音"
        "|微分音|(?:多利亚|弗里吉亚|混合利底亚|利底亚|洛克里亚)(?:调式)?",
    ),
}  # fmt: skip


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"{LEFT}(?:{english}){RIGHT}|{chinese}", re.IGNORECASE), why)
        for why, (english, chinese) in _KINDS.items()
    )


def read_unsupported(
    text: str, taken: tuple[Span, ...], genres: tuple[Span, ...] = ()
) -> Reading[None]:
    """Notes on what a prepared text says and nothing can be made of, and where it is said.

    taken: places that were read as something else, as "quarter note" in "quarter note = 84".
    genres: places that name a genre: a fugue is baroque, but the genre alone makes no fugue.
    """
    found: list[tuple[Span, str]] = []
    for pattern, why in _patterns():
        for match in pattern.finditer(text):
            spans = [span for span, _ in found]
            here = taken if why == _IMITATION else (*taken, *genres)
            if not overlaps(match.span(), here) and not overlaps(match.span(), spans):
                found.append((match.span(), why))
    found.sort()
    notes = []
    for reason in dict.fromkeys(why for _, why in found):
        said = (text[slice(*span)].strip(" ,;:") for span, why in found if why == reason)
        notes.append(f"{_quoted(said)}: {reason}")
    return Reading(None, tuple(notes), tuple(span for span, _ in found))


def _quoted(said: Iterable[str]) -> str:
    return ", ".join(f"'{one}'" for one in dict.fromkeys(said))
