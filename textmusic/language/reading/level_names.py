"""What the five levels of valence, arousal and density are called."""

VALENCE_NAMES = ("very sad", "sad", "neutral", "happy", "very happy")
AROUSAL_NAMES = ("very calm", "calm", "moderate", "lively", "very excited")
DENSITY_NAMES = ("very sparse", "sparse", "medium", "dense", "very dense")
