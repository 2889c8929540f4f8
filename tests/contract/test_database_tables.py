"""Creating and dropping tables and indexes; tables that do not fit their model."""

import pytest
from support import assert_no_transaction_left

from sqliter.exceptions import (
    InvalidIndexError,
    SqlExecutionError,
    SqliterError,
    TableCreationError,
    TableDeletionError,
)
from sqliter.model import BaseDBModel, ForeignKey


class User(BaseDBModel):
    name: str
    email: str = ""


class Pet(BaseDBModel):
    owner_id: int = ForeignKey(User, on_delete="CASCADE")


class Debt(BaseDBModel):
    owner_id: int = ForeignKey(User)


def indexed(table="things", *, plain=(), unique=()):
    class Thing(BaseDBModel):
        a: int = 0
        b: int = 0
        c: int = 0
        a_b: int = 0
        b_c: int = 0

        class Meta:
            table_name = table
            indexes = plain
            unique_indexes = unique

    return Thing


async def index_sql(db):
    rows = await db.fetch(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid"
    )
    return [row["sql"] for row in rows]


async def columns(db, table):
    rows = await db.fetch("SELECT name FROM pragma_table_info(?)", (table,))
    return [row["name"] for row in rows]


# --- create and drop ---------------------------------------------------------------------


async def test_columns_stand_in_field_order(db):
    await db.create_table(User)
    assert await columns(db, "users") == [
        "pk",
        "created_at",
        "updated_at",
        "name",
        "email",
    ]


async def test_pks_are_never_used_again(db):
    await db.create_table(User)
    first = await db.insert(User(name="a"))
    await db.delete(User, first.pk)
    assert (await db.insert(User(name="b"))).pk == first.pk + 1


async def test_pk_column_declaration(db):
    await db.create_table(User)
    (row,) = await db.fetch("SELECT sql FROM sqlite_master WHERE name = 'users'")
    assert '"pk" INTEGER PRIMARY KEY AUTOINCREMENT' in row["sql"]


async def test_existing_table_is_kept_by_default(db):
    await db.create_table(User)
    user = await db.insert(User(name="a"))
    await db.create_table(User)
    assert await db.get(User, user.pk) == user


async def test_existing_table_is_an_error_when_it_must_not_exist(db):
    await db.create_table(User)
    user = await db.insert(User(name="a"))
    with pytest.raises(
        TableCreationError, match="Failed to create the table: 'users'"
    ) as caught:
        await db.create_table(User, exists_ok=False)
    assert caught.value.table == "users"
    assert await db.get(User, user.pk) == user


async def test_missing_table_is_created_when_it_must_not_exist(db):
    await db.create_table(User, exists_ok=False)
    assert await db.get_table_names() == ["users"]


@pytest.mark.parametrize("exists_ok", [True, False])
async def test_force_starts_again(db, exists_ok):
    await db.create_table(User)
    await db.insert(User(name="a"))
    await db.create_table(User, force=True, exists_ok=exists_ok)
    assert await db.select(User).count() == 0


async def test_force_on_a_missing_table_creates_it(db):
    await db.create_table(User, force=True)
    assert await db.get_table_names() == ["users"]


@pytest.mark.defect("D30")
@pytest.mark.parametrize("child", [Pet, Debt], ids=["cascade", "restrict"])
async def test_force_never_deletes_rows_of_other_tables(db, child):
    await db.create_table(User)
    await db.create_table(child)
    user = await db.insert(User(name="a"))
    row = await db.insert(child(owner_id=user.pk))
    await db.create_table(User, force=True)
    assert await db.get(child, row.pk) == row
    assert await db.select(User).count() == 0


@pytest.mark.defect("D30")
async def test_foreign_keys_are_enforced_again_after_force(db):
    await db.create_table(User)
    await db.create_table(Debt)
    await db.create_table(User, force=True)
    with pytest.raises(SqliterError, match="FOREIGN KEY constraint failed"):
        await db.insert(Debt(owner_id=99))


async def test_drop_table(db):
    await db.create_table(User)
    await db.drop_table(User)
    assert await db.get_table_names() == []


async def test_dropping_a_missing_table_is_fine(db):
    await db.drop_table(User)
    assert await db.get_table_names() == []


@pytest.mark.defect("D31")
async def test_dropping_a_table_that_others_need_is_refused(db):
    await db.create_table(User)
    await db.create_table(Debt)
    user = await db.insert(User(name="a"))
    await db.insert(Debt(owner_id=user.pk))
    with pytest.raises(TableDeletionError, match="users") as caught:
        await db.drop_table(User)
    assert caught.value.table == "users"
    assert await db.get(User, user.pk) == user
    assert_no_transaction_left(db)


async def test_table_made_by_other_means_is_used(db):
    await db.execute(
        "CREATE TABLE users (pk INTEGER PRIMARY KEY, created_at INTEGER, updated_at INTEGER,"
        " name TEXT, email TEXT, more TEXT DEFAULT 'x')"
    )
    user = await db.insert(User(name="a"))
    assert await db.get(User, user.pk) == user


# --- indexes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "unique", "expected"),
    [
        (["a"], [], ['CREATE INDEX idx_things_a ON "things" ("a")']),
        (("a",), (), ['CREATE INDEX idx_things_a ON "things" ("a")']),
        ([], ["a"], ['CREATE UNIQUE INDEX idx_things_a_unique ON "things" ("a")']),
        ([("a", "b")], [], ['CREATE INDEX idx_things_a_b ON "things" ("a", "b")']),
        (["a", "a", ("a",)], [], ['CREATE INDEX idx_things_a ON "things" ("a")']),
        ([], [], []),
    ],
)
async def test_configured_indexes(db, plain, unique, expected):
    await db.create_table(indexed(plain=plain, unique=unique))
    assert await index_sql(db) == expected


@pytest.mark.defect("D43")
async def test_index_fields_may_be_a_list(db):
    await db.create_table(indexed(plain=[["a", "b"]]))
    assert await index_sql(db) == ['CREATE INDEX idx_things_a_b ON "things" ("a", "b")']


BAD_INDEXES = [["nowhere"], [""], [("a", "nowhere")], [("a", "")]]


@pytest.mark.parametrize("bad", BAD_INDEXES)
@pytest.mark.parametrize("kind", ["plain", "unique"])
async def test_index_on_an_unknown_field_creates_nothing(db, kind, bad):
    with pytest.raises(InvalidIndexError, match="Thing") as caught:
        await db.create_table(indexed(**{kind: bad}))
    assert caught.value.model_class == "Thing"
    assert caught.value.invalid_fields == [
        bad[0][1] if isinstance(bad[0], tuple) else bad[0]
    ]
    assert await db.get_table_names() == []


async def test_force_with_a_bad_index_keeps_the_old_table(db):
    good = indexed()
    await db.create_table(good)
    row = await db.insert(good(a=1))
    with pytest.raises(InvalidIndexError):
        await db.create_table(indexed(plain=["nowhere"]), force=True)
    assert await db.get(good, row.pk) == row


@pytest.mark.defect("D43")
@pytest.mark.parametrize("empty", [(), []])
async def test_empty_index_is_an_index_error(db, empty):
    with pytest.raises(InvalidIndexError):
        await db.create_table(indexed(plain=[empty]))
    assert await db.get_table_names() == []


async def test_create_indexes_later(db):
    thing = indexed()
    await db.create_table(thing)
    await db.create_indexes(thing, ["a", ("b", "c")])
    await db.create_indexes(thing, ["c"], unique=True)
    assert await index_sql(db) == [
        'CREATE INDEX idx_things_a ON "things" ("a")',
        'CREATE INDEX idx_things_b_c ON "things" ("b", "c")',
        'CREATE UNIQUE INDEX idx_things_c_unique ON "things" ("c")',
    ]


async def test_create_indexes_twice_is_fine(db):
    thing = indexed()
    await db.create_table(thing)
    await db.create_indexes(thing, ["a"])
    await db.create_indexes(thing, ["a"])
    assert len(await index_sql(db)) == 1


@pytest.mark.parametrize("bad", BAD_INDEXES)
async def test_create_indexes_refuses_unknown_fields(db, bad):
    thing = indexed()
    await db.create_table(thing)
    with pytest.raises(InvalidIndexError):
        await db.create_indexes(thing, bad)
    assert await index_sql(db) == []


async def test_unique_index_over_equal_rows_fails_and_leaves_nothing(db):
    thing = indexed()
    await db.create_table(thing)
    await db.bulk_insert([thing(a=1), thing(a=1)])
    with pytest.raises(SqlExecutionError, match="UNIQUE constraint failed"):
        await db.create_indexes(thing, ["b", "a"], unique=True)
    assert await index_sql(db) == []
    assert await db.select(thing).count() == 2


async def test_index_on_a_renamed_key_uses_the_real_column(db):
    class Loan(BaseDBModel):
        owner_id: int = ForeignKey(User, db_column="owner_ref")
        amount: int = 0

        class Meta:
            indexes = (("amount", "owner_id"),)

    await db.create_table(User)
    await db.create_table(Loan)
    assert '("amount", "owner_ref")' in " ".join(await index_sql(db))


async def violates_unique(db, model, **values):
    await db.insert(model(**values))
    with pytest.raises(SqliterError, match="UNIQUE constraint failed"):
        await db.insert(model(**values))


@pytest.mark.defect("D27")
async def test_indexes_whose_names_collide_in_one_model_are_both_made_or_refused(db):
    model = indexed(unique=[("a", "b_c"), ("a_b", "c")])
    try:
        await db.create_table(model)
    except SqliterError as error:
        assert "idx_things_a_b_c_unique" in str(error)
        assert await db.get_table_names() == []
        return
    await violates_unique(db, model, a=1, b_c=1, a_b=5, c=5)
    with pytest.raises(SqliterError, match="UNIQUE constraint failed"):
        await db.insert(model(a=2, b_c=2, a_b=5, c=5))


@pytest.mark.defect("D27")
async def test_indexes_whose_names_collide_between_tables_are_both_made_or_refused(db):
    first, second = indexed("a", unique=["b_c"]), indexed("a_b", unique=["c"])
    await db.create_table(first)
    try:
        await db.create_table(second)
    except SqliterError as error:
        assert "idx_a_b_c_unique" in str(error)
        assert await db.get_table_names() == ["a"]
        return
    await violates_unique(db, second, c=1)


@pytest.mark.defect("D27")
async def test_same_named_index_with_another_definition_is_an_error(db):
    await db.create_table(indexed())
    await db.execute("CREATE INDEX idx_things_a ON things (b)")
    with pytest.raises(SqliterError, match="idx_things_a"):
        await db.create_table(indexed(plain=["a"]))
    assert await index_sql(db) == ["CREATE INDEX idx_things_a ON things (b)"]


# --- one transaction ---------------------------------------------------------------------


@pytest.mark.defect("D47")
async def test_failed_index_leaves_no_earlier_index_behind(db):
    await db.create_table(indexed())
    plain = indexed()
    await db.bulk_insert([plain(b=1), plain(b=1)])
    with pytest.raises(SqlExecutionError, match="UNIQUE constraint failed"):
        await db.create_table(indexed(plain=["a"], unique=["b"]))
    assert await index_sql(db) == []
    assert await db.select(plain).count() == 2
    assert_no_transaction_left(db)


@pytest.mark.defect("D47")
async def test_failed_creation_leaves_no_table_behind(db):
    await db.create_table(indexed("other"))
    await db.execute("CREATE INDEX idx_things_a ON other (b)")
    with pytest.raises(SqliterError, match="idx_things_a"):
        await db.create_table(indexed(plain=["b", "a"]))
    assert await db.get_table_names() == ["other"]


@pytest.mark.defect("D47")
async def test_failed_force_keeps_the_old_table_and_its_rows(db):
    old = indexed()
    await db.create_table(indexed("other"))
    await db.execute("CREATE INDEX idx_things_a ON other (b)")
    await db.create_table(old)
    row = await db.insert(old(a=5))
    with pytest.raises(SqliterError, match="idx_things_a"):
        await db.create_table(indexed(plain=["a"]), force=True)
    assert await db.get(old, row.pk) == row


# --- tables that lack a column -----------------------------------------------------------


def grown():
    class Person(BaseDBModel):
        name: str
        nick: str = "none"

        class Meta:
            table_name = "people"

    return Person


OLD_TABLE = "CREATE TABLE people (pk INTEGER PRIMARY KEY, created_at INTEGER, updated_at INTEGER, name TEXT)"
FIRST_USE = {
    "insert": lambda db, m: db.insert(m(name="b")),
    "bulk_insert": lambda db, m: db.bulk_insert([m(name="b")]),
    "get": lambda db, m: db.get(m, 1),
    "update": lambda db, m: db.update(m(pk=1, name="b")),
    "update_where": lambda db, m: db.update_where(m, {"nick": "nick"}, {"name": "b"}),
    "fetch_all": lambda db, m: db.select(m).fetch_all(),
    "filter": lambda db, m: db.select(m).filter(nick="nick").count(),
    "order": lambda db, m: db.select(m, fields=["name"]).order("nick").fetch_all(),
    "query delete": lambda db, m: db.select(m).filter(nick="nick").delete(),
    "query update": lambda db, m: (
        db.select(m).filter(nick="nick").update({"name": "b"})
    ),
}


@pytest.mark.defect("D25")
@pytest.mark.parametrize("operation", FIRST_USE.values(), ids=FIRST_USE.keys())
async def test_column_missing_in_the_table_is_an_error_at_first_use(db, operation):
    await db.execute(OLD_TABLE)
    await db.execute("INSERT INTO people VALUES (1, 0, 0, 'a')")
    with pytest.raises(SqliterError, match="nick"):
        await operation(db, grown())
    assert await db.fetch("SELECT name FROM people") == [{"name": "a"}]


@pytest.mark.defect("D47")
async def test_create_table_over_a_table_that_lacks_a_column_is_an_error(db):
    await db.execute(OLD_TABLE)
    with pytest.raises(TableCreationError, match="nick"):
        await db.create_table(grown())
    assert await columns(db, "people") == ["pk", "created_at", "updated_at", "name"]


@pytest.mark.defect("D25")
async def test_table_is_looked_at_again_after_the_column_was_added(db):
    await db.execute(OLD_TABLE)
    person = grown()
    with pytest.raises(SqliterError, match="nick"):
        await db.insert(person(name="a"))
    await db.execute("ALTER TABLE people ADD COLUMN nick TEXT")
    row = await db.insert(person(name="a"))
    assert await db.get(person, row.pk) == row


async def test_columns_of_the_table_that_the_model_lacks_are_kept(db):
    await db.execute(OLD_TABLE)
    await db.execute("ALTER TABLE people ADD COLUMN more TEXT DEFAULT 'kept'")
    await db.execute("ALTER TABLE people ADD COLUMN nick TEXT")
    person = grown()
    row = await db.insert(person(name="a"))
    row.name = "b"
    await db.update(row)
    assert await db.fetch("SELECT name, more FROM people") == [
        {"name": "b", "more": "kept"}
    ]
