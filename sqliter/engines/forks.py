"""Forks of this process: whoever holds something open is told before and after."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from sqliter.core import scopes
from sqliter.engines.turn import Seat, Ticket
from sqliter.exceptions import TransactionError

PATIENCE = 0.2
"""Seconds that a fork waits for others to let go of all databases."""


class Member(Protocol):
    """Something that has to do with forks."""

    def before_fork(self, deadline: float) -> None:
        """Close what is open and let nobody open it."""

    def after_fork(self) -> None:
        """Go on."""

    def begin_anew(self) -> None:
        """Take over nothing: this is the process that was forked."""


class _ForeignSeat(Seat):
    """The seat in a block of another process: nobody gets it."""

    def try_take(self, who: object) -> bool:
        raise TransactionError(scopes.FOREIGN)

    def sit_or_queue(
        self, who: object, call: Callable[[], object], parcel: Any = None
    ) -> Ticket | None:
        raise TransactionError(scopes.FOREIGN)


class _Forks:
    def __init__(self) -> None:
        self.members: weakref.WeakSet[Member] = weakref.WeakSet()
        self.forking = threading.Lock()

    def before(self) -> None:
        self.forking.acquire()
        deadline = time.monotonic() + PATIENCE
        for member in list(self.members):
            member.before_fork(deadline)

    def in_parent(self) -> None:
        for member in list(self.members):
            member.after_fork()
        self.forking.release()

    def in_child(self) -> None:
        self.forking = threading.Lock()
        for member in list(self.members):
            member.begin_anew()
        scopes.disown(_ForeignSeat(0.0))


_forks = _Forks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_forks.before,
        after_in_parent=_forks.in_parent,
        after_in_child=_forks.in_child,
    )


def remember(member: Member) -> None:
    """Tell it of every fork from now on, for as long as it lives."""
    _forks.members.add(member)
