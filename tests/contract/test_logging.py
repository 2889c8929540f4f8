"""Debug logging: which logger, which lines, how values are shown."""

import logging

import pytest
from support import Colour, StatementLog

from sqliter.exceptions import RecordInsertionError
from sqliter.model import BaseDBModel, unique


class ComplexModel(BaseDBModel):
    name: str
    age: float
    is_active: bool
    score: float
    nullable_field: str | None = None

    class Meta:
        table_name = "complex_model"


class Word(BaseDBModel):
    text: str | None = unique(default=None)
    number: int = 0


def alice(**changes):
    values = {"name": "Alice", "age": 30.5, "is_active": True, "score": 1.5}
    return ComplexModel(**values | changes)


@pytest.fixture(params=list(Colour))
def database(request):
    """The database class of each colour, where the place does not matter."""
    return request.param.database


@pytest.fixture
def configure():
    """Give the root logger these handlers, and `sqliter` a fresh start; put all back."""
    root, ours = logging.getLogger(), logging.getLogger("sqliter")
    before = root.handlers, ours.handlers, ours.level, ours.propagate

    def start(*handlers: logging.Handler) -> logging.Logger:
        root.handlers, ours.handlers, ours.propagate = list(handlers), [], True
        ours.setLevel(logging.NOTSET)
        return ours

    yield start
    root.handlers, ours.handlers, _, ours.propagate = before
    ours.setLevel(before[2])


# --- which logger ------------------------------------------------------------------------


def test_no_logger_by_default(database):
    assert database(memory=True).logger is None


def test_supplied_logger_is_kept_also_without_debug(database):
    logger = StatementLog().logger
    assert database(memory=True, logger=logger).logger is logger
    assert database(memory=True, logger=logger, debug=True).logger is logger


def test_own_logger_writes_to_the_console(database, configure):
    ours = configure()
    logger = database(memory=True, debug=True).logger
    assert logger is ours
    assert (logger.level, logger.propagate) == (logging.DEBUG, False)
    (handler,) = logger.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.formatter._fmt == "%(levelname)-8s%(message)s"


def test_configured_root_logger_is_respected(database, configure):
    ours = configure(logging.NullHandler())
    logger = database(memory=True, debug=True).logger
    assert logger is ours
    assert (logger.handlers, logger.propagate) == ([], True)


@pytest.mark.defect("D44")
def test_second_database_does_not_double_the_lines(database, configure):
    ours = configure()
    for _ in range(3):
        database(memory=True, debug=True)
    assert len(ours.handlers) == 1


async def test_nothing_is_logged_without_debug(make_db):
    log = StatementLog()
    await make_db(logger=log.logger).create_table(Word)
    assert log.messages == []


async def test_level_of_the_supplied_logger_decides(make_db):
    log = StatementLog()
    log.logger.setLevel(logging.INFO)
    await make_db(debug=True, logger=log.logger).create_table(Word)
    assert log.messages == []


@pytest.mark.defect("D44")
@pytest.mark.only("sync")
async def test_debug_switched_on_later_logs(db, configure, capsys):
    configure()
    await db.create_table(Word)
    db.debug = True
    await db.get(Word, 1)
    assert "Executing SQL: SELECT" in capsys.readouterr().err


# --- which lines -------------------------------------------------------------------------


async def test_every_kind_of_statement_is_logged(logged_db, statements):
    await logged_db.create_table(ComplexModel)
    row = await logged_db.insert(alice())
    await logged_db.get(ComplexModel, row.pk)
    await logged_db.update(row)
    await logged_db.delete(ComplexModel, row.pk)
    await logged_db.get_table_names()
    await logged_db.drop_table(ComplexModel)
    text = "\n".join(statements.statements)
    for beginning in (
        'CREATE TABLE IF NOT EXISTS "complex_model"',
        'INSERT INTO "complex_model"',
        'UPDATE "complex_model"',
        'DELETE FROM "complex_model"',
        'DROP TABLE IF EXISTS "complex_model"',
        "SELECT name FROM sqlite_master",
    ):
        assert beginning in text.replace(
            '"name" FROM "sqlite_master"', "name FROM sqlite_master"
        )


@pytest.mark.parametrize(
    ("ask", "sql"),
    [
        (
            lambda q: q.filter(name="Alice", age=30.5).fetch_all(),
            'SELECT "pk", "created_at", "updated_at", "name", "age", "is_active", "score", '
            '"nullable_field" FROM "complex_model" WHERE "name" = \'Alice\' AND "age" = 30.5',
        ),
        (
            lambda q: q.order("age", reverse=True).fetch_first(),
            'ORDER BY "age" DESC LIMIT 1',
        ),
        (lambda q: q.filter(age__isnull=True).fetch_all(), 'WHERE "age" IS NULL'),
        (
            lambda q: q.fields(["name"]).fetch_all(),
            'SELECT "name", "pk" FROM "complex_model"',
        ),
    ],
)
async def test_select_lines(logged_db, statements, ask, sql):
    await logged_db.create_table(ComplexModel)
    with statements.watch():
        await ask(logged_db.select(ComplexModel))
    assert any(sql in text for text in statements.statements)


async def test_transaction_control_is_not_logged(logged_db, statements):
    await logged_db.create_table(Word)
    async with logged_db:
        await logged_db.insert(Word())
        async with logged_db:
            await logged_db.insert(Word())
    await logged_db.bulk_insert([Word(), Word()])
    words = {text.split()[0] for text in statements.statements}
    assert words.isdisjoint({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
    assert not any("foreign_keys" in text for text in statements.statements)


async def test_failed_statement_is_logged_too(logged_db, statements):
    await logged_db.create_table(Word)
    await logged_db.insert(Word(text="a"))
    with statements.watch(), pytest.raises(RecordInsertionError):
        await logged_db.insert(Word(text="a"))
    assert len(statements.starting("INSERT")) == 1


async def test_raw_sql_is_logged(logged_db, statements):
    with statements.watch():
        await logged_db.fetch("SELECT ? AS a", (5,))
    assert statements.statements == ["SELECT 5 AS a"]


# --- how values are shown ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ((1, "two"), "SELECT 1, 'two'"),
        ((1.5, 0), "SELECT 1.5, 0"),
        pytest.param(
            ("what?", 5), "SELECT 'what?', 5", marks=pytest.mark.defect("D44")
        ),
        pytest.param(("it's", 5), "SELECT 'it''s', 5", marks=pytest.mark.defect("D44")),
        pytest.param((None, 5), "SELECT NULL, 5", marks=pytest.mark.defect("D44")),
    ],
)
async def test_placeholders_are_replaced_in_turn(logged_db, statements, params, shown):
    with statements.watch():
        await logged_db.fetch("SELECT ?, ?", params)
    assert statements.statements == [shown]


@pytest.mark.defect("D44")
async def test_question_mark_inside_the_sql_is_no_placeholder(logged_db, statements):
    with statements.watch():
        await logged_db.fetch("SELECT 'why?' AS \"a?\", ?", (5,))
    assert statements.statements == ["SELECT 'why?' AS \"a?\", 5"]
