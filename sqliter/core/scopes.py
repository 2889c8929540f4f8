"""Open blocks: the outermost is a transaction, inner ones are savepoints.

A scope knows which statements open and close it. It sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from math import inf
from typing import Any, NamedTuple, TypedDict

from sqliter.core.effects import Effects
from sqliter.core.events import Trace
from sqliter.exceptions import TransactionError

FOREIGN = (
    "this block was opened before the process was forked. Its transaction goes on in "
    "the other process; nothing can be read or written in it here"
)


class BlockOptions(TypedDict, total=False):
    """The keyword arguments of ``db.transaction()``."""

    read_only: bool
    timeout: float | None
    immediate: bool | None


class Mode(NamedTuple):
    """How a block was asked for.

    ``begin`` is the statement that opens a transaction, ``deadline`` a time of
    ``time.monotonic`` at which all in it has to end. A ``snapshot`` is a block that
    only reads, on a connection that nobody else uses. One that is ``implicit`` leaves
    its transaction open, which ``commit()`` ends: that of ``auto_commit=False``.
    """

    begin: str
    read_only: bool = False
    snapshot: bool = False
    deadline: float = inf
    implicit: bool = False


class Scope:
    """One open ``with db:`` block.

    ``home`` tells databases apart. ``seat`` is what operations inside the block take
    in turn, ``thread`` the one that opened it (0 where that does not matter). A block
    ``adopted`` the implicit transaction if that was open already. ``connection`` is
    what it runs on, once it has begun: for a snapshot, and all blocks in it, a reader.
    ``turn`` is the ticket that it keeps the turn around it with; a task's may be taken
    away. ``trace`` knows what its opening waited for, if anybody observes.
    """

    __slots__ = (
        "_begun",
        "adopted",
        "connection",
        "deadline",
        "depth",
        "effects",
        "home",
        "is_foreign",
        "is_on_reader",
        "is_snapshot",
        "mode",
        "parent",
        "read_only",
        "seat",
        "thread",
        "trace",
        "turn",
    )

    def __init__(
        self, home: object, seat: Any, thread: int, parent: Scope | None, mode: Mode
    ) -> None:
        self.home = home
        self.seat = seat
        self.thread = thread
        self.parent = parent
        self.mode = mode
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.deadline: float = min(mode.deadline, parent.deadline if parent else inf)
        self.read_only: bool = mode.read_only or bool(parent and parent.read_only)
        self.is_snapshot: bool = mode.snapshot and parent is None
        self.is_on_reader: bool = parent.is_on_reader if parent else self.is_snapshot
        self.effects = Effects()
        self.adopted = False
        self.is_foreign = False  # of the process that this one was forked from
        self.connection: Any = None
        self.turn: Any = None
        self.trace: Trace | None = None
        self._begun = False

    @property
    def is_open(self) -> bool:
        """Whether the block, and every block around it, has begun and not ended."""
        return self._begun and (self.parent is None or self.parent.is_open)

    def begun(self) -> None:
        """The opening statement has been sent."""
        self._begun = True
        if self.trace is not None:
            self.trace.served()

    def ended(self) -> None:
        """The block is over, and so are all inside it."""
        self._begun = False

    def adopt(self, pending: Effects) -> None:
        """Take over the implicit transaction that is already open."""
        self.effects = pending
        self.adopted = True

    @property
    def name(self) -> str:
        """The savepoint of an inner block."""
        return f"sqliter_{self.depth}"

    @property
    def opening(self) -> str:
        """The statement that opens the block."""
        return self.mode.begin if self.parent is None else f"SAVEPOINT {self.name}"

    def keeping(self) -> str:
        """The statement that keeps what the block did."""
        return "COMMIT" if self.parent is None else f"RELEASE {self.name}"

    def undoing(self) -> tuple[str, ...]:
        """The statements that take back what the block did and end it."""
        if self.parent is None:
            return ("ROLLBACK",)
        return (f"ROLLBACK TO {self.name}", f"RELEASE {self.name}")

    def hand_waits(self, trace: Trace | None) -> None:
        """Have an operation inside tell what this and outer blocks waited for."""
        if trace is not None:
            for block in self.lineage():
                trace.inherit(block.trace)

    def lineage(self) -> list[Scope]:
        """The blocks from the outermost to this one."""
        return [*(self.parent.lineage() if self.parent else ()), self]


_blocks: ContextVar[tuple[Scope, ...]] = ContextVar("sqliter_blocks", default=())


def enter(scope: Scope) -> None:
    """Make this the innermost block of the running task or thread."""
    _blocks.set((*_open_blocks(), scope))


def leave(scope: Scope) -> None:
    """Close the block: whoever joined it is outside again."""
    scope.ended()
    _blocks.set(tuple(_open_blocks()))


in_any = _blocks.get
"""Whether the running code has entered any block, maybe one that has ended."""


def innermost(home: object) -> Scope | None:
    """Return the innermost open block of ``home`` that the running code is in.

    Tasks inherit the blocks they were started in; a closed block is no block.
    """
    for scope in reversed(_blocks.get()):
        if scope.home is home and scope.is_open:
            return scope
    return None


def connections() -> list[Any]:
    """Return what the open blocks of the running code run on."""
    return [scope.connection for scope in _open_blocks()]


def disown(seat: Any) -> None:
    """Have all operations in the open blocks take this seat: the process was forked."""
    for scope in _open_blocks():
        scope.is_foreign, scope.seat = True, seat


def left_foreign(home: object, *, keep: bool) -> Scope | None:
    """Leave the innermost block if it is of another process, and return it.

    Raises ``TransactionError`` if it was to be kept.
    """
    scope = innermost(home)
    if scope is None or not scope.is_foreign:
        return None
    leave(scope)
    if keep:
        raise TransactionError(FOREIGN)
    return scope


def was_in_block(home: object) -> bool:
    """Whether the running code had entered a block that others have ended since."""
    return any(scope.home is home for scope in _blocks.get())


def _open_blocks() -> Iterator[Scope]:
    return (scope for scope in _blocks.get() if scope.is_open)
