"""`python -m textmusic` is the command `textmusic`."""

from __future__ import annotations

import sys

from textmusic.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
