"""``with_count``: how many rows a path of relations leads to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqliter.helpers import quote_identifier
from sqliter.model.relations import Relation
from sqliter.model.table import Column
from sqliter.planning.conditions import Condition, certain_paths, paths_of
from sqliter.planning.frame import Frame
from sqliter.sql.fragment import Fragment, join

__all__ = ["RelatedCount"]


class RelatedCount(NamedTuple):
    """The rows at the end of a path, or (``distinct``) the different ones.

    ``label`` names the value inside the statement.
    """

    relations: tuple[Relation, ...]
    label: str
    distinct: bool = False

    @property
    def sql(self) -> str:
        """The label, quoted."""
        return quote_identifier(self.label)

    def render(
        self, frame: Frame, groups: Iterable[Column], conditions: Iterable[Condition]
    ) -> Fragment:
        """Return the sub-select that counts for one group of rows.

        A sub-select of its own: counts side by side cannot multiply each other, and
        rows without relations count as 0.
        """
        inner = frame.inner(
            frame.table, certain_paths(conditions), paths_of(conditions)
        )
        joined, last = self._joined(inner)
        counted = f"DISTINCT {last}.{self._target.sql}" if self.distinct else "*"
        group = self._same_group(frame, inner, groups, conditions)
        head = f"SELECT COUNT({counted}) FROM {inner.sql}{joined}"
        return Fragment(f"({head} WHERE {group.sql})", group.params)

    @property
    def _target(self) -> Column:
        return self.relations[-1].target_table.pk

    def _joined(self, frame: Frame) -> tuple[str, str]:
        """Return the joins along the path, and the alias at its end."""
        sql, source = "", frame.prefix(())
        for relation in self.relations:
            start = f"{source}{relation.source_column.sql}"
            if relation.junction is not None:
                links = frame.alias_of_junction(relation.junction)
                column = quote_identifier(relation.junction.source)
                sql += f" JOIN {relation.junction.links} AS {links}"
                sql += f" ON {links}.{column} = {start}"
                start = f"{links}.{quote_identifier(relation.junction.target)}"
            target = relation.target_table
            alias = frame.alias_of(target)
            sql += f" JOIN {target.sql} AS {alias}"
            sql += f" ON {alias}.{relation.target_column.sql} = {start}"
            source = f"{alias}."
        return sql, source.removesuffix(".")

    def _same_group(
        self,
        outer: Frame,
        inner: Frame,
        groups: Iterable[Column],
        conditions: Iterable[Condition],
    ) -> Fragment:
        columns = list(groups)
        pk = outer.table.pk
        if pk in columns:  # a group is a row
            return Fragment(f"{inner.prefix(())}{pk.sql} = {outer.prefix(())}{pk.sql}")
        same = [
            Fragment(f"{inner.prefix(())}{c.sql} IS {outer.prefix(())}{c.compared}")
            for c in columns
        ]
        return join(" AND ", [*same, *(each.render(inner) for each in conditions)])
