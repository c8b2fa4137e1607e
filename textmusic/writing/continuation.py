"""New bars behind those of a piece that is there already, or in place of all but its first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError
from textmusic.language.names import instrument_name
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.music.keeping import kept_of
from textmusic.music.material import material_of, metres_of
from textmusic.music.measure import measure
from textmusic.music.measure_sketch import measure_sketch, sketch_adherence
from textmusic.music.midi_appending import append, cut
from textmusic.music.midi_changes import tempi
from textmusic.music.midi_events import MidiEvents, mended_words
from textmusic.music.midi_sounding import to_score as score_of_events
from textmusic.music.nearest_metre import lengthened, shortened
from textmusic.music.notes import Notes, each, joined, notes_of, repaired, score_of, to_score
from textmusic.music.plan import MAX_BARS, TEMPO_RANGE, Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.music.theory import DEFAULT_TEMPO, DRUMS, NO_KEY, quarters_per_bar
from textmusic.result.account import account
from textmusic.result.change import Change, without_recipe
from textmusic.result.generation import Generation, named
from textmusic.system.values import whole
from textmusic.tokens.sampling import drawn
from textmusic.writing.brief import Brief
from textmusic.writing.sources import events_of
from textmusic.writing.take import Take
from textmusic.writing.written import Given

if TYPE_CHECKING:
    from symusic import Score

    from textmusic.writing.loaded_model import LoadedModel

LOOK_BACK = 32  # bars at most
USUAL_BARS = 8
HOW = "continue"  # what a recipe calls it
_OF_NEW_BARS = ("key", "tempo", "valence", "arousal")  # judged in the new bars, if asked


class Continuation:
    """A piece, and the take that goes on from it: `take` is written, then both are put together."""

    def __init__(
        self,
        music: LoadedModel,
        source: MidiEvents | Score | str | PathLike[str],
        bars: int | None,
        brief: Brief,
        *,
        keep: int | None = None,
    ) -> None:
        """What is measured in the last bars is kept to; what the brief says wins over it.

        source: what `midi_files.read_events` gives, a symusic.Score, or the path of a MIDI file. It
        is kept event for event. bars: how many new ones, 1 to 255; None: as many as the words say,
        or else `USUAL_BARS`. keep: of the piece's own only the first so many, counted from its
        beginning; the new bars stand behind them, and where nothing says how many (None, or 0), as
        many as are taken away. What is looked back on are as many bars as fill a third of the
        context, up to 32. Raises TextMusicError for bars out of range, for a piece without notes,
        and where not even one bar of it can be read.
        """
        self._midi = events_of(source)
        self._change = Change.of(HOW, self._midi, {"bars": bars, "keep": keep})
        score = score_of_events(self._midi)
        material = material_of(score, longer=True)
        said = brief.controls.bars if bars is None else bars
        if not said and (bars is None or keep is not None):
            said = read_prompt(brief.text).asked.bars
        self._asked_bars = said
        bars = USUAL_BARS if said is None else said
        self._remarks: tuple[str, ...] = ()
        if keep is not None:
            whole("keep", keep, 1, material.total)
            if said is None and not (bars := material.total - keep):
                raise TextMusicError(
                    "--keep covers the whole piece; keep fewer bars, or say how many follow."
                )
            kept = kept_of(self._midi, material, keep)
            if kept.metre != material.metre:
                self._remarks = (
                    f"the new bars are in {kept.metre}, the time signature of the last bar that is"
                    " kept",
                )
            material = kept
        # that the new bars go on in; what is said where they begin is cut off with the rest
        tempo = tempi(self._midi).at(material.stop - (1e-3 if keep is not None else 0))
        if keep is not None:
            settled = min(max(tempo, TEMPO_RANGE[0]), TEMPO_RANGE[1])
            material = replace(material, plan=replace(material.plan, tempo=settled))
        self._tempo = tempo
        whole("bars", bars, 1, MAX_BARS - 1)  # one at least is looked back on
        self.bars, self._cut = bars, keep is not None
        self._music, self._material = music, material
        brief = replace(brief, controls=replace(brief.controls, bars=bars))
        metre = material.plan.time_signature or "4/4"
        self._prompt = prompt = brief.read(music, bars, metre, material.plan)
        if prompt.asked.time_signature not in (None, material.plan.time_signature):
            raise TextMusicError(
                f"the piece is in {self._metre}; it can't continue in"
                f" {prompt.asked.time_signature}; leave the time signature open."
            )
        given = self._given(prompt, bars)
        self._looked_back = len(given.rows)
        self._players()
        asked = self._facts(prompt, self._looked_back + bars)
        self.take: Take = music.take(
            replace(self._prompt, asked=asked, seconds=None),
            drawn(1) if brief.seed is None else brief.seed,
            brief.sampling,
            given=given,
        )

    @property
    def _metre(self) -> str:
        """The time signature of the new bars, as the piece has it."""
        material = self._material
        return material.metre if material.own_bar else material.plan.time_signature or "4/4"

    def _facts(self, prompt: Prompt, bars: int) -> Plan:
        """The plan of what is looked back on and what is written, together."""
        material = self._material
        programs = self._programs
        near = prompt.near
        measured = replace(
            material.plan,
            valence=material.plan.valence if near.valence is None else None,
            arousal=material.plan.arousal if near.arousal is None else None,
            begin=material.begin == 0 and self._looked_back == material.bars,
            end=True,
        )
        if measured.key == NO_KEY and any(program != DRUMS for program in programs):
            measured = replace(measured, key=None)  # drums alone have none: it is chosen now
        return replace(
            prompt.asked.over(measured), programs=programs, bars=bars,
            time_signature=material.plan.time_signature,
        )  # fmt: skip

    def _players(self) -> None:
        """Who plays the new bars: whoever plays in the last ones, but for what is ruled out."""
        prompt = self._prompt
        heard = {int(p) for p in self._material.tail(self._looked_back).program}
        named, denied = set(prompt.asked.programs or ()), set(prompt.without)
        programs = named if prompt.only and named else (heard - denied) | named
        if not programs:
            names = ", ".join(instrument_name(p) for p in sorted(heard & denied))
            note = f"'no {names}': nothing else plays there; name an instrument to play instead"
            self._prompt = replace(prompt, unused=(*prompt.unused, note))
            programs = heard
        self._programs = tuple(sorted(programs))
        if not heard <= programs:
            *others, last = map(instrument_name, self._programs)
            listed = f"{', '.join(others)} and {last}" if others else last
            self._remarks += (f"the new bars are played by {listed} alone",)

    def _given(self, prompt: Prompt, bars: int) -> Given:
        """As many of the last bars as fit a third of the context, with their sketch."""
        tokenizer, material = self._music.tokenizer, self._material
        context = self._music.engine.context
        room = context // (8 if tokenizer.interleaved else 6)  # for the sketch, which is said again
        key = prompt.asked.key or material.plan.key
        metre = material.plan.time_signature or "4/4"
        for many in range(min(material.bars, MAX_BARS - bars, LOOK_BACK), 0, -1):
            tail = material.tail(many)
            if not len(tail) or len(tail) > context // 3:
                continue
            plan = replace(material.plan, bars=many + bars, key=key)
            score = to_score(tail, metre, plan.tempo or DEFAULT_TEMPO)
            ids = tokenizer.encode_score(score, plan)
            if len(ids) - bars <= context // 3:
                sketch = measure_sketch(tail, metre, many, key)
                if many == 1 or len(tokenizer.encode_sketch(sketch, key)) <= room:
                    return Given(tuple(tokenizer.struck(ids)), sketch.rows, (many, many + bars))
        if not len(material.tail(min(material.bars, LOOK_BACK))):
            raise TextMusicError("there are no notes in the last bars to go on from; keep others.")
        raise TextMusicError(
            "the last bar has too many notes to continue from; choose another file."
        )

    def generation(self) -> Generation:
        """The old bars and the new ones, as far as `take` has got."""
        take, material, prompt = self.take, self._material, self._prompt
        change = self._change if take.done else None  # a piece that was stopped can't be repeated
        written = take.settled()
        plan = written.plan
        new = repaired(notes_of(score_of(take.notes.sounding(plan.bars or 0), plan)), Counter())
        new = shortened(new, material.written_bar, material.bar)
        midi = self._appended(new)
        rows = self._sketch(written.sketch).rows
        many = len(rows) - material.bars
        old = material.tail(material.bars)
        within_stretch = replace(plan, bars=len(rows))
        read = lengthened(new, 0.0, material.written_bar, material.bar)
        kept = sketch_adherence(
            joined(old, read, material.bars * material.bar), within_stretch, Sketch(rows),
            (material.bars, len(rows)),
        )  # fmt: skip
        before = material.total
        heard = {int(program) for program in material.notes.program}
        plan = replace(
            plan, bars=before + many, begin=True,
            programs=tuple(sorted(heard | set(plan.programs or ()))),
        )  # fmt: skip
        plan = replace(plan, time_signature=self._metre)
        # what was said of length was said of the new bars, and the account is of the whole piece
        prompt = replace(prompt, asked=replace(prompt.asked, bars=None), seconds=None)
        score = named(score_of_events(midi))
        return account(
            prompt, plan, score, take.seed, self._music.name,
            sampling=take.sampling if change else None, sketch=self._of_piece(rows),
            ids=take.count, nats=take.likelihood,
            new_bars=(before, before + many), measured=self._measured(score, new, plan), kept=kept,
            events=midi, change=change, asked_bars=self._asked_bars,
            remarks=(
                *mended_words(self._midi.mended), *prompt.read_as, *self._remarks,
                *material.remarks,
            ),
        ).compared(self._music.known, new)  # fmt: skip

    def _appended(self, new: Notes) -> MidiEvents:
        """The person's piece with the new notes, and what was asked to be otherwise in them."""
        material, asked = self._material, self._prompt.asked
        metre = material.plan.time_signature or "4/4"
        tick = round(material.stop * self._midi.division)
        notes = each(new)
        other_bars = abs(material.written_bar - quarters_per_bar(material.metre)) > 1e-6
        other_key = asked.key not in (None, NO_KEY, material.plan.key)
        other_tempo = asked.tempo is not None and abs(asked.tempo / self._tempo - 1) > 1e-3
        return append(
            cut(without_recipe(self._midi), tick) if self._cut else without_recipe(self._midi),
            notes, tick,
            {note.program: instrument_name(note.program).capitalize() for note in notes},
            metre=metre if other_bars else None,
            key=asked.key if other_key else None,
            tempo=asked.tempo if other_tempo else None,
        )  # fmt: skip

    def _measured(self, score: Score, new: Notes, plan: Plan) -> Plan:
        """What is heard in the whole piece, or, where it was asked of the new bars, in them."""
        of_piece, asked = measure(score), self._prompt.asked.over(self._prompt.near)
        if not len(new):
            return of_piece
        heard = measure(
            to_score(new, plan.time_signature or "4/4", plan.tempo or DEFAULT_TEMPO), notes=new
        )
        judged = [name for name in _OF_NEW_BARS if getattr(asked, name) is not None]
        if len(tempi(self._midi).starts) > 1:
            judged.append("tempo")  # the plan's is that of the new bars
        found = {name: getattr(heard, name) for name in judged}
        marks = metres_of(score)  # of several, that of the new bars
        last = [metre for at, metre in sorted(marks) if at <= self._material.stop + 1e-6][-1:]
        return replace(of_piece, time_signature=(last or ["4/4"])[0], **found)

    def _sketch(self, written: Sketch) -> Sketch:
        """The sketch of the last stretch: as heard in the old bars, as decided in the new ones."""
        material, metre = self._material, self._material.plan.time_signature or "4/4"
        old = measure_sketch(
            material.tail(material.bars), metre, material.bars, material.plan.key
        ).rows
        before = material.bars - self._looked_back
        return Sketch((*old, *written.behind(before).rows[self._looked_back :]))

    def _of_piece(self, rows: tuple[Row, ...]) -> Sketch:
        """The sketch of all bars: nothing is said of those that the model did not read."""
        material = self._material
        old, new = Sketch(rows[: material.bars]), Sketch(rows[material.bars :])
        unread = material.unread

        def moved(bar: int | None) -> int | None:  # behind the bars that stand between
            if bar is None:
                return None
            return bar + material.before + (unread if bar >= material.bars else 0)

        behind = [replace(row, like=moved(row.like), vary=moved(row.vary)) for row in new.rows]
        before = [Row()] * material.before
        return Sketch((*before, *old.behind(material.before).rows, *[Row()] * unread, *behind))
