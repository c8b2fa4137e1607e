"""Asked / planned / measured, side by side: an honest account of one generation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textmusic.language.names import (
    SHOWN_BARS,
    form_text,
    in_words,
    instrument_name,
    outline_chords,
    say,
    sketch_in_words,
)
from textmusic.music.known_runs import FEWEST_NOTES, KnownRun
from textmusic.music.measure_sketch import SketchAdherence
from textmusic.music.outline import section_lengths
from textmusic.music.plan import Plan, seconds_of
from textmusic.music.practice import Practice
from textmusic.music.sketch import Outline, Sketch, read_outline, read_sketch
from textmusic.music.theory import is_minor, quarters_per_bar, tonic
from textmusic.result.change import Change
from textmusic.tokens.sampling import Sampling, read_sampling

# Shares of what was sketched that have to be heard. Of real pieces whose source names the chords,
# our own ears find the same ones in about this much of the time.
CHORDS_KEPT = 0.7
FORM_KEPT = 0.8
ADJUSTED = "adjusted"  # stands for the model of a piece that none has written


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One fact. ok: what is measured is what was asked, or, where nothing was, what was planned.

    None: it cannot be measured.
    """

    field: str
    asked: str
    planned: str
    measured: str
    ok: bool | None


@dataclass(frozen=True, slots=True)
class Report:
    """The account of one generation; `to_dict` is what is written as JSON."""

    text: str
    caption: str
    seed: int
    model: str
    version: str
    asked: Plan
    seconds: float | None
    planned: Plan
    measured: Plan
    measured_seconds: float
    notes: int
    unused: tuple[str, ...]
    near: Plan = Plan()
    sampling: Sampling | None = None  # None: not by a language model
    silent: tuple[int, ...] = ()  # programs that play in fewer than a quarter of the bars
    outline: Outline = Outline()  # what was asked of harmony and form
    sketch: Sketch = Sketch()  # what was decided of them
    kept: SketchAdherence = SketchAdherence()  # how far that is heard
    # Of a piece that stood: its bars that were written, from 0, and the one behind the last. What
    # is asked and planned of harmony and form is theirs. None: all were.
    new_bars: tuple[int, int] | None = None
    asked_bars: int | None = None  # how many of them, where that was said
    planned_seconds: float | None = None  # of a piece that stood; None: of the plan
    remarks: tuple[str, ...] = ()  # what was done beside what was asked, a line each
    change: Change | None = None  # what was done to a person's file
    loop: bool = False  # whether it is kept to be repeated without end
    practice: Practice | None = None  # the limits of a practice piece; a remark says if it has them
    known: KnownRun | None = None  # the longest run of training pieces; None: not looked for
    performance: float = 0.0  # how much of a performance its audio and its MIDI file are, 0 to 1

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns of the table; nothing is planned of a piece that was only adjusted."""
        return ("asked", "planned", "measured") if self.model != ADJUSTED else ("asked", "measured")

    @property
    def rows(self) -> tuple[ReportRow, ...]:
        """The table people see, in a fixed order."""
        return self.table()

    def table(self, language: str = "en") -> tuple[ReportRow, ...]:
        """The rows, their values in a language of the page's; `field` is the English name."""
        asked = {"chords": "", "form": ""}
        asked |= in_words(self.asked, self.seconds, self.near, language, self.outline)
        asked["bars"] = self._asked_bars(language) or asked["bars"]
        planned = in_words(self.planned, self._planned_seconds, language=language)
        measured = in_words(self.measured, self.measured_seconds, language=language)
        asked["chords"] = outline_chords(self.outline, self.asked.key, language, SHOWN_BARS)
        planned |= sketch_in_words(self.sketch, self.planned.key, self.new_bars)
        if self.outline.form:
            planned["form"] = self._form_laid(language)
        measured |= {
            "chords": _share_kept(self.kept.chords, language),
            "form": _share_kept(self.kept.form, language),
        }
        measured["instruments"] += self._hardly_heard(language)
        return tuple(
            ReportRow(field, asked[field], planned[field], measured[field], ok)
            for field, ok in self._right().items()
        )

    @property
    def _planned_seconds(self) -> float:
        """How long the plan is; older reports of pieces that stood don't say."""
        return seconds_of(self.planned) if self.planned_seconds is None else self.planned_seconds

    def _asked_bars(self, language: str) -> str:
        """How many new bars were asked for: "4 new"; "" where that was left open."""
        return "" if self.asked_bars is None else say("new_bars", language).format(self.asked_bars)

    def originality(self, language: str = "en") -> str:
        """The longest run that a training piece has too, in a sentence; "" if not looked for.

        A tune is only named for a run that is never missed: most real pieces share shorter ones.
        """
        known = self.known
        if known is None:
            return ""
        if known.notes < FEWEST_NOTES:
            return say("no_known_run", language).format(FEWEST_NOTES)
        where = ""
        if self.new_bars is None:
            bar = quarters_per_bar(self.planned.time_signature or "4/4")
            first, last = (int(time / bar + 1e-6) + 1 for time in (known.begin, known.end))
            if first == last:
                where = say("known_run_bar", language).format(first)
            else:
                where = say("known_run_bars", language).format(f"{first}-{last}")
        share = f"{known.share:.0%}" if known.share >= 0.01 else "< 1%"
        return say("known_run", language).format(known.notes, known.tune, where, share)

    def _form_laid(self, language: str) -> str:
        """The sections that were asked for, as far as the bars have room for them."""
        form, names = self.outline.form, self.outline.names
        first, last = self.new_bars or (0, len(self.sketch.rows))
        room = sum(map(bool, section_lengths(len(form), last - first)))
        return form_text(form[:room], names[:room], language)

    def _right(self) -> dict[str, bool | None]:
        """By field, whether the measured fact is the asked one, or, of none asked, the planned."""
        wanted, got = self.asked.over(self.planned), self.measured
        return {
            "key": _same_key(wanted.key, got.key),
            "tempo": _close(wanted.tempo, got.tempo),
            "time signature": wanted.time_signature == got.time_signature,
            "instruments": self._right_instruments(),
            "bars": wanted.bars == got.bars,
            "length": self._right_length(),
            "mood": _near_mood(self.asked.over(self.near).over(self.planned), got),
            "genre": None,
            "density": None if got.density is None else _near(wanted.density or 3, got.density),
            "chords": None if self.kept.chords is None else self.kept.chords >= CHORDS_KEPT,
            "form": None if self.kept.form is None else self.kept.form >= FORM_KEPT,
        }

    def _right_instruments(self) -> bool:
        """Whether all that is planned plays enough, and what was asked is among it.

        More may be: a piece that is gone on from has players of its own.
        """
        heard, planned = set(self.measured.programs or ()), set(self.planned.programs or ())
        return heard == planned and heard >= set(self.asked.programs or ()) and not self.silent

    def _right_length(self) -> bool | None:
        """Within a bar, or a tenth; None for what stood before, whose tempo may change."""
        if self.new_bars is not None and self.seconds is None:
            return None
        planned = self._planned_seconds
        wanted = planned if self.seconds is None else self.seconds
        bar = planned / (self.planned.bars or 1)
        return abs(self.measured_seconds - wanted) <= max(bar, 0.1 * wanted)

    def _hardly_heard(self, language: str) -> str:
        """Of which instruments that play at all: " (guitar hardly heard)"; "" for none."""
        heard = self.measured.programs or ()
        names = [instrument_name(p, language) for p in self.silent if p in heard]
        listed = say("comma", language).join(names)
        return say("hardly_heard", language).format(listed) if names else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain types only; `from_dict` reads it back."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Report:
        """Inverse of `to_dict`; the rows are computed anew."""
        fields = {k: v for k, v in data.items() if k != "rows"}
        for name in ("asked", "planned", "measured"):
            plan = dict(fields[name])
            if plan["programs"] is not None:
                plan["programs"] = tuple(plan["programs"])
            fields[name] = Plan(**plan)
        fields["near"] = Plan(**fields.get("near", {}))
        fields["unused"] = tuple(fields["unused"])
        fields["silent"] = tuple(fields.get("silent", ()))  # older reports have none
        fields["outline"] = read_outline(fields.get("outline", {}))
        fields["sketch"] = read_sketch(fields.get("sketch", {}))
        fields["kept"] = SketchAdherence(**fields.get("kept", {}))
        if fields.get("new_bars") is not None:
            fields["new_bars"] = tuple(fields["new_bars"])
        fields["remarks"] = tuple(fields.get("remarks", ()))
        if fields.get("change") is not None:
            fields["change"] = Change.from_dict(fields["change"])
        if fields.get("practice") is not None:
            fields["practice"] = Practice.from_dict(fields["practice"])
        if fields.get("known") is not None:
            fields["known"] = KnownRun(**fields["known"])
        sampling = fields.get("sampling")
        if sampling is not None and "key_strength" in sampling:  # of before the sketch
            sampling = None  # no seed gives such a piece again
        fields["sampling"] = sampling and read_sampling(sampling)
        return Report(**fields)


def _share_kept(share: float | None, language: str) -> str:
    """How much of what was sketched is heard: "83 % as sketched"; "" where nothing was."""
    return "" if share is None else say("as_sketched", language).format(f"{share:.0%}")


def _same_key(planned: str | None, measured: str | None) -> bool | None:
    if planned is None or measured is None or "none" in (planned, measured):
        return None if planned == "none" else planned == measured
    return (tonic(planned), is_minor(planned)) == (tonic(measured), is_minor(measured))


def _close(wanted: float | None, measured: float | None) -> bool:
    return wanted is not None and measured is not None and abs(wanted / measured - 1) < 0.03


def _near(wanted: int, measured: int) -> bool:
    """At most a level off. What is asked to be very sad (1) is thus not neutral (3)."""
    return abs(wanted - measured) <= 1


def _near_mood(wanted: Plan, measured: Plan) -> bool | None:
    """Both levels near; None where one is not known."""
    if None in (wanted.valence, wanted.arousal, measured.valence, measured.arousal):
        return None
    assert wanted.valence and wanted.arousal and measured.valence and measured.arousal
    return _near(wanted.valence, measured.valence) and _near(wanted.arousal, measured.arousal)
