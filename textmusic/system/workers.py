"""Spread work over processes of this machine or of a Ray cluster.

    items -> workers: each starts once, then takes items and returns a result for each

Results come as they are finished.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeVar

from textmusic.errors import TextMusicError, one_line
from textmusic.system.lifeline import end_with_parent
from textmusic.system.machine import cores

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

LOCAL, RUNNING = "local", "auto"  # a Ray cluster to be started here; the one that runs here
CHUNK = 32  # items that a Ray worker gets at a time, at most: what is done again when it dies
RETRIES = 3  # of a chunk whose worker died; limited, since some work kills every worker
OBJECT_STORE = 256 * 2**20  # bytes of shared memory of a cluster started here; the rest is disk
PATIENCE = 5.0  # seconds to wait for a connection to the cluster

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Iterable[Item]], Iterator[Result]]  # a result for every item, in any order


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is told when it starts. threads: cores that it may use.

    stop: give up when set; None where workers are ended from outside.
    """

    threads: int
    stop: Event | None = None


Start = Callable[[Post], Work[Item, Result]]  # runs once in each worker; has to be picklable


def spread(
    start: Start[Item, Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    ray: str | None = None,
) -> Iterator[Result]:
    """The result of every item, each once, as they are finished.

    Args:
        start: what a worker does first, as load a model; gives what it does with its items.
        items: none of them None; picklable, as results are.
        workers: how many at most; by default one a core, of this machine or of the cluster.
        ray: None for processes of this machine; else a Ray cluster: "local" starts one here,
            "auto" is the one that runs here, and "HOST:PORT" is where another has its head.

    Raises TextMusicError where the workers can't be started, or die again and again.
    """
    if ray is not None:
        yield from _on_ray(start, items, workers, ray)
    elif items:
        yield from _in_processes(start, items, min(workers or cores(), len(items)))


# Processes ----------------------------------------------------------------------------------------


def _in_processes(
    start: Start[Item, Result], items: Sequence[Item], workers: int
) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Not forked: the threads of this process, such as the progress bar's, would be missing there.
    context = get_context("spawn")
    stop, results = context.Event(), context.Queue()
    waiting = context.Queue()  # the workers take their next item when they have room for it
    for item in items:
        waiting.put(item)
    for _ in range(workers):
        waiting.put(None)
    threads = max(1, cores() // workers)
    with ProcessPoolExecutor(
        workers, context, initializer=_begin, initargs=(stop, waiting, results)
    ) as pool:
        try:
            running = [pool.submit(_work, start, threads) for _ in range(workers)]
            told = 0
            while told < len(items):
                for future in running:
                    if future.done():
                        future.result()  # raises what ended the worker, if it did not end well
                try:
                    result = results.get(timeout=0.2)
                except Empty:
                    continue
                told += 1
                yield result
        except BrokenProcessPool:
            raise TextMusicError(
                "a worker process ended early, perhaps for lack of memory; use fewer --workers."
            ) from None
        finally:  # also when the run is interrupted: the workers stop when they next look
            stop.set()
            waiting.cancel_join_thread()
            pool.shutdown(cancel_futures=True)


_shared: list[Any] = []  # of this process, if it is a worker: queues only reach it at its start


def _begin(*shared: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent decides
    end_with_parent()
    _shared[:] = shared


def _work(start: Start[Any, Any], threads: int) -> None:
    stop, waiting, results = _shared
    results.cancel_join_thread()  # nobody may be left who reads the last ones
    for result in start(Post(threads, stop))(iter(waiting.get, None)):
        results.put(result)


# Ray ----------------------------------------------------------------------------------------------


class _RayWorker:
    """What Ray keeps in a process of the cluster, for one chunk at a time."""

    def __init__(self, start: Start[Any, Any]) -> None:
        self.start = start
        self.run: Work[Any, Any] | None = None

    def work(self, items: Sequence[Any]) -> list[Any] | str:
        """The items' results; or, in words, why this worker can do nothing."""
        try:
            if self.run is None:  # not in __init__: what dies there is not tried again
                self.run = self.start(Post(threads=1))
            return list(self.run(items))
        except TextMusicError as problem:  # a raised one would come with a traceback in its words
            return str(problem)


def _on_ray(
    start: Start[Item, Result], items: Sequence[Item], workers: int | None, address: str
) -> Iterator[Result]:
    """Chunks to actors, each a process with one core. Ray does a dead actor's chunk again.

    Not Ray Data: its pool of actors starts them again without end, or not at all if one dies while
    it starts, and the arguments that would say how often are on their way out (2.60).
    """
    with _connected(address, workers) as (ray, processors):
        workers = min(workers or processors, processors, len(items))
        size = min(CHUNK, -(-len(items) // (2 * workers))) if workers else 1  # to end together
        waiting = iter([items[i : i + size] for i in range(0, len(items), size)])
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=RETRIES)(_RayWorker)
        busy: dict[Any, Any] = {}  # what is being worked at -> the actor that does

        def give(worker: Any) -> None:
            for chunk in islice(waiting, 1):
                busy[worker.work.remote(chunk)] = worker

        for _ in range(workers):
            give(actor.remote(start))
        while busy:
            (done,), _ = ray.wait(list(busy), num_returns=1)
            give(busy.pop(done))  # without more to do it ends: an actor that is wanted by nobody
            results = _received(ray, done)
            if isinstance(results, str):
                raise TextMusicError(results)
            yield from results


def _received(ray: Any, done: Any) -> Any:
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError:
        raise  # a defect in the work itself
    except ray.exceptions.RayError as problem:
        lack = re.search(r"No module named '.*?'|Can't get attribute '.*?'", str(problem))
        if lack is not None:
            raise TextMusicError(
                f"the Ray workers have a different textmusic version, or none ({lack[0]}); install"
                " the same version with the same extras on every machine of the cluster."
            ) from None
        raise TextMusicError(
            f"a Ray worker died {RETRIES + 1} times on the same work, perhaps for lack of memory"
            f" ({one_line(problem, 200)}); finished work is kept, so start again on machines with"
            " more memory."
        ) from None


@contextmanager
def _connected(address: str, workers: int | None) -> Iterator[tuple[Any, int]]:
    """Ray, and the cores of its cluster; a cluster that is joined here is left at the end."""
    if address not in (LOCAL, RUNNING):
        _check_reachable(address)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent to anybody
    # Ray listens on every address of the machine: only we have the token. It looks when imported.
    if address == LOCAL and "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ModuleNotFoundError:
        raise TextMusicError("--ray needs Ray; run pip install 'textmusic[ray]'.") from None

    joined = not ray.is_initialized()  # else this process is in a cluster already, which is used
    if joined:
        _join(ray, address, workers)
    try:
        yield ray, max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if joined:
            ray.shutdown()


def _join(ray: Any, address: str, workers: int | None) -> None:
    more: dict[str, Any] = {}
    if address == LOCAL:
        more = {
            "num_cpus": workers or cores(),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE,
        }
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **more)
    except (ConnectionError, ValueError, RuntimeError) as problem:
        raise TextMusicError(
            f"Ray can't be used at '{address}' ({one_line(problem, 200)}); start it with 'ray start"
            " --head', set RAY_AUTH_MODE=token if it needs a token, or use --ray local."
        ) from None


def _check_reachable(address: str) -> None:
    """Ray itself waits more than a minute for a head that is not there, and ends the process."""
    host, _, port = address.rpartition(":")
    try:
        if "/" in address:
            raise ValueError("a Ray client's address")
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, ValueError, OverflowError) as problem:
        raise TextMusicError(
            f"no Ray cluster answers at '{address}' ({problem}); give the HOST:PORT that 'ray"
            " start --head' prints, or local."
        ) from None
