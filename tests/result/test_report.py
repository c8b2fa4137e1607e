"""Ticks are honest: what is measured against what was asked, else against the plan."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from textmusic.language.prompt import Prompt
from textmusic.music.chords import Chord
from textmusic.music.measure_sketch import SketchAdherence
from textmusic.music.notes import Notes, to_score
from textmusic.music.plan import Plan
from textmusic.music.sketch import Outline, Sketch
from textmusic.music.sketch import Row as SketchRow
from textmusic.music.theory import DRUMS
from textmusic.result.account import account
from textmusic.result.report import Report, ReportRow
from textmusic.tokens.sampling import Sampling
from textmusic.writing.text_to_music import TextToMusic

PLAN = Plan("jazz", 3, 3, (0, 24), "C major", 120.0, "4/4", 8, 3, True, True)


def report(
    asked: Plan = Plan(),
    *,
    planned: Plan = PLAN,
    measured: Plan = PLAN,
    near: Plan = Plan(),
    seconds: float | None = None,
    lasts: float = 16.0,
    silent: tuple[int, ...] = (),
) -> Report:
    """Of a piece that is as planned unless it is said to be otherwise; eight bars last 16 s."""
    return Report(
        "", "", 1, "m", "0", asked, seconds, planned, measured, lasts, 9, (), near, silent=silent
    )


def row(field: str, made: Report, language: str = "en") -> ReportRow:
    return next(row for row in made.table(language) if row.field == field)


def test_a_piece_that_is_as_planned_is_ticked() -> None:
    ticks = {row.field: row.ok for row in report().rows}
    assert {field for field, ok in ticks.items() if ok} >= {
        "key", "tempo", "time signature", "instruments", "bars", "length", "mood", "density",
    }  # fmt: skip
    assert False not in ticks.values() and ticks["genre"] is None


@pytest.mark.parametrize(
    ("field", "asked", "other"),
    [
        ("key", Plan(key="A minor"), Plan(key="C major")),
        ("tempo", Plan(tempo=120.0), Plan(tempo=100.0)),
        ("time signature", Plan(time_signature="3/4"), Plan(time_signature="4/4")),
        ("bars", Plan(bars=16), Plan(bars=8)),
        ("instruments", Plan(programs=(40,)), Plan(programs=(0, 24))),
        ("density", Plan(density=1), Plan(density=3)),
        ("mood", Plan(valence=1), Plan(valence=3)),
        ("mood", Plan(arousal=5), Plan(arousal=3)),
    ],
)
def test_what_was_asked_counts_and_not_the_plan_that_missed_it(
    field: str, asked: Plan, other: Plan
) -> None:
    """120 asked, 100 planned and played: the plan was kept, and the person was not."""
    missed = other.over(PLAN)
    assert row(field, report(planned=missed, measured=missed)).ok is True
    assert row(field, report(asked, planned=missed, measured=missed)).ok is False
    got = asked.over(PLAN)
    assert row(field, report(asked, planned=got, measured=got)).ok is True


def test_very_sad_is_not_neutral() -> None:
    """Planned a level off and measured another level off: two off what was asked."""
    sad, neutral = replace(PLAN, valence=2), replace(PLAN, valence=3)
    for said in ({"asked": Plan(valence=1)}, {"near": Plan(valence=1)}):
        assert row("mood", report(planned=sad, measured=neutral, **said)).ok is False
        assert row("mood", report(planned=sad, measured=sad, **said)).ok is True
    assert row("mood", report(planned=sad, measured=neutral)).ok is True, "nothing was asked"
    happy = replace(PLAN, valence=4)
    assert row("mood", report(near=Plan(valence=5), planned=happy, measured=neutral)).ok is False


def test_each_half_of_the_mood_is_judged_by_itself() -> None:
    """Arousal was asked and valence planned; either can miss."""
    calm = replace(PLAN, arousal=2)
    near = Plan(arousal=1)
    assert row("mood", report(near=near, planned=calm, measured=calm)).ok is True
    assert (
        row("mood", report(near=near, planned=calm, measured=replace(calm, valence=5))).ok is False
    )
    assert (
        row("mood", report(near=near, planned=calm, measured=replace(calm, arousal=3))).ok is False
    )
    assert row("mood", report(measured=Plan(tempo=120.0))).ok is None, "nothing sounds"


def test_tempo_key_and_length_have_their_tolerances() -> None:
    assert row("tempo", report(Plan(tempo=123.0))).ok is True
    assert row("tempo", report(Plan(tempo=124.0))).ok is False
    assert row("key", report(Plan(key="B minor"), measured=replace(PLAN, key="B minor"))).ok is True
    assert row("length", report(lasts=17.9)).ok is True, "within a bar of 2 s"
    assert row("length", report(lasts=18.1)).ok is False
    assert row("length", report(seconds=30.0)).ok is False


def test_an_instrument_that_hardly_plays_is_said_and_not_ticked() -> None:
    made = report(silent=(24,))
    assert row("instruments", made).ok is False
    assert (
        row("instruments", made).measured
        == "piano, nylon-string guitar (nylon-string guitar hardly heard)"
    )
    assert row("instruments", made, "zh").measured == "钢琴、古典吉他（古典吉他几乎听不到）"
    mute = report(measured=replace(PLAN, programs=(0,)), silent=(24,))
    assert row("instruments", mute).ok is False
    assert row("instruments", mute).measured == "piano", "it is not named as one that plays"


def test_instruments_that_nobody_planned_are_not_ticked() -> None:
    assert row("instruments", report(measured=replace(PLAN, programs=(0, 24, 40)))).ok is False
    assert row("instruments", report(Plan(programs=(0,)))).ok is True, "a piece gone on from: more"


def test_a_report_is_written_and_read_back() -> None:
    made = report(Plan(programs=(0, 24), tempo=90.0), near=Plan(valence=1), silent=(24,))
    data = json.loads(json.dumps(made.to_dict()))
    assert Report.from_dict(data) == made
    assert data["rows"][0].keys() == {"field", "asked", "planned", "measured", "ok"}
    del data["silent"]
    assert Report.from_dict(data) == replace(made, silent=()), "an older report has none"


C, F, G7 = Chord(0, "maj"), Chord(5, "maj"), Chord(7, "7")
ROWS = (
    SketchRow(chords=((0, C), (2, F))),
    SketchRow(vary=0, chords=((0, G7),)),
    SketchRow(like=0, chords=((0, None), (3, C))),
    SketchRow(),
)


def test_harmony_and_form_survive_json() -> None:
    made = replace(
        report(),
        outline=Outline(((C, F), (G7,)), True, False, ("A", "B"), ("verse", "chorus"), G7),
        sketch=Sketch(ROWS),
        kept=SketchAdherence(0.5, None),
        sampling=Sampling(harmony_strength=0.2),
    )
    assert Report.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    older = {k: v for k, v in made.to_dict().items() if k not in ("outline", "sketch", "kept")}
    read = Report.from_dict(json.loads(json.dumps(older)))
    assert (read.outline, read.sketch, read.kept) == (Outline(), Sketch(), SketchAdherence())
    older["sampling"] = {"temperature": 0.9, "top_p": 0.9, "key_strength": 0.3}
    assert Report.from_dict(older).sampling is None, "no seed gives it again"


def test_chords_are_shown_as_asked_as_sketched_and_as_heard() -> None:
    bars = ((C, F), (G7,)) * 6
    made = replace(
        report(Plan(key="C major")),
        outline=Outline(bars),
        sketch=Sketch(ROWS * 3),
        kept=SketchAdherence(0.7),
    )
    assert row("chords", made) == ReportRow(
        "chords",
        "C F | G7 | C F | G7 | C F | G7 | C F | G7 …",
        "C F | G7 | N.C. C |  | C F | G7 | N.C. C |  …",
        "70% as planned",
        True,
    )
    assert row("chords", replace(made, kept=SketchAdherence(0.69))).ok is False
    relative = replace(made, asked=Plan(), outline=Outline(bars[:2], True))
    assert row("chords", relative).asked == "I IV | V7", "no key is asked for"
    assert row("chords", report()) == ReportRow("chords", "", "", "", None)


def test_the_last_chord_that_was_asked_for_is_shown() -> None:
    ending = Outline(((C,), (F,)) * 8, last=G7)
    made = replace(report(Plan(key="C major")), outline=ending, sketch=Sketch(ROWS))
    assert row("chords", made).asked == "C F C F C F C F …, ends on G7"
    assert row("chords", made, "zh").asked == "C F C F C F C F …，以G7结束"
    alone = replace(made, outline=Outline(last=G7))
    assert row("chords", alone).asked == "ends on G7"
    relative = replace(alone, asked=Plan())
    assert row("chords", relative).asked == "ends on V7", "no key is asked for"
    assert row("chords", replace(alone, asked=Plan(key="Eb major"))).asked == "ends on Bb7"


def test_of_a_piece_that_went_on_the_new_bars_are_shown() -> None:
    rows = (*ROWS, *(SketchRow(chords=((0, chord),)) for chord in (G7, F, G7)))
    asked = Outline(((G7,), (F,)), form=tuple("ABCAB"), names=())
    made = replace(report(), outline=asked, sketch=Sketch(rows), new_bars=(4, 7))
    assert (row("chords", made).asked, row("chords", made).planned) == ("G7 F", "G7 | F | G7")
    assert row("form", made).planned == "A B C", "three bars have no room for five"
    assert Report.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    older = {k: v for k, v in made.to_dict().items() if k != "new_bars"}
    assert Report.from_dict(older).new_bars is None


def test_a_form_that_was_asked_for_is_shown_as_it_is_laid() -> None:
    form = Outline(form=("A", "B", "A"), names=("verse", "chorus", "verse"))
    made = replace(report(), outline=form, sketch=Sketch(ROWS * 3), kept=SketchAdherence(form=0.8))
    said = row("form", made)
    assert (said.asked, said.planned) == ("verse, chorus, verse", "verse, chorus, verse")
    assert (said.measured, said.ok) == ("80% as planned", True)
    assert row("form", replace(made, kept=SketchAdherence(form=0.79))).ok is False
    chinese = row("form", made, "zh")
    assert (chinese.asked, chinese.planned) == ("主歌 副歌 主歌", "主歌 副歌 主歌")
    assert chinese.measured == "80%符合计划"
    short = replace(made, sketch=Sketch(ROWS[:2]))
    assert row("form", short).planned == "verse, chorus", "two bars have no room for three"


def test_the_account_of_a_piece_says_who_hardly_plays() -> None:
    """Eight bars: the piano in all, the guitar in one, drums in two."""
    start = np.array([*range(0, 32, 4), 4, 8, 12], dtype=float)
    notes = Notes(
        start,
        np.full(11, 4.0),
        np.array([60] * 8 + [64, 38, 38]),
        np.full(11, 80),
        np.array([0] * 8 + [24, DRUMS, DRUMS]),
    )
    plan = replace(PLAN, programs=(0, 24, DRUMS))
    score = to_score(notes, "4/4", 120.0)
    made = account(Prompt("", Plan(), None, "", ()), plan, score, 1, "m", ids=9, nats=1.0)
    assert made.report.silent == (24,)
    assert row("instruments", made.report).ok is False
    assert made.rank[0] >= 1, "the best of several is another"


def test_a_generation_is_ticked_for_what_it_is(tiny: TextToMusic, tmp_path: Path) -> None:
    made = tiny.generate("very sad piano, 2 bars, 90 bpm", seed=1)
    ticks = {row.field: row.ok for row in made.report.rows}
    assert ticks["tempo"] and ticks["bars"] and ticks["instruments"]
    valence = made.report.measured.valence
    assert valence and made.report.near.valence == 1
    if valence > 2:
        assert ticks["mood"] is False
