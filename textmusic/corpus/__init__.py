"""A folder of music -> prepared data: pieces, windows at bar lines, splits, and their account.

It knows no model.
"""

__all__ = [
    "captions",
    "cutting",
    "descriptions",
    "files",
    "metadata",
    "pieces",
    "preparation",
    "readers",
    "splits",
    "statistics",
    "summary",
    "windows",
    "without_torch",
]
