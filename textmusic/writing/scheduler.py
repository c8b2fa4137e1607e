"""One engine for many who ask at the same time, each in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from threading import Lock, Thread

from textmusic.engines.protocol import SLOTS
from textmusic.errors import TextMusicError
from textmusic.writing.decoding import decode
from textmusic.writing.take import Take
from textmusic.writing.text_to_music import TextToMusic
from textmusic.writing.written import Bar

Letter = Bar | Exception | None  # what a listener finds in its box; None: go home


class Scheduler:
    """Writes what is asked for side by side, in the order in which it was asked.

    A new piece joins at the next step, and one that is finished, that fails, or that nobody waits
    for any more, frees its slot. The engine runs in one thread, that is there as long as there is
    work.
    """

    def __init__(self, music: TextToMusic, *, slots: int = SLOTS, waiting: int = 32) -> None:
        """slots: pieces side by side. waiting: how many more may wait for one."""
        self.music = music
        self._slots, self._most = slots, waiting
        self._asked: deque[Take] = deque()
        self._boxes: dict[Take, SimpleQueue[Letter]] = {}  # of those that wait or are being written
        self._lock = Lock()
        self._running = False

    def write(self, take: Take) -> Iterator[Bar]:
        """The bars of a take, as they are complete; closing the iterator stops it, as `leave` does.

        Raises TextMusicError if too many wait already, and what went wrong while it was written.
        """
        box = self._ask(take)
        try:
            while (letter := box.get()) is not None:
                if isinstance(letter, Exception):
                    raise letter
                yield letter
                if letter.last:
                    return
        finally:
            self.leave(take)

    def leave(self, take: Take) -> None:
        """Nobody wants the rest of a take; whoever waits in `write` for its next bar, goes home."""
        with self._lock:
            take.left = True
            box = self._boxes.pop(take, None)
            if take in self._asked:
                self._asked.remove(take)
        if box is not None:
            box.put(None)

    def _ask(self, take: Take) -> SimpleQueue[Letter]:
        box: SimpleQueue[Letter] = SimpleQueue()
        with self._lock:
            if take.left:
                box.put(None)
                return box
            if len(self._boxes) >= self._slots + self._most:
                raise TextMusicError(
                    f"{len(self._boxes)} pieces are already waiting; try again soon."
                )
            self._asked.append(take)
            self._boxes[take] = box
            if not self._running:
                self._running = True
                Thread(target=self._write, name="textmusic-scheduler", daemon=True).start()
        return box

    def _more(self, free: int) -> Sequence[Take]:
        with self._lock:
            return [self._asked.popleft() for _ in range(min(free, len(self._asked)))]

    def _write(self) -> None:
        while True:
            try:
                writing = decode(self.music.engine, self._more, self._slots, failed=self._deliver)
                for take, bar in writing:
                    self._deliver(take, bar)
            except Exception as problem:  # of the engine, in a step of all
                self._fail(problem)
            with self._lock:
                if not self._asked:
                    self._running = False
                    return

    def _deliver(self, take: Take, letter: Letter) -> None:
        with self._lock:
            box = self._boxes.get(take)
        if box is not None:
            box.put(letter)

    def _fail(self, problem: Exception) -> None:
        with self._lock:
            for take, box in list(self._boxes.items()):
                if take not in self._asked:
                    box.put(problem)
                    del self._boxes[take]
