"""How often training draws a window, beside the weight of its source: what people ask for, more.

A piece is asked for whole, and mostly 16 to 32 bars long; a pop song is asked for as a band plays
it. Windows of the corpora are of 2 to 64 bars, a third of them begin or end, and nine tenths of
what is called pop is one piano's. Within a source its windows share the source's weight by these
factors, so that no source grows by them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textmusic.corpus.windows import Window
from textmusic.music.usual import counts

# What a piece is asked for: 16 bars is the default, and few ask for more than 32.
LENGTHS = (12, 32)  # bars
OF_THAT_LENGTH = 2.0
SHORT = 6  # bars: too few for anything to come back in
WHEN_SHORT = 0.5
# Openings and endings are a bar or two of each piece, and every piece that is written needs both.
BEGINS, ENDS = 1.25, 1.5
# What most people ask for, and the corpora have mostly as one piano: what a band plays of it. In
# the one source of many bands it would drown among jazz and latin styles.
POPULAR = frozenset(("pop", "rock", "ballad"))
AS_A_BAND = 3.0


def factor(window: Window) -> float:
    """How often a window is drawn, in times of one that has nothing to be said for or against."""
    plan = window.plan
    assert plan.bars is not None and plan.programs is not None
    low, high = LENGTHS
    length = OF_THAT_LENGTH if low <= plan.bars <= high else 1.0
    length = WHEN_SHORT if plan.bars < SHORT else length
    whole = (BEGINS if plan.begin else 1.0) * (ENDS if plan.end else 1.0)
    band = any(genre in POPULAR and counts(genre, plan.programs) for genre in window.genres)
    return length * whole * (AS_A_BAND if band else 1.0)


def weights(
    windows: Sequence[Window], mix: Mapping[str, float] | None, *, favoured: bool
) -> NDArray[np.float64]:
    """(N,) how often each window is drawn, in any unit.

    mix: weight by source, 1 where it names none; None: each source by its number of windows.
    favoured: whether `factor` counts within a source, or every window alike.
    """
    each = [factor(window) if favoured else 1.0 for window in windows]
    sums: dict[str, float] = defaultdict(float)
    many: dict[str, int] = defaultdict(int)
    for window, weight in zip(windows, each, strict=True):
        sums[window.source] += weight
        many[window.source] += 1
    share = many if mix is None else {source: mix.get(source, 1.0) for source in many}
    return np.array(
        [share[w.source] * weight / sums[w.source] for w, weight in zip(windows, each, strict=True)]
    )
