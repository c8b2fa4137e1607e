"""The machine, whole files, tables, progress, streams, work spread over processes, ends of scripts.

There is no music in it.
"""

__all__ = [
    "crew",
    "lifeline",
    "machine",
    "progress",
    "scripts",
    "streams",
    "tables",
    "values",
    "whole_files",
    "workers",
]
