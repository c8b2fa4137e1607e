"""An ABC file -> its tunes, and the text of a tune -> its fields, directives and lines of music."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple

from textmusic.notation.sheet import UnreadableError
from textmusic.notation.text import decoded

# Fields of a tune's body; others are of its head, and where they stand in the body they are no
# music either.
_FIELD = re.compile(r"([A-Za-z+]):(?![|:])(.*)")
_HEAD_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_REMARKS = re.compile(r'("[^"\n]*")|(?<!\\)%.*')
_BLOCKS = re.compile(r"(?ms)^%%begin(\w+).*?(?:^%%end\1.*?$|\Z)")
_DECORATION = r"!(?:[^!\s|]+|D\.[^!|\n]*|[Dd]a [^!|\n]*)!"
# The same between plus signs, as ABC 2.0 had it; what else stands between them is an old chord.
_OLD_DECORATION = (
    r"\+(?:[pf]{1,4}|mp|mf|sfz|trill|fermata|invertedfermata|accent|emphasis|\w*mordent|turn\w*"
    r"|roll|coda|segno|fine|D\.?[CS]\.?|dacapo|dacoda|upbow|downbow|open|thumb|snap|slide|tenuto"
    r"|wedge|breath|\w*phrase|arpeggio|plus|pralltriller|tremolo|[0-5<>]|(?:cresc|dim)\w*[()]"
    r"|[<>][()])\+"
)
LONGEST_LINE = 1_000_000  # characters
NO_MUSIC = re.compile(rf'"[^"\n]*"?|\{{[^}}\n]*\}}?|{_DECORATION}|{_OLD_DECORATION}')


class Line(NamedTuple):
    """A field, with its letter; a directive (%%), with "%"; or music, with ""."""

    kind: str
    text: str


def tunes_in(data: bytes) -> list[str]:
    """The reference numbers ("X:") of the tunes in an ABC file, each once; [""] without any."""
    return list(_tunes(data)) or [""]


def tune_text(data: bytes, number: str) -> str:
    """One of `tunes_in`, with the file's own head before it; the whole file where it is not."""
    return _tunes(data).get(number) or _text(data)


def _text(data: bytes) -> str:
    said = re.search(rb"(?m)^%%?abc-charset\s+([\w.:-]+)", data)
    try:
        encoding = codecs.lookup(said[1].decode("ascii")).name if said else ""
    except LookupError:
        encoding = ""
    return decoded(data, encoding)


@lru_cache(maxsize=2)  # a book of tunes is asked for one after the other
def _tunes(data: bytes) -> dict[str, str]:
    """Reference number -> the tune, with the file's own head before it."""
    parts = re.split(r"(?m)^(?=X:)", _text(data))
    head = "".join(line for line in parts[0].splitlines(True) if re.match(r"[A-Za-z]:|%%", line))
    tunes: dict[str, str] = {}
    for part in parts[1:]:
        number = part[2:].partition("\n")[0].partition("%")[0].strip()
        while number in tunes:
            number += "'"
        body = re.split(r"\n[ \t]*\n", part)[0]  # an empty line ends a tune
        first, _, rest = body.partition("\n")
        tunes[number] = f"{first}\n{head}{rest}\n"
    return tunes


def lines_of(tune: str) -> list[Line]:
    """The lines of a tune without remarks, its macros written out."""
    macros: list[tuple[str, str]] = []
    lines: list[Line] = []
    for kind, text in _lines(_BLOCKS.sub("", tune)):
        if kind == "m":
            name, _, written = (part.strip() for part in text.partition("="))
            if name:
                macros.append((name, written))
        elif kind == "+":
            continue
        else:
            lines.append(Line(kind, text if kind else _expanded(text, macros)))
    return lines


def _lines(tune: str) -> Iterator[Line]:
    head = True  # in which a line with a letter and a colon is a field, whatever follows
    for raw in tune.splitlines():
        if raw.startswith("%%"):
            yield Line("%", raw[2:].partition(" %")[0].strip())
            continue
        line = _REMARKS.sub(lambda m: m[1] or "", raw).strip()
        field = (_HEAD_FIELD if head else _FIELD).fullmatch(line)
        if line:
            head = head and field is not None and field[1] != "K"
        if field and field[1] == "I":
            yield Line("%", field[2].strip())
        elif field:
            yield Line(field[1], field[2].strip())
        elif line:
            yield Line("", line.removesuffix("\\"))


def _expanded(music: str, macros: list[tuple[str, str]]) -> str:
    """A line of music with its macros written out; with an "n" in its name, for every note."""
    for name, written in macros:
        if "n" not in name:
            music = _bounded(music.replace(name, written))
            continue
        before, _, after = name.partition("n")
        pattern = rf"{re.escape(before)}([A-Ga-g][,']*){re.escape(after)}"
        music = _bounded(re.sub(pattern, partial(_moved_to, written=written), music))
    return music


def _bounded(music: str) -> str:
    """A line of music, unless macros in macros have made it longer than any piece."""
    if len(music) > LONGEST_LINE:
        raise UnreadableError("has macros that write too much")
    return music


def _moved_to(found: re.Match[str], written: str) -> str:
    """A transposing macro at a note: "n" is the note itself, "o" the one above, "m" below."""
    note = found[1]
    steps = "CDEFGAB"
    place = steps.index(note[0].upper()) + 7 * (note[0].islower() + note.count("'"))
    place -= 7 * note.count(",")

    def named(letter: str) -> str:
        octave, step = divmod(place + ord(letter) - ord("n"), 7)
        high = steps[step].lower() + "'" * (octave - 1) if octave > 0 else steps[step]
        return high + "," * -octave if octave < 0 else high

    return re.sub(r"[h-z]", lambda m: named(m[0]), written)


def written_in_abc(lines: list[Line]) -> int:
    """How many note letters the music of a tune has, without grace notes and what is no music."""
    return sum(
        len(re.findall(r"[A-Ga-g]", re.sub(r"\[[A-Za-z]:[^\]]*\]", "", NO_MUSIC.sub("", text))))
        for kind, text in lines
        if not kind
    )
