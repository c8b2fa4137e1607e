"""One piece being written: plan, then sketch, then notes, an id at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from textmusic.engines.protocol import Floats32
from textmusic.language.prompt import Prompt
from textmusic.music.notes import score_of
from textmusic.music.outline import AskedRow, come_back, laid, moved, multiple_of, seen_from
from textmusic.music.plan import encode_plan
from textmusic.music.practice import filled, rows
from textmusic.music.practice_limits import Limits
from textmusic.music.sketch import Row, Sketch, encode_sketch
from textmusic.music.theory import DRUMS, NO_KEY, quarters_per_bar
from textmusic.result.account import account
from textmusic.result.generation import Generation, finish
from textmusic.tokens.folding import spelt
from textmusic.tokens.guides import Guides
from textmusic.tokens.interleaving import Rows, interleaved, longest_row, rows_of
from textmusic.tokens.layout import Mask, layout_of
from textmusic.tokens.limited_grammar import LimitedGrammar
from textmusic.tokens.plan_grammar import OPEN_BARS, PlanGrammar
from textmusic.tokens.sampling import Sampling, surprise
from textmusic.tokens.score_grammar import ScoreGrammar
from textmusic.tokens.sketch_counts import SketchCounts
from textmusic.tokens.sketch_grammar import SketchGrammar
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.tokens.vocabulary import PLAN, SKETCH
from textmusic.writing.bar_notes import BarNotes
from textmusic.writing.dice import Dice
from textmusic.writing.endings import settling
from textmusic.writing.in_key import KeyKept
from textmusic.writing.leanings import accompanied, longest_chord, tempo_settled, with_others
from textmusic.writing.lookahead import Lookahead
from textmusic.writing.sketching import Sketching
from textmusic.writing.windows import what_stands, window_begin, window_stop
from textmusic.writing.written import Bar, Given, Written

SLACK = 16  # ids that are kept free of the context: a note takes five at most
# Limits have chord tones where they matter; what else the guide favoured would be leaps.
PRACTICE_HARMONY = 0.2


class Take:
    """One sequence being written: its grammar, its dice, and what it has so far.

    A piece is written in windows of at most 64 bars, and of as many ids as the context holds. Each
    looks like a training example: text, plan, sketch, and the last bars of the window before.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        prompt: Prompt,
        text: list[int],
        seed: int,
        sampling: Sampling = Sampling(),
        *,
        context: int,
        lengths: tuple[int, int] = OPEN_BARS,
        given: Given = Given(),
        asked_rows: Sequence[AskedRow] | None = None,
        free: bool = False,
        counts: SketchCounts | None = None,
    ) -> None:
        """text: ids of the caption. lengths: bars (from, to) that an open choice may have.

        context: ids that the engine can look back on. asked_rows: of the sketch, a bar each; by
        default what the prompt's outline asks of the bars that are written. free: open choices of
        the plan may take any value, and not what is usual only. counts: of real sketches, which the
        model is mixed with.
        """
        self.prompt, self.seed, self.sampling = prompt, seed, sampling
        self._tokenizer, self._given, self._context = tokenizer, given, context
        self._layout, self._vocabulary = layout_of(tokenizer.vocabulary), tokenizer.vocabulary
        self._dice = Dice(sampling, seed, self._layout, counts)
        self._lookahead: Lookahead | None = None
        self.text = [*text, *self._shifted([PLAN])]
        self.ids = list(self.text)  # of the window, in the LLM's id space
        # generated pieces begin and end: windows cut out of the middle are for training only
        begin = prompt.asked.begin is not False
        self.plan = asked = replace(prompt.asked, begin=begin, end=prompt.asked.end is not False)
        if prompt.practice is not None:
            asked = filled(prompt.practice, asked, seed, seconds=prompt.seconds is not None)
        self._asked_rows = asked_rows
        self._seconds = prompt.seconds
        self._plan_grammar = PlanGrammar(
            self._layout,
            asked,
            seconds=prompt.seconds,
            without=prompt.without,
            near=prompt.near,
            lengths=lengths,
            minor=prompt.outline.minor,
            multiple=multiple_of(prompt.outline),
            free=free,
        )
        self._sketching: Sketching | None = None
        self._grammar: PlanGrammar | SketchGrammar | ScoreGrammar = self._plan_grammar
        self._score: ScoreGrammar | None = None
        self._guides: Guides | None = None
        self._mask: Mask | None = None  # of the next id, if it is known already
        self.rows: list[Row] = list(given.rows)
        self.notes = BarNotes(given)
        self._base = self._stop = 0  # bars of the window
        self._restated: Rows = {}  # what the score says again of its sketch
        self.nats = 0.0  # of the score ids together
        self.count = 0  # score ids that were written
        self._chosen = 0  # those of them that were no matter of course
        self.reread = False  # whether the engine has to read the window anew
        self.kept = 0  # how many ids of it are as they were
        self.left = False  # set where nobody waits for it any more: it gives its slot away
        self._yielded = 0  # bars of `completed`
        self._opened = 0  # score ids that had been written when the window began

    @property
    def done(self) -> bool:
        """Whether the piece has ended."""
        return self._score is not None and self._score.done

    @property
    def likelihood(self) -> float:
        """Mean -log p of the ids that were chosen for the score, nats."""
        return self.nats / max(self._chosen, 1)

    @property
    def planned(self) -> bool:
        """Whether the plan is complete."""
        return self._plan_grammar.done

    @property
    def sketched(self) -> bool:
        """Whether the sketch of the first window is complete."""
        return self._score is not None

    @property
    def sketch(self) -> Sketch:
        """Harmony and form, as far as they are decided."""
        return Sketch(tuple(self.rows))

    def step(self, logits: Floats32) -> list[int]:
        """Choose the next id from music logits (M,); with it come those that can't be otherwise.

        Returns ids of the LLM's id space; where `reread` is set then, the engine reads `ids`
        instead.
        """
        before = [*self.ids]
        begun = len(before)
        if self._full and (self._dense or self.count == self._opened):
            self._advance(self._writing.closing)  # no window would have room for more of this bar
        elif self._full:
            self._reopen(self._writing.bar)
        else:
            self._advance(self._choose(logits))
        while not self.done and (forced := self._forced()) is not None:
            self._advance(forced)
        if self.reread:
            same = (one == other for one, other in zip(before, self.ids, strict=False))
            self.kept = next((place for place, kept in enumerate(same) if not kept), begun)
        return self.ids[begun:]

    @property
    def _full(self) -> bool:
        """Whether the context has no room for another note."""
        return (
            self._grammar is self._score
            and len(self.ids) > self._context - SLACK - longest_row(self._restated)
            and self._writing.expects == "inside"
            and (self._writing.struck_here or self._writing.position < 0)
        )

    @property
    def _dense(self) -> bool:
        """Whether the bar being written takes a third of the context by itself."""
        bar = self._writing.bar
        notes = self.notes.between(bar, bar + 1)
        return len(spelt(notes, bar, bar + 1, bar + 1)) > self._context // 3

    @property
    def _writing(self) -> ScoreGrammar:
        assert self._score is not None
        return self._score

    def _forced(self) -> int | None:
        """The next id, if there is but one."""
        if self._full:
            return None
        if self._sketching and self._sketching.listens:
            return None
        self._mask = self._grammar.allowed()
        places = self._mask.nonzero()[0]
        return int(places[0]) if len(places) == 1 else None

    def _choose(self, logits: Floats32) -> int:
        mask = self._grammar.allowed() if self._mask is None else self._mask
        if self._grammar is self._score:
            music_id = self._dice.score(self._guided(logits, mask), mask)
            self.nats += surprise(logits, music_id)
            self._chosen += 1
            return music_id
        if self._sketching is None:
            return self._dice.plan(logits, mask)
        return self._sketching.choose(logits, mask, self.ids)

    def _guided(self, logits: Floats32, mask: Mask) -> Floats32:
        """Logits (M,) of the score's next id, with all that weighs on it."""
        assert self._guides is not None
        self.notes.file()
        guided = self._guides.guided(logits, mask, self._writing)
        standing = [n for n in self._given.notes if n.bar == self._writing.bar]
        guided = settling(guided, mask, self._writing, self.sketch, standing)
        if DRUMS in (self._given.programs or ()):
            guided = with_others(guided, standing, self._layout)
        if self._given.melody:
            guided = accompanied(guided, mask, self._writing, standing)
        if isinstance(self._score, LimitedGrammar):
            guided = self._score.leaning(guided, mask)
        return guided

    def _advance(self, music_id: int) -> None:
        self._mask = None
        self.ids.append(music_id + self._tokenizer.offset)
        self._grammar.advance(music_id)
        if self._grammar is not self._score:
            if self._sketching is not None:
                self._sketch_on(self._sketching)
            elif self._plan_grammar.done:
                self._plan_done()
            return
        self.count += 1
        self.ids += (i + self._tokenizer.offset for i in self._restated.get(music_id, ()))
        if self._writing.expects == "window" and not self.done:
            self._reopen(self._writing.bar + 1)

    # From one part to the next --------------------------------------------------------------------

    def _plan_done(self) -> None:
        self.plan = tempo_settled(self._plan_grammar.plan, self._plan_grammar.asked, self._seconds)
        assert self.plan.bars is not None and self.plan.time_signature is not None
        first, last = self._given.bars or (0, self.plan.bars)
        if self._asked_rows is None and self.prompt.outline.known:
            laid_rows = laid(
                self.prompt.outline, self.plan.key, last - first, self.plan.time_signature
            )
            self._asked_rows = [*([AskedRow()] * first), *moved(laid_rows, -first)]
        elif self.prompt.practice is not None:
            self._asked_rows = rows(self.prompt.practice, self.plan, self.seed)
        self._open(0)

    def _open(self, base: int) -> None:
        """Begin a window at a bar: its plan, and what is known of its sketch."""
        assert self.plan.bars is not None
        asked_rows, score = self._asked_rows or (), self._score
        first = (self._given.bars or (0, 0))[0] if score is None else score.bar
        self._base, self._opened = base, self.count
        self._stop = window_stop(
            self.rows, asked_rows, base, begun=first, bars=self.plan.bars, context=self._context
        )
        plan = replace(
            self.plan,
            bars=self._stop - base,
            begin=bool(self.plan.begin) and base == 0,
            end=bool(self.plan.end) and self._stop == self.plan.bars,
        )
        known = Sketch(tuple(self.rows)).cut(base, min(self._stop, len(self.rows)))
        asked = [seen_from(row, self.rows, base) for row in asked_rows[base : self._stop]]
        self._grammar = grammar = SketchGrammar(
            self._layout, plan, asked=asked, given=known.rows, most=self._context // 4,
            longest=longest_chord(self.plan.bars),
        )  # fmt: skip
        if self._given.programs is not None and self._given.bars and score is None:
            self._lookahead = Lookahead(self._given.bars[1], asked_rows, first)
        open_rows = self._stop - base - len(known.rows)  # two ids each; bars are counted with them
        whole = encode_sketch(Sketch((*known.rows, *([Row()] * open_rows))), plan.key)
        begun = [*encode_plan(plan), SKETCH, *whole[: len(whole) - 2 * open_rows]]
        ids = [*self.text, *self._shifted(begun)]
        key_kept = KeyKept(plan, grammar, len(ids)) if self._keeps_key(grammar) else None
        self._sketching = Sketching(
            grammar, self._layout, self._dice, lookahead=self._lookahead, key_kept=key_kept
        )
        self.reread |= ids != self.ids
        self.ids = ids

    def _keeps_key(self, grammar: SketchGrammar) -> bool:
        """Whether somebody who begins a piece has asked for its key, and left chords open."""
        asked = self.prompt.asked.key not in (None, NO_KEY)
        return asked and self._given == Given() and grammar.open_chords

    def _reopen(self, bar: int) -> None:
        """Begin a window that goes on with a bar."""
        last = bar + 1 if self._given.programs is None else max(bar + 1, self._stop)
        self._open(window_begin(self.notes, self.rows, bar, last, self._context))

    def _sketch_on(self, sketching: Sketching) -> None:
        """After each id of the sketch: whether some of it is written anew, or it is complete."""
        if (ids := sketching.turn(self.ids)) is not None:
            self.ids, self.reread, self._grammar = ids, True, sketching.grammar
        if sketching.grammar.done:
            self._sketch_done(sketching.grammar.sketch)

    def _sketch_done(self, sketch: Sketch) -> None:
        base = self._base
        written = sketch.behind(base).rows
        for bar in range(len(self.rows), self._stop):
            row = written[bar - base]
            asked = (self._asked_rows or ())[bar : bar + 1]
            if asked and asked[0].like is not None and asked[0].like < base:
                row = come_back(row, asked[0].like, self.rows)
            self.rows.append(row)
        self._begin_score()
        self._grammar = self._writing

    def _begin_score(self) -> None:
        given, score = self._given, self._score
        if score is None:
            self._score = score = self._grammar_of_score()
            self.notes.begin(score, self.plan)
            self._yielded = score.first
        practised = self.prompt.practice is not None
        self._guides = Guides(
            self._layout, self.plan, self.sketch, self.notes.by_bar,
            harmony=self.sampling.harmony_strength * (PRACTICE_HARMONY if practised else 1),
            form=self.sampling.form_strength,
            melody=self.sampling.melody_strength,
            # a part alone hardly ever falls silent
            line=self.sampling.line_strength if len(self.plan.programs or ()) > 1 else 0.0,
            asked=self._asked_rows or (),
        )  # fmt: skip
        shown, tokens = what_stands(self.notes, given.programs, score, self._base, self._stop)
        score.window(self._stop, shown)
        offset = self._tokenizer.offset
        if self._tokenizer.interleaved:
            sketch = self.ids[self.ids.index(self._layout.index[SKETCH] + offset) + 1 : -1]
            self._restated = rows_of([i - offset for i in sketch], self._layout)
        if tokens:
            ids = interleaved(self._tokenizer.music_ids(tokens), self._restated)
            self.ids += (i + offset for i in ids)
            self.reread = True

    def _grammar_of_score(self) -> ScoreGrammar:
        given, practice = self._given, self.prompt.practice
        if practice is not None:
            limits = Limits(practice, self.plan, self._asked_rows or (), self.seed)
            return LimitedGrammar(self._layout, self.plan, limits)
        return ScoreGrammar(
            self._layout, self.plan, bars=given.bars, programs=given.programs,
            standing=given.notes,
        )  # fmt: skip

    def _shifted(self, tokens: Sequence[str]) -> list[int]:
        return [i + self._tokenizer.offset for i in self._tokenizer.music_ids(list(tokens))]

    # What has been written ------------------------------------------------------------------------

    @property
    def _complete(self) -> int:
        """The bar behind the last one that is complete."""
        score = self._score
        if score is None:
            return 0
        return score.bar + 1 if score.done or score.expects in ("window", "bar") else score.bar

    def completed(self) -> Iterator[Bar]:
        """The bars that were closed since the last call."""
        if self._score is None:
            return
        first, last = self._score.first, self._score.last
        while self._yielded < self._complete:
            bar = self._yielded
            plan = replace(self.plan, bars=last - first)
            notes = self.notes.complete(bar)
            yield Bar(bar - first, last - first, notes, plan, self.rows[bar])
            self._yielded += 1

    def settled(self) -> Written:
        """What is complete so far, and a plan that ends with it."""
        if self.done:
            assert self._score is not None
            return Written(tuple(self._score.notes), self.plan, self.sketch)
        bars = self._complete  # another thread may be adding to them
        notes = () if self._score is None else tuple(n for n in self._score.notes if n.bar < bars)
        plan = replace(self.plan, bars=bars)
        return Written(notes, plan, Sketch(tuple(self.rows[:bars])))

    def generation(self, model: str) -> Generation:
        """The piece as far as it has got: its complete bars. model: the name of what writes it."""
        written = self.settled()
        plan = written.plan
        notes = self.notes.sounding(plan.bars or 0)
        if not self.done:  # what would ring on ends with its last bar
            end = (plan.bars or 0) * quarters_per_bar(plan.time_signature or "4/4")
            notes = [note._replace(duration=min(note.duration, end - note.start)) for note in notes]
        return account(
            self.prompt, plan, finish(score_of(notes, plan), plan), self.seed, model,
            sketch=written.sketch, ids=self.count, nats=self.likelihood,
            sampling=self.sampling if self.done else None, planned=self.plan,
        )  # fmt: skip
