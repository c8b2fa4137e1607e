"""MusicXML 4 after its specification: what sounds when."""

from __future__ import annotations

import pytest
from musicxml_text import BAR, TIME, measure, note, notes, read, score
from sheet_notes import heard, lines, metres, tempi


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
