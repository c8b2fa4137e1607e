"""Text, Plan, Sketch and score <-> ids, and what may come next among them.

Grammars give masks, guides soft biases, and sampling the id. No model is known here.
"""

__all__ = [
    "folding",
    "guides",
    "interleaving",
    "layout",
    "limited_grammar",
    "plan_grammar",
    "sampling",
    "score_grammar",
    "sketch_counts",
    "sketch_grammar",
    "tokenizer",
    "vocabulary",
]
