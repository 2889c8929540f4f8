"""Models: what a class says about its table, and how values are kept in it."""

from __future__ import annotations

from sqliter.model.foreign_key import (
    ForeignKey,
    ForeignKeyInfo,
    get_foreign_key_info,
)
from sqliter.model.index import Index
from sqliter.model.model import BaseDBModel, KeyedModel, SerializableField
from sqliter.model.options import column, generated
from sqliter.model.search import FullText
from sqliter.model.unique import Unique, unique

__all__ = [
    "BaseDBModel",
    "ForeignKey",
    "ForeignKeyInfo",
    "FullText",
    "Index",
    "KeyedModel",
    "SerializableField",
    "Unique",
    "column",
    "generated",
    "get_foreign_key_info",
    "unique",
]
