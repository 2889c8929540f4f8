"""How many statements the library sends, as its debug log tells."""

from __future__ import annotations

import logging

__all__ = ["StatementCounter"]


class StatementCounter(logging.Handler):
    """Counts the statements of databases that log to ``logger`` with ``debug=True``."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        # Not from getLogger(): nobody else shall see or change it.
        self.logger = logging.Logger("world", logging.DEBUG)  # noqa: LOG001
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line, if it is about a statement."""
        self.count += record.getMessage().startswith("Executing SQL")
