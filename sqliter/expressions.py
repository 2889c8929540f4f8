"""What queries are made of, beside names and values."""

from __future__ import annotations

from sqliter.model.documents import json_path
from sqliter.planning.f import F
from sqliter.planning.parts import Append, Remove
from sqliter.planning.q import Q

__all__ = ["Append", "F", "Q", "Remove", "json_path"]
