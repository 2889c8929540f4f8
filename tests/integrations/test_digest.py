"""What a statement does to which table, as spans say it."""

import pytest

from sqliter.integrations.digest import digest_of, redacted

CASES = [
    ('SELECT "pk" FROM "users" WHERE "name" = ?', "SELECT", "users"),
    ('select * from main."a""b" where x = 1', "SELECT", 'main.a"b'),
    (
        'SELECT t0."pk", (SELECT 1 FROM "b") FROM "a" AS t0 JOIN "c" AS t1',
        "SELECT",
        "a",
    ),
    ("SELECT 'FROM x' FROM t", "SELECT", "t"),
    ("SELECT a FROM (SELECT * FROM t)", "SELECT", None),
    ("SELECT 1", "SELECT", None),
    ("SELECT * FROM", "SELECT", None),
    ("INSERT OR REPLACE INTO [t x] VALUES (1)", "INSERT", "t x"),
    ("INSERT INTO t SELECT * FROM u", "INSERT", "t"),
    ("REPLACE INTO `t` VALUES (1)", "REPLACE", "t"),
    ("UPDATE OR IGNORE t SET a = 1", "UPDATE", "t"),
    ("/* DELETE FROM x */ DELETE FROM t -- z", "DELETE", "t"),
    ("; DELETE FROM t", "DELETE", "t"),
    ("WITH a AS (SELECT 1), b(n) AS (SELECT 2) INSERT INTO c SELECT 1", "INSERT", "c"),
    ("WITH RECURSIVE c(n) AS (SELECT 1 FROM t) SELECT * FROM c", "SELECT", None),
    (
        "CREATE TEMP TABLE IF NOT EXISTS t (a REFERENCES u (b) ON DELETE CASCADE)",
        "CREATE TABLE",
        "t",
    ),
    ("CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)", "CREATE INDEX", "t"),
    ("DROP TABLE IF EXISTS t", "DROP TABLE", "t"),
    ("DROP INDEX i", "DROP INDEX", None),
    ("ALTER TABLE t ADD COLUMN x", "ALTER TABLE", "t"),
    ("PRAGMA foreign_key_check", "PRAGMA", None),
    ("VACUUM", "VACUUM", None),
    ("BEGIN IMMEDIATE", "BEGIN", None),
    ("", "", None),
    ("?", "", None),
    ("WITH (", "WITH", None),
]


@pytest.mark.parametrize(("sql", "operation", "table"), CASES)
def test_operation_and_table(sql, operation, table):
    digest = digest_of(sql)
    assert (digest.operation, digest.table) == (operation, table)
    assert digest.summary == f"{operation} {table or ''}".strip()


@pytest.mark.parametrize(
    ("sql", "returns"),
    [
        ("SELECT 1", True),
        ("VALUES (1)", True),
        ("PRAGMA page_size", True),
        ("EXPLAIN SELECT 1", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", True),
        ("DELETE FROM t RETURNING pk", True),
        ("DELETE FROM t WHERE a IN (SELECT 1)", False),
        ("CREATE TABLE t AS SELECT 1", False),
        ("VACUUM", False),
    ],
)
def test_whether_rows_come_back(sql, returns):
    assert digest_of(sql).returns_rows is returns


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 'it''s', x'ab', 12, 1.5e3", "SELECT ?, ?, ?, ?"),
        ('SELECT a1, t0."q\'1" FROM t1', 'SELECT a1, t0."q\'1" FROM t1'),
        ("DELETE FROM t WHERE a=-3 OR b='x'", "DELETE FROM t WHERE a=-? OR b=?"),
        ("SELECT 1 -- it's fine\n, 'secret'", "SELECT ? -- it's fine\n, ?"),
        ("SELECT 'not closed", "SELECT ?"),
    ],
)
def test_values_in_a_text_are_not_shown(sql, shown):
    assert redacted(sql) == shown
