"""A model, and a context that knows its table already."""

from __future__ import annotations

import pytest
from steps.driving import context

from sqliter.core.context import Context
from sqliter.model import BaseDBModel
from sqliter.model.table import table_of


class Pet(BaseDBModel):
    name: str
    age: int | None = None


PET_COLUMNS = [(name,) for name in ("pk", "created_at", "updated_at", "name", "age")]


@pytest.fixture
def pet() -> type[Pet]:
    return Pet


@pytest.fixture
def fresh() -> Context:
    """A context that has not seen the file yet."""
    return context()


@pytest.fixture
def known() -> Context:
    """A context in which the table of ``Pet`` was compared with its model."""
    found = context()
    found.known.add(table_of(Pet))
    return found
