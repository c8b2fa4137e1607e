"""What music is: theory, the Plan and the Sketch, notes, and what is measured and heard in them.

It knows no ids, no words and no model. Everything else rests on it.
"""

__all__ = [
    "bars",
    "chords",
    "data_files",
    "form",
    "grade_check",
    "grades",
    "harmony",
    "markers",
    "material",
    "measure",
    "measure_sketch",
    "midi_appending",
    "midi_changes",
    "midi_events",
    "midi_files",
    "midi_parts",
    "midi_sounding",
    "notes",
    "outline",
    "percussion",
    "plan",
    "practice",
    "practice_limits",
    "practice_rhythm",
    "repetition",
    "sanity",
    "sketch",
    "structure",
    "tempo_map",
    "theory",
    "usual",
]
