"""Junction tables made by hand; models' own are made by ``create_table``."""

from __future__ import annotations

from typing import Any

from sqliter.operations.tables import create_junction
from sqliter.schema.ddl import junction_index_sqls, junction_table_sql

__all__ = [
    "build_junction_index_sqls",
    "build_junction_table_sql",
    "create_junction_table",
]


def build_junction_table_sql(
    junction_table: str, table_a: str, table_b: str
) -> tuple[str, tuple[str, str]]:
    """Return the CREATE TABLE of a junction table, and the names of its columns."""
    return junction_table_sql(junction_table, table_a, table_b)


def build_junction_index_sqls(
    junction_table: str, columns: tuple[str, str]
) -> list[str]:
    """Return the CREATE INDEX for each column of a junction table."""
    return junction_index_sqls(junction_table, columns)


def create_junction_table(
    db: Any, junction_table: str, table_a: str, table_b: str
) -> None:
    """Create a junction table between two tables of a blocking database.

    Raises ``TableCreationError``.
    """
    db.run(create_junction(junction_table, table_a, table_b, db.context))
