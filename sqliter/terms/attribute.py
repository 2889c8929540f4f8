"""``User.age``: a field of a model, as an expression that knows its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from sqliter.terms.term import Field, Term

__all__ = ["Attribute", "Outer", "Path", "col", "outer"]

T = TypeVar("T", default=Any)


class Attribute(Field[T]):
    """A field of a model; what reading it from the class gives: ``User.age``."""

    __slots__ = ("model",)

    def __init__(self, model: type[Any], name: str) -> None:
        self.model = model
        self.name = name

    def __repr__(self) -> str:
        return f"{self.model.__name__}.{self.name.replace('__', '.')}"


class Path:
    """The fields at the other end of a foreign key: ``Book.author.to``."""

    __slots__ = ("_model", "_name", "_target")

    def __init__(self, model: type[Any], name: str, target: type[Any]) -> None:
        self._model = model
        self._name = name
        self._target = target

    @property
    def to(self) -> Path:
        """The same: so it reads alike at every foreign key on the way."""
        return self

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        longer = f"{self._name}__{name}"
        if isinstance(found, Attribute):
            return Attribute(self._model, longer)
        further = getattr(found, "to", None)
        if isinstance(further, Path):
            return Path(self._model, longer, further._target)  # noqa: SLF001
        msg = f"{self._target.__name__} has no field '{name}'"
        raise AttributeError(msg)

    def __repr__(self) -> str:
        return f"{self._model.__name__}.{self._name.replace('__', '.')}"


class Outer(Term[T]):
    """A field of the row of the query around a sub-query."""

    __slots__ = ("attribute",)

    def __init__(self, attribute: Attribute[T]) -> None:
        self.attribute = attribute

    def __repr__(self) -> str:
        return f"outer({self.attribute!r})"


if TYPE_CHECKING:

    def col(field: T) -> Attribute[T]:
        """Return the same column, with methods that type checkers know."""
        ...

    def outer(field: T) -> Outer[T]:
        """Return a column of the query around a sub-query."""
        ...

else:

    def col(field):
        """Return the same column, with methods that type checkers know.

        To type checkers ``User.name`` is what it is on an instance, a ``str``: they
        know ``User.name == "Ann"``, but not ``in_``. At run time nothing changes.
        Raises ``TypeError`` for what is no column.

        Example:
            >>> db.select(User).filter(col(User.name).in_(["Ann", "Bob"]))
            >>> db.select(User).order(col(User.age).desc(nulls="last"))
        """
        if not isinstance(field, Attribute):
            msg = f"col() takes a column, as in col(User.name), not {field!r}"
            raise TypeError(msg)
        return field

    def outer(field):
        """Return a column of the row of the query around a sub-query.

        Raises ``TypeError`` for what is no column.

        Example:
            >>> books = db.select(Book).filter(Book.author_id == outer(Author.pk))
            >>> db.select(Author).filter(~exists(books))
        """
        if not isinstance(field, Attribute):
            msg = f"outer() takes a column, as in outer(Author.pk), not {field!r}"
            raise TypeError(msg)
        return Outer(field)


Attribute.__module__ = "sqliter.expressions"  # where users import it from
