"""The bytes of a text file -> its text, whatever encoding it is in."""

from __future__ import annotations

import codecs
import re

# What files say, and the larger encoding that programs mean by it.
_MEANT = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "iso8859-1": "cp1252",
          "ascii": "cp1252", "big5": "big5hkscs", "euc_kr": "cp949"}  # fmt: skip
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
# In the text of an XML file these may not stand at all; programs let them slip through.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def xml_text(data: bytes) -> str:
    """The text of an XML file without its declaration, as an XML parser takes it.

    A byte order mark says the encoding; else the declaration does, unless the file shows that it
    is not so.
    """
    name = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not name and (said := _DECLARED.match(data[:1000])):
        name = _known(said[1].decode("ascii"))
        if name.startswith(("utf-16", "utf-32")):  # it was read as single bytes
            name = ""
    text = decoded(data, name)
    return _FORBIDDEN.sub("", re.sub(r"^\s*<\?xml[^>]*\?>", "", text))


def decoded(data: bytes, encoding: str = "") -> str:
    """Text in this encoding, else in UTF-8, else in Latin-1, which older files of music are in."""
    for name in dict.fromkeys((encoding or "utf-8-sig", "utf-8-sig")):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def _known(name: str) -> str:
    """The encoding of a name as Python has it; "" for one that it lacks."""
    try:
        found = codecs.lookup(name)
    except LookupError:
        return ""
    if not getattr(found, "_is_text_encoding", True):  # such as base64
        return ""
    return _MEANT.get(found.name, found.name)
