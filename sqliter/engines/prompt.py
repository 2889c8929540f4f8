"""What is short is done at once, on the event loop's thread; nothing waits here."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Any, TypeVar

from sqliter.core.asked import UNANSWERED, Order, Question, Unanswered
from sqliter.core.context import Context
from sqliter.core.scopes import Scope
from sqliter.core.statement import Result
from sqliter.core.steps import Access, Drive
from sqliter.core.stop import Stop
from sqliter.engines.hurry import Handover, is_heavy
from sqliter.engines.inline import BUDGET, Inline
from sqliter.engines.local import LocalEngine
from sqliter.engines.transactions import Callback

R = TypeVar("R")
A = TypeVar("A", Question[Any], Order[Any])

FEW = 100
"""Rows that are committed so fast that no thread is needed."""

MANY = 200
"""Remembered rows that are not built here."""


class PromptEngine(LocalEngine):
    """Tries what may be short, within a budget; says whether it is done."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._inline = Inline(enabled=self.settings.inline)
        is_quick = self.settings.is_memory or self.settings.durability == "normal"
        context.takes_orders = self.settings.inline and is_quick
        self._writes = 0  # since the WAL was looked at

    def _answer_here(self, question: Question[R]) -> R | Unanswered:
        """Answer here, if that is quick."""
        return self._try(self._answer, question)

    def _write_here(self, order: Order[R]) -> R | Unanswered:
        """Write here, if that is quick, and so is its commit."""
        if not self._commits_quickly or is_heavy(order.statement.params):
            return UNANSWERED
        self._writes += 1
        return self._try(self._write, order)

    def _try(
        self, quick: Callable[[A, float], R | Unanswered], asked: A
    ) -> R | Unanswered:
        shape = asked.statement.sql
        if not self._inline.allows(shape):
            return UNANSWERED
        started = time.perf_counter()
        try:
            answer = quick(asked, BUDGET)
        finally:
            spent = time.perf_counter() - started
            self._inline.spend(spent)
        if answer is UNANSWERED and spent > BUDGET:
            self._inline.remember(shape)
        return answer

    def _carry_here(self, drive: Drive[Any]) -> bool:
        """Do it here, if that is quick; say whether it is done."""
        if not (drive.shape and self._inline.allows(drive.shape)):
            return False  # what begins without SQL takes long before it asks
        scope, shape = self._scope(), drive.shape
        started = time.perf_counter()
        try:
            if self._reads_elsewhere(drive, scope):
                return self._read_here(drive)
            if drive.access is Access.READ or self._commits_here(drive, scope):
                return self._work_here(drive, scope, BUDGET)
            return self._is_known(drive, scope) and self._work_here(drive, scope, inf)
        except Handover as handover:
            self._go_on_elsewhere(drive, shape, handover)
            return False
        finally:
            self._inline.spend(time.perf_counter() - started)

    def _commits_here(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether it is a short write with a quick commit, which may be tried."""
        return self._shares_commit(drive, scope) and self._commits_quickly

    def _is_known(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether a write in a block is certain to be quick, as far as one can know.

        It is not tried: to stop it when its time is up would undo the block. How far a
        delete reaches depends on the row.
        """
        if scope is None or drive.again is None or drive.shape.startswith("DELETE"):
            return False
        version = self._inline.known(drive.shape)
        return version is not None and version == scope.connection.schema_version

    def _carry_and_learn(
        self, drive: Drive[Any], scope: Scope | None, due: list[Callback]
    ) -> None:
        """Run in a thread; note whether the like of it can be done here next time."""
        shape, started = drive.shape, time.perf_counter()
        self._carry_writer(drive, scope, due)
        took = time.perf_counter() - started
        if scope is None or drive.again is None or took > BUDGET:
            return
        connection = scope.connection
        if not connection.has_triggers:  # these may do anything, for any row
            self._inline.learn(shape, connection.schema_version)

    @property
    def _commits_quickly(self) -> bool:
        """Whether a commit of few rows waits for no disk, and for nobody else."""
        writer, settings = self.writer_connection, self.settings
        if writer is None or settings.is_memory:
            return writer is not None
        return writer.is_wal and settings.durability == "normal"

    def _read_here(self, drive: Drive[Any]) -> bool:
        connection = self._connections.lend_idle(drive)
        if connection is None:
            return False
        try:
            use_cache = self._carrier.cache.enabled
            self._carrier.carry(drive, connection, use_cache=use_cache, budget=BUDGET)
        finally:
            self._connections.take_back(connection)
        return True

    def _work_here(self, drive: Drive[Any], scope: Scope | None, budget: float) -> bool:
        seat = self._seat_around(scope)
        if not seat.try_take(drive.asker):
            return False
        try:
            self._carry_writer(drive, scope, [], budget)
        finally:
            seat.give_back()
        return True

    def _go_on_elsewhere(
        self, drive: Drive[Any], shape: str, handover: Handover
    ) -> None:
        if handover.is_slow:
            self._inline.remember(shape)
        if drive.again is not None:  # what it changed in objects has been taken back
            drive.restart()

    def _begin_here(self, scope: Scope, stop: Stop) -> bool:
        """Open the block here, unless others have to be waited for."""
        is_ready = self.writer_connection is not None and not scope.is_snapshot
        if not (self._inline.is_on and is_ready):
            return False
        started = time.perf_counter()
        try:
            self._transactions.begin(scope, stop, BUDGET)
        except Handover:
            return False
        finally:
            self._inline.spend(time.perf_counter() - started)
        return True

    def _serve_here(self, drive: Drive[Any]) -> Result | None:
        """Answer from the cache; return an answer that is not quick to build."""
        started = time.perf_counter()
        large = self._serve(drive, MANY)
        self._inline.spend(time.perf_counter() - started)
        return large

    def _ends_quickly(self, scope: Scope) -> bool:
        if not self._inline.is_on or scope.is_snapshot:
            return False
        is_quick = scope.parent is not None or self._commits_quickly
        return is_quick and scope.connection.uncommitted_changes < FEW
