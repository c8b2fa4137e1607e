"""Sketches in the key that was asked for: written again until one's chords speak for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_music import the_layout

from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline, Row, Sketch
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.writing import take
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.in_key import CLEAR, TRIES, KeyKept, clearness
from textmusic.writing.text_to_music import TextToMusic

PLAN = Plan(programs=(0,), key="C major", time_signature="4/4", bars=2)
IN_C = ("New", "Chord_0-maj", "Bar_1", "New", "Chord_7-maj", "Beat_2", "Chord_0-maj", "<|score|>")
IN_F = ("New", "Chord_5-maj", "Bar_1", "New", "Chord_10-maj", "Beat_2", "Chord_5-maj", "<|score|>")
IN_E = ("New", "Chord_4-maj", "Bar_1", "New", "Chord_11-maj", "Beat_2", "Chord_4-maj", "<|score|>")


def chords(*roots: int, quality: str = "maj") -> Sketch:
    return Sketch(tuple(Row(chords=((0, Chord(root, quality)),)) for root in roots))


def test_clearness_is_highest_in_the_key_of_the_chords() -> None:
    cadence = chords(0, 5, 7, 0)
    found = {
        key: clearness(cadence, Plan(key=key, time_signature="4/4"))
        for key in ("C major", "A minor", "F major", "G major", "F# major")
    }
    assert max(found, key=lambda key: found[key]) == "C major" and found["C major"] > CLEAR
    assert all(value < 0 for key, value in found.items() if key != "C major")
    assert found["F# major"] == min(found.values())


def test_chords_count_as_long_as_they_last() -> None:
    plan = Plan(key="C major", time_signature="4/4")
    short = Sketch((Row(chords=((0, Chord(0, "maj")), (2, Chord(6, "maj")))),))
    long = Sketch((*chords(0).rows, *chords(0).rows, *chords(6).rows))
    both = Sketch((*chords(0).rows, *chords(6).rows))
    assert clearness(short, plan) == pytest.approx(clearness(both, plan), abs=1e-9)
    assert clearness(long, plan) > clearness(both, plan)


def test_nothing_speaks_against_a_key_without_chords() -> None:
    assert clearness(Sketch((Row(), Row())), PLAN) > CLEAR


def kept(*tries: tuple[str, ...]) -> tuple[list[str], int]:
    """The ids of the sketch that is kept, and how many tries were written; the last goes on."""
    layout = the_layout()
    grammar = SketchGrammar(layout, PLAN)
    grammar.advance(layout.index["Bar_2"])
    keeper, number = KeyKept(PLAN, grammar, 3), 0
    ids = [0, 0, 0]
    while not grammar.done:
        for token in tries[min(number, len(tries) - 1)]:
            assert grammar.allowed()[layout.index[token]]
            grammar.advance(layout.index[token])
            ids.append(layout.index[token])
        grammar, ids = keeper.turn(grammar, ids)
        number += 1
    return [layout.vocabulary[i] for i in ids[3:]], number


def test_the_first_sketch_in_the_key_is_kept() -> None:
    assert kept(IN_C) == ([*IN_C], 1)
    assert kept(IN_F, IN_E, IN_C) == ([*IN_C], 3)


def test_where_none_is_clear_the_clearest_is_kept() -> None:
    assert kept(IN_E, IN_F, IN_E) == ([*IN_F], TRIES)


def sketches(
    music: TextToMusic, monkeypatch: pytest.MonkeyPatch, text: str, outline: Outline = Outline()
) -> list[Sketch]:
    """All sketches that were judged while a piece was written; a piece that has all its bars."""
    seen: list[Sketch] = []

    class Seen(KeyKept):
        def turn(self, grammar: SketchGrammar, ids: list[int]) -> tuple[SketchGrammar, list[int]]:
            seen.append(grammar.sketch)
            return super().turn(grammar, ids)

    monkeypatch.setattr(take, "KeyKept", Seen)
    prompt = music.understand(text, outline=outline)
    written = music.take(prompt, 3)
    bars = list(decode(music.engine, in_turn([written]), 1))
    assert len(bars) == written.plan.bars and written.done
    if seen:
        best = max(seen, key=lambda sketch: clearness(sketch, written.plan))
        assert written.sketch == best
    return seen


def test_a_key_that_was_asked_is_kept_to(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    seen = sketches(music, monkeypatch, "piano in C minor, 8 bars")
    plan = Plan(key="C minor", time_signature="4/4")
    assert 1 < len(seen) <= TRIES, "a model that has learnt nothing wanders"
    assert all(clearness(sketch, plan) < CLEAR for sketch in seen[:-1])
    assert len({str(sketch) for sketch in seen}) > 1
    assert len(sketches(music, monkeypatch, "piano in C minor, 8 bars, form AABA")) >= 1


@pytest.mark.parametrize(
    ("text", "outline"),
    [
        ("piano, 8 bars", Outline()),  # no key is asked
        ("piano in C minor, 8 bars", Outline(chords=parse_chords("F#m B E").chords)),
        ("a drum solo, 4 bars", Outline()),
    ],
)
def test_nothing_is_judged_where_nothing_was_asked_or_is_open(
    text: str, outline: Outline, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    assert sketches(music, monkeypatch, text, outline) == []


def test_the_same_seed_writes_the_same_beside_others(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    prompts = [
        music.understand(f"piano in {key}, 4 bars") for key in ("C minor", "D major", "Eb major")
    ]
    takes = [music.take(prompt, 5) for prompt in prompts]
    list(decode(music.engine, in_turn(takes), 3))
    for prompt, beside in zip(prompts, takes, strict=True):
        alone = music.take(prompt, 5)
        list(decode(music.engine, in_turn([alone]), 1))
        assert alone.settled() == beside.settled()
        assert np.isclose(alone.likelihood, beside.likelihood, rtol=1e-4)
