"""Chord symbols as people write them, and names as they read them."""

from __future__ import annotations

import pytest

from textmusic.music.chords import ALL_CHORDS, QUALITIES, Chord, chord_name, parse_symbol
from textmusic.music.theory import KEYS

SPELLINGS = {
    "maj": "C Cmaj CM Cma CMaj Cmajor C6 C69 C6/9 Cadd9 C(add9) Cadd2 Cmaj6",
    "min": "Cm Cmin Cmi C- Cminor Cm6 Cm(add9) Cm(maj7) CmM7 CmMaj7 C-6",
    "7": "C7 C9 C11 C13 C7b9 C7#9 C7(b9) C7(b9b13) C7#11 C7alt Cdom7 Caug7 C+7 C7#5 C13b9 C9(#11)",
    "maj7": "Cmaj7 CMaj7 CM7 Cma7 CΔ CΔ7 Cj7 Cmaj9 CM9 Cmaj13 Cmaj7#11",
    "min7": "Cm7 Cmin7 Cmi7 C-7 Cm9 Cm11 Cm13",
    "dim": "Cdim C° Co",
    "aug": "Caug C+ C(#5)",
    "sus4": "Csus Csus4 C4 C7sus4 C7sus C9sus4 C13sus4",
    "sus2": "Csus2 C2",
    "dim7": "Cdim7 C°7 Co7",
    "hdim7": "Cm7b5 Cmin7b5 C-7b5 Cm7(b5) Cm7-5 Cø Cø7",
}


@pytest.mark.parametrize(
    ("symbol", "quality"), [(s, q) for q, symbols in SPELLINGS.items() for s in symbols.split()]
)
def test_symbols_are_read_by_their_nearest_quality(symbol: str, quality: str) -> None:
    assert parse_symbol(symbol) == (Chord(0, quality), None)
    assert parse_symbol(f" F#{symbol[1:]}/C# ") == (Chord(6, quality), 1)


@pytest.mark.parametrize(
    ("root", "pitch_class"),
    [("C", 0), ("C#", 1), ("Db", 1), ("D♭", 1), ("D", 2), ("Eb", 3), ("E", 4), ("Fb", 4), ("E#", 5),
     ("F", 5), ("F♯", 6), ("Gb", 6), ("G", 7), ("Ab", 8), ("A", 9), ("Bb", 10), ("B", 11),
     ("Cb", 11), ("B#", 0)],
)  # fmt: skip
def test_roots_and_basses_are_pitch_classes(root: str, pitch_class: int) -> None:
    assert parse_symbol(f"{root}m7/{root}") == (Chord(pitch_class, "min7"), pitch_class)


@pytest.mark.parametrize(
    "text", ["", "H", "c", "Cx", "m7", "/G", "N.C.", "C/", "C/x", "C/G/E", "Cm7 F7", "Bass", "Dad"]
)
def test_what_is_no_symbol_is_none(text: str) -> None:
    assert parse_symbol(text) is None


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (None, "C C# D Eb E F F# G Ab A Bb B"),
        ("none", "C C# D Eb E F F# G Ab A Bb B"),
        ("C major", "C C# D Eb E F F# G Ab A Bb B"),
        ("A minor", "C C# D Eb E F F# G Ab A Bb B"),
        ("E major", "C C# D D# E F F# G G# A A# B"),
        ("C# minor", "C C# D D# E F F# G G# A A# B"),
        ("F# major", "C C# D D# E F F# G G# A A# B"),
        ("F major", "C Db D Eb E F Gb G Ab A Bb B"),
        ("Db major", "C Db D Eb E F Gb G Ab A Bb B"),
        ("D minor", "C Db D Eb E F Gb G Ab A Bb B"),
        ("Eb minor", "C Db D Eb E F Gb G Ab A Bb B"),
    ],
)
def test_roots_are_spelt_as_suits_the_key(key: str | None, names: str) -> None:
    assert [chord_name(Chord(root, "maj"), key) for root in range(12)] == names.split()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_s_own_triad_has_the_key_s_name(key: str) -> None:
    name, mode = key.split()
    read = parse_symbol(name + ("m" if mode == "minor" else ""))
    assert read is not None
    assert chord_name(read[0], key) == name + ("m" if mode == "minor" else "")


def test_names_are_read_again_as_the_chord_they_name() -> None:
    for chord in ALL_CHORDS:
        for key in ("C major", "Eb major", "B minor"):
            assert parse_symbol(chord_name(chord, key)) == (chord, None)
    assert chord_name(None, "D major") == "N.C."


def test_tones_are_the_quality_s_steps_above_the_root() -> None:
    assert Chord(2, "min7").tones == {2, 5, 9, 0}
    assert Chord(11, "dim").tones == {11, 2, 5}
    assert Chord(7, "sus4").tones == {7, 0, 2}
    assert len(ALL_CHORDS) == len(set(ALL_CHORDS)) == 12 * len(QUALITIES)


def test_chords_are_moved_round_the_octave() -> None:
    assert Chord(10, "7").moved(5) == Chord(3, "7")
    assert Chord(1, "maj").moved(-4) == Chord(9, "maj")


def test_labels_are_what_mir_eval_reads() -> None:
    """Its own tones of every label are ours."""
    chord_module = pytest.importorskip("mir_eval.chord")
    for chord in ALL_CHORDS:
        root, bitmap, _ = chord_module.encode(chord.label)
        assert root == chord.root
        assert {(root + step) % 12 for step in bitmap.nonzero()[0]} == chord.tones
    assert Chord(0, "min7").label == "C:min7"
