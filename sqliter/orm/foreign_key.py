"""``ForeignKey`` under its second address."""

from __future__ import annotations

from sqliter.orm.fields import ForeignKey

__all__ = ["ForeignKey"]
