"""The formats that a piece is saved in, each once: a format is the suffix of its file."""

FORMATS = ("mid", "wav", "flac", "mp3", "ogg", "opus", "svg", "png", "json", "musicxml")
AUDIO_FORMATS = ("wav", "flac", "mp3", "ogg", "opus")
DEFAULT_FORMATS = ("mid", "wav", "json", "svg")
