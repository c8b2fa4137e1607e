"""Chords told from notes: made-up textures whose harmony is known, and labels put on beats."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from symusic import Score

from textmusic.music import harmony
from textmusic.music.chords import QUALITIES, Chord, parse_symbol
from textmusic.music.notes import Notes, notes_of
from textmusic.music.sketch import beats_per_bar, quarters_per_beat
from textmusic.music.theory import DRUMS

PROGRESSION = ("C", "Am", "F", "G7", "C", "Dm7", "G", "C")


def notes(rows: list[tuple[float, float, int]], program: int = 0) -> Notes:
    """Notes from (start, duration, pitch)."""
    rows = sorted(rows)
    start, duration, pitch = (np.array(column) for column in zip(*rows, strict=True))
    velocity, programs = np.full(len(rows), 80), np.full(len(rows), program)
    return Notes(start.astype(float), duration.astype(float), pitch, velocity, programs)


def chord(symbol: str) -> Chord:
    read = parse_symbol(symbol)
    assert read is not None
    return read[0]


def pitches(symbol: str, above: int) -> list[int]:
    """The tones of a chord, each as low as it can be above some pitch."""
    it = chord(symbol)
    return [above + (it.root + step - above) % 12 for step in QUALITIES[it.quality][0]]


def block(symbol: str, begin: float, length: float) -> list[tuple[float, float, int]]:
    bass = [(begin, length, 36 + chord(symbol).root)]
    return bass + [(begin, length, pitch) for pitch in pitches(symbol, 55)]


def arpeggio(symbol: str, begin: float, length: float) -> list[tuple[float, float, int]]:
    tones = [36 + chord(symbol).root, *pitches(symbol, 50)]
    return [(begin + at / 2, 0.5, tones[at % len(tones)]) for at in range(int(length * 2))]


@pytest.mark.parametrize("up", [0, 1, 7])
def test_block_chords_in_any_key_are_told_with_their_sevenths(up):
    rows = [r for at, symbol in enumerate(PROGRESSION) for r in block(symbol, at * 4.0, 4.0)]
    found = harmony.chords_of(notes([(s, d, p + up) for s, d, p in rows]), "4/4", 8)
    assert found == [((0, chord(symbol).moved(up)),) for symbol in PROGRESSION]


@pytest.mark.parametrize("up", [0, 1, 7])
def test_broken_chords_are_told_by_root_and_third(up):
    """A seventh that is struck once a bar may pass for a passing note."""
    rows = [r for at, symbol in enumerate(PROGRESSION) for r in arpeggio(symbol, at * 4.0, 4.0)]
    found = harmony.chords_of(notes([(s, d, p + up) for s, d, p in rows]), "4/4", 8)
    wanted = [((0, chord(symbol).moved(up)),) for symbol in PROGRESSION]
    assert harmony.agreement(wanted, found, "4/4")["majmin"] == 1.0
    assert [len(bar) for bar in found] == [1] * 8


def test_changes_inside_a_bar_are_at_their_beats():
    rows = []
    for bar, (first, second) in enumerate([("C", "F"), ("C", "G"), ("Am", "F"), ("G", "C")]):
        rows += block(first, bar * 4.0, 2.0) + block(second, bar * 4.0 + 2, 2.0)
    assert harmony.chords_of(notes(rows), "4/4", 4)[1] == ((0, chord("C")), (2, chord("G")))


def test_beats_are_eighths_in_compound_metres():
    rows = []
    for bar, (first, second) in enumerate([("G", "C"), ("G", "D"), ("Em", "C"), ("D", "G")]):
        rows += block(first, bar * 3.0, 1.5) + block(second, bar * 3.0 + 1.5, 1.5)
    assert harmony.chords_of(notes(rows), "6/8", 4)[1] == ((0, chord("G")), (3, chord("D")))


def test_a_melody_alone_implies_slow_plain_harmony():
    """Twinkle, twinkle: C, F C, in the first two bars; no bar of it needs more than two chords."""
    tune = [60, 60, 67, 67, 69, 69, 67, None, 65, 65, 64, 64, 62, 62, 60, None]
    rows = [(float(at), 2.0 if at % 8 == 6 else 1.0, p) for at, p in enumerate(tune) if p]
    found = harmony.chords_of(notes(rows, 73), "4/4", 4)
    assert found[0][0] == (0, chord("C"))
    assert found[1][0] == (0, chord("F"))
    assert harmony.on_beats(found, 4, "4/4")[-1] == chord("C")
    assert all(1 <= len(bar) <= 2 for bar in found)


def test_drums_and_silence_have_no_harmony():
    beat = [(float(at), 0.25, 36) for at in range(8)]
    assert harmony.chords_of(notes(beat, DRUMS), "4/4", 2) == [(), ()]
    empty = notes([(0.0, 1.0, 60)])
    none = Notes(*(column[:0] for column in (empty.start, empty.duration, empty.pitch,
                                             empty.velocity, empty.program)))  # fmt: skip
    assert harmony.chords_of(none, "3/4", 3) == [(), (), ()]
    # Pitched notes outside the bars only.
    assert harmony.chords_of(notes(block("C", 40.0, 4.0)), "4/4", 2) == [(), ()]
    # Drums play on where the harmony is: they change nothing.
    plain = notes(block("D", 0.0, 8.0))
    with_drums = Notes(*(np.concatenate(pair) for pair in zip(
        (plain.start, plain.duration, plain.pitch, plain.velocity, plain.program),
        (lambda d: (d.start, d.duration, d.pitch, d.velocity, d.program))(notes(beat, DRUMS)),
        strict=True)))  # fmt: skip
    assert harmony.chords_of(with_drums, "4/4", 2) == harmony.chords_of(plain, "4/4", 2)
    assert harmony.chords_of(plain, "4/4", 2)[0] == ((0, chord("D")),)


def test_what_sounds_in_each_beat_is_counted_by_time():
    """C4 for a beat and a half, E4 for half a beat from there; G2 under both; then silence."""
    found, heard, texture = harmony.features(
        notes([(0.0, 1.5, 60), (1.5, 0.5, 64), (0.0, 2.0, 43)]), "4/4", 1
    )
    parts = dict(zip(harmony.GROUPS, found.reshape(4, -1, 12).transpose(1, 0, 2), strict=True))
    assert heard.tolist() == [True, True, False, False]
    assert texture == "full"
    assert parts["sounding"][1, [0, 4, 7]].tolist() == [0.25, 0.25, 0.5]
    assert parts["struck"][0, [0, 7]].tolist() == [0.5, 0.5]
    assert parts["struck"][1, [0, 4, 7]].tolist() == [0, 1, 0]
    assert parts["held"][1, [0, 4, 7]].tolist() == [0.5, 0, 0.5]
    assert parts["bass"][1, 7] == 1.0 and parts["top"][1, 4] == 1.0
    assert parts["after"][0].tolist() == parts["sounding"][1].tolist()
    assert parts["before"][1].tolist() == parts["sounding"][0].tolist()
    assert parts["span"][0, [0, 4, 7]].tolist() == [0.375, 0.125, 0.5]
    assert parts["bar"][3, 7] == 0.5 and parts["low"][3, 7] == 1.0
    assert not parts["last_bar"].any() and not parts["next_bar"].any()


def test_one_voice_is_a_line_and_two_are_not():
    melody = [(float(at), 1.0, 60 + at) for at in range(8)]
    assert harmony.features(notes(melody), "4/4", 2)[2] == "line"
    below = [(s, d, p - 12) for s, d, p in melody]
    assert harmony.features(notes(melody + below), "4/4", 2)[2] == "full"


@pytest.mark.parametrize(
    ("time_signature", "strengths"),
    [("4/4", [0, 2, 1, 2]), ("3/4", [0, 2, 2]), ("2/4", [0, 2]), ("6/8", [0, 3, 3, 1, 3, 3]),
     ("3/8", [0, 2, 2]), ("6/4", [0, 2, 2, 1, 2, 2]), ("3/2", [0, 2, 1, 2, 1, 2])],
)  # fmt: skip
def test_strengths_of_beats(time_signature, strengths):
    assert harmony.strengths(time_signature, 2).tolist() == strengths * 2


def test_viterbi_finds_what_trying_all_paths_finds():
    """Against a plain one over all pairs of states, on scores that are random."""
    rng = np.random.default_rng(5)
    states = len(harmony.STATES)
    for _ in range(5):
        scores, change = rng.normal(size=(20, states)) * 2, rng.normal(size=20) - 2
        moves, kinds = rng.normal(size=(25, 25)), rng.normal(size=states)
        wide = moves[np.ix_(harmony.CLASS_OF, harmony.CLASS_OF)] + kinds
        best, back = [scores[0] + moves.mean(axis=0)[harmony.CLASS_OF] + kinds], []
        for t in range(1, 20):
            ways = wide + change[t]
            np.fill_diagonal(ways, np.maximum(ways.diagonal(), 0.0))
            ways = ways + best[-1][:, None]
            back.append(ways.argmax(axis=0))
            best.append(ways.max(axis=0) + scores[t])
        path = [int(best[-1].argmax())]
        for origin in reversed(back):
            path.append(int(origin[path[-1]]))
        assert harmony.viterbi(scores, change, moves, kinds).tolist() == path[::-1]


def test_moving_all_notes_moves_all_chords(pieces: list[Path]):
    piece = notes_of(Score(pieces[0]))
    up = Notes(piece.start, piece.duration, piece.pitch + 5, piece.velocity, piece.program)
    found = harmony.chords_of(piece, "4/4", 16, "C major")
    assert [tuple((beat, c and c.moved(5)) for beat, c in bar) for bar in found] == (
        harmony.chords_of(up, "4/4", 16, "F major")
    )
    assert any(found)


def test_real_pieces_get_rows_that_fit_their_bars(pieces: list[Path], piece_rows):
    for path, row in zip(pieces[:12], sorted(piece_rows, key=lambda r: r["id"]), strict=False):
        signature, bars = row["time_signature"] or "4/4", 24
        found = harmony.chords_of(notes_of(Score(path)), signature, bars)
        assert len(found) == bars
        before = None
        for bar in found:
            beats = [beat for beat, _ in bar]
            assert beats == sorted(set(beats)) and beats[:1] in ([], [0])
            assert all(beat < beats_per_bar(signature) for beat in beats)
            inside = [chord for _, chord in bar]
            assert all(a != b for a, b in pairwise(inside))
            before = before or inside
        assert before


def test_labels_are_cut_and_put_on_beats():
    changes = [[0.0, "N.C."], [4.0, "C"], [6.2, "G"], [8.4, "Am"], [8.4, "F"], [11.5, "Dm7/C"]]
    assert harmony.labelled(changes, "4/4", 4, 0.0) == [
        (),
        ((0, chord("C")), (2, chord("G"))),
        ((0, chord("F")),),
        ((0, chord("Dm7")),),
    ]
    # A window that begins inside a chord begins with it; half a beat goes up.
    assert harmony.labelled(changes, "2/4", 2, 10.0) == [
        ((0, chord("F")),),
        ((0, chord("Dm7")),),
    ]
    assert harmony.labelled(changes, "6/8", 1, 6.0) == [((0, chord("G")), (5, chord("F")))]
    assert harmony.labelled([], "3/4", 2, 0.0) == [(), ()]


@pytest.mark.parametrize(
    ("symbol", "read"),
    [("N.C.", None), ("NC", None), ("?", None), ("C5", Chord(0, "maj")), ("F#m#5", Chord(6, "min")),
     ("Amaj(b5)", Chord(9, "maj")), ("Bb7/D", Chord(10, "7"))],
)  # fmt: skip
def test_symbols_that_are_no_plain_chords(symbol, read):
    rows = harmony.labelled([[0.0, symbol]], "4/4", 1, 0.0)
    assert rows == [((0, read),) if read else ()]


def test_agreement_by_hand():
    """Eight beats; a dominant seventh is major, and two beats of a suspended chord do not count."""
    reference = [((0, chord("G7")), (2, chord("Csus4"))), ((0, chord("C")), (3, None))]
    estimate = [((0, chord("G")),), ((0, chord("C")), (2, chord("Am")), (3, chord("C")))]
    assert harmony.agreement(reference, estimate, "4/4") == {
        "majmin": 4 / 6, "root": 4 / 8, "majmin_beats": 6.0, "root_beats": 8.0,
    }  # fmt: skip
    assert harmony.agreement([], [], "4/4")["majmin"] == 0.0
    # Rows that only one has are compared with none.
    assert harmony.agreement([((0, chord("C")),)], [], "3/4")["root"] == 0.0


def test_agreement_is_that_of_mir_eval():
    chord_rules = pytest.importorskip("mir_eval").chord
    rng = np.random.default_rng(1)
    for signature in ("4/4", "6/8"):
        lists = []
        for _ in range(2):
            rows = []
            for _ in range(60):
                # Few roots, so that many agree.
                some = [Chord(int(rng.integers(2)), str(rng.choice(list(QUALITIES)))) for _ in "12"]
                rows.append(((0, some[0]), (2, None if rng.random() < 0.2 else some[1])))
            lists.append(rows)
        labels = [[c.label if c else "N" for c in harmony.on_beats(rows, 60, signature)]
                  for rows in lists]  # fmt: skip
        weights = np.full(len(labels[0]), quarters_per_beat(signature))
        ours = harmony.agreement(*lists, signature)
        for name, rule in (("majmin", chord_rules.majmin), ("root", chord_rules.root)):
            theirs = chord_rules.weighted_accuracy(rule(*labels), weights)
            assert ours[name] == pytest.approx(theirs)
            assert ours[f"{name}_beats"] == np.sum(rule(*labels) >= 0)
        assert 0.1 < ours["majmin"] < 0.9


def test_64_bars_take_a_few_milliseconds():
    rows = [r for bar in range(64) for r in arpeggio(PROGRESSION[bar % 8], bar * 4.0, 4.0)]
    piece = notes(rows)
    harmony.chords_of(piece, "4/4", 64)
    took = []
    for _ in range(5):
        began = time.process_time()
        harmony.chords_of(piece, "4/4", 64)
        took.append(time.process_time() - began)
    assert min(took) < 0.05, "5 ms on an idle core; ten times that is something else"
