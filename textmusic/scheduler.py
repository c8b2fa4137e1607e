"""One engine for many who ask at the same time, each in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from queue import SimpleQueue
from threading import Condition, Thread

from textmusic.decoding import Bar, Take, decode
from textmusic.engine import SLOTS
from textmusic.errors import TextMusicError
from textmusic.generation import Generation
from textmusic.pipeline import TextToMusic
from textmusic.prompt import Prompt
from textmusic.sampling import Sampling

Letter = Bar | Exception  # what a listener finds in its box


class Scheduler:
    """Writes what is asked for side by side, in the order in which it was asked.

    A new piece joins at the next step, and one that is finished, or that nobody waits for any more,
    frees its slot. The engine runs in one thread, that is there as long as there is work.
    """

    def __init__(self, music: TextToMusic, *, slots: int = SLOTS, waiting: int = 32) -> None:
        """slots: pieces side by side. waiting: how many more may wait for one."""
        self.music = music
        self._slots, self._most = slots, waiting
        self._asked: deque[Take] = deque()
        self._boxes: dict[Take, SimpleQueue[Letter]] = {}  # of those that wait or are being written
        self._changed = Condition()
        self._running = False

    def stream(
        self, prompt: Prompt, seed: int, *, sampling: Sampling = Sampling()
    ) -> Generator[Bar, None, Generation]:
        """As `TextToMusic.stream`, for what `understand` gave; raises what `write` does."""
        take = self.music.take(prompt, seed, sampling)
        yield from self.write(take)
        return self.music.finished(take)

    def write(self, take: Take) -> Iterator[Bar]:
        """The bars of a take, as they are complete; closing the iterator stops it.

        Raises TextMusicError if too many wait already, and what went wrong while it was written.
        """
        box = self._ask(take)
        try:
            while True:
                letter = box.get()
                if isinstance(letter, Exception):
                    raise letter
                yield letter
                if letter.last:
                    return
        finally:
            self._leave(take)

    def _ask(self, take: Take) -> SimpleQueue[Letter]:
        box: SimpleQueue[Letter] = SimpleQueue()
        with self._changed:
            if len(self._boxes) >= self._slots + self._most:
                raise TextMusicError(
                    f"{len(self._boxes)} pieces are asked for already; try again soon."
                )
            self._asked.append(take)
            self._boxes[take] = box
            if not self._running:
                self._running = True
                Thread(target=self._write, name="textmusic-scheduler", daemon=True).start()
        return box

    def _leave(self, take: Take) -> None:
        with self._changed:
            take.left = True
            self._boxes.pop(take, None)
            if take in self._asked:
                self._asked.remove(take)

    def _more(self, free: int) -> Sequence[Take]:
        with self._changed:
            return [self._asked.popleft() for _ in range(min(free, len(self._asked)))]

    def _write(self) -> None:
        while True:
            try:
                for take, bar in decode(self.music.engine, self._more, self._slots):
                    self._deliver(take, bar)
            except Exception as problem:
                self._fail(problem)
            with self._changed:
                if not self._asked:
                    self._running = False
                    return

    def _deliver(self, take: Take, letter: Letter) -> None:
        with self._changed:
            box = self._boxes.get(take)
        if box is not None:
            box.put(letter)

    def _fail(self, problem: Exception) -> None:
        with self._changed:
            for take, box in list(self._boxes.items()):
                if take not in self._asked:
                    box.put(problem)
                    del self._boxes[take]
