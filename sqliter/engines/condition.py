"""What an engine knows about itself without asking SQLite."""

from __future__ import annotations

import time
from contextlib import suppress

from sqliter.core.askers import name_of
from sqliter.core.faults import Fault
from sqliter.core.health import Condition
from sqliter.engines.connection import Connection
from sqliter.engines.local import LocalEngine
from sqliter.engines.wal import wal_size


def condition_of(engine: LocalEngine) -> Condition:
    """Return who writes, who waits, and how large the WAL is."""
    writer, age, waiting = engine.seat.look()
    lease = engine.oldest_reader()
    return Condition(
        wal_size=wal_size(engine.settings),
        writer=writer,
        writer_age=age,
        waiting=waiting,
        in_transaction=_is_writing(engine.writer_connection),
        oldest_reader=None if lease is None else name_of(lease.asker),
        oldest_reader_age=0.0 if lease is None else time.monotonic() - lease.since,
    )


def _is_writing(writer: Connection | None) -> bool:
    with suppress(Fault):  # closed by hand
        return writer is not None and writer.in_transaction
    return False
