"""The machine, whole files, tables, progress, streams, and work spread over processes.

There is no music in it.
"""

__all__ = [
    "crew",
    "machine",
    "progress",
    "streams",
    "tables",
    "whole_files",
    "workers",
]
