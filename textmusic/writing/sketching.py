"""The sketch of a window being written: what weighs on its choices, and what is written anew."""

from __future__ import annotations

from textmusic.engines.protocol import Floats32
from textmusic.tokens.layout import Layout, Mask
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.writing.dice import Dice
from textmusic.writing.endings import homeward
from textmusic.writing.in_key import KeyKept
from textmusic.writing.lookahead import Lookahead


class Sketching:
    """A sketch from its first open row on. grammar: what has been written, and what may come."""

    def __init__(
        self,
        grammar: SketchGrammar,
        layout: Layout,
        dice: Dice,
        *,
        lookahead: Lookahead | None = None,
        key_kept: KeyKept | None = None,
    ) -> None:
        """lookahead: of a hole, to what stands behind it. key_kept: where it keeps to one."""
        self.grammar, self._dice = grammar, dice
        self._lookahead, self._key_kept = lookahead, key_kept
        self._chords = slice(*layout.spans["Chord"])

    @property
    def listens(self) -> bool:
        """Whether what comes next is chosen to be weighed, though it is known."""
        return bool(self._lookahead and self._lookahead.listens(self.grammar))

    def choose(self, logits: Floats32, mask: Mask, ids: list[int]) -> int:
        """The next music id. logits, mask: (M,). ids: of the window so far."""
        logits = self._dice.counted(logits, mask, self.grammar)
        guided = homeward(logits, self.grammar)
        if self._lookahead:
            self._lookahead.choosing(self.grammar, ids)
        music_id = self._dice.sketch(guided, mask)
        if self._lookahead and self.listens:
            self._lookahead.weigh(logits, music_id, self._chords)
        return music_id

    def turn(self, ids: list[int]) -> list[int] | None:
        """Behind an id that was chosen: the ids to go on with, where not those of the window."""
        turned = self._lookahead and self._lookahead.turn(self.grammar, ids, self._dice.rng)
        if not turned and self._key_kept and self.grammar.done:
            turned = self._key_kept.turn(self.grammar, ids)
        if not turned or turned[1] is ids:
            return None
        self.grammar, ids = turned
        return ids
