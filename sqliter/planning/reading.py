"""From rows to instances, the rows joined to them included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqliter.core.statement import Row
from sqliter.model.loaded import remember_each, remember_parent
from sqliter.model.loader import Loader, loader_of
from sqliter.model.model import BaseDBModel
from sqliter.model.relations import ForwardKey, forward_of
from sqliter.model.table import Table, table_of
from sqliter.planning.frame import Frame, Path
from sqliter.planning.spec import QuerySpec

__all__ = ["Reader"]

M = TypeVar("M", bound=BaseDBModel)


class _Joined(NamedTuple):
    """Where in a row a joined table begins, and whose relation it is."""

    parent: int
    name: str
    loader: Loader[Any]
    start: int
    end: int
    key: int

    def load(self, rows: Iterable[Row], database: object) -> list[Any]:
        """Return the instance that is joined to each row, or ``None``."""
        key, start, end = self.key, self.start, self.end
        different = {row[key]: row for row in rows}
        different.pop(None, None)
        parts = [row[start:end] for row in different.values()]
        instances = self.loader.load(parts, database)
        by_key = dict(zip(different, instances, strict=True))
        return [by_key.get(row[key]) for row in rows]


class Reader(Generic[M]):
    """The select list of a query, and the instances its rows are."""

    def __init__(
        self, spec: QuerySpec[M], frame: Frame, *, local: bool, rest: int = 0
    ) -> None:
        self._spec = spec
        self._frame = frame
        self.fields = _fields(spec)
        self._width = len(self.fields or spec.table.fields)
        self._related = [path for path in frame.joins if _is_wanted(path, spec.loaded)]
        self._joined = self._joins(local=local)
        rest += sum(part.loader.width for part in self._joined)
        self._loader: Loader[M] = loader_of(
            spec.table, self.fields, local=local, rest=rest
        )

    @property
    def key_position(self) -> int:
        """Where in a row the key stands."""
        return (self.fields or self._spec.table.fields).index("pk")

    @property
    def columns(self) -> str:
        """What stands after SELECT."""
        table = self._spec.table
        if not self._frame.prefix(()):
            if self.fields is None:
                return table.select_list
            return ", ".join(table.by_field[field].selected for field in self.fields)
        parts = list(self._selected((), table, self.fields or table.fields))
        for path in self._related:
            joined = table_of(self._frame.joins[path].model_class)
            parts += self._selected(path, joined, joined.fields)
        return ", ".join(parts)

    @property
    def binds(self) -> bool:
        """Whether instances want to know where they come from."""
        return bool(self._joined) or self._loader.binds

    def load(self, rows: Sequence[Row], database: object = None) -> list[M]:
        """Return an instance per row; a related row is one object for all of them."""
        found = self._loader.load(rows, database)
        levels: list[list[Any]] = [found]
        for part in self._joined:
            related = part.load(rows, database)
            remember_each(levels[part.parent], part.name, related)
            levels.append(related)
        if self._spec.parent is not None:
            remember_parent(found, *self._spec.parent)
        return found

    def _selected(
        self, path: Path, table: Table, fields: Iterable[str]
    ) -> Iterator[str]:
        prefix = self._frame.prefix(path)
        alias = prefix.removesuffix(".")
        for field in fields:
            yield f'{prefix}{table.by_field[field].sql} AS "{alias}__{field}"'

    def _joins(self, *, local: bool) -> list[_Joined]:
        start, parts = self._width, list[_Joined]()
        places: dict[Path, int] = {(): 0}
        for place, path in enumerate(self._related, 1):
            table = table_of(self._frame.joins[path].model_class)
            loader: Loader[Any] = loader_of(table, None, local=local)
            key = start + table.fields.index("pk")
            end = start + loader.width
            parts.append(_Joined(places[path[:-1]], path[-1], loader, start, end, key))
            places[path] = place
            start = end
        return parts


def _is_wanted(path: Path, loaded: Iterable[Path]) -> bool:
    return any(each[: len(path)] == path for each in loaded)


def _fields(spec: QuerySpec[Any]) -> tuple[str, ...] | None:
    """Return the fields to load: those selected, and the keys of related rows."""
    if spec.selection is None:
        return None
    related = [forward_of(spec.table.model, path[0]) for path in spec.related]
    ahead = [node.relation for node in spec.prefetch]
    keys = (r.field for r in (*related, *ahead) if isinstance(r, ForwardKey))
    return tuple(dict.fromkeys((*spec.selection.loaded, *keys)))
