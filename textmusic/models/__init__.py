"""The models in torch: the LLM, the recurrent baseline, the GAN, and how they are exported.

Torch lives here and in `learning`, nowhere else; both need the train extra.
"""

__all__ = [
    "adapter",
    "attention",
    "cutting",
    "export",
    "gan",
    "gan_patches",
    "gan_writer",
    "growing",
    "llama_export",
    "llm",
    "recurrent",
    "recurrent_export",
    "torch_engine",
]
