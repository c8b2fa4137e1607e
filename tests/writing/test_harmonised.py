"""A melody harmonised: it stays note for note, and files of all kinds are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import DATA, TINY
from symusic import Note, Score, TimeSignature, Track

from textmusic.errors import TextMusicError
from textmusic.language.reading.progression import parse_chords
from textmusic.music.chords import Chord
from textmusic.music.midi_changes import is_chord_track
from textmusic.music.midi_events import META, TEXT, parse
from textmusic.music.notes import notes_of
from textmusic.music.sketch import Outline
from textmusic.result.generation import Generation
from textmusic.result.recipe import read_recipe, same_piece
from textmusic.writing.chorale import chorale, four_part, sung_by
from textmusic.writing.harmonising import chosen, in_symbols, proposals
from textmusic.writing.repeating import again
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.tunes import read_tune

TUNE = DATA / "own" / "tune.abc"
QUARTER = 96


@pytest.fixture(scope="module")
def music() -> TextToMusic:
    return TextToMusic.from_pretrained(TINY)


def melody(bars: int = 4, *, program: int = 0, drums: bool = False, chord: bool = False) -> Score:
    """Quarters up and down a scale."""
    score = Score(QUARTER)
    score.time_signatures.append(TimeSignature(0, 4, 4))
    track = Track(program=program, is_drum=drums, name="mine")
    scale = (60, 62, 64, 65, 67, 69, 67, 65)
    for n in range(4 * bars):
        track.notes.append(Note(n * QUARTER + n % 2, QUARTER - 9, scale[n % 8], 70 + n % 5))
        if chord:
            track.notes.append(Note(n * QUARTER, QUARTER, scale[n % 8] - 12, 70))
    score.tracks.append(track)
    return score


def struck(track: Track) -> list[tuple[int, int, int, int]]:
    return [(n.time, n.duration, n.pitch, n.velocity) for n in track.notes]


@pytest.mark.parametrize("program", [0, 73])
def test_the_melody_stays_and_the_accompaniment_has_its_own_track(
    music: TextToMusic, program: int
) -> None:
    """Also where one instrument plays both."""
    score = melody(program=program)
    piece = music.harmonise(score, instruments=["piano"], seed=1)
    first, *others = piece.score.tracks
    assert struck(first) == struck(score.tracks[0]) and first.program == program
    assert first.name == "mine"
    assert [track.program for track in others] == [0] and len(others[0].notes)
    assert piece.score.ticks_per_quarter == QUARTER
    again = music.harmonise(score, instruments=["piano"], seed=1)
    assert struck(again.score.tracks[1]) == struck(others[0])


def test_the_chords_are_those_asked_for_picked_named_or_proposed(music: TextToMusic) -> None:
    tune = read_tune(TUNE)
    assert (tune.key, tune.metre, tune.bars, tune.title[:7]) == ("C major", "4/4", 12, "Twinkle")
    assert in_symbols(tune.own, tune.key).startswith("| C | F C | F C | G7 C | C F | C G |")
    assert chosen(tune).rows == tune.own
    found = proposals(tune)
    assert chosen(tune, pick=2).rows == found[1].rows
    asked = chosen(tune, parse_chords("Am F C G"))
    assert [row[0][1] for row in asked.rows[:5]] == [
        Chord(9, "min"), Chord(5, "maj"), Chord(0, "maj"), Chord(7, "maj"), Chord(9, "min")
    ]  # fmt: skip
    piece = music.harmonise(melody(), outline=parse_chords("Am F C G"), seed=1)
    assert [row.chords for row in piece.sketch.rows] == [
        ((0, Chord(9, "min")),), ((0, Chord(5, "maj")),), ((0, Chord(0, "maj")),),
        ((0, Chord(7, "maj")),),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("score", "chords", "said"),
    [
        (melody(drums=True), "", "drums alone"),
        (melody(0), "", "no notes"),
        (melody(300), "", "at most 256 bars"),
        (melody(2), "C F G", "the chords fill 3 bars and the melody 2"),
        (melody(2), "| C F G C F | G |", "5 chords do not fit into a bar"),
    ],
)
def test_what_can_t_be_harmonised_is_said(score: Score, chords: str, said: str) -> None:
    outline = parse_chords(chords) if chords else Outline()
    with pytest.raises(TextMusicError, match=said):
        chosen(read_tune(score), outline)


def test_wrong_picks_and_files_are_said(tmp_path: Path) -> None:
    tune = read_tune(melody())
    with pytest.raises(TextMusicError, match="nothing to pick"):
        chosen(tune, parse_chords("C"), 2)
    with pytest.raises(TextMusicError, match="choose 1 to 9"):
        chosen(tune, pick=10)
    with pytest.raises(TextMusicError, match="is not a music file that can be read"):
        read_tune(tmp_path / "song.txt")
    with pytest.raises(TextMusicError, match="can't be read"):
        read_tune(tmp_path / "missing.abc")
    (tmp_path / "bad.musicxml").write_text("<nothing/>")
    with pytest.raises(TextMusicError, match="is not MusicXML"):
        read_tune(tmp_path / "bad.musicxml")


# Four voices --------------------------------------------------------------------------------------


def test_a_chorale_keeps_the_melody_and_the_rules() -> None:
    tune = read_tune(TUNE)
    made = four_part(tune, chosen(tune).rows)
    assert not any(made.faults(tune).values())
    piece = chorale(tune, chosen(tune))
    assert [track.name for track in piece.score.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert struck(piece.score.tracks[0]) == struck(tune.score.tracks[0])
    assert "voice leading: no faults" in piece.report.remarks


def test_a_low_melody_goes_up_and_chords_give_their_top_line() -> None:
    score = melody(chord=True)
    for note in score.tracks[0].notes:
        note.pitch -= 12
    piece = chorale(tune := read_tune(score), chosen(tune))
    top = {note.time // QUARTER: note.pitch for note in piece.score.tracks[0].notes}
    assert [top[n] for n in range(8)] == [60, 62, 64, 65, 67, 69, 67, 65]
    assert any("octave up" in said for said in piece.report.remarks)
    assert any("top line is the soprano" in said for said in piece.report.remarks)


def test_rests_of_a_bar_do_not_silence_the_other_voices() -> None:
    score = melody(6)
    kept = [n for n in score.tracks[0].notes if not 8 <= n.time // QUARTER < 11]
    score.tracks[0].notes.clear()
    score.tracks[0].notes.extend(kept)
    made = four_part(tune := read_tune(score), chosen(tune).rows)
    for voice in made.voices[1:]:
        assert all(any(b <= t < e for b, e, _ in voice) for t in range(24)), "no hole"


def test_a_note_that_is_held_a_little_long_calls_no_voice_in() -> None:
    score = melody(2)
    score.tracks[0].notes[-1].duration = QUARTER + 8
    made = four_part(tune := read_tune(score), chosen(tune).rows)
    assert max(end for voice in made.voices[1:] for _, end, _ in voice) == 8, (
        "the third bar is empty"
    )


def test_chords_behind_a_change_of_metre_stand_in_their_bars() -> None:
    """Four bars of 4/4, then four of 6/8: the names are counted in eighths there."""
    score = melody(7)
    score.time_signatures.append(TimeSignature(16 * QUARTER, 6, 8))
    asked = "| C G Am F G C | F C | C | G |"
    piece = chorale(tune := read_tune(score), chosen(tune, parse_chords(asked)))
    assert piece.plan.time_signature == piece.report.measured.time_signature == "6/8"
    assert piece.report.kept.chords is not None and piece.report.kept.chords > 0.8
    midi = parse(piece.midi())
    (names,) = [track for track in midi.tracks if is_chord_track(track)]
    eighths = [round(event.tick * 2 / midi.division) for event in names.events
               if event.message[:2] == bytes((META, TEXT))]  # fmt: skip
    assert eighths == [32, 33, 34, 35, 36, 37, 38, 41, 50]


def test_who_can_sing_a_chorale() -> None:
    assert sung_by(()) == (52,) * 4
    assert sung_by(["string quartet"]) == (40, 40, 41, 42)
    assert sung_by(["organ"])[0] == sung_by(["organ"])[3]
    with pytest.raises(TextMusicError, match="four voices"):
        sung_by(["flute", "piano"])


# Again --------------------------------------------------------------------------------------------


def _kept(piece: Generation, folder: Path) -> Path:
    return piece.save(folder, formats=("mid",), stem="made")[0]


@pytest.mark.parametrize("style", ["", "chorale"])
def test_what_was_harmonised_is_made_again_from_its_file(
    music: TextToMusic, tmp_path: Path, style: str
) -> None:
    melody().dump_midi(tmp_path / "mine.mid")
    tune = read_tune(tmp_path / "mine.mid")
    if style:
        piece = chorale(tune, chosen(tune, pick=2))
    else:
        band = ["guitar", "drums"]
        piece = music.harmonise(tune, instruments=band, pick=2, text="calm", seed=4)
    file = _kept(piece, tmp_path)
    recipe = read_recipe(file)
    assert recipe.change is not None and recipe.change.name == "mine.mid"
    assert tune.events is not None
    assert same_piece(file, again(recipe, recipe.change and tune.events, music))
    assert len(notes_of(piece.score)) > 16


def test_out_and_in_again_a_lead_sheet_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("music21", reason="needs the score extra (music21)")
    tune = read_tune(TUNE)
    piece = chorale(tune, chosen(tune))
    (file,) = piece.save(tmp_path, formats=("lead.musicxml",), stem="song")
    assert file.name == "song.lead.musicxml"
    read = read_tune(file)
    assert (read.key, read.metre, read.own) == (tune.key, tune.metre, tune.own)
    for column in ("start", "duration", "pitch"):
        assert getattr(read.notes, column).tolist() == getattr(tune.notes, column).tolist()
