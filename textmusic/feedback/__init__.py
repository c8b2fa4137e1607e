"""What people thought of pieces: the database that keeps it, and the preferences in it."""

__all__ = [
    "database",
    "preferences",
    "thumbs",
]
