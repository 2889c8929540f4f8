"""Where users import hits from; they are made below."""

from __future__ import annotations

from sqliter.planning.hits import Hit

__all__ = ["Hit"]
