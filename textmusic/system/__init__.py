"""The machine, whole files, progress, streams, work spread over processes, ends of scripts.

There is no music in it.
"""

__all__ = [
    "crew",
    "machine",
    "progress",
    "scripts",
    "streams",
    "whole_files",
    "workers",
]
