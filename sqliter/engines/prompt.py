"""What is short is done at once, on the event loop's thread; nothing waits here."""

from __future__ import annotations

import time
from typing import Any

from sqliter.core.context import Context
from sqliter.core.scopes import Scope
from sqliter.core.steps import Access, Drive
from sqliter.core.stop import Stop
from sqliter.engines.hurry import Handover
from sqliter.engines.inline import BUDGET, Inline
from sqliter.engines.local import LocalEngine

FEW = 100
"""Rows that are committed so fast that no thread is needed."""


class PromptEngine(LocalEngine):
    """Tries what may be short, within a budget; says whether it is done."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._inline = Inline(enabled=self.settings.inline)

    def _carry_here(self, drive: Drive[Any]) -> bool:
        """Do it here, if that is quick; say whether it is done."""
        if not self._inline.allows(drive.shape):
            return False
        scope = self._scope()
        started = time.perf_counter()
        try:
            if self._reads_elsewhere(drive, scope):
                return self._read_here(drive)
            return self._may_be_quick(drive, scope) and self._work_here(drive, scope)
        except Handover as handover:
            self._go_on_elsewhere(drive, handover)
            return False
        finally:
            self._inline.spend(time.perf_counter() - started)

    def _may_be_quick(self, drive: Drive[Any], scope: Scope | None) -> bool:
        """Whether it may be tried on the connection of a block, or on the writer.

        No write in a block: stopped when its time is up, it would undo the block.
        """
        if drive.access is Access.READ:
            return True
        return self._shares_commit(drive, scope) and self._commits_quickly

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

    def _work_here(self, drive: Drive[Any], scope: Scope | None) -> bool:
        seat = self._seat_around(scope)
        if not seat.try_take(drive.asker):
            return False
        try:
            self._carry_writer(drive, scope, [], BUDGET)
        finally:
            seat.give_back()
        return True

    def _go_on_elsewhere(self, drive: Drive[Any], handover: Handover) -> None:
        if handover.is_slow:
            self._inline.remember(drive.shape)
        if drive.again is not None:  # what it changed in objects has been taken back
            drive.restart()

    def _begin_here(self, scope: Scope, stop: Stop) -> bool:
        """Open the block here, unless others have to be waited for."""
        is_ready = self.writer_connection is not None and not scope.is_snapshot
        if not (self._inline.is_on and is_ready):
            return False
        try:
            self._transactions.begin(scope, stop, BUDGET)
        except Handover:
            return False
        return True

    def _ends_quickly(self, scope: Scope) -> bool:
        if not self._inline.is_on or scope.is_snapshot:
            return False
        is_quick = scope.parent is not None or self._commits_quickly
        return is_quick and scope.connection.uncommitted_changes < FEW
