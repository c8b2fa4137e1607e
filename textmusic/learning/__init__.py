"""Prepared data -> a trained model: examples, settings, the loop, checkpoints, fine-tuning."""

__all__ = [
    "config",
    "config_files",
    "examples",
    "finetuning",
    "lock",
    "preference",
    "proposal",
    "runs",
    "settings",
    "spellings",
    "trainer",
]
