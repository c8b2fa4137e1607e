"""Music by dice: what the grammar's tests play against it in place of a model."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from cut_pieces import windows_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from symusic import Score

from textmusic.corpus.windows import Window
from textmusic.music.plan import GENRES, LEVELS, MAX_PROGRAMS, TEMPO_RANGE, Plan
from textmusic.music.theory import DRUMS, KEYS, TIME_SIGNATURES
from textmusic.result.generation import finish
from textmusic.tokens.folding import END
from textmusic.tokens.layout import Layout, Mask, layout_of
from textmusic.tokens.sampling import Sampling, choose
from textmusic.tokens.score_grammar import MAX_NOTES_PER_BAR
from textmusic.tokens.tokenizer import Tokenizer

DATA = Path(__file__).parent / "data"
TINY = DATA / "tiny_model"
AT_MOST = MAX_NOTES_PER_BAR * 5 + 3  # ids that a bar can have
LONGEST = 1500  # ids of a window of a real piece


class Grammar(Protocol):
    """What all automata have."""

    done: bool

    def allowed(self) -> Mask: ...

    def advance(self, music_id: int) -> None: ...


@cache
def the_tokenizer() -> Tokenizer:
    return Tokenizer(TINY)


@cache
def the_layout() -> Layout:
    return layout_of(the_tokenizer().vocabulary)


@cache
def real_windows() -> tuple[tuple[str, Window], ...]:
    """(file name, window) of every window of every real piece, as training has them."""
    found = []
    lines = (DATA / "pieces" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    paths = sorted((DATA / "pieces").glob("*.mid"))
    for path, line in zip(paths, lines, strict=True):
        row = json.loads(line)
        made, why = windows_of(row, path.read_bytes(), row["source"], "", the_tokenizer(), LONGEST)
        assert made, f"{path.name}: {why}"
        found += [(path.name, window) for window in made]
    return tuple(found)


def tokens_of(ids: Any) -> list[str]:
    """The tokens of music ids."""
    return [the_layout().vocabulary[i] for i in ids]


class Dice:
    """Stands for a model: logits that are noise around a fixed taste of its own."""

    def __init__(self, seed: int, *, taste: float, noise: float, kinds: dict[str, float]) -> None:
        """taste, noise: standard deviations. kinds: what whole kinds of tokens gain or lose."""
        self.rng = np.random.default_rng(seed)
        layout = the_layout()
        self.fixed = self.rng.normal(0, taste, layout.size).astype(np.float32)
        for kind, gain in kinds.items():
            self.fixed[slice(*layout.spans[kind])] += gain
        self.noise = noise

    def logits(self) -> Any:
        return self.fixed + self.rng.normal(0, self.noise, len(self.fixed)).astype(np.float32)


def write(grammar: Grammar, dice: Dice, *, bias: Any = 0.0, limit: int = 100_000) -> list[int]:
    """Let dice play against a grammar until it is done."""
    ids: list[int] = []
    while not grammar.done:
        allowed = grammar.allowed()
        assert allowed.any(), "nothing is allowed and the piece is not done"
        chosen = choose(dice.logits() + bias, allowed, Sampling(temperature=1, top_p=1), dice.rng)
        assert allowed[chosen]
        grammar.advance(chosen)
        ids.append(chosen)
        assert len(ids) <= limit, "does not end"
    return ids


def written_file(ids: list[int], plan: Plan) -> Score:
    """The piece as it is after it was written to a MIDI file and read again."""
    score = finish(the_tokenizer().decode_score(ids, plan), plan)
    return Score.from_midi(score.dumps_midi())


programs_of_a_plan = st.one_of(
    st.just((0,)),
    st.just((DRUMS,)),
    st.just((40, 41, 42)),
    st.just((47,)),  # the timpani's range is the smallest
    st.just((*range(14), DRUMS)),
    st.sets(st.integers(0, DRUMS), min_size=1, max_size=MAX_PROGRAMS).map(
        lambda programs: tuple(sorted(programs))
    ),
)
asked_plans = st.builds(
    Plan,
    genre=st.none() | st.sampled_from(GENRES),
    valence=st.none() | st.sampled_from(LEVELS),
    arousal=st.none() | st.sampled_from(LEVELS),
    programs=st.none() | programs_of_a_plan.filter(lambda programs: programs != (DRUMS,)),
    key=st.none() | st.sampled_from(KEYS),
    tempo=st.none() | st.floats(*TEMPO_RANGE),
    time_signature=st.none() | st.sampled_from(TIME_SIGNATURES),
    bars=st.none() | st.integers(1, 256),
    density=st.none() | st.sampled_from(LEVELS),
    begin=st.none() | st.just(True),
    end=st.none() | st.just(True),
)
score_plans = st.builds(
    Plan,
    programs=programs_of_a_plan,
    key=st.sampled_from(KEYS),
    tempo=st.floats(*TEMPO_RANGE),
    time_signature=st.sampled_from(TIME_SIGNATURES),
    bars=st.integers(1, 6),
)
all_dice = st.builds(
    Dice,
    st.integers(0, 2**32 - 1),
    taste=st.sampled_from([0.0, 1.0, 4.0]),
    noise=st.sampled_from([0.0, 0.5, 3.0]),
    kinds=st.fixed_dictionaries(
        {},
        optional={
            "Bar": st.sampled_from([-20.0, 2.0, 4.0, 20.0]),
            "Position": st.sampled_from([-20.0, 20.0]),
            "Program": st.sampled_from([-20.0, 3.0, 20.0]),
            "Duration": st.sampled_from([-20.0, 20.0]),
            "Velocity": st.sampled_from([-20.0, 20.0]),
            "Pitch": st.sampled_from([3.0, 20.0]),
            "PitchDrum": st.sampled_from([3.0, 20.0]),
            END: st.sampled_from([-20.0, 20.0]),
        },
    ),
)
many = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
