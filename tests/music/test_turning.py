"""A sketch in another mode or metre."""

from __future__ import annotations

import pytest

from textmusic.music.chords import chord_name, parse_symbol
from textmusic.music.sketch import Row, Sketch
from textmusic.music.turning import in_metre, turned


def sketch(*names: str) -> Sketch:
    found = [parse_symbol(name) for name in names]
    return Sketch(tuple(Row(chords=((0, read[0]),)) for read in found if read))


@pytest.mark.parametrize(
    ("key", "new", "chords", "wanted"),
    [
        ("C major", "C minor", "C F G7 C Am Dm Em Bdim", "Cm Fm G7 Cm Ab Ddim Eb Bdim"),
        ("C major", "A minor", "C F G7 Am Cmaj7", "Am Dm E7 F Am7"),
        ("A minor", "A major", "Am Dm E7 F C G Bm7b5", "A D E7 F#m C#m G#dim Bm7"),
        ("C major", "D major", "C Am G7", "D Bm A7"),
    ],
)
def test_chords_are_turned(key: str, new: str, chords: str, wanted: str) -> None:
    made = turned(sketch(*chords.split()), key, new)
    assert [chord_name(row.chords[0][1], new) for row in made.rows] == wanted.split()


def test_no_chord_stays_none() -> None:
    assert turned(Sketch((Row(chords=((0, None),)),)), "C major", "C minor").rows[0].chords == (
        (0, None),
    )


def test_changes_keep_their_place_in_another_metre() -> None:
    (c, f, g) = (sketch(name).rows[0].chords[0][1] for name in "CFG")
    theme = Sketch((Row(chords=((0, c), (2, f))), Row(like=0, chords=((0, c), (1, f), (3, g)))))
    waltz = in_metre(theme, "4/4", "3/4")
    assert waltz.rows[0].chords == ((0, c), (2, f))
    assert waltz.rows[1] == Row(like=0, chords=((0, c), (1, f), (2, g)))
    assert in_metre(theme, "4/4", "6/8").rows[0].chords == ((0, c), (3, f))
    dance = in_metre(theme, "4/4", "2/4")
    assert dance.rows[1].chords == ((0, c), (1, g)), "two that fall on a beat: the last"
    assert in_metre(theme, "4/4", "4/4") is theme
