"""What operations of one database object share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sqliter.core import scopes
from sqliter.core.cache import Cache
from sqliter.core.events import Observers
from sqliter.core.hooks import HookRegistry
from sqliter.core.lazy import LazyLoads
from sqliter.core.logs import StatementLog
from sqliter.core.settings import Settings


def _nobody() -> None:
    """Stand for a database object where there is none."""


@dataclass(eq=False, repr=False)
class Context:
    """Settings, cache and log, and what is known about the schema of the file.

    ``known`` are tables that were compared with their models, ``reach`` says which
    tables change when rows of one are deleted (``None``: cannot be told). An engine
    that never writes at once ``takes_orders`` not.
    """

    settings: Settings
    cache: Cache
    log: StatementLog
    known: set[object] = field(default_factory=set)
    reach: dict[str, frozenset[str] | None] = field(default_factory=dict)
    lazy: LazyLoads = field(init=False)
    observers: Observers = field(init=False)
    hooks: HookRegistry = field(default_factory=HookRegistry)
    owner: Callable[[], object] = field(default=_nobody)
    takes_orders: bool = True
    _reach_epoch: int = 0

    def __post_init__(self) -> None:
        self.lazy = LazyLoads(self.log.warning)
        self.observers = Observers(self.log.failure)

    @property
    def database(self) -> object:
        """The database object; held weakly, so that a forgotten one goes at once."""
        return self.owner()

    @staticmethod
    def now() -> int:
        """Whole Unix seconds; the one place where operations meet a clock."""
        return int(time.time())

    def allows_order(self, table: object) -> bool:
        """Whether a row might be written at once; else an order is made in vain."""
        if self.cache.enabled or not self.takes_orders or scopes.in_any():
            return False
        return table in self.known

    def knows(self, things: Iterable[object]) -> bool:
        """Whether all these tables were compared with the file."""
        return self.known.issuperset(things)

    def known_reach(self) -> dict[str, frozenset[str] | None]:
        """Return ``reach``, anew when others wrote: they may have added triggers."""
        if self._reach_epoch != self.cache.epoch:
            self.reach.clear()
            self._reach_epoch = self.cache.epoch
        return self.reach

    def forget_schema(self) -> None:
        """Have everything compared again: the schema may have changed."""
        self.known.clear()
        self.reach.clear()


class HasContext(Protocol):
    """A database object, as far as queries know it."""

    @property
    def context(self) -> Context: ...
