"""Verbs that write or reread records, to be awaited; ``AsyncSqliterDB`` has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from sqliter.core.asked import Asked
from sqliter.database import BaseDatabase
from sqliter.model.keys import actual
from sqliter.model.model import BaseDBModel, KeyedModel
from sqliter.operations import ensuring, many, rereading, saving, upserting
from sqliter.operations.upserting import Choice

if TYPE_CHECKING:
    from sqliter.engines.awaiting import AwaitingEngine  # noqa: F401 - in the base

__all__ = ["AsyncWriting"]

M = TypeVar("M", bound=BaseDBModel)
R = TypeVar("R")


class AsyncWriting(BaseDatabase["AwaitingEngine"]):
    """What ``AsyncSqliterDB`` can do with records it is given."""

    async def run(self, asked: Asked[R], seconds: float | None = None) -> R:
        """Carry an operation out, within so many seconds; the verbs are operations."""
        return await self._engine.run(asked, seconds)

    async def save(self, model_instance: M, fields: Iterable[str] | None = None) -> M:
        """Insert a record whose ``pk`` is 0, update any other; returns the same one.

        A record with a key of another type is inserted if there is no row of that key.
        ``fields`` are what is written to its row, then, as in ``update``. Raises what
        ``insert`` and ``update`` raise; ``ValueError`` for ``fields`` without a row.
        """
        return await self.run(saving.save(actual(model_instance), self.context, fields))

    async def refresh(
        self, model_instance: BaseDBModel, fields: Iterable[str] | None = None
    ) -> None:
        """Read the row again into the same instance: all it has, or these fields.

        Validators do not run, frozen models are no obstacle. What was loaded through
        foreign keys that changed is forgotten. Raises ``RecordNotFoundError``,
        ``RecordFetchError``.
        """
        await self.run(rereading.refresh(actual(model_instance), fields, self.context))

    async def upsert(
        self,
        model_instance: M,
        *,
        conflict: Iterable[str] | None = None,
        update: Iterable[str] | None = None,
    ) -> M:
        """Insert a record, or write it to the row that is the same already.

        ``conflict`` names the unique fields that make it the same: the key if that is
        set, else the model's only unique field or index. ``update`` names what is
        written to an existing row: everything by default, nothing if it is empty.
        Returns the same instance, with its key and all that the row holds. Raises
        ``ValueError`` if nothing is unique, ``RecordInsertionError``.

        Example:
            >>> await db.upsert(User(email="ada@example.org", name="Ada"))
        """
        return await self.run(
            upserting.upsert(
                actual(model_instance), Choice.of(conflict, update), self.context
            )
        )

    async def bulk_upsert(
        self,
        instances: Iterable[M],
        *,
        conflict: Iterable[str] | None = None,
        update: Iterable[str] | None = None,
    ) -> list[M]:
        """Upsert records of one model, all or none; returns the same instances.

        Of those that mean the same row the last one wins. Raises ``TypeError`` for
        mixed models, else as ``upsert``.
        """
        return await self.run(
            upserting.bulk_upsert(instances, Choice.of(conflict, update), self.context)
        )

    async def get_or_create(
        self,
        model_class: type[M],
        /,
        defaults: dict[str, Any] | None = None,
        **lookup: Any,
    ) -> tuple[M, bool]:
        """Return the record with these values, or a new one; and whether it is new.

        A new one also gets ``defaults``. Nobody can insert another one in between.
        Raises ``RecordFetchError`` if there are several, ``InvalidFilterError`` for
        what is no field, else as ``insert``.

        Example:
            >>> tag, is_new = await db.get_or_create(Tag, name="sql")
        """
        return await self.run(
            ensuring.get_or_create(model_class, lookup, defaults, self.context)
        )

    async def update_or_create(
        self,
        model_class: type[M],
        /,
        defaults: dict[str, Any] | None = None,
        **lookup: Any,
    ) -> tuple[M, bool]:
        """Write ``defaults`` to the record with these values, or to a new one.

        Returns the record, and whether it is new. Raises as ``get_or_create`` and
        ``update``.

        Example:
            >>> user, is_new = await db.update_or_create(User, {"age": 37}, name="Ada")
        """
        return await self.run(
            ensuring.update_or_create(model_class, lookup, defaults, self.context)
        )

    async def bulk_update(
        self, instances: Iterable[BaseDBModel], fields: Iterable[str]
    ) -> int:
        """Write these fields of records of one model, all or none; returns how many.

        Raises ``RecordNotFoundError`` if a row is missing, ``RecordUpdateError``,
        ``TypeError`` for mixed models, ``ValueError`` for what is no field.
        """
        return await self.run(many.bulk_update(instances, fields, self.context))

    @overload
    async def bulk_delete(
        self, model_class: type[KeyedModel], keys: Iterable[object]
    ) -> int: ...
    @overload
    async def bulk_delete(
        self, model_class: type[M], keys: Iterable[int | M]
    ) -> int: ...
    async def bulk_delete(self, model_class: type[Any], keys: Iterable[Any]) -> int:
        """Delete the records with these keys, or these records; returns how many.

        Those that are gone already do not count. Raises ``ForeignKeyConstraintError``,
        ``RecordDeletionError``, ``TypeError`` for records of another model.
        """
        return await self.run(many.bulk_delete(model_class, keys, self.context))
