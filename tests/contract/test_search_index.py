"""The search index of a table: made, filled, kept in step, dropped; and what has its name."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from support import Strange

from sqliter.core.statement import Statement
from sqliter.exceptions import (
    InvalidSearchError,
    RecordFetchError,
    RecordInsertionError,
    SqlExecutionError,
    TableCreationError,
)
from sqliter.model import BaseDBModel, ForeignKey, FullText, unique
from sqliter.schema import search as ddl


class Note(BaseDBModel):
    text: str
    extra: str | None = None
    number: int = 0

    class Meta:
        fts = ["text", "extra"]
        table_name = "notes"


class Owner(BaseDBModel):
    name: str


class Pet(BaseDBModel):
    name: str
    owner_id: int = ForeignKey(Owner, on_delete="CASCADE")

    class Meta:
        fts = ["name"]
        table_name = "pets"


def notes(fts: Any, table_name: str = "notes") -> Any:
    """Another model of the same table."""

    class Later(BaseDBModel):
        text: str
        extra: str | None = None
        number: int = 0
        tags: list[str] = []

        class Meta:
            pass

    Later.Meta.fts, Later.Meta.table_name = fts, table_name
    return Later


async def keys(db: Any, text: str, model: Any = Note) -> list[int]:
    return [
        row.pk for row in await db.select(model).search(text).order("pk").fetch_all()
    ]


async def check(db: Any, index: str = "notes_fts") -> None:
    """Have FTS5 compare the index with the table."""
    await db.execute(
        f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)"
    )


async def schema(db: Any) -> dict[str, str]:
    rows = await db.fetch("SELECT name, sql FROM sqlite_master ORDER BY name")
    return {row["name"]: row["sql"] for row in rows}


# --- it follows every write ---


async def test_writes_of_the_library(db: Any) -> None:
    await db.create_table(Note)
    note = await db.insert(Note(text="sea"))
    assert note.pk == 1
    rows = await db.bulk_insert(
        [Note(text=f"sea {n}", extra="salt") for n in range(300)]
    )
    assert [row.pk for row in rows] == list(range(2, 302))
    note.text, note.number = "land", 7
    await db.update(note)
    note.number = 8
    await db.update(note)  # no word of it changes
    assert await keys(db, "land") == [1]
    assert await db.select(Note).filter(pk__lte=3).update({"extra": "pepper"}) == 3
    assert await keys(db, "pepper") == [1, 2, 3]
    assert await db.update_where(Note, {"pk": 2}, {"extra": None}) == 1
    await db.delete(Note, 3)
    assert await db.select(Note).filter(pk__gt=10).delete() == 291
    assert await keys(db, "salt") == [4, 5, 6, 7, 8, 9, 10]
    assert await keys(db, "pepper") == [1]
    await check(db)


async def test_writes_in_sql(db: Any) -> None:
    await db.create_table(Note)
    head = "INSERT INTO notes (pk, created_at, updated_at, text, number) VALUES"
    result = await db.execute(f"{head} (5, 0, 0, 'sea', 0), (6, 0, 0, 'SEA', 0)")
    assert (result.rowcount, result.lastrowid) == (2, 6)
    await db.execute("UPDATE notes SET text = 'lake' WHERE pk = 6")
    await db.execute("UPDATE notes SET rowid = 9 WHERE pk = 5")
    assert (await keys(db, "sea"), await keys(db, "lake")) == ([9], [6])
    upsert = "ON CONFLICT (pk) DO UPDATE SET text = excluded.text"
    await db.execute(f"{head} (9, 0, 0, 'ocean', 0) {upsert}")
    await db.execute(head.replace("INSERT", "INSERT OR IGNORE") + " (9, 0, 0, 'x', 0)")
    assert (await keys(db, "ocean"), await keys(db, "x")) == ([9], [])
    await db.execute("DELETE FROM notes")
    assert await keys(db, "lake") == []
    await check(db)


async def test_a_replaced_row_is_not_forgotten_silently(db: Any, make_db: Any) -> None:
    sql = "INSERT OR REPLACE INTO notes (pk, created_at, updated_at, text, number) VALUES (1, 0, 0, 'lake', 0)"
    await db.create_table(Note)
    await db.insert(Note(text="sea"))
    with pytest.raises(SqlExecutionError, match="ON CONFLICT DO UPDATE"):
        await db.execute(sql)
    assert await keys(db, "sea") == [1]
    other = make_db(pragmas={"recursive_triggers": "ON"})
    await other.create_table(Note)
    await other.insert(Note(text="sea"))
    await other.execute(sql)
    assert (await keys(other, "sea"), await keys(other, "lake")) == ([], [1])
    await check(other)


async def test_a_row_replaced_for_another_column_is_not_found(db: Any) -> None:
    class Page(BaseDBModel):
        path: Annotated[str, unique()]
        text: str

        class Meta:
            fts = ["text"]
            table_name = "pages"

    await db.create_table(Page)
    await db.insert(Page(path="/", text="sea"))
    row = "(path, text, created_at, updated_at) VALUES ('/', 'lake', 0, 0)"
    await db.execute(f"INSERT OR REPLACE INTO pages {row}")
    assert (await keys(db, "sea", Page), await keys(db, "lake", Page)) == ([], [2])
    assert await db.select(Page).search("sea").fetch_hits("text") == []
    await db.rebuild_search(Page)
    await check(db, "pages_fts")


async def test_cascades(db: Any) -> None:
    for model in (Owner, Pet):
        await db.create_table(model)
    owner = await db.insert(Owner(name="Ada"))
    await db.insert(Pet(name="Rex", owner_id=owner.pk))
    await db.delete(Owner, owner.pk)
    assert await keys(db, "rex", Pet) == []
    await check(db, "pets_fts")


async def test_what_is_taken_back(db: Any) -> None:
    await db.create_table(Note)
    with pytest.raises(ZeroDivisionError):
        async with db:
            await db.insert(Note(text="sea"))
            assert await keys(db, "sea") == [1]
            raise ZeroDivisionError
    assert await keys(db, "sea") == []
    await check(db)


# --- it is made ---


async def test_the_parts_of_an_index(db: Any) -> None:
    await db.create_table(notes(FullText(["text"], "porter", remove_diacritics=False, prefixes=(3, 2, 3))))  # fmt: skip
    made = await schema(db)
    assert made["notes_fts"] == (
        'CREATE VIRTUAL TABLE "notes_fts" USING fts5("text", content="notes", '
        'content_rowid="pk", tokenize="porter unicode61 remove_diacritics 0", '
        'prefix="2 3")'
    )
    assert {"notes_fts_insert", "notes_fts_update", "notes_fts_delete"} < made.keys()


async def test_rows_from_before_the_index(logged_db: Any, statements: Any) -> None:
    db = logged_db
    await db.create_table(notes(None))
    await db.insert(notes(None)(text="sea", extra="salt"))
    with pytest.raises(RecordFetchError, match=r"is missing; create_table\(Note\)"):
        await keys(db, "sea")
    await db.create_table(Note)
    assert await keys(db, "sea salt") == [1]
    with statements.watch():
        await db.create_table(Note)
    assert not [sql for sql in statements.statements if "fts" in sql]
    await check(db)


async def test_an_index_of_other_fields_is_made_anew(db: Any) -> None:
    await db.create_table(notes(["text"]))
    await db.insert(Note(text="sea", extra="salt"))
    with pytest.raises(RecordFetchError, match="older than its model"):
        await keys(db, "salt")
    await db.create_table(Note)
    assert await keys(db, "salt") == [1]
    await db.insert(Note(text="x", extra="salt"))
    assert await keys(db, "salt") == [1, 2]
    await check(db)


async def test_triggers_that_were_dropped_are_made_again(db: Any) -> None:
    await db.create_table(Note)
    await db.execute("DROP TRIGGER notes_fts_insert")
    await db.insert(Note(text="sea"))
    await db.create_table(Note)
    assert await keys(db, "sea") == [1]
    await check(db)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE notes_fts (text)",
        "CREATE VIRTUAL TABLE notes_fts USING fts5(text)",
    ],
)
async def test_something_else_has_its_name(db: Any, sql: str) -> None:
    await db.execute(sql)
    before = await schema(db)
    with pytest.raises(TableCreationError, match="rename or drop it"):
        await db.create_table(Note)
    assert await schema(db) == before


async def test_a_sqlite_without_fts5(db: Any, monkeypatch: Any) -> None:
    nothing = Statement("SELECT 1 WHERE 0")
    monkeypatch.setattr(ddl, "has_fts5", lambda: nothing)
    with pytest.raises(TableCreationError, match="built without FTS5"):
        await db.create_table(Note)
    assert await db.get_table_names() == []
    await db.create_table(notes(None))


async def test_subclasses_have_indexes_of_their_own(db: Any) -> None:
    class Letter(Note):
        pass

    for model in (Note, Letter):
        await db.create_table(model)
    await db.insert(Letter(text="sea"))
    assert (await keys(db, "sea"), await keys(db, "sea", Letter)) == ([], [1])


# --- it is dropped ---


async def test_dropping_the_table(db: Any) -> None:
    await db.create_table(Note)
    await db.drop_table(Note)
    assert not [name for name in await schema(db) if "notes" in name]
    await db.create_table(Note)
    await db.insert(Note(text="sea"))
    await db.drop_table(notes(None))  # a model that knows nothing of the index
    assert not [name for name in await schema(db) if "notes" in name]


@pytest.mark.parametrize("fts", [["text", "extra"], ["text"], None])
async def test_making_the_table_anew(db: Any, fts: Any) -> None:
    await db.create_table(Note)
    await db.insert(Note(text="sea"))
    model = notes(fts)
    await db.create_table(model, force=True)
    assert ("notes_fts" in await schema(db)) is (fts is not None)
    row = await db.insert(model(text="sea"))
    if fts:
        assert await keys(db, "sea", model) == [row.pk]
        await check(db)


@pytest.mark.parametrize("inside", [False, True])
async def test_resetting_the_database(db: Any, inside: bool) -> None:
    for model in (Note, Owner, Pet):
        await db.create_table(model)
    owner = await db.insert(Owner(name="Ada"))
    await db.insert(Pet(name="Rex", owner_id=owner.pk))
    await db.execute("CREATE VIRTUAL TABLE by_hand USING fts5(text)")
    if inside:
        async with db:
            await db.reset_database()
    else:
        await db.reset_database()
    assert await schema(db) == {
        "sqlite_sequence": "CREATE TABLE sqlite_sequence(name,seq)"
    }


async def test_the_names_of_tables(db: Any) -> None:
    await db.create_table(Note)
    await db.execute("CREATE VIRTUAL TABLE by_hand USING fts5(text)")
    await db.execute("CREATE TABLE words (text)")
    await db.execute("CREATE TABLE words_index_content (text)")
    await db.execute(
        "CREATE VIRTUAL TABLE words_index USING fts5(text, content='words')"
    )
    expected = ["notes", "by_hand", "words", "words_index_content", "words_index"]
    assert await db.get_table_names() == expected


# --- it is filled anew ---


async def test_rebuilding(db: Any) -> None:
    await db.create_table(Note)
    await db.insert(Note(text="sea"))
    await db.execute("INSERT INTO notes_fts (notes_fts) VALUES ('delete-all')")
    assert await keys(db, "sea") == []
    await db.rebuild_search(Note)
    assert await keys(db, "sea") == [1]
    await check(db)


async def test_what_cannot_be_rebuilt(db: Any) -> None:
    with pytest.raises(InvalidSearchError, match="has no search index"):
        await db.rebuild_search(Owner)
    await db.create_table(notes(None))
    with pytest.raises(SqlExecutionError, match=r"create_table\(Note\)"):
        await db.rebuild_search(Note)


# --- what is refused ---


@pytest.mark.parametrize(
    ("fts", "text"),
    [
        (["nothing"], "has no field 'nothing'"),
        (["number"], "field 'number' of Later holds no text"),
        (["tags"], "holds no text"),
        (["pk"], "holds no text"),
        ("text", "not the string 'text'"),
        (Strange(), "takes a list of field names"),
        (FullText([]), "names no fields"),
        ([1], "has no field 1"),
    ],
)
async def test_fields_that_cannot_be_searched(db: Any, fts: Any, text: str) -> None:
    model = notes(fts)
    with pytest.raises(InvalidSearchError, match=text):
        await db.create_table(model)
    with pytest.raises(InvalidSearchError, match=text):
        db.select(model).search("sea")
    assert await db.get_table_names() == []


async def test_names_that_fts5_keeps_for_itself(db: Any) -> None:
    class Match(BaseDBModel):
        rank: str

        class Meta:
            fts = ["rank"]

    with pytest.raises(InvalidSearchError, match="rename that field"):
        await db.create_table(Match)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"tokenizer": "porter'); DROP TABLE x; --"}, ValueError),
        ({"tokenizer": Strange()}, ValueError),
        ({"prefixes": [0]}, ValueError),
        ({"prefixes": [1000]}, ValueError),
        ({"prefixes": [True]}, ValueError),
        ({"prefixes": ["2"]}, ValueError),
        ({"prefixes": range(1, 40)}, ValueError),
        ({"fields": "text"}, TypeError),
    ],
)
def test_options_that_cannot_be(
    options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        FullText(**{"fields": ["text"], **options})


async def test_a_table_with_the_name_of_an_index(db: Any) -> None:
    await db.create_table(Note)
    with pytest.raises(TableCreationError):
        await db.create_table(notes(None, "notes_fts"))


async def test_names_are_quoted(db: Any) -> None:
    class Größe(BaseDBModel):
        content: str
        wörter: str
        tokenize: str = ""

        class Meta:
            fts = ["content", "wörter", "tokenize"]
            table_name = "select"

    await db.create_table(Größe)
    await db.insert(Größe(content="sea", wörter="salt"))
    assert await keys(db, "sea salt", Größe) == [1]
    (hit,) = await db.select(Größe).search("salt").fetch_hits("wörter")
    assert hit.texts == {"wörter": "<b>salt</b>"}


async def test_a_failing_insert_leaves_the_index_alone(db: Any) -> None:
    await db.create_table(Note)
    await db.insert(Note(pk=1, text="sea"))
    with pytest.raises(RecordInsertionError):
        await db.bulk_insert([Note(text="lake"), Note(pk=1, text="lake")])
    assert await keys(db, "lake") == []
    await check(db)
