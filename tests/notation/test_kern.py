"""Humdrum **kern: every note token sounds once, whatever its spines do."""

from __future__ import annotations

import pytest
from sheet_notes import heard, lines, metres, programs, tempi

from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import ParsedPiece, UnreadableError


def read(text: str) -> ParsedPiece:
    """A file, its cells parted by spaces, those of one spine by "_" where a token has a space."""
    rows = [row.strip() for row in text.strip().splitlines()]
    tabbed = "\n".join("\t".join(c.replace("~", " ") for c in row.split()) for row in rows)
    piece = read_notation(tabbed.encode(), "kern")
    assert not piece.warning
    return piece


def test_spines_that_split_and_join_again_and_again() -> None:
    piece = read("""**kern **kern
        *M3/4 *M3/4
        =1 =1
        * *^
        4C 4c 4e
        4D 4d 4f
        4E 4e 4g
        * *v *v
        =2 =2
        * *^
        4F 4a 4cc
        * * *^
        4G 4a 4cc 4ee
        4A 4a 4cc 4ff
        * *v *v *v
        =3 =3
        2.C 2.c
        == ==
        *- *-""")
    assert heard(piece) == lines(
        "C3 D3 E3 F3 G3 A3 C3:3", "C4+E4 D4+F4 E4+G4 A4+C5 A4+C5+E5 A4+C5+F5 C4:3"
    )


def test_both_spines_split_and_each_joins_its_own() -> None:
    piece = read("""**kern **kern
        *^ *^
        2C 4E 4c 2e
        . 4F 4d .
        *v *v *v *v
        4C 4c
        *- *-""")
    assert heard(piece) == lines("C3:2 C3", "E3 F3", "C4 D4 C4", "E4:2")


def test_spines_may_change_places_end_and_begin() -> None:
    piece = read("""**kern **text **kern
        4C do 4c
        * *x *x
        4D 4d re
        *- * *
        4e mi
        *+ *
        4f . fa
        *- *- *-""")
    assert heard(piece) == lines("C3 D3", "C4 D4 E4 F4")


@pytest.mark.parametrize("beside", ["**harm", "**text", "**dynam", "**mxhm", "**silbe", "**fing"])
@pytest.mark.parametrize("token", ["1r", "r", "4c", "V7", "."])
def test_what_stands_beside_the_notes_is_not_read_as_notes(beside: str, token: str) -> None:
    piece = read(f"""{beside} **kern
        {token} 4c
        . 4d
        {token} 2e
        *- *-""")
    assert heard(piece) == lines("C4 D4 E4:2")


@pytest.mark.parametrize(
    ("token", "sounds"),
    [
        ("4.f#", "F#4:3/2"), ("8b-L", "Bb4:1/2"), ("0C", "C3:8"), ("00C", "C3:16"),
        ("3%2g", "G4:8/3"), ("12ee", "E5:1/3"), ("2..a", "A4:7/2"), ("4CC##", "D2"),
        ("(4cnX)", "C4"), ("4ccc;", "C6"), ("8C~E~G", "C3+E3+G3:1/2"), ("4c~4e", "C4+E4"),
        ("4e--/", "D4"), ("20d", "D4:1/5"),
    ],
)  # fmt: skip
def test_tokens(token: str, sounds: str) -> None:
    assert heard(read(f"**kern\n{token}\n*-")) == lines(sounds)


def test_graces_and_groupettos_take_no_time() -> None:
    for grace in ("8eq", "8eQ", "eeq~ggq", "q16e"):
        piece = read(f"**kern\n*M4/4\n4c\n{grace}\n4d\n4e\n4f\n*-")
        assert heard(piece) == lines("C4 D4 E4 F4"), grace
    beside = read("**kern **kern\n2C 4c\n. 8dq\n. 4e\n2D 2f\n*- *-")
    assert heard(beside) == lines("C3:2 D3:2", "C4 E4 F4:2")


def test_ties_cross_bar_lines_and_chords() -> None:
    piece = read("""**kern
        *M2/4
        [2c~4e
        =
        [_4c
        4c]
        =
        [4d~[4f
        4d]~4f]
        *-""")
    assert (0, 4, 60) in heard(piece) and {(4, 2, 62), (4, 2, 65)} <= set(heard(piece))


def test_metre_key_tempo_title_and_instruments() -> None:
    piece = read("""!!!OTL:~Made~up
        **kern **kern
        *Icello *I"Flute
        *k[b-] *k[b-]
        *d: *d:
        *M3/4 *M3/4
        *MM96 *MM96
        4D 4d
        2E 2e
        = =
        *M3+2/8 *M3+2/8
        2F 2f
        8G 8g
        *- *-""")
    assert (piece.title, piece.key) == ("Made up", "D minor")
    assert metres(piece) == [(0, "3/4"), (3, "5/8")] and tempi(piece) == [(0, 96)]
    assert programs(piece) == [73, 42]


def test_a_pickup_is_filled_up_in_all_parts() -> None:
    piece = read("**kern **kern\n*M3/4 *M3/4\n4r 4g\n= =\n2.C 2.c\n= =\n2.D 2.d\n*- *-")
    assert heard(piece) == lines("r:3 C3:3 D3:3", "r:2 G4 C4:3 D4:3") and piece.filled == 1


def test_a_spine_that_is_too_short_does_not_carry_the_others_along() -> None:
    piece = read("**kern **kern\n*M2/4 *M2/4\n4C 4c\n. 4d\n= =\n2D 2e\n*- *-")
    assert heard(piece) == lines("C3 r D3:2", "C4 D4 E4:2")


def test_dynamics_are_of_the_part_beside_them() -> None:
    piece = read("**kern **dynam **kern **dynam\n4C p 4c ff\n4D . 4d .\n*- *- *- *-")
    assert [n.velocity for track in piece.score.tracks for n in track.notes] == [108, 108, 44, 44]


def test_a_token_without_a_length_is_missed() -> None:
    piece = read_notation(b"**kern\n4c\nd\n4e\n*-\n", "kern")
    assert piece.warning == "was not read whole (2 of 3 notes)"


def test_a_file_without_notes_is_refused() -> None:
    with pytest.raises(UnreadableError, match="no \\*\\*kern spine"):
        read_notation(b"**text\nla\n*-\n", "kern")
