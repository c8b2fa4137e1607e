"""Blind listening tests: pairs of pieces, their page, and the votes."""

__all__ = [
    "page",
    "pairs",
    "votes",
]
