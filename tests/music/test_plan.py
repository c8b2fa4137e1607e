"""Plans: keys, metres, tempi and the tokens that spell them."""

from __future__ import annotations

import dataclasses

import pytest

from textmusic.music.plan import (
    COUNTED_BARS,
    FIELDS,
    GENRES,
    TEMPO_MARKS,
    Plan,
    decode_plan,
    encode_plan,
    field_vocabulary,
    tempo_mark,
)
from textmusic.music.theory import (
    DRUMS,
    KEYS,
    NO_KEY,
    TIME_SIGNATURES,
    is_minor,
    key_name,
    quarters_per_bar,
    tonic,
    transposed,
)

FULL = Plan(
    genre="waltz",
    valence=2,
    arousal=1,
    programs=(0, 40, DRUMS),
    key="Eb minor",
    tempo=96.0,
    time_signature="3/4",
    bars=80,
    density=3,
    begin=True,
    end=False,
)


def test_a_plan_is_spelt_in_the_order_of_its_fields() -> None:
    assert encode_plan(FULL) == [
        "Genre_waltz", "Valence_2", "Arousal_1", "Program_0", "Program_40", "Program_128",
        "Key_Eb-minor", f"Tempo_{TEMPO_MARKS[tempo_mark(96.0)]}", "TimeSig_3/4", "Bars_64",
        "Density_3", "Begin_1", "End_0",
    ]  # fmt: skip


def test_open_fields_have_no_tokens() -> None:
    assert encode_plan(Plan()) == []
    assert decode_plan([]) == Plan()
    assert encode_plan(Plan(bars=12, end=False)) == ["Bars_12", "End_0"]


def test_more_than_64_bars_are_spelt_64() -> None:
    assert encode_plan(Plan(bars=256)) == encode_plan(Plan(bars=64)) == [f"Bars_{COUNTED_BARS}"]


def test_instruments_come_back_sorted() -> None:
    assert decode_plan(["Program_40", "Program_0"]).programs == (0, 40)


def test_every_token_of_every_field_decodes_to_a_value_that_spells_it() -> None:
    for field, tokens in field_vocabulary().items():
        for token in tokens:
            plan = decode_plan([token])
            assert [name for name, _ in plan.known()] == [field]
            assert encode_plan(plan) == [token]


def test_no_token_stands_for_two_things() -> None:
    tokens = [token for field in field_vocabulary().values() for token in field]
    assert len(tokens) == len(set(tokens))
    assert tuple(field_vocabulary()) == FIELDS


def test_over_fills_open_fields_only() -> None:
    asked = Plan(key="D minor", begin=False)
    merged = asked.over(FULL)
    assert (merged.key, merged.begin, merged.genre) == ("D minor", False, "waltz")
    assert Plan().over(FULL) == FULL
    assert FULL.over(Plan()) == FULL


def test_known_keeps_false_apart_from_open() -> None:
    assert dict(Plan(begin=False).known()) == {"begin": False}


def test_plans_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.bars = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("key", "pitch_class"),
    [("C major", 0), ("Db major", 1), ("C# minor", 1), ("Eb minor", 3), ("F# major", 6),
     ("Ab minor", 8), ("B minor", 11), ("Bb major", 10)],
)  # fmt: skip
def test_tonic(key: str, pitch_class: int) -> None:
    assert tonic(key) == pitch_class
    assert key_name(pitch_class, is_minor(key)) == key


def test_there_is_one_key_for_each_tonic_and_mode() -> None:
    assert len({(tonic(key), is_minor(key)) for key in KEYS}) == len(KEYS) == 24


@pytest.mark.parametrize("key", KEYS)
def test_transposing_by_an_octave_or_there_and_back_changes_nothing(key: str) -> None:
    assert transposed(key, 12) == transposed(key, -12) == key
    for semitones in range(-5, 7):
        there = transposed(key, semitones)
        assert (tonic(there) - tonic(key)) % 12 == semitones % 12
        assert is_minor(there) == is_minor(key)
        assert transposed(there, -semitones) == key


def test_no_key_stays_no_key() -> None:
    assert transposed(NO_KEY, 5) == NO_KEY


@pytest.mark.parametrize(
    ("metre", "quarters"), [("4/4", 4), ("6/8", 3), ("2/2", 4), ("7/8", 3.5), ("3/2", 6)]
)
def test_quarters_per_bar(metre: str, quarters: float) -> None:
    assert quarters_per_bar(metre) == quarters


@pytest.mark.parametrize("tempo", [30.0, 30.1, 61.3, 96.0, 120.0, 200.0, 250.0])
def test_a_tempo_is_at_most_half_a_step_from_its_mark(tempo: float) -> None:
    assert abs(TEMPO_MARKS[tempo_mark(tempo)] / tempo - 1) < 0.024


def test_closed_vocabularies() -> None:
    assert len(GENRES) == len(set(GENRES)) == 41
    assert len(TIME_SIGNATURES) == len(set(TIME_SIGNATURES)) == 14
