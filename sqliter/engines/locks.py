"""A lock that a signal cannot make a thread wait for itself with."""

from __future__ import annotations

import threading


class OwnLock:
    """A lock that its thread never needs twice at once.

    What a signal handler raises just after the lock was taken, before any ``try``,
    leaves it taken. Whoever has it and asks for it again must have lost it like that.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @property
    def is_mine(self) -> bool:
        """Whether the running thread has it."""
        return self._lock._is_owned()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - as threading.Condition does

    @property
    def is_taken(self) -> bool:
        """Whether any thread has it."""
        if self.is_mine:
            return True
        is_free = self._lock.acquire(blocking=False)
        if is_free:
            self._lock.release()
        return not is_free

    def acquire(self, timeout: float = -1) -> bool:
        """Take it; say whether that worked within so many seconds (-1: for ever)."""
        while self.is_mine:
            self._lock.release()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Let others have it."""
        self._lock.release()
