"""The debug log: one line for each statement that is run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqliter.core.statement import Value

if TYPE_CHECKING:
    import logging

NAME = "sqliter"


class StatementLog:
    """Writes ``Executing SQL: …`` lines while ``debug`` is on."""

    def __init__(self, logger: logging.Logger | None, *, debug: bool) -> None:
        self.logger = logger
        self.debug = debug

    @property
    def debug(self) -> bool:
        """Whether statements are logged; may be switched at any time."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self._debug = value
        if value and self.logger is None:
            self.logger = default_logger()

    def statement(self, sql: str, params: Sequence[Value]) -> None:
        """Log one statement with its values filled in."""
        if self._debug and self.logger is not None:
            self.logger.debug("Executing SQL: %s", _Rendered(sql, params))

    def note(self, text: str, *arguments: object) -> None:
        """Log a remark at DEBUG level."""
        if self._debug and self.logger is not None:
            self.logger.debug(text, *arguments)

    def warning(self, text: str, *arguments: object) -> None:
        """Log a warning, whether debugging is on or not."""
        import logging  # noqa: PLC0415 - most programs never log here

        (self.logger or logging.getLogger(NAME)).warning(text, *arguments)

    def failure(
        self, text: str, *arguments: object, error: BaseException | None = None
    ) -> None:
        """Log a failure, whether debugging is on or not; ``error`` in full."""
        import logging  # noqa: PLC0415 - most programs never log here

        logger = self.logger or logging.getLogger(NAME)
        logger.error(text, *arguments, exc_info=error)


def default_logger() -> logging.Logger:
    """Return the logger used when none was given; its handler is added once."""
    import logging  # noqa: PLC0415 - most programs never log here

    root = logging.getLogger()
    if root.hasHandlers():
        return root.getChild(NAME)
    logger = logging.getLogger(NAME)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)-8s%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


class _Rendered:
    """The readable text of a statement, made when a handler wants it."""

    def __init__(self, sql: str, params: Sequence[Value]) -> None:
        self._sql = sql
        self._params = params

    def __str__(self) -> str:
        return render(self._sql, self._params)


def render(sql: str, params: Sequence[Value]) -> str:
    """Return the text with each placeholder replaced, for people to read.

    Question marks inside quoted names and strings are no placeholders.
    """
    values = iter(params)
    parts: list[str] = []
    quote = ""
    for character in sql:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "?":
            parts.append(_literal(next(values, None)))
            continue
        parts.append(character)
    return "".join(parts)


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return str(value)
