"""Text -> result: TextToMusic, and all that a piece goes through until it is written.

Decoding, continuing, filling, adjusting, live audio, many at once, and other servers.
"""

__all__ = [
    "adjusting",
    "batch",
    "continuation",
    "jobs",
    "live_audio",
    "loading",
    "remote",
    "repeating",
    "scheduler",
    "source",
    "take",
    "text_to_music",
    "writers",
    "written",
]
