"""ABC after its standard (2.1): what each construct sounds like, and what is no note."""

from __future__ import annotations

import pytest
from sheet_notes import heard, lines, metres, programs, tempi

from textmusic.music.notes import notes_of
from textmusic.notation.abc_text import tunes_in
from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece


def read(tune: str, number: str = "") -> ParsedPiece:
    piece = read_notation(tune.encode(), "ABC", number)
    assert not piece.warning
    return piece


def music(body: str, head: str = "", key: str = "C", metre: str = "4/4", unit: str = "1/4") -> str:
    """A tune; the body after its key."""
    return f"X:1\nT:Made up\nM:{metre}\nL:{unit}\n{head}K:{key}\n{body}\n"


SCALE = "C4 D4 E4 F4"


@pytest.mark.parametrize(
    ("body", "key", "sounds"),
    [
        ("^c d c B | c4 |", "G", "C#5 D5 C#5 B4 | C5:4"),
        ("_B A B =B | B4 |", "G", "Bb4 A4 Bb4 B4 | B4:4"),
        ("^F f F2 | f4 |", "C", "F#4 F#5 F#4:2 | F5:4"),  # in every octave, as 2.1 has it
        ("f =f f ^^f | __B B _B =B |", "D", "F#5 F5 F5 G5 | A4 A4 Bb4 B4"),
        ("^F4- | F2 F2 |", "C", "F#4:6 F4:2"),  # a tie carries its sign, for the tied note alone
        ("^c d2 c | d c d2 | [K:F] B c B2 |", "C", "C#5 D5:2 C#5 D5 C5 D5:2 Bb4 C5 Bb4:2"),
    ],
)
def test_an_accidental_holds_to_the_bar_line(body: str, key: str, sounds: str) -> None:
    assert heard(read(music(body, key=key))) == lines(sounds)


def test_a_directive_says_how_far_accidentals_reach() -> None:
    for said, sounds in (("octave", "F#4 F5 F#4:2"), ("not", "F#4 F5 F4:2")):
        for head in (f"%%propagate-accidentals {said}\n", f"I:propagate-accidentals {said}\n"):
            assert heard(read(music("^F f F2 |", head))) == lines(sounds)


@pytest.mark.parametrize(
    "directive", ["", "%abc-2.1\n", "%%abc-charset utf-8\n%%titlefont Times\n"]
)
def test_what_stands_before_the_first_tune_changes_no_note(directive: str) -> None:
    tune = directive + music("^c d c B |")
    assert heard(read(tune, "1")) == lines("C#5 D5 C#5 B4")


def test_the_file_s_own_head_holds_for_every_tune() -> None:
    book = "M:3/4\nL:1/4\n%%MIDI program 73\n\nX:1\nK:D\nF G A |\n\nX:2\nK:C\nF G A |\n"
    assert heard(read(book, "1")) == lines("F#4 G4 A4")
    assert metres(read(book, "2")) == [(0, "3/4")] and programs(read(book, "2")) == [73]


@pytest.mark.parametrize(
    ("key", "sounds"),
    [
        ("Ador", "A4 B4 C5 D5 E5 F#5 G5 A5"),
        ("A dorian", "A4 B4 C5 D5 E5 F#5 G5 A5"),
        ("D exp _b ^f", "A4 Bb4 C5 D5 E5 F#5 G5 A5"),
        ("D Phr ^f", "A4 Bb4 C5 D5 Eb5 F#5 G5 A5"),
        ("D =c", "A4 B4 C5 D5 E5 F#5 G5 A5"),
        ("Hp", "A4 B4 C#5 D5 E5 F#5 G5 A5"),
        ("HP", "A4 B4 C#5 D5 E5 F#5 G5 A5"),
        ("none", "A4 B4 C5 D5 E5 F5 G5 A5"),
        ("", "A4 B4 C5 D5 E5 F5 G5 A5"),
        ("C# minor", "A4 B4 C#5 D#5 E5 F#5 G#5 A5"),
        ("C#m clef=treble", "A4 B4 C#5 D#5 E5 F#5 G#5 A5"),
        ("Bb", "A4 Bb4 C5 D5 Eb5 F5 G5 A5"),
        ("Amix", "A4 B4 C#5 D5 E5 F#5 G5 A5"),
        ("G Lydian", "A4 B4 C#5 D5 E5 F#5 G5 A5"),
        ("Eloc", "A4 Bb4 C5 D5 E5 F5 G5 A5"),
    ],
)
def test_keys_and_modes(key: str, sounds: str) -> None:
    assert heard(read(music("A B c d | e f g a |", key=key))) == lines(sounds)


def test_only_major_and_minor_are_named() -> None:
    named = {key: read(music("C4|", key=key)).key for key in ("Gm", "Bb", "Ador", "D =c", "none")}
    assert named == {"Gm": "G minor", "Bb": "Bb major", "Ador": None, "D =c": None, "none": None}


@pytest.mark.parametrize(
    ("key", "voice", "shift"),
    [
        ("C octave=-1", "", -12),
        ("C clef=treble-8", "", -12),
        ("C", "V:1 clef=treble-8", -12),
        ("C", "V:1 treble+8", 12),
        ("C", "V:1 clef=bass", 0),
        ("C", 'V:1 name="Horn" octave=1', 12),
        ("C", "V:1 transpose=-2 clef=treble", -2),
        ("C transpose=3", "", 3),
        ("C", "V:1\n%%MIDI transpose -12", -12),
    ],
)
def test_octaves_and_transposition_sound(key: str, voice: str, shift: int) -> None:
    tune = music(f"{voice}\nC D E F |" if voice else "C D E F |", key=key)
    assert [p for _, _, p in heard(read(tune))] == [60 + shift, 62 + shift, 64 + shift, 65 + shift]


FOUR_BARS = "[V:1] C D E F |\n[V:2] C,4 |\n[V:1] G4 |\n[V:2] D,4 |\n"


@pytest.mark.parametrize(
    "body",
    [
        FOUR_BARS,
        "V:1\nC D E F | G4 |\nV:2\nC,4 | D,4 |",
        "V:1\nV:2\n" + FOUR_BARS,
        "[V:1]C D E F|[V:2]C,4|\n[V:1]G4|[V:2]D,4|",
        "V:1 treble\nV:2 bass\nV:1\nC D E F |\nV:2\nC,4 |\nV:1\nG4 |\nV:2\nD,4 |",
        "%%score (1 2)\nV:1\nC D E F | G4 |]\nV:2\nC,4 | D,4 |]",
        "C D E F & C,4 | G4 & D,4 |",
        "V:1\nC D E F | G4 |\nV:2\nC,4   D,4 |",  # without the bar line between
    ],
)
def test_voices_sound_together(body: str) -> None:
    assert heard(read(music(body))) == lines("C4 D4 E4 F4 G4:4", "C3:4 D3:4")


def test_an_overlay_may_be_shorter_and_there_may_be_several() -> None:
    body = "c d e f & C2 G2 & E4 | g4 & x2 E2 | c4 |"
    assert heard(read(music(body))) == lines("C5 D5 E5 F5 G5:4 C5:4", "C4:2 G4:2 r:2 E4:2", "E4:4")
    assert heard(read(music("c4 & C<D | c4 |"))) == lines("C5:4 C5:4", "C4:1/2 D4:3/2")


@pytest.mark.parametrize(
    ("body", "sounds"),
    [
        ("c d x2 | y c d e f y | X | z4 | c4 |", "C5 D5 r:2 C5 D5 E5 F5 r:4 r:4 C5:4"),
        ("c4 | Z2 | c4 |", "C5:4 r:8 C5:4"),
        ("c4 | Z | [M:3/4] Z2 | c3 |", "C5:4 r:4 r:6 C5:3"),
    ],
)
def test_rests_of_every_kind(body: str, sounds: str) -> None:
    assert heard(read(music(body))) == lines(sounds)


def test_rests_of_several_bars_keep_voices_together() -> None:
    body = "V:1\nZ3 | c d e | f g a |\nV:2\nC D E | F3 | G3 | A3 | B3 |"
    assert heard(read(music(body, metre="3/4"))) == lines(
        "r:9 C5 D5 E5 F5 G5 A5", "C4 D4 E4 F4:3 G4:3 A4:3 B4:3"
    )


@pytest.mark.parametrize(
    ("body", "sounds"),
    [
        ("F2 c2 | [K:F] B2 c2 | [K:Cm] E4 |", "F#4:2 C#5:2 Bb4:2 C5:2 Eb4:4"),
        ("F2 c2 |\nK:F\nB2 c2 |", "F#4:2 C#5:2 Bb4:2 C5:2"),
        ("F2 c2 | [L:1/8] F2 c2 F2 c2 |", "F#4:2 C#5:2 F#4 C#5 F#4 C#5"),
        ("F2 c2 |\nL:1/8\nF2 c2 F2 c2 |", "F#4:2 C#5:2 F#4 C#5 F#4 C#5"),
        ("F2 c2 | [r:a bad edge] F2 c2 |", "F#4:2 C#5:2 F#4:2 C#5:2"),
    ],
)
def test_fields_in_the_tune_count(body: str, sounds: str) -> None:
    assert heard(read(music(body, key="D"))) == lines(sounds)


@pytest.mark.parametrize("change", ["[M:3/4] ", "\nM:3/4\n"])
def test_a_metre_may_change_where_it_likes(change: str) -> None:
    piece = read(music(f"C D E F | {change}G A B | c B A | {change.replace('3', '4')}C4 |"))
    assert metres(piece) == [(0, "4/4"), (4, "3/4"), (10, "4/4")] and piece.filled == 0
    assert heard(piece) == lines("C4 D4 E4 F4 G4 A4 B4 C5 B4 A4 C4:4")


@pytest.mark.parametrize(
    ("field", "qpm"),
    [
        ('"Allegro" 1/4=132', 132), ('1/2=80 "lively"', 160), ("3/8=110", 165), ("200", 100),
        ("1/4 3/8 1/4 3/8=40", 200), ("C=96", 48), ("C3=40", 60), ("1/4=120-126", 123),
        ("1/4=88.5", 88.5),
    ],
)  # fmt: skip
def test_tempi(field: str, qpm: float) -> None:
    assert tempi(read(music("C D E F |", f"Q:{field}\n", unit="1/8"))) == [(0, qpm)]


def test_a_tempo_counts_units_that_are_stated_after_it() -> None:
    assert tempi(read("X:1\nT:x\nQ:120\nM:6/8\nL:1/4\nK:C\nC D E |\n")) == [(0, 120)]


def test_a_rest_of_a_bar_is_as_short_as_the_pickup_beside_it() -> None:
    body = "V:1\nG | C D E F |\nV:2\nZ | C,4 |"
    assert heard(read(music(body))) == lines("r:3 G4 C4 D4 E4 F4", "r:4 C3:4")


def test_a_tempo_in_words_is_none_and_one_in_the_middle_counts_from_there() -> None:
    piece = read(music("C D E F |", 'Q:"Andante"\n'))
    assert not piece.tempo and tempi(piece) == []
    for change in ("[Q:1/4=150] ", "\nQ:1/4=150\n"):
        piece = read(music(f"C D E F | {change}G A B c |", "Q:1/4=60\n"))
        assert tempi(piece) == [(0, 60), (4, 150)]


@pytest.mark.parametrize(
    ("body", "sounds"),
    [
        ("A>B c<d e2 |", "A4:3/4 B4:1/4 C5:1/4 D5:3/4 E5"),
        ("A>>B c<<d A>>>B e |", "A4:7/8 B4:1/8 C5:1/8 D5:7/8 A4:15/16 B4:1/16 E5:1/2"),
        ("A2>B2 c2<d2 |", "A4:3/2 B4:1/2 C5:1/2 D5:3/2"),
        ("A > B c2 d4 |", "A4:3/4 B4:1/4 C5 D5:2"),
        ("[CE]>[DF] (E<F) {g}A>B c>{d}e |",
         "C4+E4:3/4 D4+F4:1/4 E4:1/4 F4:3/4 A4:3/4 B4:1/4 C5:3/4 E5:1/4"),
        ("A>!f!B c>.d \"Am\"e>\"G\"f (g>a) |",
         "A4:3/4 B4:1/4 C5:3/4 D5:1/4 E5:3/4 F5:1/4 G5:3/4 A5:1/4"),
        ("z>B c<z e2 |", "r:3/4 B4:1/4 C5:1/4 r:3/4 E5"),
        ("A->A c2- c2 |", "A4 C5:2"),
    ],
)  # fmt: skip
def test_broken_rhythm(body: str, sounds: str) -> None:
    assert heard(read(music(body, unit="1/8"))) == lines(sounds)


@pytest.mark.parametrize(
    ("body", "sounds"),
    [
        ("(3efg a2 b2 e2 |", "E5:1/3 F5:1/3 G5:1/3 A5 B5 E5"),
        ("(2ab (4abcd e2 |", "A5:3/4 B5:3/4 A5:3/8 B5:3/8 C5:3/8 D5:3/8 E5"),
        ("(3:2:2 e2 g a2 b2 e2 |", "E5:2/3 G5:1/3 A5 B5 E5"),
        ("(3::2 e2 g a2 b2 e2 |", "E5:2/3 G5:1/3 A5 B5 E5"),
        ("(5abcde a6 |", "A5:1/5 B5:1/5 C5:1/5 D5:1/5 E5:1/5 A5:3"),
        ("A/B/ c// d// e3/2 f/ g/4 |", "A4:1/4 B4:1/4 C5:1/8 D5:1/8 E5:3/4 F5:1/4 G5:1/8"),
        ("[CE]2 [EG]/ [FA/]2 |", "C4+E4 E4+G4:1/4 F4 r:-1 A4:1/2"),
    ],
)
def test_lengths_and_tuplets(body: str, sounds: str) -> None:
    assert heard(read(music(body, unit="1/8"))) == lines(sounds)


def test_five_take_the_time_of_three_in_a_compound_metre() -> None:
    assert heard(read(music("(5CDEFG c3 |", metre="6/8", unit="1/8")))[-1] == (1.5, 1.5, 72)


@pytest.mark.parametrize(
    ("body", "voices"),
    [
        ("c2 B2- | B2 A2 | [FAc]4- | [FAc]4 |", ("C5:2 B4:4 A4:2 F4+A4+C5:8",)),
        ("F-F-F-F | [F-A]2 [FA-]2 | A4 |", ("F4:4 F4:4", "r:4 A4:2 A4:6")),
        ("(c2 B2-) | (B2 A2) |", ("C5:2 B4:4 A4:2",)),
        ('c4- | "Am"!f!c4 | c4-|1 c4 :|', ("C5:8 C5:8",)),
        ("c4- | z2 c2 |", ("C5:4 r:2 C5:2",)),
    ],
)
def test_ties(body: str, voices: tuple[str, ...]) -> None:
    assert heard(read(music(body))) == lines(*voices)


MARKS = ['"Em7b5"', '"^slow"', '"_dead beef"', "!trill!", "!fermata!", "!D.C. al fine!", "+p+"]
MARKS += ["+fermata+", *"~.HLMOPSTuv$", "{ga}", "{/e}", "(", "y", "!", "`"]


@pytest.mark.parametrize("mark", MARKS)
def test_chord_symbols_decorations_and_graces_are_no_notes(mark: str) -> None:
    assert heard(read(music(f"C D {mark}E F |"))) == lines(SCALE)


@pytest.mark.parametrize(
    "text",
    [
        "r:a bad edge", "N:a bad edge", "w:doe ray me far", "W:bad edge", "s:!f! * * a",
        "%%text a bad edge", "% a bad edge", "+:a bad edge", "P:A", "R:reel", "H:a bad cafe",
        "%%begintext\na bad edge\n%%endtext", "I:linebreak $", "T:A bad edge", "m:~G2=G/A/G/F/",
    ],
)  # fmt: skip
def test_text_is_no_music(text: str) -> None:
    body = f"C D E F |\n{text}\nG A B c | % a bad edge"
    assert heard(read(music(body))) == lines(SCALE + " G4 A4 B4 C5")
    assert heard(read(music("C D E F |", f"{text}\n"))) == lines(SCALE)


def test_macros_are_written_out() -> None:
    assert heard(read(music("~G2 C2 |", "m:~G2=G/A/G/F/\n"))) == lines(
        "G4:1/2 A4:1/2 G4:1/2 F4:1/2 C4:2"
    )
    assert heard(read(music("~c3 A |", "m:~n3=non\n"))) == lines("C5 D5 C5 A4")
    assert heard(read(music("TC D E F |", "U:T=!trill!\n"))) == lines(SCALE)


@pytest.mark.parametrize(
    ("head", "unit", "signature"),
    [
        ("M:2/4\n", 0.25, "2/4"), ("M:6/8\n", 0.5, "6/8"), ("M:3/4\n", 0.5, "3/4"),
        ("", 0.5, None), ("M:C\n", 0.5, "4/4"), ("M:C|\n", 0.5, "2/2"), ("M:none\n", 0.5, None),
        ("M:2+3/8\n", 0.25, "5/8"), ("M:(3+2)/8\n", 0.25, "5/8"), ("M:9/16\n", 0.25, "9/16"),
    ],
)  # fmt: skip
def test_the_unit_length_and_metre_where_they_are_not_said(
    head: str, unit: float, signature: str | None
) -> None:
    piece = read(f"X:1\nT:x\n{head}K:C\nCDEF | CDEF |\n")
    assert {length for _, length, _ in heard(piece)} == {unit}
    assert signature is None or metres(piece)[0] == (0, signature)


def test_a_tune_without_a_metre_has_bars_as_long_as_their_notes() -> None:
    piece = read(music("C D E F G | C D E F |", metre="none"))
    assert metres(piece) == [(0, "5/4"), (5, "4/4")] and piece.filled == 0


def test_bar_lines_that_are_missing_leave_whole_bars_before_a_long_one() -> None:
    piece = read(music("C D E F | C4 D4 E4 F G | C4 |"))
    assert metres(piece) == [(0, "4/4"), (12, "6/4"), (18, "4/4")]


def test_a_field_of_the_head_may_begin_with_a_colon() -> None:
    assert heard(
        read(music("C D E F |", "N::a bad edge\nH:|bad\n% a bad cafe\n\n".strip() + "\n"))
    ) == lines(SCALE)


def test_each_voice_has_its_instrument() -> None:
    body = (
        'V:1 name="Flute"\nV:2 nm="Cello" clef=bass\nV:3\nV:4 perc\n'
        "V:1\n%%MIDI program 40\nc4 |\nV:2\nC,4 |\nV:3\n%%MIDI program 1 56\nC4 |\nV:4\nC4 |"
    )
    assert programs(read(music(body))) == [40, 42, 56, 128]


TWO = "V:1\nC4 |\nV:2\nE4 |"


@pytest.mark.parametrize(
    ("head", "body", "played"),
    [
        # as abc2midi (abcMIDI of 8 February 2023) plays them
        ("I:MIDI program 19\n", "[V:1] C4 |\n[V:2] E4 |", [19, 0]),
        ("%%MIDI program 73\n", TWO, [73, 0]),
        ("", f"%%MIDI program 73\n{TWO}", [73, 0]),
        ("%%MIDI program 73\n", "V:S\nC4 |\nV:A\nE4 |", [73, 0]),
        ("%%MIDI program 73\nV:S\nV:A\n", "V:S\nC4 |\nV:A\nE4 |", [73, 0]),
        ("%%MIDI program 73\n", "V:2\nE4 |\nV:1\nC4 |", [73, 0]),  # of the voice 1
        ("V:1\nV:2\n%%MIDI program 73\n", TWO, [0, 73]),
        ("V:1\nV:2\n", f"%%MIDI program 73\n{TWO}", [0, 73]),
        ("V:1\n%%MIDI program 40\nV:2\n%%MIDI program 73\n", TWO, [40, 73]),
        ("%%MIDI program 1 73\n%%MIDI program 2 40\n", TWO, [73, 0]),
        ("%%MIDI program 2 73\n", TWO, [0, 0]),
        ("", "V:1\n%%MIDI program 73\nC4 |\nV:2\nE4 |", [73, 0]),
        ("", "V:1\nC4 |\nV:2\n%%MIDI program 73\nE4 |", [0, 73]),
        ("", "V:1\n[I:MIDI program 73]C4 |\nV:2\nE4 |", [73, 0]),
        ("%%MIDI channel 10\n", TWO, [128, 0]),
        ("%%MIDI program 73\n", 'V:1\nC4 |\nV:2 name="Cello"\nE4 |', [73, 42]),  # a name counts
    ],
)
def test_a_program_that_no_voice_is_named_for_is_the_first_ones(
    head: str, body: str, played: list[int]
) -> None:
    piece = read(music(body, head))
    notes = notes_of(piece.score)
    by_pitch = dict(zip(notes.pitch.tolist(), notes.program.tolist(), strict=True))
    assert [by_pitch[60], by_pitch[64]] == played


def test_one_voice_and_its_overlays_have_the_program_of_the_head() -> None:
    for body in ("C4 & E4 |", "C4 |", "V:1\nC4 & E4 |", "V:Solo\nC4 |"):
        assert set(programs(read(music(body, "%%MIDI program 73\n")))) == {73}, body
    both = music(TWO, "%%MIDI transpose 12\n")
    assert notes_of(read(both).score).pitch.tolist() == [72, 76], "all else holds for all voices"


def test_repeats_are_written_once_and_bar_lines_of_every_kind_end_a_bar() -> None:
    body = "|: C D E F :|: G A B c :: C4 |1 D4 :|2 E4 |] F4 || G4 [| A4 |]"
    assert heard(read(music(body))) == lines(SCALE + " G4 A4 B4 C5 C4:4 D4:4 E4:4 F4:4 G4:4 A4:4")


def test_what_xml2abc_writes_is_read() -> None:
    tune = (
        "X:1\nT:As a converter writes it\n%%score 1 2\nL:1/8\nQ:1/4=96\nM:4/4\nI:linebreak $\nK:F\n"
        'V:1 treble nm="Violin"\nV:2 bass nm="Cello"\nV:1\n c2 d2 e2 f2 |$ b8 | %2\n'
        "[K:C] b8 |[M:3/4] c6 |] %4\nV:2\n F,4 C,4 |$ B,8 | %2\n[K:C] B,8 |[M:3/4] C,6 |] %4\n"
    )
    piece = read(tune, "1")
    assert heard(piece) == lines("C5 D5 E5 F5 Bb5:4 B5:4 C5:3", "F3:2 C3:2 Bb3:4 B3:4 C3:3")
    assert metres(piece) == [(0, "4/4"), (12, "3/4")] and programs(piece) == [40, 42]


def test_a_file_in_latin_1_or_a_stated_charset_keeps_its_title() -> None:
    tune = music("C4 |").replace("Made up", "Où est le château")
    assert read_notation(tune.encode("latin-1"), "ABC").title == "Où est le château"
    said = "%%abc-charset iso-8859-2\n" + tune.replace("Où est le château", "Žižka")
    data = said.encode("iso-8859-2")
    assert tunes_in(data) == ["1"] and read_notation(data, "ABC", "1").title == "Žižka"


def test_dynamics_are_heard() -> None:
    piece = read(music("!p!C D !ff!E F |"))
    assert [n.velocity for n in piece.score.tracks[0].notes] == [44, 44, 108, 108]


def test_a_note_that_no_score_can_hold_is_missed() -> None:
    piece = read_notation(music("C D E c'''''''' |").encode(), "ABC")
    assert piece.warning == "was not read whole (3 of 4 notes)"


def test_an_include_of_another_file_is_not_followed() -> None:
    assert heard(read(music("C D E F |", "%%abc-include /etc/hostname\n"))) == lines(SCALE)


def test_chord_symbols_are_read_where_they_stand() -> None:
    piece = read(music('"Am"A B "^slowly"c "G7/B"d | "Fine"z2 "(D)"e2 | "N.C."f4 |'))
    assert piece.chords == ((0.0, "Am"), (3.0, "G7/B"), (6.0, "D"), (8.0, "N.C."))


def test_chord_symbols_move_with_a_pickup_and_a_transposed_voice() -> None:
    assert read(music('"C"G | "F"c4 | c4 |')).chords == ((3.0, "C"), (4.0, "F"))
    moved = read(music('"C"c4 |', head="%%MIDI transpose 2\n"))
    assert moved.chords == ((0.0, "D"),)
