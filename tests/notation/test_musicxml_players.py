"""MusicXML after its specification: who plays, and which drum is struck."""

from __future__ import annotations

import pytest
from musicxml_text import BAR, TIME, measure, note, read, score
from sheet_notes import heard, programs


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
