"""Recordings of others -> scores: one voice, one instrument, or a few without drums.

file -> (recordings) sound -> (activations, polyphony | voice) notes in seconds -> (beats, metre)
bars -> (quantising) score, with an account of how sure it is (transcribing)
"""

__all__ = [
    "activations",
    "candidates",
    "metre",
    "notes_heard",
    "polyphony",
    "recordings",
    "traits",
    "transcribing",
]
