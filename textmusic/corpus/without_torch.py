"""Preloaded by worker processes that cut pieces: MidiTok without torch.

MidiTok imports torch where it is installed, for a data loader: 2 s of 3, for nothing here.
"""

from __future__ import annotations

import sys

# an import of it fails from here on, as if it were missing
sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
import miditok  # noqa: E402, F401
