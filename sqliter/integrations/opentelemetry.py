"""A span of OpenTelemetry for each statement, by the conventions for databases.

Needs the extra: ``pip install 'sqliter-py[opentelemetry]'``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqliter import StatementEvent
from sqliter.integrations.digest import Digest, digest_of, redacted

try:
    from opentelemetry import trace
except ImportError as error:
    msg = (
        "sqliter.integrations.opentelemetry needs the OpenTelemetry API: "
        "pip install 'sqliter-py[opentelemetry]'"
    )
    raise ImportError(msg) from error

__all__ = ["instrument"]

_SCHEMA = "https://opentelemetry.io/schemas/1.33.0"


class _Database(Protocol):
    @property
    def db_filename(self) -> str | Path: ...

    def on_statement(
        self, hook: Callable[[StatementEvent], object]
    ) -> Callable[[], None]: ...


def instrument(
    db: _Database,
    tracer_provider: trace.TracerProvider | None = None,
    *,
    parameters: bool = False,
) -> Callable[[], None]:
    """Make a span of each statement of a database, blocking or async.

    Its parent is the span in which the operation was asked for. The global provider is
    used if none is given. ``parameters`` also shows the values, which may be secret.
    Returns a function that ends this.

    Example:
        >>> stop = instrument(db)
    """
    tracer = trace.get_tracer("sqliter", None, tracer_provider, _SCHEMA)
    return db.on_statement(
        _Spans(tracer, str(db.db_filename), with_parameters=parameters)
    )


class _Spans:
    """The hook: it is called in the context of whoever asked for the statement."""

    def __init__(
        self, tracer: trace.Tracer, namespace: str, *, with_parameters: bool
    ) -> None:
        self._tracer = tracer
        self._namespace = namespace
        self._with_parameters = with_parameters

    def __call__(self, event: StatementEvent) -> None:
        end = time.time_ns()
        digest = digest_of(event.sql)
        span = self._tracer.start_span(
            digest.summary or "sqlite",
            kind=trace.SpanKind.CLIENT,
            attributes=self._attributes(event, digest),
            start_time=end - int(event.duration * 1e9),
        )
        if event.error is not None:
            span.set_status(trace.StatusCode.ERROR, str(event.error))
        span.end(end)

    def _attributes(
        self, event: StatementEvent, digest: Digest
    ) -> dict[str, str | int | float]:
        attributes: dict[str, str | int | float | None] = {
            "db.system.name": "sqlite",
            "db.namespace": self._namespace,
            # Without parameters, the values may stand in the text.
            "db.query.text": event.sql if event.params else redacted(event.sql),
            "db.query.summary": digest.summary,
            "db.operation.name": digest.operation,
            "db.collection.name": digest.table,
            "sqliter.queue": event.queue,
            "sqliter.lock": event.lock,
            "sqliter.task": event.task,
        }
        if event.error is not None:
            attributes["error.type"] = _type_name(event.error)
            code = getattr(event.error, "sqlite_errorname", None)
            attributes["db.response.status_code"] = code
        elif digest.returns_rows:
            attributes["db.response.returned_rows"] = event.rows
        if self._with_parameters:
            for position, value in enumerate(event.params):
                attributes[f"db.query.parameter.{position}"] = str(value)
        return {name: value for name, value in attributes.items() if value is not None}


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}"
