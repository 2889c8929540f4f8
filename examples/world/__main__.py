"""``python -m examples.world``: the same as ``sqliter-demo world``."""

from __future__ import annotations

import sys

from sqliter.cli import run

if __name__ == "__main__":
    sys.exit(run(["world", *sys.argv[1:]]))
