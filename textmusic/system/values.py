"""Values that come from outside: of the right type, and in range, or a sentence that says so.

JSON, HTTP and Python bring what they like: true and 1.0 for 1, lists for words, numbers of a
thousand digits. NaN is never in range.
"""

from __future__ import annotations

import json
import math
from numbers import Integral, Real

from textmusic.errors import TextMusicError

LONGEST_SHOWN = 40  # characters of a wrong value that a message quotes


def whole(name: str, value: object, low: int, high: int) -> int:
    """The whole number from low to high that a value is; raises TextMusicError for any other."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise wrong_type(name, value, "a whole number")
    within(name, value, low, high)
    return int(value)


def real(name: str, value: object, low: float, high: float) -> float:
    """The number from low to high that a value is; raises TextMusicError for any other."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise wrong_type(name, value, "a number")
    within(name, value, low, high)
    return float(value)


def truth(name: str, value: object) -> bool:
    """The true or false that a value is; raises TextMusicError for other types."""
    if not isinstance(value, bool):
        raise wrong_type(name, value, "true or false")
    return value


def text(name: str, value: object, longest: int) -> str:
    """The text that a value is; raises TextMusicError for other types and longer texts."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a string")
    if len(value) > longest:
        raise TextMusicError(f"the {name} has {len(value):,} characters; use at most {longest:,}.")
    return value


def within(name: str, value: float | Integral | Real, low: float, high: float) -> None:
    """Raise TextMusicError, with the range, unless low <= value <= high (so never for NaN)."""
    if not low <= value <= high:  # type: ignore[operator]
        raise TextMusicError(
            f"{name} {_number(value)} is out of range; choose {low:,g} to {high:,.0f}."
        )


def wrong_type(name: str, value: object, wanted: str) -> TextMusicError:
    """The problem with a value of another type than the one wanted, "a whole number"."""
    return TextMusicError(f"{name} {quoted(value)} has the wrong type; give {wanted}.")


def quoted(value: object) -> str:
    """A value as JSON would show it, cut where it is long."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**LONGEST_SHOWN:
        return "with too many digits"
    try:
        said = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        said = f"of type {type(value).__name__}"
    return said if len(said) <= LONGEST_SHOWN else said[: LONGEST_SHOWN - 1] + "…"


def _number(value: object) -> str:
    """A number for a message; Python prints no integers of thousands of digits."""
    if isinstance(value, int) and abs(value) >= 10**LONGEST_SHOWN:
        return "with too many digits"
    return f"{value:,}" if not isinstance(value, float) or math.isfinite(value) else str(value)
