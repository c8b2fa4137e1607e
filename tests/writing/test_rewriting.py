"""Bars of files written anew, and instruments added: all else in them stays event for event."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contents import notes_in
from symusic import Note, Score, TimeSignature, Track

from textmusic.engines.protocol import Floats32
from textmusic.errors import TextMusicError
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.midi_changes import is_chord_track
from textmusic.music.midi_events import Event, MidiEvents, parse
from textmusic.music.midi_files import read_events
from textmusic.music.midi_replacing import held_notes
from textmusic.music.theory import DRUMS
from textmusic.result.change import without_recipe
from textmusic.result.generation import Generation
from textmusic.result.recipe import read_recipe, same_piece
from textmusic.writing import take
from textmusic.writing.leanings import with_others
from textmusic.writing.repeating import again, source_of
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data" / "midi"
# A piece each of several tempi, of a setup track, of pedal and bends, of notes that nothing ends.
STRANGERS = ("ramp", "setup-track", "pedal", "never-off", "song.rmi", "trio", "text-between")


def stranger(name: str) -> Path:
    return DATA / (name if "." in name else f"{name}.mid")


def piece(bars: int = 8, programs: tuple[int, ...] = (0, 33)) -> Score:
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    for program in programs:
        drums = program == DRUMS
        track = Track(program=0 if drums else program, is_drum=drums)
        for n in range(4 * bars):
            pitch = 36 if drums else 48 + 12 * (program == 0) + (0, 4, 7, 5)[n % 4]
            track.notes.append(Note(480 * n, 470, pitch, 80))
        score.tracks.append(track)
    return score


def events_outside(midi: MidiEvents, begin: int, end: int) -> list[list[Event]]:
    """Of each track with notes, what is no note and lies outside of some ticks."""
    return [
        [
            e for e in track.events
            if not (e.starts_note or e.ends_note) and not begin <= e.tick <= end
        ]
        for track in midi.tracks
        if not is_chord_track(track)
    ]  # fmt: skip


def places(midi: MidiEvents) -> Counter[tuple[int, ...]]:
    return Counter((n.track, n.start, n.stop, n.pitch, n.program) for n in held_notes(midi))


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_s_file_keeps_all_that_is_not_rewritten(tiny: TextToMusic, name: str) -> None:
    source = read_events(stranger(name))
    program = held_notes(source)[-1].program
    (made,) = tiny.rewrite(source, bars=(2, 2), instruments=[program], seed=1)
    found = without_recipe(parse(made.midi()))
    bar = 4 * source.division
    assert events_outside(found, bar, 2 * bar) == events_outside(source, bar, 2 * bar)
    step = source.division / 12
    kept = Counter(
        (n.track, n.start, n.stop, n.pitch, n.program)
        for n in held_notes(source)
        if not (bar <= int(n.start / step + 0.5) * step < 2 * bar and n.program == program)
        and not (n.start < bar < n.stop)
    )
    assert kept <= places(found)
    new = places(found) - kept
    assert all(place[1] < 2 * bar for place in new)


def test_versions_have_the_seeds_behind_the_first(tiny: TextToMusic) -> None:
    source = piece()
    three = tiny.rewrite(source, 3, bars=(3, 4), seed=7)
    assert [one.seed for one in three] == [7, 8, 9]
    (third,) = tiny.rewrite(source, bars=(3, 4), seed=9)
    assert notes_in(three[2]) == notes_in(third) != notes_in(three[1])
    assert three[0].report.new_bars == (2, 4)


def test_new_notes_end_with_the_bars(tiny: TextToMusic) -> None:
    for made in tiny.rewrite(piece(), 4, bars=(3, 4), seed=1):
        assert made.events is not None
        ends = [n.stop for n in held_notes(made.events) if n.start < 16 * 480]
        assert max(ends) <= 16 * 480


def test_a_name_means_the_piece_s_own_instrument(tiny: TextToMusic) -> None:
    (made,) = tiny.rewrite(piece(programs=(0, 33, 48)), instruments=["bass"], bars=(3, 4), seed=1)
    assert made.plan.programs == (0, 33, 48)
    (made,) = tiny.rewrite(piece(programs=(0, 41)), instruments=["strings"], seed=1)
    assert made.plan.programs == (0, 41)


def test_chords_can_be_asked_for(tiny: TextToMusic) -> None:
    (made,) = tiny.rewrite(piece(), bars=(3, 6), outline=parse_chords("F | G"), seed=1)
    chords = [row.chords for row in made.sketch.rows[2:6]]
    assert chords == [((0, Chord(root, "maj")),) for root in (5, 7, 5, 7)]


def test_parts_are_added(tiny: TextToMusic) -> None:
    source = piece()
    (made,) = tiny.add(source, ["drums", "flute"], seed=1)
    assert made.plan.programs == (0, 33, 73, DRUMS)
    assert made.events is not None
    old = places(parse(bytes(source.dumps_midi())))
    assert old <= places(made.events)
    (some,) = tiny.add(source, ["flute"], bars=(3, 4), seed=1)
    assert some.events is not None
    starts = [n.start for n in held_notes(some.events) if n.program == 73]
    assert starts and min(starts) >= 8 * 480 and max(starts) < 16 * 480


def test_a_bass_that_is_added_plays_one_note_at_a_time(tiny: TextToMusic) -> None:
    (made,) = tiny.add(piece(programs=(0,)), ["bass"], seed=1)
    assert made.events is not None
    starts = [n.start for n in held_notes(made.events) if n.program == 33]
    assert starts and len(starts) == len(set(starts))


def test_what_is_in_an_earlier_metre_stays_and_is_said(tiny: TextToMusic) -> None:
    source = piece(8)
    source.time_signatures.append(TimeSignature(8 * 480, 3, 4))
    (made,) = tiny.add(source, ["flute"], seed=1)
    assert "bars 1 to 2 stay as they are" in " ".join(made.report.remarks)


def test_a_piece_whose_first_time_signature_comes_late_begins_in_four_quarters(
    tiny: TextToMusic,
) -> None:
    source = piece(8)
    source.time_signatures.clear()
    source.time_signatures.append(TimeSignature(8 * 480, 3, 4))
    with pytest.raises(TextMusicError, match="bar 1 is before the last change"):
        tiny.rewrite(source, bars=(1, 2), seed=1)


def test_of_two_time_signatures_at_one_place_the_last_one_counts(tiny: TextToMusic) -> None:
    source = piece(6)
    source.time_signatures.append(TimeSignature(0, 3, 4))  # behind the 4/4 of every such piece
    (made,) = tiny.rewrite(source, bars=(2, 3), seed=1)
    assert made.plan.time_signature == "3/4" and made.plan.bars == 8


@pytest.mark.parametrize("way", ["rewrite", "add"])
def test_a_recipe_makes_it_again(tiny: TextToMusic, tmp_path: Path, way: str) -> None:
    source = read_events(DATA / "trio.mid")
    made: list[Generation]
    if way == "rewrite":
        made = tiny.rewrite(source, 2, bars=(2, 3), instruments=["viola"], text="sad", seed=4)
    else:
        made = tiny.add(source, ["flute"], 2, bars=(2, 4), text="sad", seed=4)
    for one in made:
        (path,) = one.save(tmp_path, formats=["mid"], stem=str(one.seed))
        recipe = read_recipe(path)
        assert recipe.change is not None and recipe.change.how == way
        same = again(recipe, source_of(recipe.change, None, [DATA]), tiny)
        assert same_piece(path, same) and same.midi() == one.midi()
    # what is written once more does not say how it was written before
    (anew,) = tiny.rewrite(parse(made[0].midi()), bars=(1, 1), seed=1)
    assert anew.midi().count(b"textmusic recipe") == 0


@pytest.mark.parametrize(
    ("way", "options", "sentence"),
    [
        ("rewrite", {}, "rewriting needs to know where; give bars such as 5-8, or instruments"),
        ("rewrite", {"bars": (7, 9)}, "bars 7 to 9 do not exist; choose from bars 1 to 8"),
        ("rewrite", {"bars": (8, 5)}, "bars 8 to 5 do not exist"),
        ("rewrite", {"bars": (1, 300)}, "bars 1 to 300 do not exist"),
        ("rewrite", {"instruments": ["oboe"]}, "the piece has no oboe, but"),
        ("rewrite", {"instruments": ["drums"]}, "the piece has no drums, but"),
        ("rewrite", {"bars": (1, 2), "n": 17}, "variations 17 is out of range"),
        ("add", {"instruments": []}, "there is nothing to add; name instruments"),
        ("add", {"instruments": ["piano"]}, "the piano already plays; rewrite it"),
        ("add", {"instruments": ["flute"], "bars": (9, 9)}, "bars 9 to 9 do not exist"),
    ],
)
def test_what_can_t_be_done_is_a_sentence(
    tiny: TextToMusic, way: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TextMusicError, match=sentence) as said:
        getattr(tiny, way)(piece(), seed=1, **options)
    assert "\n" not in str(said.value)


def test_drums_alone_and_empty_pieces(tiny: TextToMusic) -> None:
    drums = piece(programs=(DRUMS,))
    (made,) = tiny.rewrite(drums, bars=(3, 4), seed=1)
    assert made.plan.programs == (DRUMS,)
    (made,) = tiny.add(drums, ["bass"], seed=1)
    assert made.plan.programs == (33, DRUMS)
    (asked,) = tiny.add(drums, ["bass"], text="in D minor", seed=1)
    assert not asked.report.unused
    with pytest.raises(TextMusicError, match="has no note"):
        tiny.rewrite(Score(480), bars=(1, 1))
    with pytest.raises(TextMusicError, match="this would rewrite the whole piece"):
        tiny.rewrite(drums, instruments=["drums"])


@pytest.mark.slow
def test_a_piece_of_300_bars(tiny: TextToMusic) -> None:
    source = piece(300)
    (made,) = tiny.rewrite(source, bars=(290, 292), seed=1)
    assert made.report.new_bars == (289, 292)


def test_drums_that_are_added_strike_with_the_others(
    tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The places at which the others strike in the bar are favoured, and no other id is."""
    seen: list[set[str]] = []
    vocabulary = tiny.tokenizer.vocabulary

    def watched(logits: Floats32, *more: Any) -> Floats32:
        guided = with_others(logits, *more)
        seen.append({vocabulary[i] for i in np.flatnonzero(guided != logits)})
        return guided

    monkeypatch.setattr(take, "with_others", watched)
    tiny.add(piece(), ["drums"], seed=1)
    quarters = {f"Position_{12 * n}" for n in range(4)}
    assert seen and all(found == quarters for found in seen)
    seen.clear()
    tiny.add(piece(), ["flute"], seed=1)
    assert not seen
