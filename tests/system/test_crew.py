"""Worker processes: whatever a job does, the others are done, and each has its answer."""

from __future__ import annotations

from collections import Counter

import pytest
from crew_jobs import work

from textmusic.system import crew
from textmusic.system.crew import Lost, outcomes


def told(jobs: list[str], workers: int = 2, seconds: float = 20.0) -> dict[int, str | Lost]:
    found = list(outcomes(work, jobs, workers=workers, seconds=seconds))
    assert sorted(place for place, _ in found) == list(range(len(jobs))), "each has one answer"
    return dict(found)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_has_its_result(workers: int) -> None:
    jobs = [f"job {n}" for n in range(20)]
    assert told(jobs, workers) == {n: f"job {n} done" for n in range(20)}


def test_a_job_that_kills_its_worker_costs_itself_alone() -> None:
    jobs = ["a", "crash", "b", "exit", "raise", "crash", "memory", "c", "print"]
    found = told(jobs)
    assert [found[n] for n in (0, 2, 7)] == ["a done", "b done", "c done"]
    for place in (1, 3, 5):
        assert found[place] == Lost(crew.CRASHED)
    assert found[4] == Lost("can't be read (ValueError: no music at all)")
    assert found[6] == Lost("takes too much memory to read")


def test_a_job_that_hangs_or_toils_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "WAIT", 2.0)
    found = told(["hang", "a", "slow", "toil"], seconds=1.6)
    assert found[0] == found[3] == Lost("takes more than 2 s to read")
    assert (found[1], found[2]) == ("a done", "slow done")


def test_workers_are_replaced_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "FRESH", 2)
    found = told(["pid"] * 9, workers=2)
    count = Counter(found.values())
    assert len(count) >= 5 and max(count.values()) <= 2


def test_no_jobs_are_no_problem() -> None:
    assert told([]) == {}


def test_what_is_not_asked_for_any_more_is_not_done(capfd: pytest.CaptureFixture[str]) -> None:
    running = outcomes(work, ["print", "hang", "hang"], workers=2, seconds=30)
    assert next(running) == (0, "print done")
    running.close()  # and does not wait for those that hang
    assert capfd.readouterr() == ("", ""), "what parsers say is kept from the terminal"
