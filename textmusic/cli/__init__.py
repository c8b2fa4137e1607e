"""The command line: a small function a verb, checks of what was given, what a terminal shows."""

__all__ = [
    "main",
    "prepare",
    "terminal",
]
