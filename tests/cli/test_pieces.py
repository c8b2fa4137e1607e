"""continue, replay and adjust on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import symusic
from command_line import assert_refused, call, files

from textmusic.music.chords import chord_name
from textmusic.music.measure import measure
from textmusic.music.theory import quarters_per_bar
from textmusic.result.report import Report


def test_continue_and_vary(tiny_model: Path, pieces: list[Path], tmp_path: Path) -> None:
    source = pieces[0]
    bars = measure(symusic.Score(source)).bars or 0
    more = ("--model", tiny_model, "-o", tmp_path, "--format", "mid", "--seed", "1")
    done = call("continue", source, "--bars", "2", *more)
    assert done.returncode == 0, done.stderr
    made = tmp_path / f"{source.stem}-continued.mid"
    assert measure(symusic.Score(made)).bars == bars + 2
    first = made.read_bytes()
    assert call("continue", source, "three more bars, 3 bars", *more).returncode == 0
    assert made.read_bytes() == first, "nothing is overwritten"
    second = tmp_path / f"{source.stem}-continued-2.mid"
    assert measure(symusic.Score(second)).bars == bars + 3, "as the text says"
    assert call("continue", source, "--keep", "1", *more).returncode == 0
    varied = tmp_path / f"{source.stem}-varied.mid"
    assert measure(symusic.Score(varied)).bars == bars
    assert_refused(call("continue", source, "--bars", "0", *more), "bars")
    made.unlink()
    asked = ("--bars", "4", "--chords", "C G", "--form", "ABAB", "--format", "mid,json")
    done = call("continue", source, *more, *asked)
    assert done.returncode == 0, done.stderr
    report = Report.from_dict(json.loads(made.with_suffix(".json").read_text("utf-8")))
    new = [[chord_name(chord) for _, chord in row.chords] for row in report.sketch.rows[bars:]]
    assert new == [["C"], ["G"], ["C"], ["G"]]
    score = symusic.Score(made)
    bar = quarters_per_bar(report.planned.time_signature or "") * score.ticks_per_quarter
    marks = [(mark.time / bar, mark.text) for mark in score.markers]
    assert marks == [(bars, "A"), (bars + 1, "B"), (bars + 2, "A"), (bars + 3, "B")]
    long = ("--bars", "2", "--form", "ABAB")
    assert_refused(call("continue", source, *more, *long), "4 sections", "2 bars")
    assert_refused(call("continue", tmp_path / "none.mid", *more), "can't be read")


def test_new_bars_are_asked_for_with_options(
    tiny_model: Path, pieces: list[Path], tmp_path: Path
) -> None:
    more = ("--model", tiny_model, "-o", tmp_path, "--format", "mid,json", "--seed", "1")
    asked = ("--key", "A minor", "--tempo", "andante", "--mood", "sad", "--bars", "2")
    done = call("continue", pieces[0], *asked, *more)
    assert done.returncode == 0, done.stderr
    made = tmp_path / f"{pieces[0].stem}-continued"
    report = Report.from_dict(json.loads(made.with_suffix(".json").read_text("utf-8")))
    assert (report.asked.key, report.planned.key) == ("A minor", "A minor")
    assert report.asked.tempo == report.planned.tempo
    assert_refused(call("continue", pieces[0], "--key", "H", *more), "is not a key")
    assert_refused(call("continue", pieces[0], "--tempo", "9999", *more), "tempo 9999")
    assert_refused(call("continue", pieces[0], "--mood", "green", *more), "is not a known mood")
    replayed = call("replay", made.with_suffix(".mid"), "--source", pieces[0], "--model",
                    tiny_model, "--format", "mid", "-o", tmp_path / "again")  # fmt: skip
    assert replayed.returncode == 0, replayed.stderr
    (again,) = (tmp_path / "again").iterdir()
    assert again.name == made.with_suffix(".mid").name
    assert again.read_bytes() == made.with_suffix(".mid").read_bytes()


def test_a_changed_file_is_made_again_from_the_one_before(tmp_path: Path) -> None:
    data = Path(__file__).parents[1] / "data" / "midi"
    source = tmp_path / "trio.mid"
    source.write_bytes((data / "trio.mid").read_bytes())
    change = ("--instrument", "2=flute", "--instrument", "viola=cello", "--snap", "A minor")
    out = ("-o", tmp_path / "out", "--format", "mid")
    for name in ("trio-adjusted.mid", "trio-adjusted-2.mid"):
        done = call("adjust", source, *change, *out)
        assert done.returncode == 0, done.stderr
        assert name in done.stdout and "note: transposed by -3 first" in done.stdout
        made = tmp_path / "out" / name
        done = call("replay", made, "-o", tmp_path / "again", "--format", "mid")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "again" / name).read_bytes() == made.read_bytes()
    done = call("replay", made, *out)  # where it lies itself
    assert f"{made.stem}-2.mid" in done.stdout and made.exists()
    source.write_bytes(source.read_bytes()[:-4])
    assert_refused(call("replay", made, "-o", tmp_path), "SHA-256 differs", "--source")
    source.unlink()
    assert_refused(call("replay", made, "-o", tmp_path), "'trio.mid'", "--source")
    before = files(tmp_path)
    listed = call("adjust", data / "trio.mid", "-o", tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[1].startswith("   1  Violin I ")
    assert files(tmp_path) == before


def test_adjust(pieces: list[Path], tmp_path: Path) -> None:
    more = ("-o", tmp_path, "--format", "mid,json")
    done = call("adjust", pieces[0], "--transpose", "2", "--tempo", "90", "--instrument", "flute",
                *more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = symusic.Score(tmp_path / f"{pieces[0].stem}-adjusted.mid")
    assert {track.program for track in made.tracks} == {73}
    assert round(made.tempos[0].qpm) == 90
    assert_refused(call("adjust", pieces[0], "--snap", "H minor", *more), "H minor")
    assert_refused(call("adjust", pieces[0], "--transpose", "99", *more), "out of range")
