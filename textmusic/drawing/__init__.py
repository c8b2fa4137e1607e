"""Score -> pictures: the piano roll, sheet music, and the shapes and styles they are made of."""

__all__ = [
    "annotations",
    "engraved_pages",
    "fingering",
    "html",
    "piano_roll",
    "shapes",
    "sheet_music",
]
