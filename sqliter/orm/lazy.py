"""The object at the other end of a foreign key, loaded when it is used."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ClassVar, Generic

from typing_extensions import TypeVar

from sqliter.exceptions import DatabaseKindError, LazyLoadError, SqliterError
from sqliter.model.keys import Deferred, is_object, row_of
from sqliter.model.loaded import FORWARD, attached, remember, remembered, siblings_of
from sqliter.model.relations import ForwardKey
from sqliter.operations.lazy import load_together
from sqliter.orm.handles import check_kind

__all__ = ["BaseLoader", "LazyLoader", "LazyRow", "related_object"]


R = TypeVar("R", default=Any)


def related_object(instance: Any, relation: ForwardKey, loader: type[Any]) -> Any:
    """Return what a foreign key leads to: an object, a loader of it, or ``None``.

    What is remembered counts as long as the key and the database are the same.
    """
    key = getattr(instance, relation.field)
    given = attached(instance, relation.name, key)
    if given is not None and _is_here(given, instance.db_context):
        return given
    known = remembered(instance, FORWARD).get(relation.name)
    if known is not None and _is_valid(known, key, instance.db_context):
        return known
    given = getattr(instance, "_given", None) or {}
    if is_object(given.get(relation.name)):  # validators of the model are at work
        return given[relation.name]
    if not key:
        return None
    made = loader(instance, relation.target, key, instance.db_context)
    row_of(made).relation = relation
    remember(instance, relation.name, made)
    return made


def _is_valid(known: Any, key: int | None, context: Any) -> bool:
    if isinstance(known, BaseLoader):
        return bool(key) and known.pk == key and known.db_context is context
    if not hasattr(known, "pk"):
        return True
    return _is_here(known, context) and known.pk == key


def _is_here(known: Any, context: Any) -> bool:
    """Whether an object may be of this database."""
    other = getattr(known, "db_context", None)
    return other is context or other is None or context is None


def _weakly(instance: Any) -> Callable[[], Any]:
    """Return what gives the instance, without keeping it alive where possible."""
    try:
        return weakref.ref(instance)
    except TypeError:
        return lambda: instance


class LazyRow:
    """A row that somebody refers to, and its object once it is loaded."""

    is_async: ClassVar[bool] = False

    def __init__(
        self, instance: Any, model: type[Any], pk: int | None, database: Any
    ) -> None:
        self._instance = _weakly(instance)
        self._owner = type(instance).__name__
        self.model = model
        self.pk = pk
        self.database = database
        self.relation: ForwardKey | None = None
        self.known: Any = None
        self.is_loaded = False

    @property
    def label(self) -> str:
        """The attribute that leads here, as errors call it."""
        name = self.relation.name if self.relation else self.model.__name__
        return f"{self._owner}.{name}"

    @property
    def instance(self) -> Any:
        """The object that refers to the row, as long as somebody has it."""
        return self._instance()

    def check(self, database: Any) -> None:
        """Raise ``DatabaseKindError`` if the database cannot answer."""
        check_kind(database, self.label, is_async=self.is_async)

    def ask(self, database: Any) -> Any:
        """Ask the database; the object that comes back may have to be awaited."""
        self.check(database)
        database.context.lazy.note(*self.label.split("."))
        relation, instance = self.relation, self.instance
        if relation is None or siblings_of(instance) is None:
            return database.get(self.model, self.pk)
        if vars(instance).get(relation.field) != self.pk:  # it was changed since
            return database.get(self.model, self.pk)
        return database.run(load_together(instance, relation, database.context))

    def take(self, found: Any) -> Any:
        """Remember the object, or that there is none."""
        self.known = found
        self.is_loaded = True
        return found


class BlockingRow(LazyRow):
    """A row that is loaded at once."""

    def fetch(self, database: Any = None) -> Any:
        """Return the object, or ``None`` if there is no such row (or no database).

        ``database`` is asked where the row belongs to none.
        """
        database = self.database or database
        if self.is_loaded or not self.pk or database is None:
            return self.known
        return self.take(self.ask(database))

    def existing(self, name: str = "it") -> Any:
        """Return the object, or raise ``AttributeError``."""
        text = f"Cannot access {name} on None (FK is null or object not found)"
        try:
            found = self.fetch()
        except (DatabaseKindError, LazyLoadError):
            raise
        except SqliterError as error:
            raise AttributeError(text) from error
        if found is None:
            raise AttributeError(text)
        return found


class BaseLoader(Deferred):
    """Stands for the object a foreign key leads to.

    Has hardly any names of its own: all others are those of the object.
    """

    __slots__ = ("_row",)

    row_class: ClassVar[type[Any]]

    def __init__(
        self, instance: Any, to_model: type[Any], fk_id: int | None, db_context: Any
    ) -> None:
        self._row = self.row_class(instance, to_model, fk_id, db_context)

    @property
    def pk(self) -> Any:
        """The key of the object, known without a query."""
        return self._row.pk

    @property
    def db_context(self) -> Any:
        """The database the object is loaded from."""
        return self._row.database

    def __repr__(self) -> str:
        name, row = type(self).__name__, self._row
        if row.is_loaded:
            return f"<{name} loaded: {row.known!r}>"
        return f"<{name} unloaded for {row.model.__name__} id={row.pk}>"


class LazyLoader(BaseLoader, Generic[R]):
    """Stands in for the object a foreign key leads to; loads it when it is used.

    Reading and writing attributes reaches the object. The stand-in is no instance
    of the model and never ``None``: where there is no such row, reading an attribute
    raises ``AttributeError``. ``db.load(book.author)`` gives the object itself.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    row_class = BlockingRow

    def __getattr__(self, name: str) -> Any:
        if name == "_row":  # not set yet: a copy is being made
            raise AttributeError(name)
        return getattr(self._row.existing(name), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_row":
            object.__setattr__(self, name, value)
        else:
            setattr(self._row.existing(name), name, value)

    def __eq__(self, other: object) -> bool:
        theirs = row_of(other).fetch() if isinstance(other, LazyLoader) else other
        return bool(self._row.fetch() == theirs)

    def __copy__(self) -> Any:
        return self._row.existing().__copy__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return self._row.existing().__deepcopy__(memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _itself, (self._row.existing(),)


def _itself(value: Any) -> Any:
    """Return the object: what is left of a stand-in in a pickle."""
    return value


LazyLoader.__module__ = "sqliter.orm.fields"  # where users import it from
