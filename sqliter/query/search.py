"""What ``fetch_hits`` gives."""

from __future__ import annotations

from sqliter.planning.hits import Hit

__all__ = ["Hit"]
