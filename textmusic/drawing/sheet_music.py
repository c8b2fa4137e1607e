"""Score -> sheet music: MusicXML through music21, and that engraved as SVG pages by verovio.

What is written where `staves` and `note_values` decide; here it becomes music21's objects. All is
written at sounding pitch, for transposing instruments too (a score in C), but for the octave of
guitars and basses, which their clefs show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from textmusic.drawing.harmony_xml import keep_above, write_names
from textmusic.drawing.note_values import Value, write
from textmusic.drawing.percussion_xml import mark, name_drums
from textmusic.drawing.shapes import fitted
from textmusic.drawing.staves import FEET, Part, Staff, StaffChord, Voice, read_parts
from textmusic.errors import TextMusicError
from textmusic.music.bars import TICKS, BarSpan
from textmusic.music.percussion import kit_in
from textmusic.music.sketch import Sketch
from textmusic.music.theory import DRUMS, LINE_OF_FIFTHS, NO_KEY, is_minor, sharps, signature

if TYPE_CHECKING:
    from symusic import Score

TITLE_WIDTH = 460.0  # of a title in 16 units high letters: one line of a page
NO_FINGERS: Mapping[tuple[float, int], int] = MappingProxyType({})
_CLEFS = {
    "treble": "TrebleClef",
    "alto": "AltoClef",
    "bass": "BassClef",
    "treble8vb": "Treble8vbClef",
    "bass8vb": "Bass8vbClef",
    "treble8va": "Treble8vaClef",
    "percussion": "PercussionClef",
}
_ENGRAVING = {
    "pageWidth": 2100,  # A4, in tenths of a millimetre
    "pageHeight": 2970,
    "scale": 40,
    "footer": "none",
    "svgViewBox": True,  # it takes the width that a page gives it
    "adjustPageHeight": True,  # no white below the last system
}


class Stroke(NamedTuple):
    """How a drum is written: as a treble clef's "C5", and the head of the note."""

    place: str
    head: str = "normal"


# Where drummers read them, after Weinberg (1998, Guide to Standardized Drumset Notation).
DRUM_KIT = {
    35: Stroke("E4"), 36: Stroke("F4"), 37: Stroke("C5", "x"), 38: Stroke("C5"),
    39: Stroke("C5", "triangle"), 40: Stroke("C5"), 41: Stroke("G4"), 42: Stroke("G5", "x"),
    43: Stroke("A4"), 44: Stroke("D4", "x"), 45: Stroke("B4"), 46: Stroke("G5", "circle-x"),
    47: Stroke("D5"), 48: Stroke("E5"), 49: Stroke("A5", "x"), 50: Stroke("F5"),
    51: Stroke("F5", "x"), 52: Stroke("C6", "x"), 53: Stroke("F5", "diamond"),
    54: Stroke("D5", "triangle"), 55: Stroke("B5", "x"), 56: Stroke("E5", "triangle"),
    57: Stroke("B5", "x"), 59: Stroke("F5", "x"), 60: Stroke("E5", "diamond"),
    61: Stroke("A4", "diamond"), 62: Stroke("E5", "diamond"), 63: Stroke("E5", "diamond"),
    64: Stroke("A4", "diamond"), 65: Stroke("E5", "diamond"), 66: Stroke("A4", "diamond"),
}  # fmt: skip
OTHER_DRUM = Stroke("B4", "diamond")


def musicxml(
    score: Score, *, title: str, key: str | None, sketch: Sketch | None = None,
    sections: Sequence[tuple[int, str]] = (), fingers: Mapping[tuple[float, int], int] = NO_FINGERS,
    split: int | None = None,
) -> str:  # fmt: skip
    """A piece as MusicXML 4.

    Args:
        score: a track a part; tempi, time signatures and notes count. How notes are written that
            lie on no readable grid: see `staves`.
        title: the headline; its end is cut where it is longer than a line.
        key: one of `theory.KEYS`, for the signature and the spelling; None or "none": neither
            sharps nor flats.
        sketch: its chords are written over the first staff, as they sound.
        sections: (first bar from 0, name) of each: rehearsal marks over it.
        fingers: by (onset in quarter notes, pitch), 1 to 5.
        split: see `staves.read_parts`.

    Raises:
        TextMusicError: music21 is not installed.
    """
    require("music21")
    import music21

    parts, bars = read_parts(score, split)
    marked = {(round(at * TICKS), pitch): finger for (at, pitch), finger in fingers.items()}
    signed = None if key == NO_KEY else key
    page = music21.stream.Score()
    page.metadata = music21.metadata.Metadata(title=fitted(title[:200], 16, TITLE_WIDTH))
    page.metadata.composer = ""  # or it says "Music21"
    tempi = _tempi(score, bars)
    for number, part in enumerate(parts, 1):
        staves = [
            _Writer(music21, part, staff, signed, marked).stream(
                bars, {} if number > 1 or index else tempi
            )
            for index, staff in enumerate(part.staves)
        ]
        staves[0].insert(0, _player(music21, part, number))
        if number == 1:
            write_names(music21, staves[0], bars, sketch or Sketch(), sections, signed)
        for index, stream in enumerate(staves):
            stream.id, stream.partName = f"P{number}-{index + 1}", part.name
            page.insert(0, stream)
        if len(staves) > 1:
            braced = {"name": part.name, "symbol": "brace", "barTogether": True}
            page.insert(0, music21.layout.StaffGroup(staves, **braced))
    # all is written out already, and music21's own notation would be copies and guesses
    exporter = music21.musicxml.m21ToXml.ScoreExporter(page, makeNotation=False)
    root = exporter.parse()
    keep_above(root.find("part"))
    name_drums(root, kit_in(score))
    return str(exporter.asBytes().decode("utf-8"))


def engrave(musicxml: str) -> list[str]:
    """MusicXML as pages of sheet music, an SVG each (A4 in shape, no script in it).

    Raises:
        TextMusicError: verovio is not installed, or this is no music.
    """
    require("verovio")
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    # each thread has a path of its own to the fonts; importing sets that of the first one alone
    verovio.setDefaultResourcePath(str(Path(verovio.__file__).parent / "data"))
    toolkit = verovio.toolkit()
    toolkit.setOptions(_ENGRAVING)
    if not toolkit.loadData(musicxml) or not toolkit.getPageCount():
        raise TextMusicError("this MusicXML cannot be engraved; pass a complete score.")
    return [str(toolkit.renderToSVG(page)) for page in range(1, toolkit.getPageCount() + 1)]


def require(library: str, doing: str = "sheet music") -> None:
    """Raise TextMusicError, with the remedy, unless music21 or verovio is installed."""
    if find_spec(library) is None:
        raise TextMusicError(f"{doing} needs {library}; run pip install 'textmusic[score]'.")


def _player(music21: Any, part: Part, number: int) -> Any:
    """The instrument of a part. Not one of music21's own instruments, which would be transposed."""
    player = music21.instrument.Instrument(part.name)
    player.partId = player.instrumentId = f"P{number}"
    player.midiChannel = (number - 1) % 15
    player.midiChannel += player.midiChannel >= 9  # the tenth is the drums'
    if part.program == DRUMS:
        player.midiChannel = 9
    else:
        player.midiProgram = part.program
    return player


def _tempi(score: Score, bars: Sequence[BarSpan]) -> dict[int, list[tuple[int, float]]]:
    """(tick in the bar, quarter notes a minute) of the tempo marks, by the bar's index.

    Of later ones only those that differ by more than a tenth: a played piece has one in each beat.
    """
    found: dict[int, list[tuple[int, float]]] = {}
    last = 1.0
    for tempo in score.resample(TICKS, min_dur=1).tempos:
        index = next((i for i, bar in enumerate(bars) if bar.start <= tempo.time < bar.end), None)
        if index is not None and abs(tempo.qpm / last - 1) > 0.1:
            found.setdefault(index, []).append((tempo.time - bars[index].start, tempo.qpm))
            last = tempo.qpm
    return found


def spelling(pitch: int, key: str | None) -> tuple[str, int, int]:
    """(letter, sharps or flats as -2 .. 2, octave) of a MIDI pitch in a key; 60 is C4.

    Of the names on the line of fifths, those from three fifths below a major tonic to eight above
    (of a minor one five and six): the scale, its leading tones and what is borrowed. In D minor
    that is C sharp and B flat.
    """
    lowest = -3 if key is None else sharps(key) - 3 + is_minor(key)
    fifths = lowest + (pitch * 7 - lowest) % 12  # 0 is C
    letter, alter = LINE_OF_FIFTHS[(fifths + 1) % 7], (fifths + 1) // 7
    return letter, alter, (pitch - alter) // 12 - 1


class _Writer:
    """Writes one staff of a part as a music21 stream of measures."""

    def __init__(
        self, music21: Any, part: Part, staff: Staff, key: str | None,
        fingers: Mapping[tuple[int, int], int],
    ) -> None:  # fmt: skip
        self.m, self.fingers = music21, fingers
        self.part, self.staff, self.key = part, staff, key
        self.drums = part.program == DRUMS
        # where each voice has come to: bars are written in order
        self.next = [0] * len(staff.voices)
        self.struck = 0  # drums so far

    def stream(self, bars: Sequence[BarSpan], tempi: dict[int, list[tuple[int, float]]]) -> Any:
        """All measures. tempi: see `_tempi`."""
        staves = len(self.part.staves)
        stream = self.m.stream.PartStaff() if staves > 1 else self.m.stream.Part()
        metre = None
        for index, bar in enumerate(bars):
            measure = self.m.stream.Measure(number=index + 1)
            if index == 0:
                measure.insert(0, getattr(self.m.clef, _CLEFS[self.staff.clef])())
                measure.insert(0, self._signature())
            signature = self.m.meter.TimeSignature(f"{bar.numerator}/{bar.denominator}")
            if signature.ratioString != metre:
                measure.insert(0, signature)
                metre = signature.ratioString
            for tick, qpm in tempi.get(index, []):
                measure.insert(_quarters(tick), self._tempo(bar, qpm))
            self._fill(measure, bar, signature)
            if index == len(bars) - 1:
                measure.rightBarline = self.m.bar.Barline("final")
            stream.append(measure)
        return stream

    def _signature(self) -> Any:
        if self.drums:  # they have no key, and drummers expect to see none
            return self.m.key.KeySignature(0)
        signature = self.m.key.KeySignature(sharps(self.key or "C major"))
        return (
            signature.asKey("minor" if is_minor(self.key) else "major") if self.key else signature
        )

    def _tempo(self, bar: BarSpan, qpm: float) -> Any:
        """A metronome mark that counts the metre's beats; players read whole numbers."""
        beat = _quarters(bar.beats[1]) if bar.denominator != 8 or bar.numerator % 3 == 0 else 0.5
        number = round(qpm / float(beat))
        referent = self.m.duration.Duration(beat)
        return self.m.tempo.MetronomeMark(number=number, referent=referent)

    def _fill(self, measure: Any, bar: BarSpan, signature: Any) -> None:
        """The notes and rests of a bar, with beams and the accidentals that have to be shown."""
        chords = [self._of_bar(number, bar) for number in range(len(self.next))]
        playing = [number for number, inside in enumerate(chords) if inside]
        if not playing:
            rest = self.m.note.Rest(quarterLength=_quarters(bar.length))
            rest.fullMeasure = True
            measure.insert(0, rest)
            return
        written: list[tuple[int, StaffChord, Any]] = []
        for number in playing:
            voice = measure if len(playing) == 1 else self.m.stream.Voice(id=number + 1)
            elements = []
            for value, chord, tie in self._symbols(bar, chords[number], hide=number > playing[0]):
                element = self._element(value, chord, tie)
                voice.insert(_quarters(value.start), element)
                elements.append(element)
                if chord is not None and not self.drums and tie not in ("stop", "continue"):
                    written.append((value.start, chord, element))
            for element, beams in zip(elements, signature.getBeams(elements), strict=True):
                if beams is not None and not element.isRest:
                    element.beams = beams
            if voice is not measure:
                measure.insert(0, voice)
        self._show_accidentals(written)

    def _of_bar(self, number: int, bar: BarSpan) -> Voice:
        """The chords of a voice that sound in a bar."""
        voice, first = self.staff.voices[number], self.next[number]
        stop = first
        while stop < len(voice) and voice[stop].start < bar.end:
            stop += 1
        inside = voice[first:stop]
        self.next[number] = stop - 1 if inside and inside[-1].end > bar.end else stop
        return inside

    def _symbols(
        self, bar: BarSpan, chords: Voice, *, hide: bool
    ) -> Iterator[tuple[Value, StaffChord | None, str]]:
        """Every symbol of a voice in a bar: its value, its chord (None: a rest), and its tie.

        The tie is "start", "continue", "stop" or "" ("hidden" of a rest that need not be seen).
        """
        spans: list[tuple[int, int, StaffChord | None]] = []
        now = 0
        for chord in chords:
            start, end = max(chord.start - bar.start, 0), min(chord.end - bar.start, bar.length)
            if start > now:
                spans.append((now, start, None))
            spans.append((start, end, chord))
            now = end
        if now < bar.length:
            spans.append((now, bar.length, None))
        written = write(bar, [(start, end, chord is None) for start, end, chord in spans])
        for place, ((_, _, sounding), values) in enumerate(zip(spans, written, strict=True)):
            for value in values:
                if sounding is None:
                    outside = hide and place in (0, len(spans) - 1)
                    yield value, None, "hidden" if outside else ""
                else:
                    yield value, sounding, _tie(bar.start + value.start, value.length, sounding)

    def _element(self, value: Value, chord: StaffChord | None, tie: str) -> Any:
        """A music21 rest, note or chord."""
        if chord is None:
            element = self.m.note.Rest()
            element.style.hideObjectOnPrint = tie == "hidden"
        elif self.drums:
            notes = [self._unpitched(pitch) for pitch in chord.pitches]
            element = notes[0] if len(notes) == 1 else self.m.percussion.PercussionChord(notes)
            element.stemDirection = "down" if chord.pitches[0] in FEET else "up"
        else:
            pitches = [self._pitch(pitch) for pitch in chord.pitches]
            one = len(pitches) == 1
            element = self.m.note.Note(pitches[0]) if one else self.m.chord.Chord(pitches)
            if chord.short and not tie:
                element.articulations.append(self.m.articulations.Staccato())
            if tie not in ("stop", "continue"):
                fingers = [self.fingers.get((chord.start, pitch)) for pitch in chord.pitches]
                element.articulations += map(self.m.articulations.Fingering, filter(None, fingers))
        element.duration = self._duration(value)
        if chord is not None and tie:
            element.tie = self.m.tie.Tie(tie)
        return element

    def _duration(self, value: Value) -> Any:
        if not value.triplet:
            return self.m.duration.Duration(_quarters(value.length))
        duration = self.m.duration.Duration(_quarters(value.length) * Fraction(3, 2))
        triplet = self.m.duration.Tuplet(3, 2, duration.type)
        triplet.type = value.triplet if value.triplet != "inside" else None
        duration.appendTuplet(triplet)
        return duration

    def _pitch(self, midi: int) -> Any:
        letter, alter, octave = spelling(midi, self.key)
        pitch = self.m.pitch.Pitch(step=letter, octave=octave)
        if alter:
            pitch.accidental = self.m.pitch.Accidental(alter)
            pitch.accidental.displayStatus = False
        return pitch

    def _unpitched(self, key: int) -> Any:
        stroke = DRUM_KIT.get(key, OTHER_DRUM)
        note = self.m.note.Unpitched(displayName=stroke.place)
        note.notehead = stroke.head
        self.struck += 1
        mark(note, key, self.struck)
        return note

    def _show_accidentals(self, written: list[tuple[int, StaffChord, Any]]) -> None:
        """Show those that differ from the signature, or from what the bar had before."""
        signed = signature(sharps(self.key or "C major"))
        now: dict[tuple[str, int], float] = {}
        for _, _, element in sorted(written, key=lambda item: item[0]):
            for pitch in element.pitches:
                line = (pitch.step, pitch.octave)
                if pitch.alter != now.get(line, signed.get(pitch.step, 0)):
                    if pitch.accidental is None:
                        pitch.accidental = self.m.pitch.Accidental(0)
                    pitch.accidental.displayStatus = True
                    now[line] = pitch.alter


def _tie(start: int, length: int, chord: StaffChord) -> str:
    """The tie of one symbol of a chord, "" if it is the only one."""
    before, after = start > chord.start, start + length < chord.end
    return ("continue" if after else "stop") if before else ("start" if after else "")


def _quarters(ticks: int) -> Fraction:
    return Fraction(ticks, TICKS)
