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
from textmusic.language.prompt import Prompt
from textmusic.music.notes import score_of
from textmusic.music.plan import Plan
from textmusic.music.sketch import Sketch
from textmusic.result.account import account
from textmusic.result.generation import Generation, finish
from textmusic.tokens.layout import layout_of
from textmusic.tokens.score_grammar import ScoreGrammar, allowed_ids
from textmusic.writing.text_to_music import TextToMusic


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
        raise TextMusicError(f"the server writes at most {len(sketch.rows)} bars; ask for fewer.")
    rows = music.tokenizer.encode_sketch(sketch, plan.key)
    ids, _ = music.tokenizer.sequence(prompt.caption, plan, rows, [])
    allowed = allowed_ids(music.tokenizer, plan)
    return Request(prompt, plan, sketch, seed, ids, allowed, music.engine.context - len(ids))


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
            "the answer has no notes; set the server's context to the request's ids plus a few"
            " hundred."
        )
    return account(
        request.prompt, plan, score, request.seed, music.name, sketch=request.sketch, ids=kept,
        nats=math.nan,
    )  # fmt: skip
