"""Whether a text is in a language that is not read, told from its commonest words."""

from __future__ import annotations

import re
import unicodedata

from textmusic.language.reading.text import CJK, Span, blank, quote

ONLY = "only English and Chinese are read, though words that are understood still count"
# Words that English lacks: such as stand in most sentences, and such as prompts for music have.
_COMMON = {
    "German": (
        "ein eine einen einem eines und mit fur der das den dem im vom zum ist nicht ohne uber wie"
        " ich mochte bitte auf aus sehr etwas",
        "klavier klavierstuck klaviermusik geige gitarre flote schlagzeug musik traurig traurige"
        " trauriges trauriger frohlich frohliche frohliches lustig lustige lustiges ruhig ruhige"
        " ruhiges langsam langsame langsames schnell schnelle schnelles lied walzer leise dunkel"
        " dunkle",
    ),
    "French": (
        "une le les du des et avec pour dans sur qui pas sans tres je veux est au aux en",
        "musique chanson morceau valse guitare violon batterie flute triste joyeux joyeuse gaie"
        " lent lente rapide calme doux douce sombre",
    ),
    "Spanish": (
        "una el los las del con para por que muy sin y es quiero en",
        "musica cancion pieza guitarra violin bateria flauta triste alegre lento lenta rapido"
        " rapida tranquila tranquilo feliz oscura vals suave",
    ),
    "Italian": (
        "uno gli della del con per che molto senza sono vorrei nel e",
        "musica canzone brano chitarra violino pianoforte batteria flauto triste allegra felice"
        " lento veloce tranquilla dolce valzer",
    ),
    "Portuguese": (
        "um uma os das com para por que muito sem quero em do da e",
        "musica cancao peca violao violino bateria flauta triste alegre lenta rapida calma feliz"
        " valsa suave",
    ),
    "Dutch": (
        "een het van met voor niet zonder zeer ik wil graag naar",
        "muziek liedje viool gitaar fluit vrolijk vrolijke verdrietig droevig droevige rustig"
        " rustige langzaam snel wals",
    ),
}  # without accents, as `prepare` leaves them
_WORDS = {
    language: (frozenset(common.split()), frozenset(musical.split()))
    for language, (common, musical) in _COMMON.items()
}
# Of these some are English, or music's own words: they only count beside others.
_WEAK = frozenset(
    "violin flute triste calme calma rapide lento valse musica chanson con per e y en es do da el"
    " le les du im das den is van una sin pas une uno des om fur et met molto senza dolce veloce"
    " sombre suave lent felice lied pianoforte sans au muy os um sur".split()
)
_OTHER_SCRIPTS = {
    "CYRILLIC": "Russian", "HANGUL": "Korean", "HIRAGANA": "Japanese", "KATAKANA": "Japanese",
    "ARABIC": "Arabic", "HEBREW": "Hebrew", "GREEK": "Greek", "THAI": "Thai",
    "DEVANAGARI": "Hindi",
}  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]+")


def read_language(text: str, spans: tuple[Span, ...], visible: str) -> tuple[str, ...]:
    """A note if a prepared text is in a language that is not read.

    spans: what of it was read. visible: the text as it is quoted, with its accents.
    """
    language = _by_script(text) or _by_words(text, spans)
    return (f"'{quote(visible)}': looks like {language}; {ONLY}",) if language else ()


def _by_script(text: str) -> str | None:
    """The language of letters that are neither Latin nor Chinese; None if there are none such."""
    for char in text:
        if char.isalpha() and not char.isascii() and not re.match(f"[{CJK}]", char):
            script = unicodedata.name(char, "").split(" ")[0]
            if script in _OTHER_SCRIPTS:
                return _OTHER_SCRIPTS[script]
    return None


def _by_words(text: str, spans: tuple[Span, ...]) -> str | None:
    """The language that two words at least are of, or the only one that was not read."""
    words = [word.lower() for word in _LETTERS.findall(text) if word.isascii()]
    unread = {word.lower() for word in _LETTERS.findall(blank(text, spans))}
    best, most = None, 0.0
    for language, (common, musical) in _WORDS.items():
        found = [word for word in dict.fromkeys(words) if word in common or word in musical]
        strong = [word for word in found if word not in _WEAK]
        own = bool(musical & unread - _WEAK) or len(unread) > 1
        whole = bool(unread) and own and unread <= (common | musical)
        weight = len(strong) + len(found) / 2
        if (whole or (strong and len(found) > 1)) and weight > most:
            best, most = language, weight
    return best
