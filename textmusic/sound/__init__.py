"""Score -> audio: soundfonts, the synthesizer, and the programs of a machine that play a file."""

__all__ = [
    "player",
    "render",
    "soundfont",
]
