"""What queries are made of, beside names and values."""

from __future__ import annotations

from sqliter.model.documents import json_path
from sqliter.planning.aggregates import func
from sqliter.planning.parts import Append, Remove
from sqliter.terms.attribute import Attribute, col, outer
from sqliter.terms.call import case, cast, coalesce, extract
from sqliter.terms.q import Q
from sqliter.terms.subquery import exists, subquery
from sqliter.terms.term import F

__all__ = [
    "Append",
    "Attribute",
    "F",
    "Q",
    "Remove",
    "case",
    "cast",
    "coalesce",
    "col",
    "exists",
    "extract",
    "func",
    "json_path",
    "outer",
    "subquery",
]
