"""Ids in, logits out, without torch. An engine knows no music: no grammar, no plan, no sampling."""

__all__ = [
    "adapter_files",
    "folder",
    "onnx",
    "protocol",
    "recurrent",
]
