"""Where users import pages from; they are made below."""

from __future__ import annotations

from sqliter.core.page import KeysetPage, Page

__all__ = ["KeysetPage", "Page"]
