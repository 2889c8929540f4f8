"""What an engine knows about itself without asking SQLite."""

from __future__ import annotations

from contextlib import suppress

from sqliter.core.faults import Fault
from sqliter.core.health import Condition
from sqliter.engines.connection import Connection
from sqliter.engines.local import LocalEngine
from sqliter.engines.wal import wal_size


def condition_of(engine: LocalEngine) -> Condition:
    """Return who writes, who waits, and how large the WAL is."""
    writer, age, waiting = engine.seat.look()
    return Condition(
        wal_size=wal_size(engine.settings),
        writer=writer,
        writer_age=age,
        waiting=waiting,
        in_transaction=_is_writing(engine.writer_connection),
    )


def _is_writing(writer: Connection | None) -> bool:
    with suppress(Fault):  # closed by hand
        return writer is not None and writer.in_transaction
    return False
