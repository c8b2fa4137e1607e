"""Going on from pieces that are there already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from symusic import Note, Score, TimeSignature, Track

from textmusic.continuation import Continuation
from textmusic.errors import TextMusicError
from textmusic.material import joined, material_of, sliced
from textmusic.measure import measure, notes_of
from textmusic.pipeline import TextToMusic
from textmusic.plan import Plan
from textmusic.scheduler import Scheduler
from textmusic.untrusted import read_scores


def bare(metre: str = "4/4", *, notes: int = 16, program: int = 0, pitch: int = 60) -> Score:
    score = Score(480)
    top, bottom = map(int, metre.split("/"))
    score.time_signatures.append(TimeSignature(0, top, bottom))
    track = Track(program=program)
    for n in range(notes):
        track.notes.append(Note(480 * n, 480, pitch + n % 7, 80))
    score.tracks.append(track)
    return score


def test_old_bars_are_kept_and_new_ones_follow(tiny: TextToMusic) -> None:
    source = bare()
    made = tiny.continue_from(source, 3, seed=1)
    old, new = notes_of(source), notes_of(made.score)
    assert measure(made.score).bars == 7 == made.plan.bars
    kept = sliced(new, 0.0, 16.0)
    assert np.array_equal(kept.pitch, old.pitch) and np.array_equal(kept.start, old.start)
    behind = new.start[new.start >= 16]
    assert len(behind) and behind.max() < 28
    assert set(made.plan.programs or ()) == {0}
    assert made.report.planned.key == measure(source).key


def test_the_same_seed_goes_on_in_the_same_way_and_words_count(tiny: TextToMusic) -> None:
    source = bare()
    one, two, other = (
        tiny.continue_from(source, 2, seed=seed).score.dumps_midi() for seed in (1, 1, 2)
    )
    assert one == two != other
    more = tiny.continue_from(source, 4, seed=1, text="with flute, very sad")
    assert set(more.plan.programs or ()) == {0, 73}
    assert (more.plan.valence or 9) <= 2


def test_the_rest_can_be_written_anew(tiny: TextToMusic) -> None:
    source = bare()
    made = tiny.continue_from(source, 0, keep=1, seed=5)
    assert made.plan.bars == 4
    kept = sliced(notes_of(made.score), 0.0, 4.0)
    assert np.array_equal(kept.pitch, notes_of(source).pitch[:4])
    with pytest.raises(TextMusicError, match="keep 9 is out of range; choose 1 to 4"):
        tiny.continue_from(source, 1, keep=9)


def test_what_the_model_reads_is_what_it_would_have_written(tiny: TextToMusic) -> None:
    """Given ids are read at once, as if they had been chosen one by one."""
    piece = tiny.generate("piano, 4 bars, C major", seed=3)
    take = Continuation(tiny, piece.score, 2, seed=3, controls=Plan(key="C major")).take
    logits = tiny.engine.prefill(range(1), np.array(take.text))
    while not take.planned:
        music_id = take.take(logits)
        logits = tiny.engine.step(np.array([music_id]))[0]
    assert take.reread
    whole = [*take.recent(tiny.engine.context), take.score_ids[-1] + tiny.tokenizer.offset]
    seen = [tiny.tokenizer.vocabulary[i - tiny.tokenizer.offset] for i in whole[len(take.text) :]]
    bars = [token for token in seen if token.startswith("Bar_")]
    assert bars == ["Bar_6", "Bar_5", "Bar_4", "Bar_3", "Bar_2"], "counted down to the new end"
    written = tiny.tokenizer.encode_score(piece.score, piece.plan)
    names = [tiny.tokenizer.vocabulary[i] for i in written]
    second = names.index("Bar_3")
    assert take.score_ids[1:second] == written[1:second], "and the notes are spelt as ever"


def test_real_pieces_go_on(tiny: TextToMusic, pieces: list[Path]) -> None:
    for path, score in read_scores(pieces[:12]):
        assert not isinstance(score, str)
        material = material_of(score)
        made = tiny.continue_from(score, 2, seed=1)
        old, new = material.notes, notes_of(made.score)
        before = new.start < material.end - 1e-6
        assert np.array_equal(new.pitch[before], old.pitch), path
        assert new.start.max() < material.end + 2 * material.bar
        assert (new.start >= material.end - 1e-6).any()


def test_a_long_piece_is_looked_back_on_as_far_as_the_context_goes(tiny: TextToMusic) -> None:
    made = tiny.continue_from(bare(notes=1200), 2, seed=1)
    assert made.plan.bars == 302 and made.report.measured.bars == 302


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (Score(480), "holds no note"),
        (bare("7/16"), "ends in 7/16"),
        (bare(pitch=0), "holds no note"),
    ],
)
def test_what_can_t_be_gone_on_from_is_said(tiny: TextToMusic, score: Score, sentence: str) -> None:
    with pytest.raises(TextMusicError, match=sentence):
        tiny.continue_from(score, 2)


def test_another_metre_can_t_be_asked_for(tiny: TextToMusic) -> None:
    with pytest.raises(TextMusicError, match="the piece is in 4/4"):
        tiny.continue_from(bare(), 2, text="a waltz in 3/4")
    with pytest.raises(TextMusicError, match="bars 256 is out of range"):
        tiny.continue_from(bare(), 256)


def test_the_scheduler_goes_on_too(tiny_model: Path) -> None:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    alone = music.continue_from(bare(), 3, seed=4)
    made = Continuation(music, bare(), 3, seed=4)
    bars = list(Scheduler(music).write(made.take))
    assert [(bar.index, bar.total) for bar in bars] == [(0, 3), (1, 3), (2, 3)]
    assert made.generation().score.dumps_midi() == alone.score.dumps_midi()


def test_joined_notes_are_in_order() -> None:
    one, two = notes_of(bare(notes=2)), notes_of(bare(notes=3))
    both = joined(one, two, 1.0)
    assert both.start.tolist() == [0, 1, 1, 2, 3]
    assert both.pitch.tolist() == [60, 60, 61, 61, 62]
