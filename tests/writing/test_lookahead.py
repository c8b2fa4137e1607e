"""The harmony of a hole is drawn with an ear for the bar behind it."""

from __future__ import annotations

import numpy as np
import pytest
from symusic import Note, Score, TimeSignature, Track

from textmusic.engines.protocol import Floats32
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row
from textmusic.tokens.layout import layout_of
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing.lookahead import TRIES, Lookahead
from textmusic.writing.text_to_music import TextToMusic

C, F, G = (((0, Chord(root, "maj")),) for root in (0, 5, 7))
PLAN = Plan(programs=(0,), time_signature="4/4", key="C major", bars=3)


def test_the_try_that_leads_on_best_is_kept(tokenizer: Tokenizer) -> None:
    layout = layout_of(tokenizer.vocabulary)
    asked = [AskedRow(new=True, chords=C), AskedRow(), AskedRow(new=True, chords=C)]
    grammar = SketchGrammar(layout, PLAN, asked=asked, given=[Row(chords=C)])
    ahead, rng, ids = Lookahead(2, asked, 1), np.random.default_rng(0), list(range(7))
    chords = slice(*layout.spans["Chord"])
    drawn = [f"Chord_{root}-maj" for root in (2, 9, 7, 4)]
    logits = np.zeros(layout.size, dtype=np.float32)

    def take(token: str) -> None:
        grammar.advance(layout.index[token])
        ids.append(layout.index[token])

    for number, chord in enumerate(drawn):
        if not number:
            take("Bar_2")
        assert not ahead.listens(grammar)
        ahead.choosing(grammar, ids)
        for token in ("New", chord, "Bar_1", "New"):
            take(token)
        assert ahead.listens(grammar), "the chord behind the hole comes next"
        follows = layout.index["Chord_0-maj"]
        assert grammar.allowed().nonzero()[0].tolist() == [follows]
        logits[follows] = 40.0 if chord == "Chord_7-maj" else -40.0  # G leads to C
        ahead.weigh(logits, follows, chords)
        take("Chord_0-maj")
        turned = ahead.turn(grammar, ids, rng)
        assert turned is not None
        grammar, ids = turned
        if number < TRIES - 1:
            assert len(ids) == 8 and len(grammar.rows) == 2 and not grammar.rows[1].chords
    assert [row.chords for row in grammar.rows] == [C, G, C]
    assert ids[8:10] == [layout.index["New"], layout.index["Chord_7-maj"]]
    assert ahead.turn(grammar, ids, rng) is None and not ahead.listens(grammar)


@pytest.mark.parametrize(
    "asked",
    [
        [AskedRow(chords=C), AskedRow(chords=F), AskedRow(chords=C)],  # nothing is open
        [AskedRow(chords=C), AskedRow()],  # nothing stands behind
        [AskedRow(chords=C), AskedRow(), AskedRow(new=True)],  # ... that has a chord
    ],
)
def test_nothing_is_weighed_where_nothing_can_be(
    asked: list[AskedRow], tokenizer: Tokenizer
) -> None:
    layout = layout_of(tokenizer.vocabulary)
    grammar = SketchGrammar(layout, PLAN, asked=asked, given=[Row(chords=C)])
    ahead = Lookahead(2, asked, 1)
    ahead.choosing(grammar, [1, 2])
    assert not ahead.listens(grammar)
    assert ahead.turn(grammar, [1, 2], np.random.default_rng(0)) is None


def test_a_hole_is_sketched_several_times(
    tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    score.tracks.append(Track())
    for n in range(32):
        score.tracks[0].notes.append(Note(480 * n, 480, 60 + (0, 4, 7, 12)[n % 4], 80))
    weighed: list[float] = []
    weigh = Lookahead.weigh

    def counted(self: Lookahead, logits: Floats32, chord: int, chords: slice) -> None:
        weighed.append(float(logits[chord]))
        weigh(self, logits, chord, chords)

    monkeypatch.setattr(Lookahead, "weigh", counted)
    tiny.fill(score, bars=(3, 4), seed=1)
    assert len(weighed) == TRIES
    tiny.fill(score, bars=(3, 4), seed=1, outline=parse_chords("F G"))
    tiny.fill(score, bars=(7, 8), seed=1)
    assert len(weighed) == TRIES, "asked chords, and the end of the piece, need none"
