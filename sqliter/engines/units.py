"""All or nothing: a transaction around something, or a savepoint inside one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sqliter.core.faults import Fault, InTransactionFault

_NAME = "sqliter_unit"


class Controlled(Protocol):
    """What a connection has for this."""

    enforces_foreign_keys: bool

    @property
    def in_transaction(self) -> bool: ...

    def open_transaction(self) -> None: ...

    def commit(self) -> None: ...

    def control(self, *statements: str) -> None: ...

    def settle(self, *statements: str) -> None: ...

    def undo(self, *statements: str) -> None: ...


@contextmanager
def unit(connection: Controlled, *, foreign_keys: bool = True) -> Iterator[None]:
    """Keep what is done inside, or nothing of it.

    Without ``foreign_keys`` these are not enforced meanwhile, which is a fault inside a
    transaction.
    """
    if not connection.in_transaction:
        with _foreign_keys(connection, on=foreign_keys), _transaction(connection):
            yield
        return
    if not foreign_keys and connection.enforces_foreign_keys:
        msg = "foreign keys cannot be switched off inside a transaction"
        raise InTransactionFault(msg)
    with _savepoint(connection):
        yield


@contextmanager
def _transaction(connection: Controlled) -> Iterator[None]:
    connection.open_transaction()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.undo("ROLLBACK")
        raise


@contextmanager
def _savepoint(connection: Controlled) -> Iterator[None]:
    connection.control(f"SAVEPOINT {_NAME}")
    try:
        yield
        connection.settle(f"RELEASE {_NAME}")
    except BaseException:
        connection.undo(f"ROLLBACK TO {_NAME}", f"RELEASE {_NAME}")
        raise


@contextmanager
def _foreign_keys(connection: Controlled, *, on: bool) -> Iterator[None]:
    if on:
        yield
        return
    before = connection.enforces_foreign_keys
    try:
        connection.control("PRAGMA foreign_keys = OFF")
        connection.enforces_foreign_keys = False
        yield
    finally:
        connection.enforces_foreign_keys = before
        _enforce(connection, f"PRAGMA foreign_keys = {int(before)}")


def _enforce(connection: Controlled, sql: str) -> None:
    try:
        connection.settle(sql)
    except Fault:  # out of memory, maybe: rows without parents would be worse
        connection.settle(sql)
