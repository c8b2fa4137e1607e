"""The Hugging Face Hub: models and prepared data are pushed, fetched and checked; their cards."""

__all__ = [
    "card",
    "dataset",
    "fetch",
    "files",
    "push",
]
