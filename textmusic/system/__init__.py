"""The machine, files that are written whole, progress, streams, and work spread over processes.

There is no music in it.
"""

__all__ = [
    "crew",
    "lifeline",
    "machine",
    "progress",
    "streams",
    "values",
    "whole_files",
    "workers",
]
