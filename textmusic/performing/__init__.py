"""Score -> how it is played: dynamics, lengths, timing, tempo and pedal. Notes stay what they are.

What of it is learnt from performances and what is a rule: docs/sound.md.
"""

__all__ = ["features", "performance", "performer", "tempo", "touch"]
