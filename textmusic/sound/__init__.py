"""Score -> audio: soundfonts, the synthesizer, the room, files, and programs that play them."""

__all__ = [
    "audio_files",
    "loudness",
    "mixer",
    "player",
    "render",
    "soundfont",
    "stage",
    "voices",
]
