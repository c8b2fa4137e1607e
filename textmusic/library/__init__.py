"""A person's folder of music as a library: what is like a piece, and what a piece shares with it.

A folder is read once into an index (`folder`, `index`), which keeps of each piece its facts, a
vector, its melodic lines and its chords (`portrait`).
"""

__all__ = [
    "answers",
    "features",
    "folder",
    "index",
    "lines",
    "neighbours",
    "originality",
    "portrait",
    "reasons",
    "shared_runs",
    "side_by_side",
    "symbols",
    "words",
]
