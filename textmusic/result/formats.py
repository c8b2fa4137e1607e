"""The formats that a piece is saved in, each once: a format is the suffix of its file."""

FORMATS = ("mid", "wav", "flac", "mp3", "svg", "png", "json", "musicxml")
AUDIO_FORMATS = ("wav", "flac", "mp3")
DEFAULT_FORMATS = ("mid", "wav", "json", "svg")
