"""Audio bar by bar: put together, it is what the finished score sounds like."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable

import numpy as np
import pytest
import soundfile
from symusic import Score

from textmusic.music.midi_events import parse
from textmusic.music.midi_sounding import to_score
from textmusic.music.notes import Note, score_of
from textmusic.music.plan import Plan, seconds_of
from textmusic.music.playing import Playing
from textmusic.music.theory import DRUMS, quarters_per_bar
from textmusic.performing.performance import perform
from textmusic.result.generation import finish
from textmusic.sound.loudness import PEAK, TARGET, loudness, true_peak
from textmusic.sound.render import SAMPLE_RATE, TAIL, unlevelled
from textmusic.writing.live_audio import ROOM, Level, LiveAudio, LiveWav
from textmusic.writing.written import Bar

PLAN = Plan(key="D minor", tempo=120.0, time_signature="4/4", programs=(0, 48, DRUMS), bars=6)
OPEN_HAT, CLOSED_HAT = 46, 42


def bars_of(notes: Iterable[Note], plan: Plan = PLAN) -> list[Bar]:
    """A piece as it is streamed."""
    assert plan.bars is not None and plan.time_signature is not None
    length = quarters_per_bar(plan.time_signature)
    return [
        Bar(i, plan.bars, tuple(n for n in notes if i <= n.start / length < i + 1), plan)
        for i in range(plan.bars)
    ]


def live(bars: list[Bar], performance: float = 0.0, seed: int = 0) -> list[np.ndarray]:
    sound = LiveAudio(performance=performance, seed=seed)
    return [sound.add(bar) for bar in bars]


def random_notes(seed: int, plan: Plan) -> list[Note]:
    """Notes of all lengths, in any place of the bars, on the grid of sixteenths."""
    assert plan.bars is not None and plan.time_signature is not None
    dice = np.random.default_rng(seed)
    quarters = plan.bars * quarters_per_bar(plan.time_signature)
    notes = []
    for program in plan.programs or ():
        for start in dice.choice(int(quarters * 4), 12, replace=False) / 4:
            longest = quarters - float(start)
            length = min(float(dice.choice([0.25, 0.5, 3.0, 9.0])), longest)
            pitch = dice.choice([36, 38, CLOSED_HAT, OPEN_HAT, 49] if program == DRUMS else 24) + (
                0 if program == DRUMS else 48
            )
            notes.append(
                Note(float(start), length, int(pitch), int(dice.integers(20, 127)), program)
            )
    return notes


CASES = {
    "a note over three bars": ([Note(1, 11, 60, 90, 48), Note(20, 1, 64, 90, 0)], PLAN),
    "a sound that rings on after its bar": ([Note(3.5, 0.5, 49, 120, DRUMS)], PLAN),
    "a hi-hat cut off in the next bar": (
        [Note(3.75, 0.25, OPEN_HAT, 110, DRUMS), Note(4.25, 0.25, CLOSED_HAT, 60, DRUMS)],
        PLAN,
    ),
    "it ends with rests": ([Note(0, 1, 60, 90, 0), Note(14, 1, 67, 90, 0)], PLAN),
    **{
        f"random {seed}, {plan.time_signature}": (random_notes(seed, plan), plan)
        for seed, plan in enumerate(
            [
                PLAN,
                Plan(
                    key="C major", tempo=173.3, time_signature="7/8", programs=(19, DRUMS), bars=9
                ),
                Plan(key="C major", tempo=57.0, time_signature="6/8", programs=(0, 73), bars=4),
            ]
        )
    },
}


@pytest.mark.parametrize(("notes", "plan"), CASES.values(), ids=CASES)
def test_it_is_the_finished_score(notes: list[Note], plan: Plan) -> None:
    assert_alike(live(bars_of(notes, plan)), finish(score_of(notes, plan), plan))


PERFORMED = [
    Plan(key="D minor", tempo=96.0, time_signature="4/4", programs=(0, 48), bars=6,
         genre="romantic"),
    Plan(key="C major", tempo=133.3, time_signature="3/4", programs=(0, 46, 68), bars=9,
         genre="classical"),
    Plan(key="C major", tempo=120.0, time_signature="4/4", programs=(0, 33, DRUMS), bars=5,
         genre="jazz"),
    Plan(key="C major", tempo=57.0, time_signature="6/8", programs=(0, 73), bars=5,
         genre="ballad"),
]  # fmt: skip


@pytest.mark.parametrize("plan", PERFORMED, ids=lambda plan: plan.genre)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_performance_is_the_finished_one(plan: Plan, seed: int) -> None:
    assert plan.bars is not None
    notes = apart(random_notes(seed, plan))
    midi = parse(bytes(finish(score_of(notes, plan), plan).dumps_midi()))
    whole = to_score(perform(midi, Playing.of(plan, seed, 1.0), plan.bars))
    pieces = live(bars_of(notes, plan), 1.0, seed)
    assert_alike(pieces, whole)
    steady = unlevelled(finish(score_of(notes, plan), plan))
    assert np.concatenate(pieces, axis=1).shape != steady.shape or plan.genre == "jazz"


def apart(notes: list[Note]) -> list[Note]:
    """No key struck while it is down, as the grammar has it."""
    kept: list[Note] = []
    ends: dict[tuple[int, int], float] = {}
    for note in sorted(notes, key=lambda note: note.start):
        if ends.get((note.program, note.pitch), 0.0) <= note.start:
            kept.append(note)
            ends[note.program, note.pitch] = note.start + note.duration
    return kept


def assert_alike(pieces: list[np.ndarray], score: Score) -> None:
    whole = unlevelled(score)
    together = np.concatenate(pieces, axis=1)
    assert together.dtype == np.float32
    size = max(together.shape[1], whole.shape[1])
    padded = [np.pad(audio, ((0, 0), (0, size - audio.shape[1]))) for audio in (together, whole)]
    assert np.abs(padded[0] - padded[1]).max() < 1e-3 * np.abs(whole).max()
    assert together.shape[1] >= whole.shape[1]


def test_each_bar_settles_all_before_the_next() -> None:
    notes = random_notes(5, PLAN)
    settled = np.cumsum([audio.shape[1] for audio in live(bars_of(notes))])
    for bar, samples in enumerate(settled[:-1]):
        assert samples == pytest.approx((bar + 1) * 2 * SAMPLE_RATE, abs=20)  # 2 s a bar
    assert 12 * SAMPLE_RATE < settled[-1] <= (12 + TAIL) * SAMPLE_RATE


def test_what_no_longer_sounds_is_forgotten() -> None:
    plan = Plan(key="C major", tempo=240.0, time_signature="2/4", programs=(0,), bars=40)
    sound = LiveAudio()
    kept = []
    for bar in bars_of([Note(float(i), 1, 60 + i % 12, 90, 0) for i in range(80)], plan):
        sound.add(bar)
        kept.append(len(sound._ringing))
    assert max(kept[20:]) <= max(kept[:20]) < 40


def test_a_piece_without_notes_is_silent() -> None:
    for audio in live(bars_of([])):
        assert audio.shape[0] == 2 and not audio.any()


# Loudness -----------------------------------------------------------------------------------------


def tone(*levels: float) -> np.ndarray:
    """A tone in stereo, half a second of each amplitude."""
    sine = np.sin(np.arange(SAMPLE_RATE // 2) / 20)
    return np.stack([np.concatenate([sine * level for level in levels])] * 2).astype(np.float32)


def played(*pieces: np.ndarray) -> np.ndarray:
    level = Level()
    last = len(pieces) - 1
    return np.concatenate([level(p, last=n == last) for n, p in enumerate(pieces)], axis=1)


def test_the_first_sound_sets_the_level_and_leaves_room() -> None:
    silence = np.zeros((2, 3000), dtype=np.float32)
    audio = played(silence, tone(3.0), tone(3.5))
    assert not audio[:, :3000].any()
    assert audio.shape[1] == 3000 + SAMPLE_RATE
    first = audio[:, 3000 : 3000 + SAMPLE_RATE // 2]
    assert loudness(first, SAMPLE_RATE) == pytest.approx(TARGET - ROOM, abs=0.1)
    second = audio[:, 3000 + SAMPLE_RATE // 2 :]
    assert np.abs(second).max() == pytest.approx(np.abs(first).max() * 3.5 / 3, rel=1e-2)


def test_what_is_too_loud_is_turned_down_and_stays_down() -> None:
    pieces = [tone(0.1), tone(0.05, 0.9, 0.1), tone(0.1, 1.8), tone(0.1)]
    audio, raw = played(*pieces), np.concatenate(pieces, axis=1)
    assert audio.shape == raw.shape
    assert true_peak(audio) <= PEAK
    heard = np.abs(raw[0]) > 0.03
    gain = audio[0][heard] / raw[0][heard]
    assert gain[-1] < 0.3 * gain[0]
    assert np.abs(np.diff(gain)).max() < 0.2 * gain[0]  # it glides
    end = audio[:, -SAMPLE_RATE // 4 :]
    assert loudness(end, SAMPLE_RATE) < TARGET - 10  # it does not come back


def test_one_loud_stroke_is_held_back_without_a_step() -> None:
    """At the very beginning of a bar: the bar before it has to be turned down already."""
    raw = tone(0.3)
    stroke = tone(0.3)
    stroke[:, :30] = 6.0
    audio = played(raw, stroke)
    assert true_peak(audio) <= PEAK
    seam = raw.shape[1]
    around = (
        audio[0, seam - 300 : seam - 20]
        / np.concatenate([raw, stroke], axis=1)[0, seam - 300 : seam - 20]
    )
    assert np.abs(np.diff(around)).max() < 0.05 * np.abs(around).max()


# WAV ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 1.0, 99.0])
def test_the_file_has_the_length_that_it_states(seconds: float) -> None:
    file = io.BytesIO()
    wav = LiveWav(file.write, PLAN)
    audio = np.full((2, round(seconds * SAMPLE_RATE)), 0.5, dtype=np.float32)
    audio[1] = -2.0
    wav.add(audio)
    wav.close()
    size = len(file.getvalue())
    read, rate = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")
    assert (rate, read.shape[1]) == (SAMPLE_RATE, 2)
    assert len(read) == math.ceil((seconds_of(PLAN) + TAIL) * SAMPLE_RATE)
    assert size == 44 + 4 * len(read)
    heard = min(audio.shape[1], len(read))
    assert np.allclose(read[:heard], [0.5, -1.0], atol=1e-4)
    assert not read[heard:].any()
