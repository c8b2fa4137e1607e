"""What music is: theory, the Plan and the Sketch, notes, and what is measured and heard in them.

It knows no ids, no words and no model. Everything else rests on it.
"""

__all__ = [
    "bars",
    "chords",
    "data_files",
    "form",
    "harmony",
    "known_runs",
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
    "repetition",
    "runs",
    "sanity",
    "sketch",
    "structure",
    "tempo_map",
    "theory",
    "usual",
]
