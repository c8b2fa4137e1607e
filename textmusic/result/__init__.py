"""What one generation gives: the piece, its report, its recipe, and the flags it may carry.

The figures of an evaluation have their form here, too, since model cards state them.
"""

__all__ = [
    "account",
    "change",
    "figures",
    "flags",
    "formats",
    "generation",
    "recipe",
    "reopening",
    "report",
    "saving",
    "sections",
    "titles",
]
