"""Theme and variations: harmony and form are the theme's."""

from __future__ import annotations

from pathlib import Path

import pytest
from symusic import Note, Score, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.music.midi_files import read_events
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import notes_of
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS
from textmusic.music.turning import in_metre, turned
from textmusic.result.recipe import read_recipe, same_piece
from textmusic.writing.repeating import again, source_of
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.varying import Theme, heard_as, usual_variations

DATA = Path(__file__).parents[1] / "data" / "midi"
CHORDS = ((60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67))


def theme(bars: int = 8, program: int = 0) -> Score:
    """C F G C, each for a bar, twice."""
    score = Score(480)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    track = Track(program=0 if program == DRUMS else program, is_drum=program == DRUMS)
    for bar in range(bars):
        for beat in range(4):
            for pitch in CHORDS[bar % 4]:
                track.notes.append(Note(480 * (4 * bar + beat), 470, pitch, 80))
    score.tracks.append(track)
    return score


def test_harmony_and_form_are_the_theme_s(tiny: TextToMusic) -> None:
    source = Theme(theme())
    assert [row.like for row in source.sketch.rows[4:]] == [0, 1, 2, 0]
    made = tiny.vary(theme(), 3, seed=1)
    for piece in made:
        assert piece.plan.bars == 8
        wanted = heard_as(piece, source)
        assert [r.chords for r in piece.sketch.rows] == [r.chords for r in wanted.rows]
        assert [r.like for r in piece.sketch.rows] == [r.like for r in wanted.rows]
    names = [piece.report.remarks[0] for piece in made]
    assert names[1] == "variation 2, another metre: a waltz in 3/4"
    assert names[2] == "variation 3, the other mode: C minor"
    assert (made[1].plan.time_signature, made[2].plan.key) == ("3/4", "C minor")
    assert heard_as(made[2], source) == turned(source.sketch, "C major", "C minor")
    assert heard_as(made[1], source) == in_metre(source.sketch, "4/4", "3/4")


def test_words_say_what_a_variation_is(tiny: TextToMusic) -> None:
    (made,) = tiny.vary(theme(), text="waltz, minor, for strings", seed=1)
    plan = made.plan
    assert (plan.key, plan.time_signature, plan.genre) == ("C minor", "3/4", "waltz")
    assert plan.programs == (48,) and "variation" not in str(made.report.remarks)
    (made,) = tiny.vary(theme(), text="in D major, 3 bars", controls=Plan(tempo=90.0), seed=1)
    assert (made.plan.key, made.plan.tempo, made.plan.bars) == ("D major", 90.0, 8)
    assert made.plan.programs == (0,), "the theme's own, where nothing else is asked for"
    assert made.report.unused == ("'3': a variation has its theme's bars",)
    (made,) = tiny.vary(theme(), text="变奏，小调", seed=1)
    assert made.plan.key == "C minor"
    assert made.report.unused == ("'变奏': not understood",)
    (made,) = tiny.vary(theme(), text="in a minor key", seed=1)
    assert made.plan.key == "C minor" and not made.report.unused


def test_a_genre_has_a_metre_that_is_usual_in_it(tiny: TextToMusic) -> None:
    jig = theme()
    jig.time_signatures.clear()
    jig.time_signatures.append(TimeSignature(0, 6, 8))
    for text, metre in (("jazz", "4/4"), ("march", "6/8"), ("calm", "6/8"), ("jazz in 6/8", "6/8")):
        (made,) = tiny.vary(jig, text=text, seed=1)
        assert made.plan.time_signature == metre, text
        assert made.plan.bars == Theme(jig).plan.bars


def test_only_one_of_the_usual_ones(tiny: TextToMusic) -> None:
    (made,) = tiny.vary(theme(), number=2, seed=5)
    assert made.plan.key == "C minor" and made.seed == 5
    names = {variation.name for variation in usual_variations(Theme(theme()))}
    assert len(names) == 9


@pytest.mark.parametrize("text", ["", "a waltz"])
def test_a_recipe_makes_it_again(tiny: TextToMusic, tmp_path: Path, text: str) -> None:
    for made in tiny.vary(read_events(DATA / "trio.mid"), 2, text=text, seed=3):
        (path,) = made.save(tmp_path, formats=["mid"], stem=str(made.seed))
        recipe = read_recipe(path)
        assert recipe.change is not None and recipe.change.how == "vary"
        same = again(recipe, source_of(recipe.change, None, [DATA]), tiny)
        assert same_piece(path, same) and same.midi() == made.midi()


def test_drums_alone_and_what_is_no_theme(tiny: TextToMusic) -> None:
    source = theme(program=DRUMS)
    (made,) = tiny.vary(source, seed=1)
    assert made.plan.programs == (DRUMS,)
    assert not any("mode" in variation.name for variation in usual_variations(Theme(source)))
    with pytest.raises(TextMusicError, match="has no note"):
        tiny.vary(Score(480))
    with pytest.raises(TextMusicError, match="has 300 bars; give a theme of at most 256"):
        tiny.vary(theme(300))


def test_a_theme_with_its_variations_is_one_piece(tiny: TextToMusic, tmp_path: Path) -> None:
    source = read_events(DATA / "trio.mid")
    apart = tiny.vary(source, 3, seed=3)
    (made,) = tiny.vary(source, 3, seed=3, with_theme=True)
    old, bars = Theme(source), apart[0].plan.bars or 0
    assert [(bar, name) for bar, name in made.sections] == [
        (0, "Theme"),
        *((bars * n, f"Variation {n}") for n in (1, 2, 3)),
    ]
    notes, theme_notes = notes_of(made.score), notes_of(to_score(source))
    before = notes.chosen(notes.start < old.material.stop - 1e-6)
    assert sorted(zip(before.start, before.pitch, before.velocity, strict=True)) == sorted(
        zip(theme_notes.start, theme_notes.pitch, theme_notes.velocity, strict=True)
    )
    assert len(notes) == len(theme_notes) + sum(len(notes_of(one.score)) for one in apart)
    metres = [f"{mark.numerator}/{mark.denominator}" for mark in made.score.time_signatures]
    assert metres[-3:] == [one.plan.time_signature for one in apart]
    assert made.report.rows[4].measured == str(4 * bars)
    (path,) = made.save(tmp_path, formats=["mid"], stem="trio-variations")
    recipe = read_recipe(path)
    same = again(recipe, source_of(recipe.change, None, [DATA]), tiny)
    assert same_piece(path, same) and same.midi() == made.midi()
