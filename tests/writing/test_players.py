"""The parts of a file as people name them, also those that change their program on the way."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from broken_midi import END, chunk, header

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.music.midi_events import PROGRAM, MidiEvents, parse
from textmusic.music.midi_parts import parts_by_program, parts_of
from textmusic.music.midi_sounding import all_placed
from textmusic.writing.adjusting import Adjustment, adjust, read_instruments
from textmusic.writing.players import table_of_parts

DATA = Path(__file__).parents[1] / "data" / "midi"


def note(pitch: int, channel: int = 0) -> bytes:
    return bytes((0, 0x90 | channel, pitch, 80, 96, 0x80 | channel, pitch, 0))


def program(number: int, channel: int = 0, bank: int | None = None) -> bytes:
    chosen = b"" if bank is None else bytes((0, 0xB0 | channel, 0, bank))
    return chosen + bytes((0, 0xC0 | channel, number))


def changing(kind: int = 0) -> MidiEvents:
    """A piano that becomes a flute and a piano again, beside drums."""
    events = note(60) + program(73, bank=8) + note(84) + note(86) + program(0) + note(62)
    return parse(header(kind, 1, 96) + chunk(events + note(36, 9) + END))


def heard(midi: MidiEvents) -> list[tuple[int, int, int]]:
    """(pitch, program, bank) of each note, as a player that knows channels alone plays it."""
    now, bank, struck = dict.fromkeys(range(16), 0), dict.fromkeys(range(16), 0), []
    chosen = dict.fromkeys(range(16), 0)
    for one in all_placed(midi):
        message, channel = one.event.message, one.event.channel
        if one.event.kind == 0xB0 and message[1] == 0:
            bank[channel] = message[2]
        elif one.event.kind == PROGRAM:
            now[channel], chosen[channel] = message[1], bank[channel]
        elif one.event.starts_note and channel != 9:
            struck.append((message[1], now[channel], chosen[channel]))
    return struck


def instruments(midi: MidiEvents, *said: str) -> list[tuple[int, int, int]]:
    return heard(parse(adjust(midi, read_instruments(said)).midi()))


def test_a_part_that_changes_its_program_is_one_for_each() -> None:
    found = parts_by_program(changing())
    assert [(p.program, p.pitches, p.drums) for p in found] == [
        (0, (60, 62), False), (73, (84, 86), False), (0, (36,), True),
    ]  # fmt: skip
    whole = parts_of(changing())
    assert [(p.program, p.last, p.pitches) for p in whole] == [
        (0, 0, (60, 62, 84, 86)),
        (0, 0, (36,)),
    ]
    assert instruments(changing(), "2=oboe") == [(60, 0, 0), (84, 68, 0), (86, 68, 0), (62, 0, 8)]
    assert instruments(changing(), "piano=cello")[::3] == [(60, 42, 0), (62, 42, 0)]
    assert instruments(changing(), "piano=cello")[1:3] == [(84, 73, 8), (86, 73, 8)]
    assert [p for _, p, _ in instruments(changing(), "cello")] == [42] * 4
    assert [p for _, p, _ in instruments(changing(), "cello", "oboe")] == [42, 68, 68, 42]
    assert [p for _, p, _ in instruments(changing(), "1=flute", "2=piano")] == [73, 0, 0, 73], (
        "they swap"
    )
    with pytest.raises(TextMusicError, match="no part '3', but 1 piano, 2 flute; give a number"):
        adjust(changing(), read_instruments(["3=oboe"]))


def test_the_range_is_judged_by_the_notes_of_that_program_alone() -> None:
    remarks = adjust(changing(), read_instruments(["2=flute", "1=cello"])).report.remarks
    assert remarks == (), "60 and 62 are fine for a cello, and the flute's notes for a flute"
    remarks = adjust(changing(), read_instruments(["1=flute"])).report.remarks
    assert remarks == ()
    remarks = adjust(changing(), read_instruments(["2=double bass"])).report.remarks
    assert remarks == ("2 notes are outside the range of the double bass",)


def test_parts_of_one_channel_change_apart_and_state_their_programs_once() -> None:
    setup = program(48) + END
    own = program(48) + note(60) + program(71) + note(64) + END
    other = note(67) + program(48) + program(48) + note(69) + END
    midi = parse(header(1, 3, 96) + chunk(setup) + chunk(own) + chunk(other))
    parts = parts_by_program(midi)
    assert [(p.track, p.program) for p in parts] == [(1, 48), (1, 71), (2, 48)]
    made = parse(adjust(midi, read_instruments(["2=flute", "3=oboe"])).midi())
    assert sorted((pitch, player) for pitch, player, _ in heard(made)) == [
        (60, 48), (64, 73), (67, 68), (69, 68),
    ]  # fmt: skip
    for channel in {one.channel for one in all_placed(made)} - {(0, 0)}:
        said = [
            one.event.message[1]
            for one in all_placed(made)
            if one.channel == channel and one.event.kind == PROGRAM
        ]
        assert all(a != b for a, b in pairwise(said)), said


def test_several_parts_can_be_named_at_once() -> None:
    pairs = (("1", 73), ("2", 68))
    for said in ("1=flute,2=oboe", "1=flute, 2=oboe", "1=flute; 2 = oboe", "1=长笛，2=双簧管"):
        assert read_instruments([said]).parts == pairs, said
    assert read_instruments(["1=flute,2=oboe", "3=cello"]).parts == (*pairs, ("3", 42))
    assert read_instruments(["Violin I, solo=flute"]).parts == (("Violin I, solo", 73),)
    for said in ("1=flute,oboe", "1=flute and oboe"):
        with pytest.raises(
            TextMusicError, match="write for example 2=flute, and the same for each"
        ):
            read_instruments([said])


def test_the_type_of_a_file_stays() -> None:
    for kind in (0, 1):
        made = adjust(changing(kind), Adjustment(semitones=1)).midi()
        assert int.from_bytes(made[8:10], "big") == kind
        assert int.from_bytes(made[10:12], "big") == 1
    assert (
        adjust(parse(header(0, 2, 96) + chunk(note(60) + END) * 2), Adjustment(semitones=1)).midi()[
            8:10
        ]
        == b"\0\1"
    ), "two tracks can't be of type 0"


# Nothing to do ------------------------------------------------------------------------------------


def test_a_copy_that_differs_in_nothing_is_said() -> None:
    plain = parse((DATA / "plain.mid").read_bytes())
    key = adjust(plain, Adjustment(semitones=1)).report.planned.key or ""
    same = adjust(plain, Adjustment(to_key="C major"))
    assert key == "Db major" and same.report.remarks == (
        "this changes nothing: the piece is like that already",
    )
    for change in (Adjustment(tempo=100), Adjustment(programs=(0,)), Adjustment(key="C major")):
        (said,) = adjust(plain, change).report.remarks
        assert said.startswith("this changes nothing"), change
    assert not adjust(plain, Adjustment(to_key="D major")).report.remarks


@pytest.mark.parametrize("had", ["C major", "C minor", "F# major"])
def test_transposing_to_the_other_mode_on_the_same_tonic_is_refused(had: str) -> None:
    plain = parse((DATA / "plain.mid").read_bytes())
    midi = parse(adjust(plain, Adjustment(key=had)).midi())
    other = had.split()[0] + (" minor" if had.endswith("major") else " major")
    with pytest.raises(TextMusicError) as problem:
        adjust(midi, Adjustment(to_key=other))
    assert str(problem.value) == (
        f"the piece is in {had}, and transposing never makes {other} of that; snap it with --snap"
        f' "{other}".'
    )
    assert adjust(midi, Adjustment(key=other)).report.measured.key == other, "the remedy helps"


# The command --------------------------------------------------------------------------------------


def test_without_a_change_the_parts_are_listed_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "song.mid"
    kit = note(36, 9) + note(38, 9)
    track = b"\0\xff\3\4Lead" + note(60) + note(61) + program(73, 0) + note(84)
    file.write_bytes(header(1, 2, 96) + chunk(kit + END) + chunk(track + note(30, 5) + END))
    assert main(["adjust", str(file), "-o", str(tmp_path / "out")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        "part name instrument channel notes range".split(),
        "1 Lead piano 1 2 C4 to Db4".split(),
        "2 Lead flute 1 1 C6 to C6".split(),
        "3 Lead piano 6 1 F#1 to F#1".split(),
        "drums 10 2".split(),
    ]
    assert not (tmp_path / "out").exists()
    assert len(table_of_parts(parse(file.read_bytes()))) == 4
    assert main(["adjust", str(DATA / "all-160.mid"), "-o", str(tmp_path / "out")]) == 0
    assert "note: data bytes over 127 set to 127 (32)" in capsys.readouterr().out
    assert main(["adjust", str(tmp_path / "none.mid")]) == 2


@pytest.mark.parametrize(
    ("said", "qpm"), [("andante", 76), ("96", 96), ("96 bpm", 96), ("♩. = 60", 90), ("行板", 76)]
)
def test_tempi_are_read_as_everywhere(said: str, qpm: float, tmp_path: Path) -> None:
    from textmusic.language.controls import parse_tempo

    assert main(["adjust", str(DATA / "plain.mid"), "--tempo", said, "-o", str(tmp_path),
                 "--format", "mid"]) == 0  # fmt: skip
    written = parse((tmp_path / "plain-adjusted.mid").read_bytes())
    from textmusic.music.midi_changes import tempi

    assert tempi(written).at(0) == pytest.approx(parse_tempo(said), rel=1e-4)
    if said[0].isdigit():
        assert parse_tempo(said) == qpm


@pytest.mark.parametrize("said", ["quick as hell", "0", "nan", "-5", "500"])
def test_a_tempo_that_is_none_is_refused(
    said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adjust", str(DATA / "plain.mid"), f"--tempo={said}", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_number_of_thousands_of_digits_is_no_part() -> None:
    with pytest.raises(TextMusicError):
        adjust(changing(), Adjustment(parts=(("9" * 5000, 3),)))
