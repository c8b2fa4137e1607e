"""Files of MusicXML: containers, encodings, and what is not read."""

from __future__ import annotations

import io
import zipfile

import pytest
from musicxml_text import BAR, TIME, measure, notes, read, score
from sheet_notes import heard, lines, programs

from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import UnreadableError


def packed(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def container(*roots: str) -> str:
    listed = "".join(f"<rootfile {root}/>" for root in roots)
    return f"<container><rootfiles>{listed}</rootfiles></container>"


RIGHT, WRONG = score(measure(BAR, time=TIME)), score(measure(notes("G4"), time=TIME))
PDF = 'full-path="page.pdf" media-type="application/pdf"'


@pytest.mark.parametrize(
    "members",
    [
        {"score.xml": RIGHT, "META-INF/container.xml": container('full-path="score.xml"')},
        {
            "a.xml": WRONG,
            "META-INF/container.xml": container('full-path="b/c.xml"'),
            "b/c.xml": RIGHT,
        },
        {
            "a.xml": "<info/>",
            "META-INF/container.xml": container('full-path="s.mxlx"'),
            "s.mxlx": RIGHT,
        },
        {
            "a.xml": WRONG,
            "META-INF/container.xml": container(PDF, 'full-path="s.xml"'),
            "s.xml": RIGHT,
        },
        {"META-INF/container.xml": "<x/>", "s.xml": RIGHT},
        {"META-INF/container.xml": container('full-path="gone.xml"'), "s.musicxml": RIGHT},
        {"my score.xml": RIGHT, "META-INF/container.xml": container('full-path="my%20score.xml"')},
        {"__MACOSX/._s.xml": "x", "s.xml": RIGHT},
    ],
)
def test_the_container_says_which_file_is_the_score(members: dict[str, str]) -> None:
    assert heard(read_notation(packed(members), ".mxl")) == lines("C4 D4 E4 F4")


FLUTE = RIGHT.replace("Piano", "Flöte")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("UTF-8", "utf-8"), ("utf-8", "utf-8-sig"), ("ISO-8859-1", "latin-1"), (None, "utf-8"),
        ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"), ("UTF-16", "utf-8"),
        ("windows-1252", "cp1252"),
        ("UTF-8", "latin-1"), ("no-such-thing", "utf-8"), (None, "utf-16"),
    ],
)  # fmt: skip
def test_encodings_declared_wrongly_declared_and_not(declared: str | None, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    assert programs(read_notation((head + FLUTE).encode(encoding), ".musicxml")) == [73]


@pytest.mark.parametrize(
    ("declared", "name"), [("GBK", "长笛"), ("Shift_JIS", "フルート"), ("Big5", "長笛")]
)
def test_encodings_of_several_bytes(declared: str, name: str) -> None:
    title = f"<work><work-title>{name}</work-title></work><part-list>"
    xml = f'<?xml version="1.0" encoding="{declared}"?>' + RIGHT.replace("<part-list>", title)
    assert read_notation(xml.encode(declared), ".musicxml").title == name


def test_comments_doctypes_and_namespaces_may_stand_before_the_score() -> None:
    for head in (
        f"<!-- {'x' * 30_000} -->",
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
        '"http://www.musicxml.org/dtds/partwise.dtd">',
        "\n\n",
    ):
        assert heard(read(head + RIGHT)) == lines("C4 D4 E4 F4")
    spaced = RIGHT.replace("<score-partwise", '<score-partwise xmlns="http://www.musicxml.org/x"')
    assert heard(read(spaced)) == lines("C4 D4 E4 F4")


def test_what_is_not_read_is_said() -> None:
    missing = RIGHT.replace("<step>D</step>", "<step>H</step>")
    piece = read_notation(missing.encode(), ".musicxml")
    assert piece.warning == "was not read whole (3 of 4 notes)"
    outside = RIGHT.replace("</part>", f"{notes('G4')}</part>")
    assert read_notation(outside.encode(), ".musicxml").warning


def test_other_xml_is_refused_in_a_sentence() -> None:
    for data, why in (
        (b"<html></html>", "is not MusicXML"), (b"<score-partwise>", "is broken XML"),
        (b"", "is not MusicXML"), (b"\xff\xfe", "is not MusicXML"),
        (b"<score-partwise/>", "has no notes"),
    ):  # fmt: skip
        with pytest.raises(UnreadableError, match=why):
            read_notation(data, ".musicxml")
