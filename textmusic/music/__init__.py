"""What music is: theory, the Plan and the Sketch, notes, and what is measured and heard in them.

It knows no ids, no words and no model. Everything else rests on it.
"""

__all__ = [
    "bars",
    "chords",
    "data_files",
    "form",
    "harmony",
    "heard",
    "marks",
    "material",
    "measure",
    "midi_files",
    "notes",
    "outline",
    "plan",
    "sketch",
    "structure",
    "stuck",
    "theory",
    "usual",
]
