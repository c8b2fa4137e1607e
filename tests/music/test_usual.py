"""What is usual in a genre: figures counted by hand, and the table that the package has."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from textmusic.corpus.windows import Window
from textmusic.music import usual
from textmusic.music.plan import GENRES, MAX_PROGRAMS, Plan
from textmusic.music.theory import DRUMS, TIME_SIGNATURES, tempo_bin
from textmusic.music.usual import BANDS, BASSES, RARE, THIN, Seen, Usual, measured

BAND = (0, 33, DRUMS)


def window(
    piece: str,
    programs: tuple[int, ...],
    *,
    tempo: float = 100.0,
    metre: str = "4/4",
    weight: float = 1.0,
    genres: tuple[str, ...] = ("pop",),
) -> Seen:
    plan = Plan(programs=programs, tempo=tempo, time_signature=metre)
    return Seen(piece, genres, plan, weight)


def test_shares_counted_by_hand() -> None:
    """Eight pianos and two bands; a bare piano is no pop song, but it is heard in pop."""
    seen = [window(str(n), (0,)) for n in range(8)] + [
        window("8", BAND, metre="3/4"),
        window("9", (*BAND[:2], 40, DRUMS)),
    ]
    found = measured(seen, "pop")
    assert found.pieces == 10
    assert found.programs == {BAND: 0.5, (0, 33, 40, DRUMS): 0.5}
    assert found.heard == {(0,): 0.8, BAND: 0.1, (0, 33, 40, DRUMS): 0.1}
    assert found.metres == {"4/4": 0.9, "3/4": 0.1}
    assert measured(seen, None).programs == found.heard, "of all music nothing is left out"


def test_weights_are_those_of_training() -> None:
    """A window of two genres is half a window of each; heavier sources count for more."""
    seen = [window("a", BAND, weight=3.0), window("b", BAND[:2], genres=("lied", "romantic"))]
    assert measured(seen, "romantic").heard == {
        BAND: round(3 / 3.5, 4),
        BAND[:2]: round(0.5 / 3.5, 4),
    }
    assert measured(seen, None).heard == {BAND: 0.75, BAND[:2]: 0.25}


def test_what_is_rarer_than_one_in_a_hundred_is_left_out() -> None:
    seen = [window(str(n), (0,), genres=("lied",)) for n in range(198)]
    rare = [window("x", (0, 53), metre="5/8", tempo=35.0, genres=("lied",))]
    found = measured(seen + rare, "lied")
    assert list(found.programs) == [(0,)] and list(found.metres) == ["4/4"]
    assert list(found.tempo_bins) == [tempo_bin(100.0)]
    found = measured(seen[:99] + rare, "lied")
    assert set(found.programs) == {(0,), (0, 53)} and found.tempo_bins[0] == 0.01


def test_the_usual_tempi_lie_between_the_5th_and_the_95th_percentile() -> None:
    found = measured([window(str(n), BAND, tempo=100.0 + n) for n in range(1, 101)], "pop")
    assert found.tempi == (105.0, 195.0)
    assert found.has_tempo(105.0) and found.has_tempo(195.0)
    assert not found.has_tempo(104.9) and not found.has_tempo(196.0)
    heavy = [window("a", BAND, tempo=60.0), window("b", BAND, tempo=120.0, weight=99.0)]
    assert measured(heavy, "pop").tempi == (120.0, 120.0)
    assert not measured(heavy, "pop").has_tempo(119.0), "the same bin, but no usual tempo"


def test_what_an_open_choice_may_be() -> None:
    for genre in BANDS:
        assert usual.counts(genre, BAND)
        assert not usual.counts(genre, (0,)), "an arrangement"
        assert not usual.counts(genre, (DRUMS,)), "drums for practice"
        assert not usual.counts(genre, (0, 26, DRUMS)), "no bass"
    assert not usual.counts("march", (40,)) and not usual.counts("christmas", (53,))
    assert usual.counts("march", (0,)) and usual.counts("christmas", (52,))
    assert usual.counts("celtic", (40,)) and usual.counts(None, (40,))
    assert usual.is_tune((73,)) and not usual.is_tune((0,)) and not usual.is_tune((40, 42))


def test_what_is_written_is_read_back() -> None:
    found = measured([window("a", BAND), window("b", (0,), metre="6/8", tempo=61.5)], "jazz")
    assert Usual.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_genre_of_few_pieces_has_the_figures_of_all_music(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = measured([window(str(n), (0,)) for n in range(THIN)], "lied").to_dict()
    few = measured([window(str(n), (40,)) for n in range(THIN - 1)], "folk").to_dict()
    every = measured([window("a", (52,))], None).to_dict()
    data = {"all": every, "lied": many, "folk": few}
    monkeypatch.setattr(usual, "load_data", lambda name: data)
    usual.of.cache_clear()
    try:
        assert usual.of("lied").programs == {(0,): 1.0}
        assert usual.of("folk") == usual.of("metal") == usual.of(None) == Usual.from_dict(every)
    finally:
        usual.of.cache_clear()


@pytest.mark.parametrize("genre", [None, *GENRES])
def test_the_table_of_the_package(genre: str | None) -> None:
    found = usual.of(genre)
    assert found.pieces >= THIN, "no genre has too few pieces for figures of its own"
    for shares in (found.programs, found.heard, found.metres, found.tempo_bins):
        assert shares and all(RARE <= share <= 1 for share in shares.values())
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        assert sum(shares.values()) <= 1.001  # each is rounded
    for programs in (*found.programs, *found.heard):
        assert list(programs) == sorted(set(programs)) and len(programs) <= MAX_PROGRAMS
        assert all(0 <= p <= DRUMS for p in programs)
    assert all(usual.counts(genre, programs) for programs in found.programs)
    assert set(found.metres) <= set(TIME_SIGNATURES)
    assert 30 <= found.tempi[0] < found.tempi[1] <= 250
    if genre in BANDS:
        assert all(DRUMS in s and BASSES & set(s) for s in found.programs)


def test_figures_that_any_musician_would_expect() -> None:
    assert max(usual.of("string-quartet").programs.items(), key=lambda i: i[1])[0] == (40, 41, 42)
    assert usual.of("waltz").metres["3/4"] > 0.9
    assert list(usual.of("piano-solo").programs) == [(0,)]
    assert list(usual.of("drums").programs) == [(DRUMS,)]
    assert usual.of("jazz").tempi[1] > usual.of("chorale").tempi[1]
    assert usual.of("celtic").is_tunes and not usual.of("march").is_tunes


def test_genres_of_instruments_are_those_that_have_them_or_their_relatives() -> None:
    assert "lied" in usual.genres_of((0, 53)) and "metal" not in usual.genres_of((0, 53))
    known = {genre: {*usual.of(genre).programs, *usual.of(genre).heard} for genre in GENRES}
    assert all((0,) in known[genre] for genre in usual.genres_of((0,)))
    electric = (2, 42)  # a piano of another kind, and a cello: nobody has exactly these
    assert not any(electric in programs for programs in known.values())
    same = usual.genres_of(electric)
    assert "romantic" in same, "it has piano and violin"
    assert "drums" not in same and "hymn" not in same
    band = usual.genres_of((0, 33, 100, DRUMS))  # effects beside piano, bass and drums
    assert "electronic" in band and not {"folk", "piano-solo", "drums"} & set(band)
    assert "drums" in usual.genres_of((120, DRUMS)), "fret noise is known nowhere, but drums are"


def test_the_script_weighs_windows_as_training_draws_them() -> None:
    """Two sources of the same weight: the four windows of one count as much as the other's one."""
    script = runpy.run_path(str(Path(__file__).parents[2] / "training" / "usual.py"))
    piano = Plan(programs=(0,), tempo=100.0, time_signature="4/4")
    song = Plan(programs=(0, 53), tempo=60.0, time_signature="3/4")

    def window(source: str, plan: Plan) -> Window:
        return Window("1", source, "", "CC0", ("lied",), plan, sketch=(), ids=())

    found = [*[window("a", piano)] * 4, window("b", song), window("c", song)]
    made = script["tables"](found, {"a": 2.0, "b": 2.0, "c": 0.0})
    assert set(made) == {"all", "lied"}
    assert made["lied"].programs == made["all"].programs == {(0,): 0.5, (0, 53): 0.5}
    assert made["lied"].pieces == 3, "the same name in other sources is another piece"
    read = json.loads(script["written"](made))
    assert Usual.from_dict(read["lied"]) == made["lied"]
