"""Prepared data -> a trained model: examples, settings, the loop, checkpoints, fine-tuning."""

__all__ = [
    "examples",
    "finetuning",
    "lock",
    "proposal",
    "runs",
    "settings",
    "spellings",
    "trainer",
]
