"""What an operation does outside the database, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Effects:
    """Tables written (caches must forget them) and ways to undo what was assigned.

    Effects travel upwards: from an operation to the block around it, and take
    effect when the outermost block commits.
    """

    __slots__ = ("_undo", "callbacks", "everything", "tables")

    def __init__(self) -> None:
        self.tables: set[str] = set()
        self.everything = False
        self.callbacks: list[Callable[[], object]] = []  # called after the commit
        self._undo: list[Callable[[], None]] = []

    def touch(self, tables: Iterable[str]) -> None:
        """Note that rows of these tables change."""
        self.tables.update(tables)

    def touch_everything(self) -> None:
        """Note that any table may change (DDL, raw SQL, triggers)."""
        self.everything = True

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have ``undo`` called if what was done is rolled back."""
        self._undo.append(undo)

    def merge(self, inner: Effects) -> None:
        """Take over what an inner operation or block did."""
        self.tables |= inner.tables
        self.everything |= inner.everything
        self.callbacks += inner.callbacks
        self._undo += inner._undo

    def undo(self) -> None:
        """Take everything back, newest first."""
        self.callbacks.clear()
        while self._undo:
            self._undo.pop()()

    def clear(self) -> None:
        """Start anew, after a commit."""
        self.tables.clear()
        self.callbacks = []
        self.everything = False
        self._undo.clear()
