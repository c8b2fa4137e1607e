"""The page: what it shows, what its buttons do, endpoints for programs, and its two languages."""

__all__ = [
    "launch",
    "layout",
    "service",
]
