"""What terms mean once their names were looked up: SQL, and the type it gives."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple, Protocol, TypeAlias

from sqliter.core.statement import Value
from sqliter.model.codecs import Codec, codec_for
from sqliter.model.loader import read
from sqliter.model.table import Column, Table
from sqliter.planning.frame import Frame, Path
from sqliter.sql.fragment import Fragment, join
from sqliter.terms.attribute import Attribute
from sqliter.terms.q import Q
from sqliter.terms.term import Field, Nulls, Term

__all__ = [
    "ANY",
    "BOOL",
    "BYTES",
    "DAY",
    "NUMBERS",
    "TEXT",
    "Bound",
    "Built",
    "Computed",
    "Decode",
    "Kind",
    "Level",
    "Names",
    "Stored",
    "Test",
    "collated",
    "decoded",
    "direction",
    "kind_of",
    "name_of",
    "paths_in",
]

Kind: TypeAlias = object
"""What a result is: ``int`` or ``float``, or whatever a column alone can hold."""

ANY: Kind = None
"""Nobody knows what it is before SQLite has computed it."""

NUMBERS: tuple[Kind, ...] = (int, float)

Decode: TypeAlias = Callable[[Any], Any]


def kind_of(column: Column) -> Kind:
    """Return what a column holds."""
    return _kind_of(column.codec)


def _kind_of(codec: Codec) -> Kind:
    if codec.writes == (int,) and codec.encode is codec.decode is None:
        return int
    if codec.storage == "REAL" and codec.decode is None and float in codec.writes:
        return float
    return codec.storage, codec.writes, codec.collation


TEXT, BYTES, BOOL, DAY = (
    _kind_of(codec_for(each, ())) for each in (str, bytes, bool, date)
)


_DECODING: dict[Kind, Decode | None] = {BOOL: bool, DAY: codec_for(date, ()).decode}
"""What makes values of those kinds that SQLite has no type for."""


class Level(enum.IntEnum):
    """What one value is computed of."""

    ROW = 0
    GROUP = 1
    """A group of rows: an aggregate."""
    WINDOW = 2
    """The rows around one."""


class Computed(Protocol):
    """A term whose names were looked up.

    It is of a ``kind``; where that is a column's, the values are as those of ``like``,
    else ``decode`` says what they are. ``is_own``: about columns of the table alone.
    """

    @property
    def kind(self) -> Kind: ...
    @property
    def like(self) -> Stored | None: ...
    @property
    def decode(self) -> Decode | None: ...
    @property
    def level(self) -> Level: ...
    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def is_own(self) -> bool: ...

    def render(self, frame: Frame) -> Fragment: ...


class Names(Protocol):
    """What names in terms and conditions mean; for a row, or for a group of rows."""

    @property
    def table(self) -> Table: ...
    @property
    def local(self) -> bool: ...

    def field(self, field: Field[Any]) -> Computed:
        """Return the field; ``ValueError`` if there is none."""
        ...

    def computed(self, term: Term[Any]) -> Computed:
        """Look the names of a term up; ``ValueError`` says what is wrong with it."""
        ...

    def compared(self, term: Term[Any]) -> Computed:
        """Return a term that is compared; ``ValueError`` if it cannot be here."""
        ...

    def test(self, q: Q) -> Computed:
        """Return whether a condition holds."""
        ...

    def inside(self, spec: Any) -> Names:
        """Return what names mean in a query inside of this one."""
        ...


class Stored(NamedTuple):
    """A column, of the table or at the end of a path."""

    table: Table
    column: Column
    path: Path
    decode: Decode | None = None  # its codec does
    level: Level = Level.ROW

    @property
    def kind(self) -> Kind:
        """What it holds."""
        return kind_of(self.column)

    @property
    def like(self) -> Stored:
        """The column itself."""
        return self

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it is, along foreign keys."""
        return (self.path,) if self.path else ()

    @property
    def is_own(self) -> bool:
        """Whether it is of the table itself."""
        return not self.path

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        return Fragment(f"{frame.prefix(self.path)}{self.column.compared}")


class Bound(NamedTuple):
    """A value that is bound."""

    value: Value
    kind: Kind
    like: Stored | None = None
    decode: Decode | None = None
    level: Level = Level.ROW
    paths: tuple[Path, ...] = ()
    is_own: bool = True

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        return Fragment("?", (self.value,))


class Built(NamedTuple):
    """SQL that is put together of pieces."""

    pieces: tuple[str | Computed, ...]
    kind: Kind
    like: Stored | None = None
    decode: Decode | None = None
    own_level: Level = Level.ROW

    @property
    def level(self) -> Level:
        """What one value is computed of."""
        return max([self.own_level, *(each.level for each in self._computed)])

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return paths_in(self._computed)

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return all(piece.is_own for piece in self._computed)

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        parts = (
            Fragment(piece) if isinstance(piece, str) else piece.render(frame)
            for piece in self.pieces
        )
        return join("", parts)

    @property
    def _computed(self) -> list[Computed]:
        return [piece for piece in self.pieces if not isinstance(piece, str)]


class _Tests(Protocol):
    """A condition, as far as it is known here."""

    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def is_own(self) -> bool: ...

    def render(self, frame: Frame) -> Fragment: ...


class Test(NamedTuple):
    """Whether a condition holds."""

    condition: _Tests
    level: Level = Level.ROW
    kind: Kind = BOOL
    like: Stored | None = None
    decode: Decode | None = None  # its kind says it

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where it looks, along foreign keys."""
        return self.condition.paths

    @property
    def is_own(self) -> bool:
        """Whether it is about columns of the table alone."""
        return self.condition.is_own

    def render(self, frame: Frame) -> Fragment:
        """Return its SQL."""
        sql, params = self.condition.render(frame)
        return Fragment(f"({sql})", params)


def collated(result: Computed) -> Computed:
    """Return the same as it is compared and ordered."""
    like = result.like
    if like is None or isinstance(result, Stored) or not like.column.codec.collation:
        return result
    tail = f" COLLATE {like.column.codec.collation}"
    return Built((result, tail), result.kind, like)


def paths_in(parts: Iterable[Computed]) -> tuple[Path, ...]:
    """Return where these look, along foreign keys."""
    return tuple(dict.fromkeys(path for part in parts for path in part.paths))


def decoded(result: Computed, value: Value, *, local: bool) -> Any:
    """Return what SQLite gave as a value; raises ``ValueError`` if it is none."""
    if value is None:
        return None
    if result.like is not None:
        return read(result.like.column, value, local=local)
    decode = result.decode or _DECODING.get(result.kind)
    return value if decode is None else decode(value)


def name_of(model: type[Any], field: Field[Any]) -> str:
    """Return the name of a field; ``ValueError`` for a column of another model."""
    owner = field.model if isinstance(field, Attribute) else model
    if not issubclass(model, owner):
        msg = (
            f"{field!r} is no column of {model.__name__}; in a query inside of one of "
            f"{owner.__name__}, write outer({field!r})"
        )
        raise ValueError(msg)
    return field.name


def direction(*, descending: bool, nulls: Nulls | None) -> str:
    """Return what follows an expression that rows are ordered by."""
    return (
        f"{'DESC' if descending else 'ASC'}{f' NULLS {nulls.upper()}' if nulls else ''}"
    )
