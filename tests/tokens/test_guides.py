"""The sketch weighs on the notes: chord tones, and what the bar that is repeated has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_music import many, the_layout, tokens_of

from textmusic.music.chords import Chord
from textmusic.music.outline import AskedRow
from textmusic.music.plan import Plan
from textmusic.music.sketch import Row, Sketch
from textmusic.music.theory import DRUMS
from textmusic.tokens.chord_tones import (
    AT_HOME,
    BASS_NATS,
    BY_STEP,
    HARMONY_NATS,
    MISSING_NATS,
    OUTSIDE,
)
from textmusic.tokens.folding import Struck
from textmusic.tokens.guides import FORM_NATS, Guides
from textmusic.tokens.layout import Floats32
from textmusic.tokens.sampling import Sampling, choose
from textmusic.tokens.score_grammar import ScoreGrammar

PLAN = Plan(programs=(0, DRUMS), key="C major", tempo=100.0, time_signature="4/4", bars=4)
C, F = Chord(0, "maj"), Chord(5, "maj")
NOTE = ("Position_0", "Program_0", "Velocity_79", "Duration_0.6.12")


def written(plan: Plan, *tokens: str) -> ScoreGrammar:
    """A grammar behind these tokens."""
    grammar, index = ScoreGrammar(the_layout(), plan), the_layout().index
    for token in tokens:
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    return grammar


def guides(
    plan: Plan,
    rows: Sequence[Row],
    bars: Mapping[int, Sequence[Struck]] = {},
    *,
    harmony: float = 0.0,
    form: float = 0.0,
) -> Guides:
    return Guides(the_layout(), plan, Sketch(tuple(rows)), bars, harmony=harmony, form=form)


def flat() -> Floats32:
    return np.zeros(the_layout().size, dtype=np.float32)


def noise(seed: int = 1) -> Floats32:
    return np.random.default_rng(seed).normal(0, 2, the_layout().size).astype(np.float32)


def share(logits: Floats32, allowed: np.ndarray, ids: Sequence[int]) -> float:
    """The probability of some ids among those that are allowed."""
    p = np.where(allowed, np.exp(logits.astype(np.float64)), 0)
    return float(p[list(ids)].sum() / p.sum())


# Harmony ------------------------------------------------------------------------------------------


def gains(logits: Floats32, *pitches: int) -> list[float]:
    """What written pitches have above the first of them, in nats."""
    index = the_layout().index
    found = [float(logits[index[f"Pitch_{pitch}"]]) for pitch in pitches]
    return [round(value - found[0], 4) for value in found]


def sounded(*pitches: int) -> dict[int, list[Struck]]:
    """Bar 0, in which pitches have been struck at its beginning."""
    return {0: [Struck(0, 0, 0, pitch, 79, "1.0.12") for pitch in pitches]}


C_E_G = sounded(72, 76, 79)


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_tones_outside_the_chord_lose(strength: float) -> None:
    grammar = written(PLAN, "Bar_4", *NOTE)
    guide = guides(PLAN, [Row(chords=((0, C),))], C_E_G, harmony=strength)
    logits = guide.guided(flat(), grammar.allowed(), grammar)
    nats = -HARMONY_NATS[0][0] * strength * AT_HOME
    found = gains(logits, 60, 64, 67, 62, 61)
    assert found == pytest.approx([0, 0, 0, nats, nats * OUTSIDE], abs=1e-3), "C E G, D, C sharp"


@pytest.mark.parametrize(
    ("position", "place"), [(0, 0), (24, 1), (18, 2)], ids=["begins", "on the beat", "between"]
)
def test_the_chord_weighs_most_where_it_begins(position: int, place: int) -> None:
    grammar = written(PLAN, "Bar_4", f"Position_{position}", *NOTE[1:])
    guide = guides(PLAN, [Row(chords=((0, F),))], sounded(65, 69, 72), harmony=1.0)
    found = gains(guide.guided(flat(), grammar.allowed(), grammar), 77, 76)
    assert found == [0, pytest.approx(-HARMONY_NATS[place][0])]


@pytest.mark.parametrize(
    ("position", "length", "share"), [(0, "0.6.12", 1), (18, "0.6.12", BY_STEP),
                                      (24, "1.0.12", BY_STEP), (24, "2.0.12", 1)],
    ids=["where it begins", "between beats", "a quarter", "a long note"],
)  # fmt: skip
def test_short_notes_leave_the_chord_by_step(position: int, length: str, share: float) -> None:
    said = (f"Position_{position}", *NOTE[1:3], f"Duration_{length}")
    grammar = written(PLAN, "Bar_4", *said)
    notes = [*sounded(65, 69, 72)[0], Struck(-1, 45, 0, 77, 79, "0.3.12")]
    bars = {-1: notes[3:], 0: notes[:3]}
    rows = [Row(chords=((0, F),))]
    found = gains(guides(PLAN, rows, bars, harmony=1.0).guided(
        flat(), grammar.allowed(), grammar), 89, 67, 79)  # fmt: skip
    places = {0: 0, 24: 1, 18: 2}
    nats = HARMONY_NATS[places[position]][("0.6.12", "1.0.12", "2.0.12").index(length)]
    assert found == [0, pytest.approx(-nats * share), pytest.approx(-nats)]


@pytest.mark.parametrize(
    ("duration", "column"), [("0.6.12", 0), ("1.0.12", 1), ("1.6.12", 2)], ids=["", "1/4", "long"]
)
def test_what_passes_is_short(duration: str, column: int) -> None:
    grammar = written(PLAN, "Bar_4", *NOTE[:3], f"Duration_{duration}")
    guide = guides(PLAN, [Row(chords=((0, F),))], sounded(65, 69, 72), harmony=1.0)
    found = gains(guide.guided(flat(), grammar.allowed(), grammar), 65, 64)
    assert found == [0, pytest.approx(-HARMONY_NATS[0][column])]


def test_the_chord_on_the_tonic_weighs_less() -> None:
    """A model favours its tones by itself, so that the tonic would be heard too often."""
    grammar = written(PLAN, "Bar_4", *NOTE)
    home, away = (
        gains(guide.guided(flat(), grammar.allowed(), grammar), *pitches)[1]
        for guide, pitches in (
            (guides(PLAN, [Row(chords=((0, C),))], C_E_G, harmony=1.0), (64, 65)),
            (guides(PLAN, [Row(chords=((0, F),))], sounded(65, 69, 72), harmony=1.0), (65, 64)),
        )
    )
    assert home == pytest.approx(away * AT_HOME, abs=1e-3)


def test_root_third_and_fifth_are_favoured_until_they_have_sounded() -> None:
    rows = [Row(chords=((0, F), (2, Chord(0, "7"))))]
    grammar = written(PLAN, "Bar_4", "Position_24", *NOTE[1:])

    def found(bars: dict[int, list[Struck]]) -> list[float]:
        guide = guides(PLAN, rows, bars, harmony=1.0)
        return gains(guide.guided(flat(), grammar.allowed(), grammar), 70, 60, 64, 67)

    more = pytest.approx(MISSING_NATS * AT_HOME, abs=1e-3)
    assert found({}) == [0, more, more, more], "B flat, C, E, G"
    assert found(sounded(72)) == [0, more, more, more], "struck in the chord before"
    after = {0: [Struck(0, 24, 0, 72, 79, "1.0.12"), Struck(0, 24, DRUMS, 40, 79, "1.0.12")]}
    assert found(after) == [0, 0, more, more], "a drum's number is no E"


def test_the_root_is_favoured_in_the_bass_only() -> None:
    grammar = written(PLAN, "Bar_4", *NOTE)
    guide = guides(PLAN, [Row(chords=((0, C),))], C_E_G, harmony=1.0)
    logits = guide.guided(flat(), grammar.allowed(), grammar)
    less = pytest.approx(-0.4 * BASS_NATS[0] * AT_HOME, abs=1e-3)
    assert gains(logits, 48, 43, 40) == [0, less, less]
    assert gains(logits, 60, 55, 52) == [0, 0, 0]


def test_the_chord_is_the_one_that_sounds_there_as_the_key_spells_it() -> None:
    """In D major: G, written as F, then A7, written as G7, from the third beat on."""
    plan = Plan(programs=(0,), key="D major", tempo=100.0, time_signature="4/4", bars=2)
    rows = [Row(chords=((0, Chord(7, "maj")), (2, Chord(9, "7"))))]
    guide = guides(plan, rows, harmony=1.0)
    first = written(plan, "Bar_2", *NOTE)
    later = written(plan, "Bar_2", "Position_24", *NOTE[1:])
    more, less = MISSING_NATS, -HARMONY_NATS[0][0]
    found = gains(guide.guided(flat(), first.allowed(), first), 72, 65, 69, 67)
    assert found == pytest.approx([0, 0, 0, less - more], abs=1e-3)
    found = gains(guide.guided(flat(), later.allowed(), later), 77, 67, 71, 74, 60)
    assert found == pytest.approx([0, more, more, more, less], abs=1e-3)


def test_beats_of_metres_of_eighths_are_eighths() -> None:
    plan = Plan(programs=(0,), key="C major", tempo=100.0, time_signature="6/8", bars=2)
    had = {
        0: [Struck(0, at, 0, pitch, 79, "1.0.12") for at in (0, 36) for pitch in (72, 67, 71, 74)]
    }
    had[0].append(Struck(0, 0, 0, 88, 79, "1.0.12"))
    guide = guides(plan, [Row(chords=((0, C), (3, Chord(7, "maj"))))], had, harmony=1.0)
    for position, chord_tones, place in ((24, (60, 64), 1), (36, (62, 67), 0), (48, (62, 67), 1)):
        grammar = written(plan, "Bar_2", f"Position_{position}", *NOTE[1:])
        found = gains(guide.guided(flat(), grammar.allowed(), grammar), *chord_tones, 77)
        nats = -HARMONY_NATS[place][0] * (AT_HOME if position == 24 else 1)
        assert found == pytest.approx([0, 0, nats], abs=1e-3), position


@many
@given(seed=st.integers(0, 10_000), strength=st.floats(0.01, 1), struck=st.booleans())
def test_pitches_together_stay_as_likely_as_they_were(
    seed: int, strength: float, struck: bool
) -> None:
    """Whether a pitch is due or anything else may come: harmony says which one, not whether."""
    tokens = ["Bar_4", *NOTE, "Pitch_60"] if struck else ["Bar_4", *NOTE]
    grammar = written(PLAN, *tokens)
    allowed, before = grammar.allowed(), noise(seed)
    after = guides(PLAN, [Row(chords=((0, C),))], harmony=strength).guided(before, allowed, grammar)
    pitches = range(*the_layout().spans["Pitch"])
    assert share(after, allowed, pitches) == pytest.approx(
        share(before, allowed, pitches), abs=1e-5
    )
    tones = [i for i in pitches if int(tokens_of([i])[0][6:]) % 12 in (0, 4, 7)]
    assert share(after, allowed, tones) > share(before, allowed, tones)
    others = np.ones(len(before), dtype=bool)
    others[list(pitches)] = False
    assert np.array_equal(after[others], before[others])


@pytest.mark.parametrize("row", [Row(), Row(chords=((0, None),))])
def test_without_a_chord_the_notes_are_left_to_the_model(row: Row) -> None:
    grammar = written(PLAN, "Bar_4", *NOTE)
    before = noise()
    after = guides(PLAN, [row], harmony=1.0, form=1.0).guided(before, grammar.allowed(), grammar)
    assert after is before


def test_drums_have_no_harmony() -> None:
    grammar = written(PLAN, "Bar_4", "Position_0", "Program_128", *NOTE[2:])
    before = noise()
    guide = guides(PLAN, [Row(chords=((0, C),))], harmony=1.0)
    assert guide.guided(before, grammar.allowed(), grammar) is before


def test_strengths_of_0_leave_the_logits_untouched() -> None:
    bars = {0: [Struck(0, 0, 0, 60, 79, "1.0.12")]}
    rows = [Row(chords=((0, C),)), Row(like=0, chords=((0, C),))]
    grammar = written(PLAN, "Bar_4", *NOTE, "Pitch_60", "Bar_3", "Position_0")
    before = noise()
    guide = guides(PLAN, rows, bars)
    assert guide.guided(before, grammar.allowed(), grammar) is before
    copy = before.copy()
    guides(PLAN, rows, bars, harmony=1.0, form=1.0).guided(before, grammar.allowed(), grammar)
    assert np.array_equal(before, copy), "a guide does not write into what it is given"


def test_bars_behind_the_sketch_are_left_alone() -> None:
    grammar = written(PLAN, "Bar_4", *NOTE, "Pitch_60", "Bar_3")
    before = noise()
    guide = guides(PLAN, [Row(chords=((0, C),))], harmony=1.0, form=1.0)
    assert guide.guided(before, grammar.allowed(), grammar) is before


def test_chords_that_are_asked_weigh_twice_as_much() -> None:
    rows = [Row(chords=((0, F),))]
    grammar = written(PLAN, "Bar_4", *NOTE)
    asked = Guides(
        the_layout(), PLAN, Sketch(tuple(rows)), {}, harmony=0.3, form=0,
        asked=[AskedRow(chords=((0, F),))],
    )  # fmt: skip
    double = guides(PLAN, rows, harmony=0.6)
    allowed = grammar.allowed()
    np.testing.assert_allclose(
        asked.guided(noise(), allowed, grammar), double.guided(noise(), allowed, grammar)
    )
    other = guides(PLAN, rows, harmony=0.3).guided(noise(), allowed, grammar)
    assert not np.allclose(asked.guided(noise(), allowed, grammar), other)


@pytest.mark.parametrize(("form", "weighs"), [(0.4, 0.8), (0.7, 1.0), (0.0, 0.0)])
def test_a_return_that_is_asked_weighs_twice_as_much_up_to_one(form: float, weighs: float) -> None:
    rows = (Row(), Row(like=0))
    bars = {0: [Struck(0, 0, 0, 60, 79, "0.6.12")]}
    grammar = written(PLAN, "Bar_4", *NOTE, "Pitch_60", "Bar_3", "Position_0")
    asked = Guides(
        the_layout(), PLAN, Sketch(rows), bars, harmony=0, form=form,
        asked=[AskedRow(), AskedRow(like=0)],
    )  # fmt: skip
    gained = asked.guided(flat(), grammar.allowed(), grammar) - flat()
    assert gained.max() == pytest.approx(FORM_NATS * weighs)


# Form ---------------------------------------------------------------------------------------------


def greedy(
    grammar: ScoreGrammar,
    guide: Guides,
    bars: dict[int, list[Struck]],
    until: int,
    others: Mapping[int, str] = {},
    seed: int | None = None,
) -> None:
    """Write up to bar `until` with flat logits, the likeliest id always.

    others: instead of the n-th pitch that would be written, this token. seed: dice that choose
    where several are as likely; by default the lowest id.
    """
    layout, pitches, filed = the_layout(), 0, len(grammar.notes)
    rng = np.random.default_rng(seed)
    while grammar.bar < until and not grammar.done:
        allowed = grammar.allowed()
        logits = guide.guided(flat(), allowed, grammar)
        if seed is not None:
            logits = logits + rng.uniform(0, 0.01, len(logits)).astype(np.float32)
        chosen = choose(logits, allowed, Sampling(temperature=0), rng)
        if layout.vocabulary[chosen].startswith("Pitch"):
            pitches += 1
            chosen = layout.index[others.get(pitches, layout.vocabulary[chosen])]
            assert allowed[chosen]
        grammar.advance(chosen)
        for note in grammar.notes[filed:]:
            bars.setdefault(note.bar, []).append(note)
        filed = len(grammar.notes)


def tune(seed: int, programs: Sequence[int] = (0, 33, DRUMS)) -> list[Struck]:
    """A bar of 4/4 by dice, in which no note goes over its beat."""
    rng = np.random.default_rng(seed)
    notes = []
    for position in sorted(rng.choice(8, rng.integers(2, 8), replace=False) * 6):
        for program in programs:
            low, high = {33: (28, 50), DRUMS: (35, 60)}.get(program, (48, 84))
            for pitch in sorted(rng.choice(range(low, high), rng.integers(0, 4), replace=False)):
                velocity = int(rng.choice([63, 79, 95]))
                duration = str(rng.choice(["0.3.12", "0.6.12"]))
                notes.append(Struck(0, int(position), program, int(pitch), velocity, duration))
    return notes


def begun(
    plan: Plan, notes: Sequence[Struck], row: Row, *, form: float = 1.0, late: bool = False
) -> tuple[ScoreGrammar, Guides, dict[int, list[Struck]]]:
    """A piece whose first bar is written, and whose second one repeats or varies it."""
    from textmusic.tokens.folding import spelt

    grammar, index = ScoreGrammar(the_layout(), plan, late=late), the_layout().index
    assert plan.bars
    for token in [*spelt(notes, 0, 1, plan.bars), f"Bar_{plan.bars - 1}"]:
        assert grammar.allowed()[index[token]], token
        grammar.advance(index[token])
    bars = {0: list(notes)}
    guide = Guides(the_layout(), plan, Sketch((Row(), row)), bars, harmony=0, form=form)
    return grammar, guide, bars


TRIO = Plan(programs=(0, 33, DRUMS), key="C major", tempo=100.0, time_signature="4/4", bars=16)


@many
@given(seed=st.integers(0, 10_000), dice=st.none() | st.integers(0, 100))
def test_a_bar_that_repeats_another_is_that_bar(seed: int, dice: int | None) -> None:
    """With strength 1 and a model that knows nothing, note by note."""
    notes = tune(seed)
    grammar, guide, bars = begun(TRIO, notes, Row(like=0))
    greedy(grammar, guide, bars, 2, seed=dice)
    assert [note._replace(bar=0) for note in bars.get(1, [])] == notes


def test_a_bar_that_repeats_silence_is_silent() -> None:
    grammar, guide, bars = begun(TRIO, [], Row(like=0), late=True)
    bars[0] = []
    greedy(grammar, guide, bars, 2)
    assert 1 not in bars


@many
@given(seed=st.integers(0, 10_000), up=st.sampled_from([1, 2, 5]), data=st.data())
def test_a_departure_is_come_back_from(seed: int, up: int, data: st.DataObject) -> None:
    """One pitch is written otherwise: what stands behind it in the bar is the same again."""
    notes = [note for note in tune(seed, (0, 33)) if note.pitch < 90]
    alone = [  # a chord's other tones may be passed over
        number
        for number, note in enumerate(notes, 1)
        if sum(n.position == note.position and n.program == note.program for n in notes) == 1
    ]
    assume(alone)
    which = data.draw(st.sampled_from(alone))
    other = notes[which - 1]._replace(pitch=notes[which - 1].pitch + up)
    grammar, guide, bars = begun(TRIO, notes, Row(like=0))
    greedy(grammar, guide, bars, 2, {which: f"Pitch_{other.pitch}"})
    wanted = [*notes[: which - 1], other, *notes[which:]]
    assert [note._replace(bar=0) for note in bars[1]] == wanted


def test_a_departure_within_a_chord_leaves_the_tones_above_it() -> None:
    chord = [Struck(0, 0, 0, pitch, 79, "0.6.12") for pitch in (60, 64, 67)]
    after = Struck(0, 24, 0, 72, 79, "0.6.12")
    grammar, guide, bars = begun(TRIO, [*chord, after], Row(like=0))
    greedy(grammar, guide, bars, 2, {1: "Pitch_65"})
    assert [(n.position, n.pitch) for n in bars[1]] == [(0, 65), (0, 67), (24, 72)]


def test_another_position_is_gone_on_from_at_the_next_one_of_the_bar() -> None:
    notes = [Struck(0, at, 0, 60 + at // 6, 79, "0.6.12") for at in (0, 12, 24, 36)]
    grammar, guide, bars = begun(TRIO, notes, Row(like=0))
    index = the_layout().index
    for token in ("Position_14", "Pitch_50"):
        assert grammar.allowed()[index[token]]
        grammar.advance(index[token])
    bars[1] = grammar.notes[-1:]
    greedy(grammar, guide, bars, 2)
    assert [(n.position, n.pitch) for n in bars[1]] == [(14, 50), (24, 64), (36, 66)]


@many
@given(seed=st.integers(0, 10_000))
def test_a_bar_that_varies_another_has_its_rhythm(seed: int) -> None:
    """Places, instruments, lengths and how many notes; pitches are the model's own."""
    notes = [note._replace(velocity=79) for note in tune(seed)]
    grammar, guide, bars = begun(TRIO, notes, Row(vary=0))
    greedy(grammar, guide, bars, 2)  # the lowest pitches, so that there is room above

    def rhythm(bar: Sequence[Struck]) -> list[tuple[int, int, str]]:
        return [(n.position, n.program, n.duration) for n in bar]

    found = bars.get(1, [])
    assert rhythm(found) == rhythm(notes)
    if len(notes) >= 4:
        assert [note.pitch for note in found] != [note.pitch for note in notes]


def test_what_still_sounds_is_passed_over() -> None:
    """C is held into the bar that should begin with it: the rest of the chord is struck."""
    chord = [Struck(0, 0, 0, pitch, 79, "1.0.12") for pitch in (60, 64)]
    held = Struck(0, 36, 0, 60, 79, "2.0.12")
    grammar, guide, bars = begun(TRIO, [*chord, held], Row(like=0))
    greedy(grammar, guide, bars, 2)
    assert [(n.position, n.pitch) for n in bars[1]] == [(0, 64), (36, 60)]


def test_a_length_that_has_no_room_is_cut() -> None:
    """The last bar repeats one whose last note sounds on over the bar line."""
    plan = Plan(programs=(0,), key="C major", tempo=100.0, time_signature="4/4", bars=2)
    notes = [Struck(0, 0, 0, 60, 79, "1.0.12"), Struck(0, 24, 0, 64, 79, "3.6.12")]
    grammar, guide, bars = begun(plan, notes, Row(like=0))
    greedy(grammar, guide, bars, 2)
    assert grammar.done
    assert bars[1] == [notes[0]._replace(bar=1), Struck(1, 24, 0, 64, 79, "2.0.12")]


def test_the_guide_is_as_strong_as_it_is_told() -> None:
    notes = [Struck(0, 0, 0, 60, 79, "0.6.12")]
    for strength in (0.25, 1.0):
        grammar, guide, _ = begun(TRIO, notes, Row(like=0), form=strength)
        logits = guide.guided(flat(), grammar.allowed(), grammar)
        expected = flat()
        expected[the_layout().index["Position_0"]] = FORM_NATS * strength
        assert np.array_equal(logits, expected)


def test_instruments_that_stand_already_are_not_followed() -> None:
    """A bass is added to a piano: it repeats what the bass had in bar 0, not what the piano has."""
    piano = [Struck(0, at, 0, 60, 79, "0.6.12") for at in (0, 12)]
    bass = [Struck(0, 24, 33, 36, 79, "1.0.12")]
    standing = [*piano, *(note._replace(bar=1) for note in piano)]
    grammar = ScoreGrammar(the_layout(), TRIO, bars=(1, 2), programs=[33], standing=standing)
    bars = {0: [*piano, *bass], 1: list(standing[2:])}
    guide = Guides(the_layout(), TRIO, Sketch((Row(), Row(like=0))), bars, harmony=0, form=1)
    greedy(grammar, guide, bars, 2)
    assert grammar.notes == [bass[0]._replace(bar=1)]
    assert grammar.done


def test_a_model_s_strong_will_is_above_the_guide() -> None:
    """It is a bias, and no rule: what the model is very sure of is written."""
    notes = [Struck(0, 0, 0, 60, 79, "0.6.12")]
    grammar, guide, _ = begun(TRIO, notes, Row(like=0))
    sure = flat()
    sure[the_layout().index["Position_12"]] = FORM_NATS + 2
    logits = guide.guided(sure, grammar.allowed(), grammar)
    assert tokens_of([int(np.where(grammar.allowed(), logits, -np.inf).argmax())]) == [
        "Position_12"
    ]
