"""Many who ask one model at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from contents import notes_in

from textmusic.engines.protocol import Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.music.plan import Plan
from textmusic.result.generation import Generation
from textmusic.writing.scheduler import Scheduler
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.written import Bar


@pytest.fixture
def music(tiny_model: Path) -> TextToMusic:
    """A model of the test's own, since the scheduler's thread uses it."""
    return TextToMusic.from_pretrained(tiny_model, threads=1)


def written(scheduler: Scheduler, text: str, seed: int) -> Generation:
    take = scheduler.music.take(scheduler.music.understand(text), seed)
    for _ in scheduler.write(take):
        pass
    return scheduler.music.finished(take)


def take_of(music: TextToMusic, bars: int, seed: int = 1) -> Take:
    return music.take(music.understand("piano", controls=Plan(bars=bars)), seed)


def watch(music: TextToMusic, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sequences each step of the engine has."""
    steps: list[int] = []
    step = music.engine.step

    def counted(ids: Ids) -> Floats32:
        steps.append(len(ids))
        return step(ids)

    monkeypatch.setattr(music.engine, "step", counted)
    return steps


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "textmusic-scheduler"]


def test_twenty_at_once_get_what_each_would_get_alone(
    music: TextToMusic, tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = watch(music, monkeypatch)
    scheduler = Scheduler(music, slots=4)
    texts = [f"piano, {2 + n % 3} bars" for n in range(20)]
    with ThreadPoolExecutor(20) as pool:
        pieces = list(pool.map(lambda n: written(scheduler, texts[n], n), range(20)))
    assert max(steps) == 4, "as many side by side as there are slots, and no more"
    for n in (0, 7, 19):
        assert notes_in(pieces[n]) == notes_in(tiny.generate(texts[n], seed=n))


def test_a_late_one_joins_and_a_short_one_leaves_first(music: TextToMusic) -> None:
    scheduler = Scheduler(music, slots=2)
    long = scheduler.write(take_of(music, 64))
    first = next(long)
    short = written(scheduler, "piano, 2 bars", 2)
    assert short.plan.bars == 2 and first.index == 0
    assert next(long).index == 1
    long.close()


def test_who_goes_away_frees_the_slot(music: TextToMusic, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = watch(music, monkeypatch)
    scheduler = Scheduler(music, slots=1)
    left = scheduler.write(take_of(music, 256))
    next(left)
    left.close()
    assert written(scheduler, "piano, 2 bars", 2).plan.bars == 2
    for thread in threads():
        thread.join(10)
    assert not threads(), "nothing runs where nobody waits"
    assert len(steps) < 2000, "the piece of 256 bars was not written to its end"


def test_who_is_called_off_while_waiting_waits_no_longer(music: TextToMusic) -> None:
    scheduler = Scheduler(music, slots=1)
    first, second = scheduler.write(take_of(music, 64)), take_of(music, 2, 2)
    next(first)
    got: list[Bar] = []
    waits = threading.Thread(target=lambda: got.extend(scheduler.write(second)))
    waits.start()
    while len(scheduler._boxes) < 2:
        waits.join(0.01)
    scheduler.leave(second)
    waits.join(10)
    assert not waits.is_alive() and not got
    assert list(scheduler.write(second)) == [], "nor does one who comes later than the call"
    first.close()


def test_too_many_are_refused_and_the_others_are_served(music: TextToMusic) -> None:
    scheduler = Scheduler(music, slots=1, waiting=1)
    streams = [scheduler.write(take_of(music, 64, n)) for n in range(3)]
    next(streams[0])
    waits = threading.Thread(target=next, args=(streams[1],))
    waits.start()
    while len(scheduler._boxes) < 2:
        waits.join(0.01)
    with pytest.raises(TextMusicError, match="try again"):
        next(streams[2])
    streams[0].close()
    waits.join(10)
    assert not waits.is_alive()
    streams[1].close()


def test_a_defect_is_told_to_those_who_wait_and_the_next_one_is_served(
    music: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Any = music.engine.step
    broken: Iterator[bool] = iter([True])

    def once(ids: Ids) -> Floats32:
        if next(broken, False):
            raise RuntimeError("out of memory")
        result: Floats32 = real(ids)
        return result

    monkeypatch.setattr(music.engine, "step", once)
    scheduler = Scheduler(music, slots=2)
    with pytest.raises(RuntimeError, match="out of memory"):
        written(scheduler, "piano, 2 bars", 1)
    assert written(scheduler, "piano, 2 bars", 1).plan.bars == 2


# Failures -----------------------------------------------------------------------------------------


def fails_at(take: Take, method: str, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one take meet a defect, the so manieth time that something is asked of it."""
    whole, calls = getattr(take, method), []

    def broken(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == call:
            raise RuntimeError("a defect")
        return whole(*args)

    monkeypatch.setattr(take, method, broken)


@pytest.mark.parametrize(("method", "call"), [("step", 1), ("step", 40), ("completed", 30)])
def test_a_take_that_fails_fails_alone(
    method: str,
    call: int,
    music: TextToMusic,
    tiny: TextToMusic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scheduler = Scheduler(music, slots=4)
    takes = [take_of(music, 8, seed) for seed in range(6)]
    fails_at(takes[1], method, call, monkeypatch)

    def tried(take: Take) -> Generation | Exception:
        try:
            return [*scheduler.write(take), scheduler.music.finished(take)][-1]  # type: ignore[return-value]
        except RuntimeError as problem:
            return problem

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(tried, takes))
    assert isinstance(found[1], RuntimeError)
    for seed in (0, 2, 3, 4, 5):
        piece = found[seed]
        assert isinstance(piece, Generation)
        alone = tiny.generate("piano", controls=Plan(bars=8), seed=seed)
        assert notes_in(piece) == notes_in(alone)


def test_a_text_that_the_engine_cannot_read_costs_no_other(
    music: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(music, slots=4)
    prefill = music.engine.prefill

    def broken(slots: range, ids: Ids) -> Floats32:
        if list(ids) == bad.text:
            raise RuntimeError("a defect")
        return prefill(slots, ids)

    bad = music.take(music.understand("violin", controls=Plan(bars=2)), 1)
    long = scheduler.write(take_of(music, 30))
    next(long)
    monkeypatch.setattr(music.engine, "prefill", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        list(scheduler.write(bad))
    assert [bar.index for bar in long] == list(range(1, 30))
