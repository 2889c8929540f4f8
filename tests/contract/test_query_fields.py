"""`fields()`, `only()` and `exclude()`: what is selected, and what a partial row is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from sqliter.exceptions import RecordFetchError
from sqliter.model import BaseDBModel, ForeignKey

BUILT_IN = {"pk", "created_at", "updated_at"}


class Post(BaseDBModel):
    slug: str
    name: str
    content: str
    views: int = 0
    note: str | None = None

    class Meta:
        table_name = "posts"


class Letters(BaseDBModel):
    a: str = "a"
    b: str = "b"
    c: str = "c"

    class Meta:
        table_name = "letters"


class Kinds(BaseDBModel):
    day: date
    at: datetime
    maybe_day: date | None = None
    maybe_at: datetime | None = None
    maybe_flag: bool | None = None
    mode: Literal["r", "w"] = "r"
    either: int | float = 0
    union: int | str = 0
    anything: Any = None
    price: Decimal = Decimal(0)
    tags: list[str] = []
    table: dict[str, int] | None = None
    count: int | None = None

    class Meta:
        table_name = "kinds"


class Author(BaseDBModel):
    name: str

    class Meta:
        table_name = "authors"


class Book(BaseDBModel):
    title: str
    author_id: int = ForeignKey(Author, db_column="writer")

    class Meta:
        table_name = "books"


async def seed(db: Any) -> Post:
    await db.create_table(Post)
    await db.insert(Post(slug="first", name="First", content="one", views=5, note="n"))
    return await db.insert(Post(slug="second", name="Second", content="two", views=6))


async def selected(query: Any) -> set[str]:
    """The names the first row of a query came with."""
    return set((await query.fetch_one()).model_fields_set)


# What is selected


async def test_fields_selects_the_given_and_the_key(db: Any) -> None:
    await seed(db)
    row = (await db.select(Post).fields(["slug", "views"]).order("pk").fetch_all())[1]
    assert isinstance(row, Post)
    assert (row.pk, row.slug, row.views) == (2, "second", 6)
    assert row.model_fields_set == {"pk", "slug", "views"}


async def test_select_takes_fields_and_exclude(db: Any) -> None:
    await seed(db)
    assert await selected(db.select(Post, fields=["slug"])) == {"pk", "slug"}
    everything = set(Post.model_fields)
    assert await selected(db.select(Post, exclude=["slug"])) == everything - {"slug"}
    assert await selected(db.select(Post, ["name"])) == {"pk", "name"}


async def test_nothing_given_means_everything(db: Any) -> None:
    await seed(db)
    for query in (
        db.select(Post),
        db.select(Post, fields=[]),
        db.select(Post, fields=None, exclude=None),
        db.select(Post, exclude=[]),
        db.select(Post).fields([]),
        db.select(Post).fields(None),
        db.select(Post).fields(),
        db.select(Post).exclude([]),
        db.select(Post).exclude(None),
    ):
        row = await query.fetch_one()
        assert (row.slug, row.name, row.content, row.views) == (
            "first",
            "First",
            "one",
            5,
        )
        assert row.created_at > 0


@pytest.mark.defect("D-47")
async def test_exclude_needs_no_argument(db: Any) -> None:
    query = db.select(Post)
    assert query.exclude() is query


async def test_nothing_given_keeps_the_earlier_selection(db: Any) -> None:
    await seed(db)
    assert await selected(db.select(Post).fields(["slug"]).fields([])) == {"pk", "slug"}
    assert await selected(db.select(Post).only("slug").exclude([])) == {"pk", "slug"}


async def test_a_later_selection_replaces_the_earlier(db: Any) -> None:
    await seed(db)
    assert await selected(db.select(Post).fields(["slug"]).fields(["name"])) == {
        "pk",
        "name",
    }
    assert await selected(db.select(Post, fields=["slug"]).only("name")) == {
        "pk",
        "name",
    }
    assert await selected(db.select(Post).only("slug").fields(["name"])) == {
        "pk",
        "name",
    }
    query = db.select(Post, exclude=["content"]).fields(["content"])
    assert await selected(query) == {"pk", "content"}


async def test_the_pinned_sequence(db: Any) -> None:
    await seed(db)
    query = (
        db.select(Post, exclude=["content"])
        .fields(["slug"])
        .only("slug")
        .exclude(["name"])
    )
    assert await selected(query) == set(Post.model_fields) - {"name"}


@pytest.mark.defect("D-37")
async def test_exclude_narrows_what_fields_selected(db: Any) -> None:
    await seed(db)
    query = db.select(Post).fields(["slug", "name", "views"]).exclude(["name"])
    assert await selected(query) == {"pk", "slug", "views"}
    query = db.select(Post, fields=["slug", "name"], exclude=["name"])
    assert await selected(query) == {"pk", "slug"}
    query = db.select(Post, fields=["slug", "name"]).exclude(["content"])
    assert await selected(query) == {"pk", "slug", "name"}


@pytest.mark.defect("D-37")
async def test_what_fields_and_exclude_leave_empty(db: Any) -> None:
    query = db.select(Post).fields(["slug"])
    with pytest.raises(ValueError, match="Exclusion results in no fields"):
        query.exclude(["slug"])


async def test_only_selects_one_field(db: Any) -> None:
    await seed(db)
    assert await selected(db.select(Post).only("name")) == {"pk", "name"}
    assert await selected(db.select(Post).only("pk")) == {"pk"}
    assert await selected(db.select(Post).only("created_at")) == {"pk", "created_at"}


async def test_timestamps_are_ordinary_fields(db: Any) -> None:
    await seed(db)
    query = db.select(Post).exclude(["created_at", "updated_at"])
    assert await selected(query) == set(Post.model_fields) - {
        "created_at",
        "updated_at",
    }


@pytest.mark.defect("D-37")
async def test_the_callers_list_is_left_alone(db: Any) -> None:
    await seed(db)
    names = ["slug"]
    query = db.select(Post).fields(names)
    await query.fetch_all()
    assert names == ["slug"]
    names.append("nonsense")
    assert await selected(query) == {"pk", "slug"}
    dropped = ["slug"]
    query = db.select(Post, exclude=dropped)
    dropped.append("name")
    assert "name" in await selected(query)


@pytest.mark.defect("D-37")
@pytest.mark.parametrize("make", [tuple, set, frozenset, iter, dict.fromkeys])
async def test_any_iterable_of_names(db: Any, make: Callable[[list[str]], Any]) -> None:
    await seed(db)
    query = db.select(Post).fields(make(["slug", "name"]))
    assert await selected(query) == {"pk", "slug", "name"}
    assert await selected(query) == {"pk", "slug", "name"}
    query = db.select(Post).exclude(make(["slug", "name"]))
    assert await selected(query) == set(Post.model_fields) - {"slug", "name"}


@pytest.mark.defect("D-37")
async def test_a_text_is_no_list_of_letters(db: Any) -> None:
    for select in (db.select(Letters).fields, db.select(Letters).exclude):
        with pytest.raises((TypeError, ValueError)):
            select("ab")


async def test_a_name_given_twice(db: Any) -> None:
    await seed(db)
    row = await db.select(Post).fields(["slug", "slug", "pk"]).order("pk").fetch_one()
    assert (row.pk, row.slug) == (1, "first")


async def test_filter_and_order_use_any_field(db: Any) -> None:
    await seed(db)
    query = db.select(Post).only("slug").filter(views__gt=4).order("name", reverse=True)
    assert [row.slug for row in await query.fetch_all()] == ["second", "first"]
    assert (await query.fetch_first()).slug == "second"
    assert (await query.fetch_last()).slug == "first"
    assert (await query.limit(1).offset(1).fetch_one()).slug == "first"


async def test_a_renamed_column_keeps_its_field_name(db: Any) -> None:
    await db.create_table(Author)
    await db.create_table(Book)
    author = await db.insert(Author(name="a"))
    await db.insert(Book(title="t", author_id=author.pk))
    row = await db.select(Book).only("author_id").fetch_one()
    assert row.author_id == author.pk
    assert row.model_fields_set == {"pk", "author_id"}
    row = await db.select(Book).exclude(["author_id"]).fetch_one()
    assert row.title == "t"
    assert not hasattr(row, "author_id")


# Refusals


async def test_unknown_fields(db: Any) -> None:
    for call in (
        lambda: db.select(Post, fields=["slug", "nope"]),
        lambda: db.select(Post).fields(["slug", "nope"]),
    ):
        with pytest.raises(ValueError, match="nope") as caught:
            call()
        assert str(caught.value) == "Invalid fields specified: nope"


async def test_several_unknown_fields(db: Any) -> None:
    with pytest.raises(ValueError, match="Invalid fields specified: ") as caught:
        db.select(Post).fields(["zz", "slug", "aa"])
    assert "zz" in str(caught.value)
    assert "aa" in str(caught.value)
    assert "slug" not in str(caught.value)


async def test_only_takes_one_name(db: Any) -> None:
    query = db.select(Post)
    with pytest.raises(TypeError):
        query.only(["slug"])
    with pytest.raises(TypeError):
        query.only("slug", "name")
    with pytest.raises(TypeError):
        query.only()
    with pytest.raises(ValueError, match="nope") as caught:
        query.only("nope")
    assert str(caught.value) == "Invalid field specified: nope"


async def test_the_key_cannot_be_excluded(db: Any) -> None:
    for names in (["pk"], ["slug", "pk"], ["pk", "nope"]):
        with pytest.raises(ValueError, match="pk") as caught:
            db.select(Post).exclude(names)
        assert str(caught.value) == "The primary key 'pk' cannot be excluded."


async def test_unknown_fields_cannot_be_excluded(db: Any) -> None:
    for call in (
        lambda: db.select(Post, exclude=["nope"]),
        lambda: db.select(Post).exclude(["slug", "nope"]),
    ):
        with pytest.raises(ValueError, match="nope") as caught:
            call()
        assert str(caught.value) == "Invalid fields specified for exclusion: nope"


async def test_something_must_be_left(db: Any) -> None:
    declared = [name for name in Post.model_fields if name not in BUILT_IN]
    with pytest.raises(ValueError, match="Exclusion") as caught:
        db.select(Post).exclude([*declared, "created_at", "updated_at"])
    assert str(caught.value) == "Exclusion results in no fields being selected."
    db.select(Post).exclude([*declared, "created_at"])


@pytest.mark.defect("D-23")
async def test_a_failed_selection_leaves_no_trace(db: Any) -> None:
    await seed(db)
    query = db.select(Post).fields(["slug"])
    before = query.to_sql()
    for call in (
        lambda: query.fields(["zz"]),
        lambda: query.fields(["name", "zz"]),
        lambda: query.only("zz"),
        lambda: query.exclude(["zz"]),
        lambda: query.exclude(["name", "pk"]),
    ):
        with pytest.raises(ValueError, match=r"zz|pk"):
            call()
        assert query.to_sql() == before
    assert await selected(query) == {"pk", "slug"}


# Partial rows


async def test_an_unselected_required_field_is_absent(db: Any) -> None:
    await seed(db)
    row = await db.select(Post).only("slug").fetch_one()
    assert not hasattr(row, "content")
    with pytest.raises(AttributeError, match="not selected"):
        _ = row.content


@pytest.mark.defect("D-07")
@pytest.mark.parametrize("name", ["views", "note", "created_at", "updated_at"])
async def test_an_unselected_field_with_a_default_is_absent_too(
    db: Any, name: str
) -> None:
    await seed(db)
    row = await db.select(Post).only("slug").fetch_one()
    assert not hasattr(row, name)
    with pytest.raises(AttributeError, match="not selected") as caught:
        getattr(row, name)
    assert name in str(caught.value)


async def test_a_name_that_is_no_field_is_an_ordinary_mistake(db: Any) -> None:
    await seed(db)
    row = await db.select(Post).only("slug").fetch_one()
    with pytest.raises(AttributeError) as caught:
        _ = row.nonsense
    assert "not selected" not in str(caught.value)


async def test_a_partial_row_shows_what_it_holds(db: Any) -> None:
    await seed(db)
    row = await db.select(Post).fields(["slug", "views"]).fetch_one()
    assert row.model_dump() == {"pk": 1, "slug": "first", "views": 5}
    assert row.model_validate_json(
        '{"slug": "s", "name": "n", "content": "c"}'
    ).model_fields_set == {"slug", "name", "content"}
    assert '"slug":"first"' in row.model_dump_json()
    assert "content" not in row.model_dump_json()
    assert "first" in repr(row)
    assert "content" not in repr(row)
    assert "created_at" not in repr(row)


async def test_partial_rows_compare_by_what_they_hold(db: Any) -> None:
    await seed(db)
    query = db.select(Post).only("slug").filter(pk=1)
    whole = await db.select(Post).filter(pk=1).fetch_one()
    assert await query.fetch_one() == await query.fetch_one()
    assert await query.fetch_one() != whole


async def test_an_unselected_field_can_be_assigned(db: Any) -> None:
    await seed(db)
    row = await db.select(Post).only("slug").filter(pk=1).fetch_one()
    row.name = "Assigned"
    assert row.name == "Assigned"
    assert row.model_fields_set == {"pk", "slug", "name"}


@pytest.mark.defect("D-07")
async def test_an_update_writes_only_what_was_loaded_or_assigned(db: Any) -> None:
    await seed(db)
    before = await db.get(Post, 1)
    row = await db.select(Post).only("slug").filter(pk=1).fetch_one()
    row.slug = "changed"
    row.views = 50
    await db.update(row)
    after = await db.get(Post, 1)
    assert (after.slug, after.views) == ("changed", 50)
    assert (after.name, after.content, after.note) == (
        before.name,
        before.content,
        before.note,
    )
    assert after.created_at == before.created_at


async def test_the_model_class_is_left_alone(db: Any) -> None:
    await seed(db)
    await db.select(Post).only("slug").fetch_all()
    fresh = Post(slug="s", name="n", content="c")
    assert (fresh.views, fresh.note, fresh.pk) == (0, None, 0)
    whole = await db.select(Post).order("pk").fetch_first()
    assert (whole.content, whole.views, whole.note) == ("one", 5, "n")


KINDS: dict[str, list[Any]] = {
    "day": [date(2020, 2, 29), date(1969, 12, 31)],
    "at": [datetime(2020, 1, 1, 12, 30, tzinfo=UTC)],
    "maybe_day": [None, date(2700, 1, 1)],
    "maybe_at": [None, datetime(2020, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)],
    "maybe_flag": [None, False, True],
    "mode": ["r", "w"],
    "either": [1, 1.5, -0.25],
    "union": [7, "7", "seven"],
    "anything": [None, 5, "5", [1, "a"], {"a": [1]}],
    "price": [Decimal("1.10"), Decimal("-3")],
    "tags": [[], ["a", "b"]],
    "table": [None, {}, {"a": 1}],
    "count": [None, 0, 10],
}


@pytest.mark.defect("D-08")
@pytest.mark.parametrize("field", list(KINDS))
async def test_partial_values_are_whole_values(db: Any, field: str) -> None:
    await db.create_table(Kinds)
    base = {"day": date(2020, 1, 1), "at": datetime(2020, 1, 1, tzinfo=UTC)}
    others = [name for name in Kinds.model_fields if name not in {field, *BUILT_IN}]
    for value in KINDS[field]:
        saved = await db.insert(Kinds(**(base | {field: value})))
        for query in (db.select(Kinds).only(field), db.select(Kinds).exclude(others)):
            loaded = getattr(await query.filter(pk=saved.pk).fetch_one(), field)
            assert loaded == value
            assert type(loaded) is type(value)


@pytest.mark.defect("D-08")
async def test_a_stored_value_that_does_not_fit_never_arrives(db: Any) -> None:
    await seed(db)
    connection = await db.connect()
    await connection.execute("UPDATE posts SET views = 'many' WHERE pk = 2")
    await connection.commit()
    for query in (
        db.select(Post),
        db.select(Post).only("views"),
        db.select(Post).exclude(["slug"]),
    ):
        with pytest.raises(RecordFetchError, match="posts") as caught:
            await query.fetch_all()
        assert "views" in str(caught.value)
    assert len(await db.select(Post).exclude(["views"]).fetch_all()) == 2
    assert len(await db.select(Post).filter(pk=1).fetch_all()) == 1
