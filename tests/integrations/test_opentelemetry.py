"""Spans of statements: names, attributes, parents and times; nothing secret in them."""

import asyncio

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support import run_python

from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.exceptions import RecordInsertionError
from sqliter.integrations.opentelemetry import instrument
from sqliter.model import BaseDBModel, unique


class User(BaseDBModel):
    name: str = unique()
    age: int = 0


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def tracer(provider):
    return provider.get_tracer("the application")


@pytest.fixture
def db(tmp_path):
    db = SqliterDB(tmp_path / "x.db")
    db.create_table(User)
    yield db
    db.close()


def test_a_span_for_each_statement(db, provider, exporter):
    instrument(db, provider)
    ada = db.insert(User(name="Ada"))
    db.select(User).filter(name="Ada").fetch_all()
    db.delete(User, ada.pk)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == [
        "INSERT users",
        "SELECT users",
        "DELETE users",
    ]
    assert {span.kind for span in spans} == {trace.SpanKind.CLIENT}
    assert {span.status.status_code for span in spans} == {trace.StatusCode.UNSET}
    assert {span.instrumentation_scope.name for span in spans} == {"sqliter"}


def test_attributes_follow_the_conventions(db, provider, exporter):
    instrument(db, provider)
    db.insert(User(name="Ada"))
    db.select(User).filter(age=0).fetch_all()
    inserted, selected = exporter.get_finished_spans()
    waited = {selected.attributes[f"sqliter.{name}"] for name in ("queue", "lock")}
    assert all(0 <= seconds < 10 for seconds in waited)
    assert {
        name: value
        for name, value in selected.attributes.items()
        if name not in ("sqliter.queue", "sqliter.lock")
    } == {
        "db.system.name": "sqlite",
        "db.namespace": str(db.filename),
        "db.query.text": 'SELECT "pk", "created_at", "updated_at", "name", "age" '
        'FROM "users" WHERE "age" = ?',
        "db.query.summary": "SELECT users",
        "db.operation.name": "SELECT",
        "db.collection.name": "users",
        "db.response.returned_rows": 1,
        "sqliter.task": "thread 'MainThread'",
    }
    assert "db.response.returned_rows" not in inserted.attributes


def test_no_values_are_shown(db, provider, exporter):
    instrument(db, provider)
    user = db.insert(User(name="hush hush"))
    db.update_where(User, {"name": "hush hush"}, {"age": 4711})
    db.execute("UPDATE users SET name = 'hush' WHERE age = 4711")
    db.delete(User, user.pk)
    for span in exporter.get_finished_spans():
        assert "hush" not in str(span.attributes)
        assert "4711" not in str(span.attributes)


def test_values_are_shown_on_request(db, provider, exporter):
    instrument(db, provider, parameters=True)
    db.fetch("SELECT ? AS a, ? AS b, ? AS c", ("x", 1, None))
    (span,) = exporter.get_finished_spans()
    shown = [span.attributes[f"db.query.parameter.{n}"] for n in range(3)]
    assert shown == ["x", "1", "None"]


def test_an_error_is_the_status(db, provider, exporter):
    instrument(db, provider)
    db.insert(User(name="Ada"))
    with pytest.raises(RecordInsertionError):
        db.insert(User(name="Ada"))
    span = exporter.get_finished_spans()[-1]
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == "UNIQUE constraint failed: users.name"
    assert span.attributes["error.type"] == "sqlite3.IntegrityError"
    code = span.attributes["db.response.status_code"]
    assert code == "SQLITE_CONSTRAINT_UNIQUE"


def test_the_parent_is_the_span_of_who_asked(db, provider, exporter, tracer):
    instrument(db, provider)
    with tracer.start_as_current_span("request") as request, db:
        db.insert(User(name="Ada"))
    db.get(User, 1)
    inside, _, outside = exporter.get_finished_spans()
    assert inside.parent.span_id == request.get_span_context().span_id
    assert inside.context.trace_id == request.get_span_context().trace_id
    assert outside.parent is None


async def test_each_task_has_its_own_parent(tmp_path, provider, exporter, tracer):
    db = AsyncSqliterDB(tmp_path / "x.db")
    await db.create_table(User)
    instrument(db, provider)

    async def request(n):
        with tracer.start_as_current_span(f"request {n}"):
            await db.insert(User(name=f"u{n}"))
            async with db:
                await db.update_where(User, {"name": f"u{n}"}, {"age": n})
            await db.select(User).filter(name=f"u{n}").fetch_all()

    await asyncio.gather(*(request(n) for n in range(10)))
    await db.close()
    spans = exporter.get_finished_spans()
    by_id = {span.context.span_id: span for span in spans}
    children = {}
    for span in spans:
        if span.parent is not None:
            parent = by_id[span.parent.span_id]
            children.setdefault(parent.name, []).append(span.name)
            assert parent.start_time <= span.start_time <= span.end_time
            assert span.end_time <= parent.end_time
    verbs = ["INSERT users", "UPDATE users", "SELECT users"]
    assert children == {f"request {n}": verbs for n in range(10)}


def test_a_span_is_as_long_as_the_statement_took(db, provider, exporter):
    events = []
    instrument(db, provider)
    db.on_statement(events.append)
    db.fetch(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1e5) "
        "SELECT max(n) FROM c"
    )
    (span,) = exporter.get_finished_spans()
    seconds = (span.end_time - span.start_time) / 1e9
    assert seconds == pytest.approx(events[0].duration, abs=1e-6)


def test_it_can_be_ended(db, provider, exporter):
    stop = instrument(db, provider)
    db.get(User, 1)
    stop()
    db.get(User, 1)
    assert len(exporter.get_finished_spans()) == 1


def test_the_global_provider_is_used_if_none_is_given():
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqliter import SqliterDB
from sqliter.integrations.opentelemetry import instrument
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
db = SqliterDB(memory=True)
instrument(db)
db.fetch("SELECT 1 AS n")
print([span.name for span in exporter.get_finished_spans()])
"""
    assert run_python(program).stdout.strip() == "['SELECT']"


def test_without_the_package_the_error_says_what_to_install():
    program = """
import sys
sys.modules["opentelemetry"] = None
import sqliter
try:
    import sqliter.integrations.opentelemetry
except ImportError as error:
    print(error)
"""
    assert "pip install 'sqliter-py[opentelemetry]'" in run_python(program).stdout
