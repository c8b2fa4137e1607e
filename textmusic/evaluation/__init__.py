"""How good it is: answers to prompts, metrics over them, models side by side, and the report."""

__all__ = [
    "answers",
    "bootstrap",
    "cautions",
    "comparison",
    "distributions",
    "features",
    "figures",
    "held_out_prompts",
    "metrics",
    "reference",
    "report_page",
]
