"""Generators that also return a result."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stream(Generic[Item, Result]):
    """A generator to loop over once; it keeps the return value in `result`.

    >>> stream = Stream(music.stream("sad waltz"))
    >>> for bar in stream: ...
    >>> stream.result  # the Generation
    """

    result: Result  # there once the loop has run to its end

    def __init__(self, generator: Generator[Item, None, Result]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Item]:
        self.result = yield from self._generator


def result_of(generator: Generator[object, None, Result]) -> Result:
    """A generator's return value; the yielded values are dropped."""
    stream = Stream(generator)
    for _ in stream:
        pass
    return stream.result
