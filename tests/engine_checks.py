"""What every engine has to do, whatever it runs on."""

from __future__ import annotations

import numpy as np

from textmusic.engines.protocol import Engine


def some_ids(length: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).integers(0, 1000, length)


def check_read_ahead(engine: Engine) -> None:
    """extend, then a step, in the middle one of three slots of other lengths."""
    ids = some_ids(40)
    exact = engine.logits(ids)
    engine.reserve(3)
    for slot, length in enumerate((25, 10, 4)):
        engine.prefill(range(slot, slot + 1), ids[:length])
    beside = some_ids(2, seed=9)
    engine.extend(1, ids[10:24])
    engine.extend(1, ids[24:25])
    assert [engine.length(slot) for slot in range(3)] == [25, 25, 4]
    rows = engine.step(np.array([ids[25], ids[25], beside[0]]))
    assert np.allclose(rows[:2], exact[25], atol=1e-4)
    engine.extend(0, ids[26:38])
    engine.move(0, 2)
    rows = engine.step(np.array([ids[38], ids[26], ids[38]]))
    assert np.allclose(rows[[0, 2]], exact[38], atol=1e-4)
    assert np.allclose(rows[1], exact[26], atol=1e-4)
