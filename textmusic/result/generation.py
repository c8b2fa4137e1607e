"""What one generation gives: a score, its plan and report, and ways to keep and hear it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textmusic.errors import TextMusicError
from textmusic.language.names import instrument_name
from textmusic.language.prompt import Prompt
from textmusic.music.known_runs import KnownRuns
from textmusic.music.markers import ended, named_midi, sections_marked
from textmusic.music.midi_changes import with_names
from textmusic.music.midi_events import MidiEvents, parse
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Notes, notes_of
from textmusic.music.plan import Plan
from textmusic.music.playing import Playing
from textmusic.music.sketch import Row, Sketch
from textmusic.music.theory import DRUMS, MIDDLE_C, NO_KEY, is_minor, quarters_per_bar, sharps
from textmusic.performing.performance import PERFORMANCE, perform
from textmusic.result.flags import flags
from textmusic.result.formats import DEFAULT_FORMATS
from textmusic.result.recipe import Recipe, embed
from textmusic.result.report import Report
from textmusic.result.saving import save
from textmusic.result.sections import sections_of
from textmusic.result.titles import slug_of, title_of
from textmusic.sound.render import SAMPLE_RATE
from textmusic.sound.stage import kit_of, place_of
from textmusic.system.values import real

if TYPE_CHECKING:
    from symusic import Score, Track

    from textmusic.drawing.shapes import Drawing
    from textmusic.sound.render import Stem

TICKS_PER_QUARTER = 480  # what most sequencers expect in a MIDI file
_VOLUME, _PAN = 7, 10  # controllers
_USUAL_VOLUME = 100  # what General MIDI has before a file states any
_CENTRE, _SIDE = 64, 63  # of 127


@dataclass(frozen=True, slots=True)
class Generation:
    """A piece. plan: complete. score: 480 ticks a quarter, a named track an instrument.

    events: of a person's file that was changed, all of it; then the score is as fine as that is.
    """

    prompt: Prompt
    plan: Plan
    score: Score
    seed: int
    report: Report
    model: str
    ids: int  # how many score ids were written
    nats: float  # mean -log p of them by the model, nothing masked: how likely it finds the piece
    columns: Notes = field(repr=False, compare=False)  # the score's notes
    sketch: Sketch = Sketch()  # harmony and form as they were decided; no rows: not by a sketch
    events: MidiEvents | None = None

    @property
    def rank(self) -> tuple[int, float]:
        """What the best of several has least of: faults, then nats an id.

        Faults are rows of the report that fail, and what hardly any real piece has: see `flags`.
        """
        failed = sum(row.ok is False for row in self.report.rows)
        return failed + len(flags(self.columns, self.plan)), self.nats

    @property
    def sections(self) -> list[tuple[int, str]]:
        """(first bar, name) of each section: the score's markers, or else `sections_of`.

        Of a person's file that was changed only those of the new bars are named.
        """
        named = sections_marked(self.score)
        found = named or sections_of(self.prompt.outline, self.sketch, self.report.new_bars)
        if self.events is None or named or self.report.new_bars is None:
            return found
        first, last = self.report.new_bars
        if not self.prompt.outline.form and (not first or last < len(self.sketch.rows)):
            return []  # letters are for new music, not for a place within another's
        return [(bar, name) for bar, name in found if first <= bar < last]

    @property
    def title(self) -> str:
        """Its headline: the prompt, what was made of which file, or a grade and a key."""
        if (practice := self.prompt.practice) is not None:
            said = f"{practice.instrument.capitalize()}, grade {practice.grade}"
            return f"{said}: {self.plan.key}"
        return title_of(self.prompt.text, self.report.change)

    @property
    def slug(self) -> str:
        """The prompt as a file name: "calm-piano-in-d-minor"."""
        return slug_of(self.prompt.text)

    @property
    def end(self) -> int | None:
        """The tick at which the last bar ends, of a piece that was written from its beginning."""
        if self.events is not None or self.report.new_bars is not None or self.plan.bars is None:
            return None
        quarters = self.plan.bars * quarters_per_bar(self.plan.time_signature or "4/4")
        end: int = round(quarters * self.score.ticks_per_quarter)
        return end

    def compared(self, known: KnownRuns | None, notes: Notes | None = None) -> Generation:
        """The same piece, whose report says what run of notes a training piece has too.

        known: of the model that wrote it; None: nothing is said. notes: those it wrote; all.
        """
        notes = self.columns if notes is None else notes
        if known is None or not np.any(notes.program != DRUMS):
            return self
        run = known.longest(notes)
        return replace(self, report=replace(self.report, known=run))

    def looped(self) -> Generation:
        """The same piece to be repeated without end: it lasts its bars, in MIDI and in audio.

        Notes end with the last bar at the latest. What rings on after it is heard in the beginning
        of the audio, so that nothing is heard where the end meets the beginning.

        Raises:
            TextMusicError: it was not written from its beginning, but continued or filled.
        """
        end = self.end
        if end is None:
            raise TextMusicError(
                "only a piece that was written as a whole can be a loop; generate one."
            )
        score = self.score.copy()
        for track in score.tracks:
            for note in track.notes:
                note.duration = min(note.duration, end - note.time)
        report = replace(self.report, loop=True, measured_seconds=round(_seconds(score, end), 3))
        return replace(self, score=score, report=report, columns=notes_of(score))

    def performed(self, amount: float | None = None) -> Generation:
        """The same piece to be played so far, 0 (as it is written) to 1, in MIDI and in audio.

        None: as the file was that it is made of, or else `PERFORMANCE`.
        The score stays, and with it sheet music, piano roll and report. What holds notes of a
        person's own is left as it is, but for a file that textmusic has performed.

        Raises:
            TextMusicError: the amount is no number from 0 to 1.
        """
        if amount is None:
            before = None if self.events is None else self.events.playing
            amount = PERFORMANCE if before is None else before.amount
        amount = real("performance", amount, 0, 1)
        if self._playing(amount) is None:
            amount = 0.0
        return replace(self, report=replace(self.report, performance=amount))

    def _playing(self, amount: float) -> Playing | None:
        """How it is played; None for what has to stay as it is."""
        if self.events is not None:
            known = self.events.playing
            return known and replace(known, amount=amount)
        if self.report.new_bars is not None or self.report.change is not None:
            return None
        return Playing.of(self.plan, self.seed, amount, loop=self.report.loop)

    def midi(self) -> bytes:
        """The piece as a MIDI file, which says what `replay` needs to write it again.

        It sounds as it is performed, and says what is written: textmusic reads it as the score.
        """
        midi = self._written()
        playing = self._playing(self.report.performance)
        if playing is not None and playing.amount:
            bars = None if self.end is None else self.plan.bars
            midi = perform(parse(midi), playing, bars).dumps()
        return embed(midi, Recipe.of(self.report))

    def _written(self) -> bytes:
        """The piece as a MIDI file, as it is written."""
        sections = self.sections if self.sketch.rows else ()
        metre = self.plan.time_signature or "4/4"
        sketch = self.sketch
        if self.events is not None and self.report.new_bars is not None:
            # nobody asked for names over what a person wrote
            first = self.report.new_bars[0]
            sketch = Sketch((*([Row()] * first), *sketch.rows[first:]))
        midi = named_midi(self.score, sketch, sections, self.plan.key, metre)
        if self.events is not None:
            whole = with_names(self.events, parse(midi)) if self.sketch.rows else self.events
            midi = whole.dumps()
        elif self.end is not None:
            midi = ended(parse(midi), self.end, loop=self.report.loop).dumps()
        return midi

    @property
    def played(self) -> Score:
        """What is heard: the score, or what a performance makes of it."""
        if not self.report.performance:
            return self.score
        return to_score(parse(self.midi()))

    def to_pretty_midi(self) -> Any:
        """The piece as a pretty_midi.PrettyMIDI."""
        import pretty_midi

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "piece.mid"
            self.score.dump_midi(path)
            return pretty_midi.PrettyMIDI(str(path))

    def musicxml(self) -> str:
        """The piece as sheet music, for any notation program; see `sheet_music.musicxml`."""
        from textmusic.drawing.sheet_music import musicxml

        return musicxml(
            self.score, title=self.title, key=self.plan.key,
            **self._names(),
        )  # fmt: skip

    def lead_sheet(self) -> str:
        """Its melody and the names of its chords alone, as MusicXML; see `lead_sheet.melody_of`."""
        from textmusic.drawing.sheet_music import musicxml
        from textmusic.result.lead_sheet import melody_of

        return musicxml(
            melody_of(self.score), title=self.title, key=self.plan.key,
            sketch=self.sketch, sections=self.sections,
        )  # fmt: skip

    def _names(self) -> dict[str, Any]:
        """What stands over the notes: chords and sections, or a practice piece's fingers."""
        practice = self.prompt.practice
        if practice is None:
            return {"sketch": self.sketch, "sections": self.sections}
        from textmusic.drawing.fingering import fingers_of

        return {"fingers": fingers_of(self.columns, practice, self.plan), "split": MIDDLE_C}

    def pages(self) -> list[str]:
        """The piece as engraved sheet music: pages, an SVG each; see `sheet_music.engrave`."""
        from textmusic.drawing.sheet_music import engrave

        return engrave(self.musicxml())

    def piano_roll(self) -> Drawing:
        """The piece as a piano roll; see `drawing.piano_roll`."""
        from textmusic.drawing.piano_roll import piano_roll

        return piano_roll(
            self.score, key=self.plan.key, title=self.title,
            sketch=self.sketch, sections=self.sections, notes=self.columns,
        )  # fmt: skip

    def audio(
        self, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE, *,
        dry: bool = False,
    ) -> Any:  # fmt: skip
        """Rendered audio: float32, shape (2, samples), so many samples a second.

        dry: without reverb.
        """
        from textmusic.sound.render import render

        return render(
            self.played, soundfont=soundfont, sample_rate=sample_rate, loop=self._round, dry=dry
        )

    def stems(
        self, soundfont: str | Path | None = None, sample_rate: int = SAMPLE_RATE, *,
        dry: bool = False,
    ) -> tuple[Any, list[Stem]]:  # fmt: skip
        """`audio`, and each part alone, with its reverb: together they are the whole."""
        from textmusic.sound.render import render_stems

        return render_stems(
            self.played, soundfont=soundfont, sample_rate=sample_rate, loop=self._round, dry=dry
        )

    @property
    def _round(self) -> float | None:
        """Seconds of a loop's round; None for what is no loop."""
        if not self.report.loop or self.end is None:
            return None
        return _seconds(self.score, self.end)

    def save(
        self,
        folder: str | Path,
        *,
        formats: Sequence[str] = DEFAULT_FORMATS,
        stem: str | None = None,
        soundfont: str | Path | None = None,
        dry: bool = False,
        sample_rate: int = SAMPLE_RATE,
        stems: bool = False,
        performance: float | None = None,
    ) -> list[Path]:
        """Write the piece as <stem>.<format> for each format; returns the paths.

        performance: how much of a performance the audio and the MIDI file are, 0 (as written) to 1;
        None: as the piece was `performed`, or as `performed` has it by itself.
        stem: file name without suffix, by default "<slug>-<seed>". soundfont, dry, sample_rate: of
        the audio; Opus always has 48,000 samples a second. stems: for each audio format a file a
        part, too, as <stem>.<part>.<format>. A file appears under its name only when it is whole.
        Raises TextMusicError where a file cannot be written.
        """
        if performance is not None or not self.report.performance:
            piece = self.performed(performance)
        else:
            piece = self
        return save(
            piece, Path(folder), formats, stem or f"{self.slug}-{self.seed}", soundfont=soundfont,
            dry=dry, sample_rate=sample_rate, stems=stems,
        )  # fmt: skip


def _seconds(score: Score, tick: int) -> float:
    """When a tick is, of a score of one tempo, in seconds: as exactly as MIDI has tempi."""
    quarters = tick / float(score.ticks_per_quarter)
    return quarters * float(score.tempos[0].mspq) / 1e6


def named(score: Score) -> Score:
    """A copy of a person's score in which every track has a name; those it has stay."""
    score = score.copy()
    for track in score.tracks:
        track.name = track.name or _name(track)
    return score


def _name(track: Track) -> str:
    return "Drums" if track.is_drum else instrument_name(track.program).capitalize()


def finish(score: Score, plan: Plan) -> Score:
    """The score as a sequencer likes it: 480 ticks a quarter, named tracks, key signature.

    Every track states its volume and its place between left and right.
    """
    from symusic import ControlChange, KeySignature

    score = score.resample(TICKS_PER_QUARTER, min_dur=1)
    for track in score.tracks:
        track.name = _name(track)
        if track.is_drum:
            track.program = kit_of(plan.genre, plan.tempo)
        place = place_of(track.program, track.is_drum, plan.programs or ())
        pan = _CENTRE + round(_SIDE * place.pan)
        if not len(track.controls):
            track.controls.append(ControlChange(0, _VOLUME, _USUAL_VOLUME))
            track.controls.append(ControlChange(0, _PAN, pan))
    score.key_signatures.clear()
    if plan.key not in (None, NO_KEY):
        assert plan.key is not None
        score.key_signatures.append(KeySignature(0, sharps(plan.key), int(is_minor(plan.key))))
    return score
