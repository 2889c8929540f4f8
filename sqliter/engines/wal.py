"""The write-ahead log beside a file."""

from __future__ import annotations

import os
from contextlib import suppress

from sqliter.core.settings import Settings


def wal_size(settings: Settings) -> int:
    """Return its size in bytes; 0 where there is none."""
    if not settings.is_memory:
        with suppress(OSError):
            return os.stat(f"{settings.path}-wal").st_size  # noqa: PTH116 - no Path
    return 0
