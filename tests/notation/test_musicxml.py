"""MusicXML 4 after its specification: what sounds when, and played by whom."""

from __future__ import annotations

import io
import zipfile

import pytest
from sheet_notes import heard, lines, metres, programs, tempi

from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece, UnreadableError

TIME = "<time><beats>4</beats><beat-type>4</beat-type></time>"


def note(name: str, quarters: float = 1, more: str = "", before: str = "") -> str:
    """A note, or a rest "r"; before: what stands in it first, such as <chord/>."""
    if name == "r":
        what = "<rest/>"
    else:
        alter = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(name[1:-1], "")
        what = f"<pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"
    return f"<note>{before}{what}<duration>{round(quarters * 4)}</duration>{more}</note>"


def notes(text: str, more: str = "") -> str:
    return "".join(note(name, more=more) for name in text.split())


def measure(*items: str, time: str = "", number: str = "1", implicit: bool = False) -> str:
    said = f"<attributes><divisions>4</divisions>{time}</attributes>" if time else ""
    mark = ' implicit="yes"' if implicit else ""
    return f'<measure number="{number}"{mark}>{said}{"".join(items)}</measure>'


def score(*parts: str, heads: tuple[str, ...] = ()) -> str:
    """Parts, each the text of its measures; heads: what their score-part elements hold."""
    listed = "".join(
        f'<score-part id="P{i}">'
        + (heads[i] if i < len(heads) else "<part-name>Piano</part-name>")
        + "</score-part>"
        for i in range(len(parts))
    )
    body = "".join(f'<part id="P{i}">{part}</part>' for i, part in enumerate(parts))
    return f'<score-partwise version="4.0"><part-list>{listed}</part-list>{body}</score-partwise>'


def read(xml: str) -> ParsedPiece:
    piece = read_notation(xml.encode(), ".musicxml")
    assert not piece.warning
    return piece


BAR = notes("C4 D4 E4 F4")


@pytest.mark.parametrize(
    "rest",
    [
        '<rest measure="yes"/><duration>4</duration>',
        '<rest measure="yes"/><duration>4</duration><type>quarter</type>',
        "<rest/><duration>4</duration>",
        '<rest measure="yes"/><duration>16</duration>',  # as some programs write it
        "<rest/><duration>16</duration><type>whole</type>",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_rest_for_a_whole_pickup_keeps_parts_together(rest: str, first: bool) -> None:
    silent = measure(f"<note>{rest}</note>", time=TIME, number="0", implicit=True) + measure(BAR)
    played = measure(note("G4"), time=TIME, number="0", implicit=True) + measure(BAR)
    piece = read(score(*((silent, played) if first else (played, silent))))
    assert heard(piece) == lines("r:3 G4 C4 D4 E4 F4", "r:4 C4 D4 E4 F4")
    assert metres(piece) == [(0, "4/4")] and piece.filled == 1


def test_a_rest_for_a_whole_measure_is_never_longer_than_its_bar() -> None:
    time = "<time><beats>3</beats><beat-type>4</beat-type></time>"
    rest = '<note><rest measure="yes"/><duration>16</duration></note>'
    bar = notes("C4 D4 E4")
    piece = read(score(measure(bar, time=time) * 2, measure(rest, time=time) + measure(bar)))
    assert heard(piece) == lines("C4 D4 E4 C4 D4 E4", "r:3 C4 D4 E4")
    assert metres(piece) == [(0, "3/4")]


def test_a_pickup_of_two_staves_of_which_one_rests() -> None:
    back = "<backup><duration>{}</duration></backup>"
    for right, left in (("G4", "r"), ("r", "G3")):
        pickup = note(right) + back.format(4) + note(left)
        piece = read(
            score(
                measure(pickup, time=TIME, number="0", implicit=True)
                + measure(BAR, back.format(16), notes("C3 D3 E3 F3"))
            )
        )
        assert heard(piece) == lines(f"r:3 {right} C4 D4 E4 F4", f"r:3 {left} C3 D3 E3 F3")


def test_a_last_measure_that_completes_the_pickup_is_left_as_it_is() -> None:
    piece = read(
        score(
            measure(note("G4"), time=TIME, number="0", implicit=True)
            + measure(BAR) + measure(note("C5", 3))
        )
    )  # fmt: skip
    assert heard(piece) == lines("r:3 G4 C4 D4 E4 F4 C5:3") and metres(piece) == [(0, "4/4")]


# Time ---------------------------------------------------------------------------------------------


def test_a_measure_is_as_long_as_its_notes_where_no_metre_is_said() -> None:
    start = "<attributes><divisions>4</divisions></attributes>"
    free = f"<measure>{start}{notes('C4 D4 E4 F4 G4')}</measure>" + measure(note("A4", 2))
    for xml in (free + measure(BAR), free + measure(BAR, time=TIME)):
        piece = read(score(xml))
        assert heard(piece) == lines("C4 D4 E4 F4 G4 A4:2 C4 D4 E4 F4")
        assert metres(piece) == [(0, "5/4"), (5, "2/4"), (7, "4/4")] and piece.filled == 0
    unmeasured = measure(BAR + BAR, time="<time><senza-misura/></time>") + measure(BAR)
    assert metres(read(score(unmeasured))) == [(0, "4/4")], "twice as long as a bar of 4/4"
    assert metres(read(score(measure(BAR * 2, note("C4"), time="<x/>")))) == [], (
        "no bar line at all"
    )


def test_metres_of_several_parts_are_one() -> None:
    for time in (
        "<time><beats>3+2</beats><beat-type>8</beat-type></time>",
        "<time><beats>3</beats><beat-type>8</beat-type><beats>1</beats><beat-type>4</beat-type></time>",
    ):
        bar = "".join(note(name, 0.5) for name in "C4 D4 E4 F4 G4".split())
        assert metres(read(score(measure(bar, time=time) + measure(bar)))) == [(0, "5/8")]


def metronome(unit: str, per_minute: str, dots: int = 0) -> str:
    return (
        f"<metronome><beat-unit>{unit}</beat-unit>{'<beat-unit-dot/>' * dots}"
        f"<per-minute>{per_minute}</per-minute></metronome>"
    )


def direction(what: str, sound: str = "") -> str:
    return f"<direction><direction-type>{what}</direction-type>{sound}</direction>"


@pytest.mark.parametrize(
    ("mark", "qpm"),
    [
        (direction("<words>Allegro</words>", '<sound tempo="144"/>'), 144),
        ('<sound tempo="72.5"/>', 72.5),
        (direction(metronome("quarter", "120-126"), '<sound tempo="123"/>'), 123),
        (direction(metronome("quarter", "120-126")), 123),
        (direction(metronome("quarter", "c. 76")), 76),
        (direction(metronome("quarter", "ca. 80,5")), 80.5),
        (direction(metronome("half", "60"), '<sound tempo="118"/>'), 118),
        (direction(metronome("quarter", "40", dots=1)), 60),
        (direction(metronome("half", "40", dots=2)), 140),
        (direction(metronome("eighth", "120")), 60),
        (
            direction(
                metronome("half", "40").replace(
                    "<per-minute>",
                    "<beat-unit-tied><beat-unit>eighth</beat-unit></beat-unit-tied><per-minute>",
                )
            ),
            100,
        ),
        (direction("<words>Andante</words>"), None),
        (direction(metronome("quarter", "")), None),
        ('<sound tempo="0"/>', None),
        ('<sound dynamics="80"/>', None),
    ],
)
def test_tempi(mark: str, qpm: float | None) -> None:
    piece = read(score(measure(mark, BAR, time=TIME)))
    assert tempi(piece) == ([] if qpm is None else [(0, qpm)]) and piece.tempo == bool(qpm)


def test_tempi_count_where_they_stand_and_in_any_part() -> None:
    later = measure(note("C4", 2), '<sound tempo="90"/>', note("D4", 2))
    piece = read(score(measure(BAR, time=TIME) + measure(BAR), measure(BAR, time=TIME) + later))
    assert tempi(piece) == [(6, 90)]
    delayed = direction("<words>a tempo</words>", '<sound tempo="90"><offset>8</offset></sound>')
    assert tempi(read(score(measure(delayed, BAR, time=TIME)))) == [(2, 90)]


@pytest.mark.parametrize(
    ("units", "qpm"),
    [
        ("<beat-unit>quarter</beat-unit><beat-unit>quarter</beat-unit><beat-unit-dot/>", 135),
        ("<beat-unit>quarter</beat-unit><beat-unit-dot/><beat-unit>quarter</beat-unit>", 60),
        ("<beat-unit>half</beat-unit><beat-unit>quarter</beat-unit>", 45),
        ("<metronome-note><metronome-type>eighth</metronome-type></metronome-note>"
         "<metronome-relation>equals</metronome-relation>"
         "<metronome-note><metronome-type>quarter</metronome-type></metronome-note>", 180),
    ],
)  # fmt: skip
def test_a_note_value_that_becomes_another_changes_the_tempo(units: str, qpm: float) -> None:
    first = measure(direction(metronome("quarter", "90")), BAR, time=TIME)
    change = measure(direction(f"<metronome>{units}</metronome>"), BAR)
    assert tempi(read(score(first + change))) == [(0, 90), (4, qpm)]


# Notes --------------------------------------------------------------------------------------------


def test_cue_notes_are_silent_and_small_ones_sound() -> None:
    small = "".join(note(n, more='<type size="cue">quarter</type>') for n in "G5 A5 G5 A5".split())
    assert heard(read(score(measure(small, time=TIME)))) == lines("G5 A5 G5 A5")
    cue = "".join(note(n, before="<cue/>") for n in "G5 A5 G5 A5".split())
    assert heard(read(score(measure(cue, time=TIME) + measure(BAR)))) == lines("r:4 C4 D4 E4 F4")
    both = BAR + "<backup><duration>16</duration></backup>" + cue
    assert heard(read(score(measure(both, time=TIME)))) == lines("C4 D4 E4 F4")
    grace = "<note><grace/><cue/><pitch><step>B</step><octave>4</octave></pitch></note>"
    assert heard(read(score(measure(grace, BAR, time=TIME)))) == lines("C4 D4 E4 F4")


START, STOP = '<tie type="start"/>', '<tie type="stop"/>'


def test_a_tie_is_one_note_across_staves_and_voices() -> None:
    back = "<backup><duration>16</duration></backup>"
    high, low = "<voice>1</voice><staff>1</staff>", "<voice>5</voice><staff>2</staff>"
    piece = read(
        score(
            measure(note("C4", 4, START + high), back, note("C3", 4, low), time=TIME)
            + measure(note("E4", 4, high), back, note("C4", 4, STOP + low))
        )
    )
    assert heard(piece) == lines("C4:8", "C3:4", "r:4 E4:4")


def test_ties_in_chords_each_hold_their_own_note() -> None:
    chord = note("C4", 4, START) + note("E4", 4, before="<chord/>")
    chord += note("G4", 4, START, before="<chord/>")
    then = note("C4", 2, STOP) + note("E4", 2, before="<chord/>")
    then += note("G4", 2, STOP + START, before="<chord/>") + note("G4", 2, STOP)
    piece = read(score(measure(chord, time=TIME) + measure(then)))
    assert heard(piece) == sorted([(0, 6, 60), (0, 4, 64), (0, 8, 67), (4, 2, 64)])


def test_two_voices_in_unison_both_hold() -> None:
    back = "<backup><duration>16</duration></backup>"
    xml = measure(note("C4", 4, START), back, note("C4", 4, START), time=TIME)
    piece = read(score(xml + measure(note("C4", 4, STOP), back, note("C4", 4, STOP))))
    assert heard(piece) == [(0, 8, 60), (0, 8, 60)]


def test_a_tie_into_nothing_and_one_out_of_nothing_lose_no_note() -> None:
    xml = measure(note("C4", 2, START), note("D4", 2), time=TIME) + measure(note("C4", 4, STOP))
    assert heard(read(score(xml))) == lines("C4:2 D4:2 C4:4")


def test_slurs_drawn_as_ties_alone_count_where_no_tie_is_said() -> None:
    tied = '<notations><tied type="{}"/></notations>'
    xml = measure(note("C4", 4, tied.format("start")), time=TIME)
    assert heard(read(score(xml + measure(note("C4", 4, tied.format("stop")))))) == lines("C4:8")


def test_parts_transpose_by_octaves_too_and_each_staff_for_itself() -> None:
    shift = "<transpose><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>"
    assert heard(read(score(measure(BAR, time=TIME + shift)))) == lines("Bb2 C3 D3 Eb3")
    staff = '<transpose number="2"><chromatic>12</chromatic></transpose>'
    xml = note("C4", 4, "<staff>1</staff>") + "<backup><duration>16</duration></backup>"
    xml += note("C4", 4, "<staff>2</staff>")
    assert heard(read(score(measure(xml, time=TIME + staff)))) == lines("C4:4", "C5:4")


def test_divisions_may_change_and_forward_is_silence() -> None:
    finer = "<attributes><divisions>8</divisions></attributes>"
    xml = measure(note("C4"), "<forward><duration>4</duration></forward>", finer,
                  note("D4", 4), time=TIME)  # fmt: skip
    assert heard(read(score(xml))) == lines("C4 r D4:2")


def test_timewise_scores_are_the_same() -> None:
    start = f"<attributes><divisions>4</divisions>{TIME}</attributes>"
    first = "".join(f'<part id="P{i}">{start}{BAR}</part>' for i in range(2))
    late = f'<part id="P1">{notes("G4 A4 B4 C5")}</part>'
    xml = (
        "<score-timewise><part-list><score-part id='P0'/><score-part id='P1'/></part-list>"
        f"<measure number='1'>{first}</measure><measure number='2'>{late}</measure>"
        "</score-timewise>"
    )
    assert heard(read(xml)) == lines("C4 D4 E4 F4", "C4 D4 E4 F4 G4 A4 B4 C5")


# Who plays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("Violoncello", 42), ("Flöte", 73), ("Flute 1", 73), ("Klarinette in B", 71),
        ("Clarinet in Bb 2", 71), ("Corni in F", 60), ("Violino I", 40), ("Bratsche", 41),
        ("Vla.", 41), ("Hautbois", 68), ("Trompette en Ut", 56), ("Kontrabass", 43),
        ("Alto Saxophone", 65), ("Soprano", 53), ("S.", 53), ("Voix", 53),
        ("Choir", 52), ("Pauken", 47),
        ("Pianoforte", 0), ("Cembalo", 6), ("Electric Guitar", 27), ("Bass Guitar", 33),
        ("English Horn", 69), ("Drumset", 128), ("小提琴", 40), ("Part 1", 0), ("", 0),
        ("Violins II", 40), ("Englischhorn", 69), ("Fagotto", 70), ("Chitarra", 24),
    ],
)  # fmt: skip
def test_parts_are_known_by_name(name: str, program: int) -> None:
    head = f"<part-name>{name}</part-name>"
    assert programs(read(score(measure(BAR, time=TIME), heads=(head,)))) == [program]


def test_a_bass_is_a_singer_among_singers() -> None:
    heads = tuple(f"<part-name>{name}</part-name>" for name in ("Soprano", "Bass"))
    assert programs(read(score(*[measure(BAR, time=TIME)] * 2, heads=heads))) == [53, 53]
    heads = tuple(f"<part-name>{name}</part-name>" for name in ("Violino", "Basso"))
    assert programs(read(score(*[measure(BAR, time=TIME)] * 2, heads=heads))) == [40, 43]


@pytest.mark.parametrize(
    ("sound", "program"),
    [
        ("voice.soprano", 53), ("strings.cello", 42), ("wind.flutes.flute", 73), ("brass.tuba", 58),
        ("keyboard.harpsichord", 6), ("pluck.guitar", 24), ("drum.snare-drum", 128),
        ("strings.unheard-of", 48), ("wind.reed.oboe", 68),
    ],
)  # fmt: skip
def test_parts_are_known_by_their_sound(sound: str, program: int) -> None:
    head = (
        '<part-name>Part 1</part-name><score-instrument id="I"><instrument-name>x</instrument-name>'
        f"<instrument-sound>{sound}</instrument-sound></score-instrument>"
    )
    assert programs(read(score(measure(BAR, time=TIME), heads=(head,)))) == [program]


def test_a_stated_program_wins_and_may_change() -> None:
    head = (
        '<part-name>Violin</part-name><score-instrument id="I"><instrument-name>Violin'
        '</instrument-name></score-instrument><midi-instrument id="I"><midi-channel>1'
        "</midi-channel><midi-program>74</midi-program></midi-instrument>"
    )
    change = (
        '<sound><midi-instrument id="I"><midi-program>41</midi-program></midi-instrument></sound>'
    )
    xml = measure(BAR, time=TIME) + measure(change, BAR)
    assert programs(read(score(xml, heads=(head,)))) == [73, 40]


def kit(*sounds: tuple[str, str, int | None]) -> str:
    """The head of a drum part: (id, name, midi-unpitched) of its sounds."""
    named = "".join(
        f'<score-instrument id="{i}"><instrument-name>{name}</instrument-name></score-instrument>'
        for i, name, _ in sounds
    )
    keys = "".join(
        f'<midi-instrument id="{i}"><midi-channel>10</midi-channel>'
        + (f"<midi-unpitched>{key}</midi-unpitched>" if key else "")
        + "</midi-instrument>"
        for i, _, key in sounds
    )
    return f"<part-name>Drumset</part-name>{named}{keys}"


def stroke(place: str, instrument: str = "", head: str = "", before: str = "") -> str:
    named = f'<instrument id="{instrument}"/>' if instrument else ""
    head = f"<notehead>{head}</notehead>" if head else ""
    return (
        f"<note>{before}<unpitched><display-step>{place[0]}</display-step><display-octave>{place[1]}"
        f"</display-octave></unpitched><duration>4</duration>{named}{head}</note>"
    )


def test_a_drum_is_known_by_its_number_its_name_or_its_place() -> None:
    head = kit(
        ("a", "Bass Drum", 36), ("b", "Snare", None), ("c", "Closed Hi-Hat", 43), ("d", "?", None)
    )
    bar = stroke("G5", "c", "x") + stroke("F4", "a", before="<chord/>") + stroke("C5", "b")
    bar += stroke("F5", "d", "x") + stroke("F4")
    piece = read(score(measure(bar, time=TIME), heads=(head,)))
    assert programs(piece) == [128]
    assert [p for _, _, p in heard(piece)] == [35, 42, 38, 51, 36]
    bare = "<part-name>Drumset</part-name>"
    piece = read(
        score(
            measure(stroke("C5") + stroke("F4") + stroke("G5", head="x"), time=TIME), heads=(bare,)
        )
    )
    assert [p for _, _, p in heard(piece)] == [38, 36, 42]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Maracas", 70), ("Triangle", 81), ("Große Trommel", 35), ("Hi-Hat (open)", 46),
        ("Open Hi-Hat", 46), ("Tambourine", 54), ("Tamburin", 54), ("Cowbell", 56),
        ("Low Floor Tom", 41), ("Ride Cymbal 2", 59), ("Claves", 75), ("Castanets", 85),
    ],
)  # fmt: skip
def test_a_percussion_part_of_one_line_plays_what_it_is_called(name: str, key: int) -> None:
    heads = (
        f"<part-name>{name}</part-name>",
        f'<part-name>Percussion</part-name><score-instrument id="I"><instrument-name>{name}'
        "</instrument-name></score-instrument>",
    )
    for head in heads:
        piece = read(score(measure(stroke("E4", "I") * 4, time=TIME), heads=(head,)))
        assert programs(piece) == [128] and {p for _, _, p in heard(piece)} == {key}


def test_pitched_notes_of_a_drum_channel_are_keys_of_the_kit() -> None:
    head = kit(("a", "Kit", None))
    piece = read(score(measure(note("D2", more='<instrument id="a"/>'), time=TIME), heads=(head,)))
    assert programs(piece) == [128] and heard(piece) == [(0, 1, 38)]


# Files --------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("harmony", "symbol"),
    [
        ("<root><root-step>A</root-step></root><kind>minor</kind>", "Am"),
        (
            "<root><root-step>B</root-step><root-alter>-1</root-alter></root>"
            "<kind>major-seventh</kind><bass><bass-step>D</bass-step></bass>",
            "Bbmaj7",
        ),
        ("<root><root-step>F</root-step></root><kind>half-diminished</kind>", "Fm7b5"),
        ("<kind>none</kind>", "N.C."),
    ],
)
def test_chord_symbols_are_read_where_they_stand(harmony: str, symbol: str) -> None:
    said = f"<harmony>{harmony}</harmony>"
    bar = measure(notes("C4 D4"), said, notes("E4 F4"), time=TIME)
    assert read(score(bar)).chords == ((2.0, symbol),)


def test_a_chord_symbol_may_be_put_off_and_sounds_as_the_part_does() -> None:
    said = (
        "<harmony><root><root-step>D</root-step></root><kind>dominant</kind>"
        "<offset>8</offset></harmony>"
    )
    clarinet = (
        f"<attributes><divisions>4</divisions>{TIME}"
        "<transpose><chromatic>-2</chromatic></transpose></attributes>"
    )
    assert read(score(measure(clarinet, said, BAR))).chords == ((2.0, "C7"),)
