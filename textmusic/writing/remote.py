"""A server of LLMs writes the score: what it is asked, and its ids as a piece.

The plan and the sketch are made here, by a textmusic model whose weights the server has, so that
what was asked is forced as ever. The server is told the static part of the grammar only: which ids
a score of this plan may hold. The whole grammar is applied to what it wrote.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

from textmusic.errors import TextMusicError
from textmusic.music.notes import score_of
from textmusic.result.account import account
from textmusic.result.generation import Generation, finish
from textmusic.tokens.folding import END
from textmusic.tokens.interleaving import Rows, longest_row, rows_of
from textmusic.tokens.layout import layout_of
from textmusic.tokens.score_grammar import ScoreGrammar, allowed_ids
from textmusic.writing.text_to_music import TextToMusic

LEAST_ROOM = 16  # ids; with less, another bar is not begun


class RemotePiece:
    """A piece whose score a server writes: in one answer, or bar by bar.

    A model whose sequences are interleaved reads each bar's row of the sketch behind its line. No
    server writes that, so each answer of such a model is one bar.

    ids: what the server is to go on from, text, plan, sketch and what there is of the score.
    allowed: ids that the score may hold. stops: ids that end an answer. done: whether there is
    nothing more to ask. All ids are of the LLM's id space.
    """

    def __init__(self, music: TextToMusic, text: str, *, seed: int = 0) -> None:
        """Read a text, plan its piece and sketch it: the same for the same seed, text and model.

        Raises TextMusicError for what is not written in one go: more than 64 bars, or so many
        chords that their sketch takes over a quarter of the context.
        """
        self._music, self._seed, tokenizer = music, seed, music.tokenizer
        self._prompt = music.understand(text)
        self.plan, self.sketch = plan, sketch = music.sketch(self._prompt, seed=seed)
        if (plan.bars or 0) > len(sketch.rows):
            raise TextMusicError(
                f"the server writes at most {len(sketch.rows)} bars; ask for fewer."
            )
        layout, self._offset = layout_of(tokenizer.vocabulary), tokenizer.offset
        rows = tokenizer.encode_sketch(sketch, plan.key)
        self.ids, _ = tokenizer.sequence(self._prompt.caption, plan, rows, [])
        self.allowed = allowed_ids(tokenizer, plan)
        self.done = False
        self._kept = 0  # ids of the score that there is
        self._grammar = ScoreGrammar(layout, plan, ranges=False, late=True)
        self._rows: Rows = rows_of(rows, layout) if tokenizer.interleaved else {}
        self.stops = [self._offset + layout.index[END]]
        if tokenizer.interleaved:
            self.stops += (self._offset + i for i in range(*layout.spans["Bar"]))
            self._advance(self._grammar.closing)

    @property
    def room(self) -> int:
        """How many ids an answer may have."""
        return self._music.engine.context - len(self.ids) - longest_row(self._rows)

    def read(self, answer: Sequence[int]) -> None:
        """Take a server's answer, the ids behind those that it was asked with.

        Ids that the grammar forbids are left out. An answer that was cut short gives what it has.
        """
        ids = [i - self._offset for i in answer]
        if self._music.tokenizer.interleaved:
            self._close(self._fitting(ids))
            return
        for music_id in ids:
            if not self._grammar.done and self._fits(self._grammar, music_id):
                self._advance(music_id)
        self.done = True

    def _close(self, bar: Sequence[int]) -> None:
        """Add a bar, and its end."""
        for music_id in bar:
            self._advance(music_id)
        closing = self._grammar.closing
        if closes := bool(self._grammar.allowed()[closing]):
            self._advance(closing)
        # a last bar that is silent may not be closed
        self.done = not closes or self._grammar.done or self.room < LEAST_ROOM

    def _fitting(self, ids: Sequence[int]) -> list[int]:
        """Those of an answer's ids that make a whole bar: up to its last whole note."""
        trial, kept, whole = copy.deepcopy(self._grammar), list[int](), 0
        for music_id in ids:
            if self._offset + music_id in self.stops:
                break
            if self._fits(trial, music_id):
                trial.advance(music_id)
                kept.append(music_id)
                whole = len(kept) if trial.struck_here and trial.expects == "inside" else whole
        return kept[:whole]

    @staticmethod
    def _fits(grammar: ScoreGrammar, music_id: int) -> bool:
        mask = grammar.allowed()
        return 0 <= music_id < len(mask) and bool(mask[music_id])

    def _advance(self, music_id: int) -> None:
        self._grammar.advance(music_id)
        self._kept += 1
        self.ids += (self._offset + i for i in (music_id, *self._rows.get(music_id, ())))

    def generation(self) -> Generation:
        """The piece, with the bars that the answers gave.

        `Generation.ids` says how many ids of the score there are; `nats` is not known (NaN). Raises
        TextMusicError where there is no note.
        """
        plan = self.plan
        notes = (note.sounding(plan) for note in self._grammar.notes)
        score = finish(score_of(notes, plan), plan)
        if not score.note_num():
            raise TextMusicError(
                "the answer has no notes; set the server's context to the request's ids plus a few"
                " hundred."
            )
        return account(
            self._prompt, plan, score, self._seed, self._music.name, sketch=self.sketch,
            ids=self._kept, nats=math.nan,
        )  # fmt: skip
