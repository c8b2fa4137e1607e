"""A server of LLMs writes the score: what it is asked, and its ids as a piece.

The plan is made here, by a textmusic model whose weights the server has, so that what was asked is
forced as ever. The server is told the static part of the grammar only: which ids a score of this
plan may hold. The whole grammar is applied to what it wrote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textmusic.errors import TextMusicError
from textmusic.folding import END, positions_per_beat
from textmusic.generation import Generation, account, finish
from textmusic.grammar import ScoreGrammar
from textmusic.layout import layout_of
from textmusic.pipeline import TextToMusic
from textmusic.plan import COUNTED_BARS, DRUMS, Plan
from textmusic.prompt import Prompt
from textmusic.sketch import Sketch
from textmusic.tokenizer import SCORE, Tokenizer, score_of

_NOTE = ("Velocity", "Duration", "Pitch", "PitchDrum")
# Which kinds of tokens may follow a kind in a score, whatever the plan.
FOLLOWERS = {
    SCORE: ("Bar",),
    "Bar": ("Bar", "Position", END),
    "Position": ("Program", *_NOTE),
    "Program": _NOTE,
    "Velocity": ("Duration", "Pitch", "PitchDrum"),
    "Duration": ("Pitch", "PitchDrum"),
    "Pitch": ("Bar", "Position", "Program", "Velocity", "Duration", "Pitch", END),
    "PitchDrum": ("Bar", "Position", "Velocity", "Duration", "PitchDrum", END),  # drums come last
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a server is to go on from. All ids are of the LLM's id space.

    ids: text, plan, sketch and `<|score|>`. allowed: what the score may hold. room: ids that fit
    behind.
    """

    prompt: Prompt
    plan: Plan
    sketch: Sketch
    seed: int
    ids: list[int]
    allowed: list[int]
    room: int


def make_request(music: TextToMusic, text: str, *, seed: int = 0) -> Request:
    """Read a text, plan its piece and sketch it: the same for the same seed, text and model.

    Raises TextMusicError for what is not written in one go: more than 64 bars, or so many chords
    that their sketch takes over a quarter of the context.
    """
    prompt = music.understand(text)
    plan, sketch = music.sketch(prompt, seed=seed)
    if (plan.bars or 0) > len(sketch.rows):
        raise TextMusicError(f"a server writes {len(sketch.rows)} bars at most; ask for fewer.")
    rows = music.tokenizer.encode_sketch(sketch, plan.key)
    ids, _ = music.tokenizer.sequence(prompt.caption, plan, rows, [])
    allowed = allowed_ids(music.tokenizer, plan)
    return Request(prompt, plan, sketch, seed, ids, allowed, music.engine.context - len(ids))


def allowed_ids(tokenizer: Tokenizer, plan: Plan | None = None) -> list[int]:
    """Ids of the LLM's id space that a score may hold: of one complete plan, or of any."""
    kinds = {kind for after in FOLLOWERS.values() for kind in after}
    return [
        tokenizer.offset + music_id
        for music_id, token in enumerate(tokenizer.vocabulary)
        if token.partition("_")[0] in kinds and (plan is None or _fits(token, plan))
    ]


def _fits(token: str, plan: Plan) -> bool:
    assert plan.bars is not None and plan.programs and plan.time_signature is not None
    kind, _, value = token.partition("_")
    if kind == "Bar":
        return int(value) <= min(plan.bars, COUNTED_BARS)
    if kind == "Position":
        return int(value) < positions_per_beat(plan.time_signature)[0]
    if kind == "Program":
        return int(value) in plan.programs
    if kind == "PitchDrum":
        return DRUMS in plan.programs
    return kind != "Pitch" or plan.programs != (DRUMS,)


def read_answer(music: TextToMusic, request: Request, ids: Sequence[int]) -> Generation:
    """The piece that a server's ids spell; those that the grammar forbids are left out.

    ids: what the server wrote after the request's. An answer that was cut short gives the bars it
    has. `Generation.ids` says how many ids were kept; `nats` is not known (NaN). Raises
    TextMusicError for an answer without a note.
    """
    tokenizer = music.tokenizer
    layout = layout_of(tokenizer.vocabulary)
    grammar = ScoreGrammar(layout, request.plan, ranges=False, late=True)
    kept = 0
    for music_id in (i - tokenizer.offset for i in ids):
        if grammar.done:
            break
        if 0 <= music_id < layout.size and grammar.allowed()[music_id]:
            grammar.advance(music_id)
            kept += 1
    plan = request.plan
    score = finish(score_of((note.sounding(plan) for note in grammar.notes), plan), plan)
    if not score.note_num():
        raise TextMusicError(
            "the answer holds no note; allow the server the request's ids only, and some hundred."
        )
    return account(
        request.prompt, plan, score, request.seed, music.name, sketch=request.sketch, ids=kept,
        nats=math.nan,
    )  # fmt: skip
