"""Parts of the JSON in a column, set in place: ``update({"meta__theme": "dark"})``."""

from __future__ import annotations

from itertools import combinations
from typing import Any, NamedTuple, get_origin

from sqliter.core.statement import Value
from sqliter.model.documents import Part, declared, field_of, shape_of
from sqliter.model.table import Column, Table
from sqliter.planning.fitting import check_known, stages, written
from sqliter.sql.fragment import Fragment
from sqliter.sql.place import Place, literal
from sqliter.terms.term import Term

__all__ = ["Append", "Parts", "Remove", "gathered"]


class Append:
    """In ``update``: a value that is put at the end of a list.

    Example:
        >>> db.select(User).filter(pk=3).update({"tags": Append("new")})
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Append({self.value!r})"


class Remove:
    """In ``update``: a key of a dict is taken away; it need not be there.

    Example:
        >>> db.select(User).filter(pk=3).update({"meta__theme": Remove()})
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Remove()"


class Parts(Term[Any]):
    """What a column is set to: itself, with some parts changed."""

    __slots__ = ("changes", "column", "table")

    def __init__(self, table: Table, column: Column) -> None:
        self.table, self.column = table, column
        self.changes: dict[str, Any] = {}

    def assigned(self) -> Fragment:
        """Return the SQL; raises ``ValueError`` for what cannot be set.

        It refuses rows that have no place for the parts.
        """
        sql, params = self.column.sql, list[Value]()
        edits = [self._edit(*change) for change in self.changes.items()]
        for one, other in combinations((edit.path for edit in edits), 2):
            if _overlap(one, other):
                msg = "one of the parts is inside of another one"
                raise ValueError(msg)
        for edit in edits:
            sql = f"{edit.function}({sql}, {literal(edit.path)}{edit.json})"
            params += edit.params
        guards = " AND ".join(dict.fromkeys(edit.guard for edit in edits))
        column = self.column.sql
        is_fit = f"CASE WHEN json_valid({column}) THEN {guards} END"
        refused = f"sqliter_refuse({column})"
        return Fragment(f"CASE WHEN {is_fit} THEN {sql} ELSE {refused} END", (*params,))

    def _edit(self, name: str, value: Any) -> _Edit:
        if isinstance(value, Term):
            msg = "an expression can be the value of a field, not of a part of its JSON"
            raise ValueError(msg)
        appends = isinstance(value, Append)
        way = list(stages(self.table, self.column, name, inside=appends))
        target = way[-1].part
        if appends:
            return self._appended(target, value.value)
        if len(way) == 1:
            msg = f"{value!r} is for keys of dicts"
            raise ValueError(msg)
        parent, key = way[-2].part, way[-1].key
        guard = self._guard(parent, target)
        if isinstance(value, Remove):
            if declared(parent.kind) is not None or target.path.endswith("]"):
                msg = f"{value!r} is for keys of dicts"
                raise ValueError(msg)
            return _Edit("json_remove", target.path, guard)
        text = written(self.table, target, value, model=parent.kind, field=key)
        return _Edit("json_set", target.path, guard, ", json(?)", (text,))

    def _appended(self, part: Part, value: Any) -> _Edit:
        check_known(part)
        shape = shape_of(part)
        if shape is None or (get_origin(part.kind) or part.kind) not in (list, Any):
            msg = "values can be appended to lists only"
            raise ValueError(msg)
        text = written(self.table, part._replace(annotation=shape.element), value)
        guard = f"json_type({self.column.sql}, {literal(part.path)}) = 'array'"
        path = f"{part.path}[#]"
        return _Edit("json_insert", path, guard, ", json(?)", (text,))

    def _guard(self, parent: Part, target: Part) -> str:
        """Return the test whether a row has a place for the part."""
        column = self.column.sql
        if target.path.endswith("]"):
            return f"json_type({column}, {literal(target.path)}) IS NOT NULL"
        guard = f"json_type({column}, {literal(parent.path)}) = 'object'"
        if parent.tagged:
            each = Place(column, self.table.sql, inside=parent.path).each
            tag = f"SELECT 1 FROM {each} WHERE substr(key, 1, 1) = '$'"
            guard = f"{guard} AND NOT EXISTS ({tag})"
        return guard


class _Edit(NamedTuple):
    """A function of JSON, the path it is about, and what must hold of a row before."""

    function: str
    path: str
    guard: str
    json: str = ""
    params: tuple[Value, ...] = ()


def gathered(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with all parts of a column in its place.

    Raises ``ValueError`` for a column and parts of it.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        field = field_of(table.by_field, name)
        column = table.by_field[field] if field else None
        is_part = name != field or isinstance(value, (Append, Remove))
        if column is None or column.codec.json is None or not is_part:
            found[name] = value
            continue
        parts = found.setdefault(column.field, Parts(table, column))
        if not isinstance(parts, Parts) or (column.field in values and name != field):
            msg = f"'{column.field}' is given, and '{name}' as a part of it"
            raise ValueError(msg)
        parts.changes[name] = value
    return found


def _overlap(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in (
        "",
        ".",
        "[",
    )


for _each in (Append, Remove):
    _each.__module__ = "sqliter.expressions"  # where users import them from
