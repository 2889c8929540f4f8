"""Where users import pages from; they are made below."""

from __future__ import annotations

from sqliter.core.page import Page

__all__ = ["Page"]
