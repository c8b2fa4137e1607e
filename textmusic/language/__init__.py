"""Words <-> Plan and Sketch: what people type is read, and facts are put into words.

English and Chinese. What can be read can be shown, and the other way round.
"""

__all__ = [
    "bars",
    "controls",
    "names",
    "notes",
    "prompt",
    "reading",
    "sentences",
]
