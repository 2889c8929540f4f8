"""``M2MSQLMetadata``: what a many-to-many relation is in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from sqliter.model.relations import Junction

__all__ = ["M2MSQLMetadata", "metadata_of"]


@dataclass(frozen=True)
class M2MSQLMetadata:
    """The tables and columns of a many-to-many relation, seen from one side."""

    junction_table: str
    from_column: str
    to_column: str
    source_table: str
    target_table: str
    symmetrical: bool = False


M2MSQLMetadata.__module__ = "sqliter.orm.m2m"  # where users import it from


def metadata_of(junction: Junction, source: str, target: str) -> M2MSQLMetadata:
    """Return what the links of a junction table between two tables are in SQL."""
    return M2MSQLMetadata(*junction[:3], source, target, junction.symmetrical)
