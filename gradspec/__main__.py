"""`python -m gradspec`."""

from __future__ import annotations

import sys

from gradspec.cli import main

if __name__ == "__main__":
    sys.exit(main())
