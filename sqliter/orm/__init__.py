"""Models with relations: foreign keys, their other side, many-to-many."""

from __future__ import annotations

from sqliter.orm.fields import ForeignKey, fk_id
from sqliter.orm.m2m import ManyToMany, ReverseManyToMany
from sqliter.orm.model import BaseDBModel
from sqliter.orm.query import ReverseRelationship
from sqliter.orm.registry import ModelRegistry
from sqliter.planning.prefetch import Prefetch

__all__ = [
    "BaseDBModel",
    "ForeignKey",
    "ManyToMany",
    "ModelRegistry",
    "Prefetch",
    "ReverseManyToMany",
    "ReverseRelationship",
    "fk_id",
]
