"""Text -> result: TextToMusic, and all that a piece goes through until it is written.

Decoding, continuing, filling, adjusting, live audio, many at once, and other servers.
"""

__all__ = [
    "adjusting",
    "batch",
    "brief",
    "chorale",
    "continuation",
    "decoding",
    "editing",
    "filling",
    "harmonising",
    "hearing",
    "jobs",
    "live_audio",
    "live_performance",
    "loading",
    "open_piece",
    "players",
    "practising",
    "remote",
    "repeating",
    "rewriting",
    "scheduler",
    "sources",
    "take",
    "text_to_music",
    "theme_and_variations",
    "tunes",
    "varying",
    "writers",
    "written",
]
