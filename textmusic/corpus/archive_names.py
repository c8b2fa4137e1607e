"""The names of files in a zip archive, in whatever encoding its program wrote them.

An archive says of a name that it is UTF-8, or nothing; then code page 437 is meant, but programs
write the code page of their machine: GBK or Big5 in China, Shift-JIS in Japan.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Sequence

UTF_8 = 0x800  # the bit of a member that says so
UNICODE_PATH = 0x7075  # the extra field with the name in UTF-8 beside it
# Code pages, and the bytes in them of what names are written with: the characters of everyday.
_EVERYDAY = {
    "gb18030": rb"[\xb0-\xd7][\xa1-\xfe]",
    "cp932": rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x5b\x58]|\x88[\x9f-\xfc]"
    rb"|[\x89-\x97][\x40-\x7e\x80-\xfc]|[\xb1-\xdf]",
    "big5": rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]",
}
# What else stands in names, such as wide brackets and digits.
_RARER = {
    "gb18030": rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]",
    "cp932": rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]",
    "big5": rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]",
}


def names_of(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of the members, as they were meant."""
    raw = {member.filename: _bytes(member) for member in members if not member.flag_bits & UTF_8}
    foreign = [name for name in raw.values() if not name.isascii()]
    page = _code_page(foreign) if foreign else "cp437"
    names = []
    for member in members:
        beside = _beside(member)
        if beside or member.filename not in raw:
            names.append(beside or member.filename)
        else:
            named = raw[member.filename].decode(page, "replace").replace("\\", "/")
            names.append(named.partition("\0")[0])
    return names


def _bytes(member: zipfile.ZipInfo) -> bytes:
    """A name as it stands in the archive: zipfile has read it as code page 437."""
    return member.orig_filename.encode("cp437", "replace")


def _beside(member: zipfile.ZipInfo) -> str:
    """The name in UTF-8 that stands beside the one in a code page; "" without one."""
    extra = member.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == UNICODE_PATH and size > 5:
            try:
                return extra[9 : 4 + size].decode("utf-8")
            except UnicodeDecodeError:
                return ""
        extra = extra[4 + size :]
    return ""


def _code_page(names: Sequence[bytes]) -> str:
    """The encoding of all the names together."""
    try:
        b"".join(names).decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    high = re.findall(rb"[\x80-\xff]+", b"/".join(names))
    count = len(b"".join(high))
    if len(high) * 2 > count:  # they stand alone between others, as accented letters do
        return "cp437" if _letters(names, "cp437") else "cp850"
    if max(map(len, high)) > 2 and re.fullmatch(rb"[\x80-\xaf\xe0-\xf1]{4,}", b"".join(high)):
        return "cp866"  # every byte of them a letter in Russian
    if count >= 16 and re.fullmatch(rb"(?:[\xb0-\xc8][\xa1-\xfe])+", b"".join(high)):
        return "cp949"  # so many syllables of Korean, and not one of what Chinese has beside them
    scores = {page: _score(names, page) for page in _EVERYDAY}
    best = max(scores, key=lambda page: scores[page])
    if scores[best] <= 0.5 and _letters(names, "cp437"):
        return "cp437"
    return best if scores[best] > 0 else "cp437"


def _letters(names: Sequence[bytes], page: str) -> bool:
    """Whether all that is not ASCII in the names is Latin letters."""
    text = "".join(re.sub(r"[\x00-\x7f]", "", name.decode(page)) for name in names)
    return all(sign.isalpha() and sign < "Ā" for sign in text)


def _score(names: Sequence[bytes], page: str) -> float:
    """How well the names read in a code page: 1 all everyday characters, below 0 not at all."""
    everyday = rare = 0
    for name in names:
        try:
            name.decode(page)
        except UnicodeDecodeError:
            return -1
        for found in re.finditer(
            b"(" + _EVERYDAY[page] + b")|(" + _RARER[page] + rb")|[\x00-\x7f]", name
        ):
            everyday += found[1] is not None
            rare += found[2] is not None
    return everyday / (everyday + rare) if everyday + rare else -1
