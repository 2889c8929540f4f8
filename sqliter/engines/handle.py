"""A handle of SQLite, and whom it works for: one ``Stop`` at a time."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from math import inf

from sqliter.core.logs import StatementLog
from sqliter.core.settings import Pragmas, Settings
from sqliter.core.statement import Row, Value
from sqliter.core.stop import Loss, Stop
from sqliter.engines.beat import Beat
from sqliter.engines.disk import DRIVER_ERRORS
from sqliter.engines.foreign import leave_behind
from sqliter.engines.hurry import Handover
from sqliter.engines.locks import OwnLock
from sqliter.engines.meaning import fault_of, primary_code
from sqliter.engines.opening import close_surely, open_connection, wait_in_sqlite
from sqliter.engines.rows import all_rows

NO_PRAGMAS: Pragmas = {}


class Handle:
    """The driver's connection, which is told when to stop.

    Everything it raises is a ``Fault``, or a ``Handover`` if it was in a hurry, or what
    a signal handler raised.
    """

    def __init__(
        self,
        settings: Settings,
        log: StatementLog,
        stop: Stop,
        *,
        reader: bool,
        pragmas: Pragmas = NO_PRAGMAS,
    ) -> None:
        self._settings = settings
        self._log = log
        self._use = OwnLock()  # held while it works
        self._lock = threading.Lock()  # of ``_stop``
        self._stop, self._beat = Stop(), Beat()
        self._is_handed_out = self._is_peeking = False
        self._late_signal: BaseException | None = None
        self.in_hurry = False
        self.raw, self.is_wal = open_connection(
            settings,
            log,
            stop,
            self._beat.guarded,
            reader=reader,
            pragmas=pragmas,
        )

    def start(
        self, stop: Stop, *, budget: float | None = None, loss: Loss = Loss.NOTHING
    ) -> None:
        """Work until ``finish()``, or until ``stop`` says so.

        With a ``budget`` of seconds it is in a hurry: what takes longer, or has to
        wait for others, raises ``Handover``. ``loss`` is what an interruption costs.
        """
        if not self._use.acquire(-1 if budget is None else 0):
            raise Handover(is_slow=False)
        try:
            self.in_hurry = budget is not None
            if self._is_handed_out:
                wait_in_sqlite(self.raw, 0)
            self.obey(stop, budget=budget, loss=loss)
        except BaseException as error:
            self.finish()
            if isinstance(error, DRIVER_ERRORS):  # closed by hand
                raise fault_of(error) from error
            raise

    def obey(
        self,
        stop: Stop,
        *,
        budget: float | None = None,
        loss: Loss = Loss.NOTHING,
        until: float = inf,
    ) -> None:
        """Let this one say, from now on, when the work has to end.

        ``until`` is a time of the monotonic clock at which it ends in any case.
        """
        stop.loss = loss
        is_deaf = loss is Loss.WRITES
        if is_deaf:
            self._beat.rest(self.raw, for_good=True)
        else:
            self._beat.listen(self.raw, min(stop.deadline, until), budget)
        with self._lock:
            self._stop.worker = None
            self._stop = Stop(trace=stop.trace) if is_deaf else stop
            self._stop.worker = self

    def finish(self) -> None:
        """Whoever it worked for has no power over it any more."""
        with self._lock:
            self._stop.worker = None
            self._stop = Stop()
        self.in_hurry = False
        signal, self._late_signal = self._late_signal, None
        try:
            self._beat.rest(self.raw, for_good=self._is_handed_out)
            if self._is_handed_out:
                wait_in_sqlite(self.raw, self._settings.busy_timeout)
        except DRIVER_ERRORS:  # closed by hand: whoever uses it next will hear
            return
        finally:
            self._use.release()
        if signal is not None:
            raise signal
        self._beat.raise_signal()

    @contextlib.contextmanager
    def working(self, stop: Stop, *, budget: float | None = None) -> Iterator[None]:
        """Work for ``stop`` inside the block."""
        self.start(stop, budget=budget)
        try:
            yield
        finally:
            self.finish()

    def interrupt(self, stop: Stop) -> None:
        """Stop the statement that is running for ``stop``, from any thread."""
        with self._lock:
            if self._stop is stop:
                self.raw.interrupt()

    def interrupt_anybody(self) -> None:
        """Stop the statement that is running, if any: all of it will be undone."""
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed by hand
            self.raw.interrupt()

    def peek(
        self, sql: str, params: Sequence[Value], budget: float | None
    ) -> list[Row] | None:
        """Run one read for a caller who has it alone; ``None`` if that was not to be.

        Nobody but Ctrl-C, or the end of the budget, can stop it.
        """
        self._is_peeking = True
        try:
            self._beat.listen(self.raw, inf, budget)
            return all_rows(self.raw.execute(sql, params))
        except Exception:  # noqa: BLE001 - it is asked once more, with all due care
            self._beat.raise_signal()
            return None
        finally:
            self._is_peeking = False

    @property
    def is_working(self) -> bool:
        """Whether some thread works with it."""
        return self._is_peeking or self._use.is_taken

    def dismiss(self) -> None:
        """Stop what is done, and quietly the thread that does it: the program ends."""
        if self.is_working:
            self._beat.fail(SystemExit())
            self.interrupt_anybody()

    def leave_behind(self) -> None:
        """Never use or close it: it belongs to the process that was forked."""
        self._use = OwnLock()
        self._use.acquire()
        leave_behind(self.raw, self._settings.path)

    def hand_out(self) -> sqlite3.Connection:
        """Return the driver's connection, for code that does not wait by itself."""
        try:
            if not self._is_handed_out:
                self._beat.rest(self.raw, for_good=True)
                wait_in_sqlite(self.raw, self._settings.busy_timeout)
                self._is_handed_out = True
        except sqlite3.ProgrammingError:  # closed by hand: whoever uses it will hear
            pass
        except DRIVER_ERRORS as error:
            raise self._fault_of(error) from error
        return self.raw

    @contextlib.contextmanager
    def waiting(self) -> Iterator[sqlite3.Connection]:
        """Lend the driver's connection, which waits for others by itself meanwhile."""
        try:
            wait_in_sqlite(self.raw, self._settings.busy_timeout)
        except DRIVER_ERRORS as error:
            raise self._fault_of(error) from error
        try:
            yield self.raw
        finally:  # if that fails, it waits where it could not be stopped
            with contextlib.suppress(*DRIVER_ERRORS):
                wait_in_sqlite(self.raw, 0)

    def close(self) -> None:
        """Close it; what was not committed is discarded.

        Not while another thread works with it: SQLite must not lose a handle it uses.
        """
        if not self._use.is_taken and self._use.acquire(0):
            try:
                close_surely(self.raw)
            finally:
                self._use.release()

    def _fault_of(self, error: Exception, sql: str | None = None) -> Exception:
        """Return what an error means, here and now."""
        primary = primary_code(error)
        if primary == sqlite3.SQLITE_ERROR and self._beat.is_over:
            primary = sqlite3.SQLITE_INTERRUPT  # a function of ours refused to go on
        if primary == sqlite3.SQLITE_INTERRUPT:
            self._beat.raise_signal()
            self._stop.check()
        if self.in_hurry and primary in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
            return Handover(is_slow=primary == sqlite3.SQLITE_INTERRUPT)
        return fault_of(error, sql, self._settings.path)
