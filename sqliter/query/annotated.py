"""What ``fetch_annotated`` gives."""

from __future__ import annotations

from sqliter.planning.annotated import AnnotatedRow

__all__ = ["AnnotatedRow"]
