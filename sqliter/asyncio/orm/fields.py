"""``AsyncForeignKey``: ``await book.author.fetch()``."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, Self, overload

from typing_extensions import TypeVar

from sqliter.exceptions import DetachedInstanceError
from sqliter.model.foreign_key import FKAction
from sqliter.model.keys import Deferred, row_of
from sqliter.model.loaded import (
    FORWARD,
    known_object,
    remember,
    remembered,
    siblings_of,
)
from sqliter.model.model import BaseDBModel
from sqliter.orm.fields import ForeignKey, fk_id
from sqliter.orm.lazy import BaseLoader, LazyRow

__all__ = ["AsyncForeignKey", "AsyncLazyLoader", "fk_id"]

M = TypeVar("M", bound=BaseDBModel)
R = TypeVar("R", bound=BaseDBModel, default=Any)
T = TypeVar("T", bound="BaseDBModel | None", default=Any)


class AwaitedRow(LazyRow):
    """A row that is loaded when somebody awaits it; once, however many do."""

    is_async = True
    lock: Any = None  # with the event loop it belongs to

    async def fetch(self, database: Any = None) -> Any:
        """Return the object, or ``None`` if there is no such row.

        ``database`` is asked where the row belongs to none.
        """
        database = self.database or database
        if self.is_loaded or not self.pk:
            return self.known
        if database is None:
            raise DetachedInstanceError(self.label)
        async with self._lock():
            if not self.is_loaded:
                self.take(self._loaded_by_others() or await self.ask(database))
        return self.known

    def _lock(self) -> asyncio.Lock:
        """Return the lock of this row, or of all that are loaded with it."""
        holder: Any = siblings_of(self.instance) or self
        loop = asyncio.get_running_loop()
        if holder.lock is None or holder.lock[0]() is not loop:
            holder.lock = weakref.ref(loop), asyncio.Lock()
        lock: asyncio.Lock = holder.lock[1]
        return lock

    def _loaded_by_others(self) -> Any:
        """Return the object if somebody loaded it for all rows of the result."""
        if self.relation is None or self.instance is None:
            return None
        found = known_object(self.instance, self.relation.name)
        return found if getattr(found, "pk", None) == self.pk else None

    def take(self, found: Any) -> Any:
        """Remember the object; from now on the attribute gives the object itself."""
        super().take(found)
        instance, relation = self.instance, self.relation
        if relation is not None and instance is not None and found is not None:
            name, known = relation.name, remembered(instance, FORWARD)
            if isinstance(known.get(name), Deferred) and row_of(known[name]) is self:
                remember(instance, name, found)
        return found

    def existing(self) -> Any:
        """Return the object, or raise ``AttributeError`` saying what to do."""
        return self.refuse("it") if self.known is None else self.known

    def refuse(self, name: str) -> NoReturn:
        """Raise ``AttributeError``: attributes are read from the object itself."""
        relation = self.relation.name if self.relation else name
        msg = (
            f"Async foreign key '{relation}' is not loaded. "
            f"Use `await relation.fetch()` first, then read '{name}'."
        )
        raise AttributeError(msg)


class AsyncLazyLoader(BaseLoader, Generic[R]):
    """Stands for the object a foreign key leads to, until it is fetched.

    Once it is, the attribute gives the object itself. ``pk`` is known at once.

    Example:
        >>> author = await book.author.fetch()
    """

    __slots__ = ()

    row_class = AwaitedRow

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self  # it stands for the same row

    def __reduce_ex__(self, protocol: Any) -> Any:
        row = self._row
        return type(self), (None, row.model, row.pk, None)

    async def fetch(self) -> R | None:
        """Return the object, or ``None`` if there is no such row.

        It is loaded once, however many ask. Raises ``DetachedInstanceError`` for an
        object without a database, ``RecordFetchError``.
        """
        found: R | None = await self._row.fetch()
        return found

    if not TYPE_CHECKING:  # hidden: checkers would believe that any name exists

        def __getattr__(self, name: str) -> Any:
            if name == "_row":  # not set yet: a copy is being made
                raise AttributeError(name)
            return self._row.refuse(name)


class AsyncForeignKey(ForeignKey[T]):
    """A foreign key, loaded on ``await``; takes what ``ForeignKey`` takes.

    Example:
        >>> class Book(AsyncBaseDBModel):
        ...     title: str
        ...     author: AsyncForeignKey[Author] = AsyncForeignKey(Author)
        >>> author = await book.author.fetch()
    """

    if TYPE_CHECKING:
        # Said again: checkers do not narrow the base's own type to this one.

        @overload
        def __init__(
            self,
            to_model: str,
            *,
            on_delete: FKAction = ...,
            on_update: FKAction = ...,
            null: bool = ...,
            unique: bool = ...,
            related_name: str | Literal[False] | None = ...,
            db_column: str | None = ...,
        ) -> None: ...
        @overload
        def __init__(
            self: AsyncForeignKey[M | None],
            to_model: type[M],
            *,
            on_delete: FKAction = ...,
            on_update: FKAction = ...,
            null: Literal[True],
            unique: bool = ...,
            related_name: str | Literal[False] | None = ...,
            db_column: str | None = ...,
        ) -> None: ...
        @overload
        def __init__(
            self,
            to_model: type[T],
            *,
            on_delete: FKAction = ...,
            on_update: FKAction = ...,
            null: Literal[False] = ...,
            unique: bool = ...,
            related_name: str | Literal[False] | None = ...,
            db_column: str | None = ...,
        ) -> None: ...
        def __init__(self, to_model: type[Any] | str, **options: Any) -> None: ...
