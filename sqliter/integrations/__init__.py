"""What connects the library with others; each module needs the extra of its name."""

from __future__ import annotations

__all__: list[str] = []
