"""A whole database at once: out to a backup file, and back in from one.

What is here blocks and knows nothing about turns. A file is copied from a snapshot,
so that writers go on; what is not complete and sound never gets a name.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    closing,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import ClassVar, TypeAlias

from sqliter.core.context import Context
from sqliter.core.faults import BusyFault, Fault, reported_as
from sqliter.core.stop import Stop
from sqliter.engines.connection import Connection
from sqliter.engines.disk import DRIVER_ERRORS
from sqliter.engines.functions import register_functions
from sqliter.engines.meaning import fault_of
from sqliter.engines.opening import close_surely
from sqliter.exceptions import BackupError, RestoreError, TransactionError

Progress: TypeAlias = Callable[[int, int], object]
"""Told how many pages are left, and how many there are in all."""

Reader: TypeAlias = Callable[[Stop], AbstractContextManager[Connection]]
"""Lends a connection that only reads."""

STEP = 256
"""Pages that are copied at a time; others get at the file between two steps."""

PATIENCE = 3
"""How often others may make a copy begin anew before they have to wait for it."""

_BESIDE = ("-wal", "-journal", "-shm")
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Disturbed(Exception):
    """Others write so often that the copy would never end."""


class _Copy(Stop):
    """One copy on its way, in the thread that makes it; any thread may cancel it."""

    error: ClassVar[type[BackupError]]

    def __init__(
        self, context: Context, path: str | Path, progress: Progress | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._settings = context.settings
        self._path = Path(path).absolute()
        self._progress = progress
        self._objection: Exception | None = None  # what ``progress`` raised
        self._checking: sqlite3.Connection | None = None
        self._patience = self._left = self._restarts = 0.0

    def cancel(self) -> None:
        """Stop between two steps, or in the middle of a check."""
        self.cancelled = True
        checking = self._checking
        if checking is not None:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                checking.interrupt()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what goes wrong inside into the public error, with the path."""
        with reported_as(self.error, str(self._path)):
            try:
                yield
            except BusyFault as fault:  # of a connection that had to be opened
                raise self._busy(fault.original) from fault
            except (*DRIVER_ERRORS, OSError, ValueError) as error:
                if error is self._objection:
                    raise
                raise self._fault_of(error) from error

    def _fault_of(self, error: Exception) -> Fault:
        fault = fault_of(error)
        return self._busy(error) if isinstance(fault, BusyFault) else fault

    def _busy(self, error: BaseException | None = None) -> BusyFault:
        text = f"others locked it while it was to be copied ('{self._path}')"
        return BusyFault(text, error)

    def _run(
        self,
        source: sqlite3.Connection,
        target: sqlite3.Connection,
        *,
        patience: float = float("inf"),
    ) -> None:
        """Copy every page; ``patience`` is how many restarts are taken."""
        self._be_patient()
        self._left, self._restarts = float("inf"), 0

        def between(status: int, left: int, total: int) -> None:
            self.check()
            if status in _BUSY:
                self._wait_for_others()
                return
            self._be_patient()
            self._restarts += left >= self._left
            self._left = left
            if self._restarts > patience:
                raise _Disturbed
            self._tell(left, total)

        source.backup(target, pages=STEP, progress=between, sleep=0.005)

    def _tell(self, left: int, total: int) -> None:
        if self._progress is None:
            return
        try:
            self._progress(left, total)
        except Exception as error:
            self._objection = error
            raise

    def _be_patient(self) -> None:
        self._patience = time.monotonic() + self._settings.busy_timeout

    def _wait_for_others(self) -> None:
        if time.monotonic() > self._patience:
            raise self._busy()

    def _check(self, database: sqlite3.Connection) -> None:
        """Raise a fault unless every page is as it must be."""
        self._checking = database
        try:
            self.check()
            rows = database.execute("PRAGMA integrity_check").fetchall()
        finally:
            self._checking = None
        problems = [text for (text,) in rows if text != "ok"]
        if problems:
            msg = f"it is damaged: {'; '.join(problems[:3])}"
            raise Fault(msg)

    def _refuse_own_file(self) -> None:
        if self._settings.is_memory:
            return
        own, path = Path(self._settings.path).resolve(), self._path.resolve()
        names = {Path(f"{own}{suffix}") for suffix in ("", *_BESIDE)}
        is_same = own.exists() and path.exists() and own.samefile(path)
        if is_same or path in names:
            msg = "it is the database's own file"
            raise Fault(msg)


class Backup(_Copy):
    """The database on its way to a file."""

    error = BackupError
    _taken: sqlite3.Connection | None = None

    def take(self, raw: sqlite3.Connection) -> None:
        """Take a copy of a database in memory, whose only connection others need."""
        _refuse_open(raw, "backup()")
        with self._reported():
            self._taken = sqlite3.connect(":memory:", check_same_thread=False)
            raw.backup(self._taken)

    def write(self, reader: Reader) -> None:
        """Make the file: from what was taken, else from a reader."""
        with self._reported():
            self._refuse_place()
            if self._taken is not None:
                self._publish(self._taken)
                return
            with reader(self) as connection, connection.waiting() as raw:
                self._publish(raw)

    def close(self) -> None:
        """Let go what was taken."""
        if self._taken is not None:
            close_surely(self._taken)

    def _refuse_place(self) -> None:
        """Raise a fault where a copy would destroy something, or be destroyed."""
        self._refuse_own_file()
        if self._path.is_dir():
            msg = "it is a folder"
            raise Fault(msg)
        for suffix in _BESIDE[:2]:
            # SQLite would apply it to the new file, which it does not belong to.
            if Path(f"{self._path}{suffix}").exists():
                msg = f"a database of this name is in use: there is a '{suffix}' file"
                raise Fault(msg)

    def _publish(self, source: sqlite3.Connection) -> None:
        path = self._path.resolve()
        part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
        try:
            part.touch(self._permissions(), exist_ok=False)
            self._fill(part, source)
            with _opened(part) as database:
                self._check(database)
            _flush(part)
            self.check()
            part.replace(path)
        finally:
            for suffix in ("", *_BESIDE):
                Path(f"{part}{suffix}").unlink(missing_ok=True)
        with suppress(OSError):  # not every system lets folders be opened
            _flush(path.parent)

    def _permissions(self) -> int:
        """Return those of the file: a copy is no less secret, but has to be written."""
        if self._settings.is_memory:
            return 0o666
        return Path(self._settings.path).stat().st_mode & 0o666 | 0o600

    def _fill(self, part: Path, source: sqlite3.Connection) -> None:
        (mode,) = source.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal" and self._taken is None:
            # A snapshot would make writers wait: they come first, for a while.
            with suppress(_Disturbed):
                self._copy(source, part, PATIENCE)
                return
            os.truncate(part, 0)
        with _snapshot(source):
            self._copy(source, part)

    def _copy(
        self, source: sqlite3.Connection, part: Path, patience: float = float("inf")
    ) -> None:
        with _opened(part) as target:
            # Until it is complete, nobody needs to repair it.
            target.execute("PRAGMA synchronous = OFF")
            target.execute("PRAGMA journal_mode = OFF")
            self._run(source, target, patience=patience)
            # One file, which needs no other beside it, even on a read-only disk.
            target.execute("PRAGMA journal_mode = DELETE")


class Restore(_Copy):
    """The content of a file on its way into the database."""

    error = RestoreError
    _source: sqlite3.Connection | None = None

    def prepare(self) -> None:
        """Open the file and make sure that it is a sound database."""
        with self._reported():
            self._refuse_own_file()
            # To read it by other means than SQLite's would drop the locks of others.
            if not self._path.stat().st_size:
                msg = "it is no database"
                raise Fault(msg)
            self._source = _open(self._path)
            _hold(self._source)  # what is checked is what will be copied
            self._check(self._source)

    def write(self, raw: sqlite3.Connection) -> None:
        """Replace all there is in one transaction of SQLite's own."""
        _refuse_open(raw, "restore()")
        assert self._source is not None
        with self._reported(), self._fitting(self._source, raw) as source:
            try:
                self._run(source, raw)
            finally:  # even if it failed: better once too often
                self._context.cache.forget_everything()
                self._context.forget_schema()
            self._keep_journal(raw)

    def close(self) -> None:
        """Let go of the file."""
        if self._source is not None:
            close_surely(self._source)

    @contextmanager
    def _fitting(
        self, source: sqlite3.Connection, raw: sqlite3.Connection
    ) -> Iterator[sqlite3.Connection]:
        """Lend the source, or a temporary copy of it with pages of the right size."""
        size = _page_size(raw)
        if _page_size(source) == size:
            yield source
            return
        import tempfile  # noqa: PLC0415 - seldom needed, and not cheap to load

        # SQLite changes the size of pages in files only.
        with tempfile.TemporaryDirectory(prefix="sqliter-") as folder:
            path = Path(folder, "resized.db")
            path.touch()
            with _opened(path) as other:
                self._run(source, other)
                other.execute("PRAGMA journal_mode = OFF")
                other.execute(f"PRAGMA page_size = {size}")
                other.execute("VACUUM")
                yield other

    def _keep_journal(self, raw: sqlite3.Connection) -> None:
        """Go on with the journal of the settings, whatever the backup had."""
        if not self._settings.is_memory:
            with suppress(*DRIVER_ERRORS):  # so it was when it was opened
                raw.execute(f"PRAGMA journal_mode = {self._settings.journal_mode}")


def _refuse_open(raw: sqlite3.Connection, verb: str) -> None:
    if raw.in_transaction:
        msg = f"{verb} inside a transaction: leave the block, or commit() first"
        raise TransactionError(msg)


def _open(path: Path) -> sqlite3.Connection:
    """Open a file that exists, for whichever thread comes next."""
    raw = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        register_functions(raw)
    except BaseException:
        close_surely(raw)
        raise
    return raw


def _opened(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    return closing(_open(path))


def _hold(source: sqlite3.Connection) -> None:
    """Have the connection see the present state until it ends the transaction."""
    source.execute("BEGIN")
    source.execute("PRAGMA schema_version").fetchall()


@contextmanager
def _snapshot(source: sqlite3.Connection) -> Iterator[None]:
    try:
        _hold(source)
        yield
    finally:
        source.rollback()


def _page_size(raw: sqlite3.Connection) -> int:
    row: tuple[int] = raw.execute("PRAGMA page_size").fetchone()
    return row[0]


def _flush(path: Path) -> None:
    """Have the disk write what it was given."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
