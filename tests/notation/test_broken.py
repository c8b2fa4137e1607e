"""Broken files of every notation: a piece, or one sentence; never anything else."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from textmusic.notation.abc_text import tunes_in
from textmusic.notation.reading import read_notation
from textmusic.notation.sheet import UnreadableError

OWN = Path(__file__).parents[1] / "data" / "own"
NOTE = (
    "<note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>4</duration>"
    '<instrument id="I"/><tie type="start"/><dynamics>p</dynamics></note>'
)
XML = (
    '<score-partwise version="4.0"><part-list><score-part id="P"><part-name>Flute</part-name>'
    '<score-instrument id="I"><instrument-name>Snare</instrument-name></score-instrument>'
    '<midi-instrument id="I"><midi-channel>10</midi-channel><midi-unpitched>39</midi-unpitched>'
    '</midi-instrument></score-part></part-list><part id="P"><measure number="0" implicit="yes">'
    "<attributes><divisions>4</divisions><key><fifths>2</fifths><mode>minor</mode></key><time>"
    "<beats>3+2</beats><beat-type>8</beat-type></time><transpose><chromatic>-2</chromatic>"
    "</transpose></attributes><direction><direction-type><metronome><beat-unit>quarter</beat-unit>"
    "<per-minute>120-126</per-minute></metronome></direction-type></direction>"
    f"{NOTE}<backup><duration>4</duration></backup>{NOTE}<note><rest measure='yes'/><duration>4"
    f'</duration></note></measure><measure number="1">{NOTE * 3}</measure></part></score-partwise>'
)
ABC = (
    "X:1\nT:Made up\nQ:1/8=90\nM:4/4\nL:1/8\nm:~G2=G/A/G/F/\nK:D octave=-1\nV:1\n"
    "[M:3/4] ^c>d (3efg & C2 | Z2 | [CE]2- [Q:1/4=90] ~G2 |\nV:2 clef=bass\nC,3 {ab}!f!c |\n"
)
FILES = [
    (".musicxml", XML.encode()), ("ABC", ABC.encode()),
    ("ABC", (OWN / "tunes.abc").read_bytes()), ("kern", (OWN / "canon.krn").read_bytes()),
]  # fmt: skip
NUMBERS = [b"0", b"-1", b"999999999", b"9" * 400, b"0.5", b"nan", b"1e400"]


def broken(data: bytes, rng: random.Random) -> bytes:
    """A file with a few faults: bytes that are others, gone or twice, and absurd numbers."""
    bad = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 10, 30))):
        place = rng.randrange(len(bad) + 1)
        other = rng.randrange(len(bad) + 1)
        what = rng.randrange(6)
        if what == 0:
            bad[place : place + 1] = bytes([rng.randrange(256)])
        elif what == 1:
            bad[place : place + 1] = bytes([rng.choice(b'0123456789/-.[](){}<>|:&"!+*^_=\n\t~')])
        elif what == 2:
            del bad[place : place + rng.randrange(1, 20)]
        elif what == 3:
            bad[place:place] = bad[other : other + rng.randrange(1, 40)]
        elif what == 4:
            bad[place:place] = rng.choice(NUMBERS)
        elif rng.random() < 0.1:
            del bad[place:]
    return bytes(bad)


@pytest.mark.parametrize("seed", range(5))
def test_broken_files_are_read_or_refused_in_a_sentence(seed: int) -> None:
    rng = random.Random(seed)
    outcomes, sentences = set(), []
    for _ in range(300):
        kind, data = rng.choice(FILES)
        bad = broken(data, rng)
        try:
            read_notation(bad, kind, rng.choice(tunes_in(bad)) if kind == "ABC" else "")
            outcomes.add("read")
        except UnreadableError as why:
            outcomes.add("refused")
            sentences.append(str(why))
    assert outcomes == {"read", "refused"}
    assert all("\n" not in said and len(said) < 120 for said in sentences)


MACROS = "".join(f"m:{a}={b * 9}\n" for a, b in zip("HIJLMNO", "IJLMNOP", strict=True))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("ABC", "X:1\nK:C\n" + "[" * 20_000),
        ("ABC", "X:1\nK:C\n" + "[K:" * 10_000),
        ("ABC", "X:1\nK:C\n" + '"' * 30_001),
        ("ABC", f"X:1\n{MACROS}K:C\nH\n"),
        ("ABC", "X:1\nM:4/4\nK:C\n" + "C4 | Z99999 | " * 3),
        ("kern", "**kern\n" + "\n".join("\t".join(["*^"] * 2**n) for n in range(14))),
        (".musicxml", "<score-partwise>" + "<a>" * 100_000),
        (".musicxml", XML.replace("<duration>4", f"<duration>{10**9}")),
    ],
)
def test_files_that_are_made_to_take_for_ever_are_refused(kind: str, data: str) -> None:
    began = time.process_time()
    with pytest.raises(UnreadableError):
        read_notation(data.encode(), kind)
    assert time.process_time() - began < 5


def test_exact_times_do_not_grow_without_end() -> None:
    piece = read_notation(b"X:1\nM:4/4\nK:C\n" + b"C/7919 D/7907 E/7901 " * 1_000, "ABC")
    assert len(piece.score.tracks[0].notes) == 3_000
