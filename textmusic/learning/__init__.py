"""Prepared data -> a trained model: examples, settings, the loop, checkpoints, fine-tuning."""

__all__ = [
    "examples",
    "finetuning",
    "proposal",
    "runs",
    "settings",
    "spellings",
    "trainer",
]
