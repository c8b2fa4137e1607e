"""The formats that a piece is saved in, each once: a format is the suffix of its file."""

FORMATS = (
    "mid",
    "wav",
    "flac",
    "mp3",
    "ogg",
    "opus",
    "svg",
    "png",
    "json",
    "musicxml",
    "lead.musicxml",
    "sheet.svg",
    "pdf",
)
AUDIO_FORMATS = ("wav", "flac", "mp3", "ogg", "opus")
DEFAULT_FORMATS = ("mid", "wav", "json", "svg")
# Of the score extra, by format; "sheet.svg" is engraved, "svg" the piano roll.
NEEDED = {
    "musicxml": ("music21",),
    "lead.musicxml": ("music21",),
    "sheet.svg": ("music21", "verovio"),
    "pdf": ("music21", "verovio", "typst"),
}
