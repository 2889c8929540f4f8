"""The slow-query log: what took too long, and how SQLite went about it."""

from __future__ import annotations

from collections.abc import Callable

from sqliter.core.events import Observers, Plan, StatementEvent
from sqliter.core.logs import StatementLog, render

LONGEST = 5000
"""Characters of a statement that are shown: a batch may hold a whole table."""


class SlowQueries:
    """Warns of each statement that keeps SQLite busy for ``threshold`` seconds.

    ``None`` switches it off. Raises ``ValueError`` for what is no number of seconds.
    """

    def __init__(
        self, log: StatementLog, observers: Observers, threshold: float | None
    ) -> None:
        self._log = log
        self._observers = observers
        self._stop: Callable[[], None] | None = None
        self.threshold = threshold

    @property
    def threshold(self) -> float | None:
        """Seconds; may be changed at any time."""
        return self._threshold

    @threshold.setter
    def threshold(self, seconds: float | None) -> None:
        if seconds is not None and not seconds >= 0:
            msg = "slow_query must be non-negative (seconds), or None"
            raise ValueError(msg)
        self._threshold = seconds
        if self._stop is not None:
            self._stop()
        self._stop = None if seconds is None else self._observers.add(self)

    def __call__(self, event: StatementEvent, plan: Plan) -> None:
        threshold = self._threshold
        if threshold is not None and event.run >= threshold:
            failed = "" if event.error is None else f", failed ({event.error})"
            self._log.warning(
                "Slow query: %.3f s, %s%s: %s",
                event.run,
                event.task,
                failed,
                "\n  ".join([_shown(event), *plan()]),
            )


def _shown(event: StatementEvent) -> str:
    text = render(event.sql, event.params)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} ... ({len(text)} characters)"
