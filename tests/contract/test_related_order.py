"""`order()` along foreign keys: rows without a relation stay, windows and last rows fit."""

from __future__ import annotations

from typing import Any

import pytest
from contract.library import initials, library, spell, stocked
from support import Colour, outside

from sqliter.exceptions import InvalidOrderError

ORDERS = [
    (("author__name", "title"), {}, "EPFS"),
    (("author__name", "-title"), {}, "PESF"),
    (("-author__name", "title"), {}, "FSEP"),
    (("author__name", "title"), {"reverse": True}, "SFPE"),
    (("title", "author__name"), {}, "EFPS"),
    (("author__country__name", "-pages"), {}, "EPFS"),
    (("-author__country__name", "pages"), {}, "SFPE"),
    (("author__age", "pk"), {}, "SFEP"),
    (("-author__age", "pk"), {}, "EPSF"),
    (("author__age", "pk"), {"nulls": "last"}, "EPSF"),
    (("author__pk", "-pk"), {}, "PEFS"),
    (("editor__name", "title"), {}, "PSEF"),
    (("-editor__name", "title"), {}, "FEPS"),
    (("editor__name", "title"), {"nulls": "last"}, "EFPS"),
    (("-editor__name", "title"), {"nulls": "first"}, "PSFE"),
    (("editor__country__name", "title"), {}, "PSEF"),
    (("editor__age", "author__name"), {}, "PSEF"),
    (("editor_id", "author__name", "pk"), {}, "PSFE"),
]


@pytest.mark.parametrize(("names", "options", "expected"), ORDERS)
async def test_order_along_keys(
    db: Any,
    colour: Colour,
    names: tuple[str, ...],
    options: dict[str, Any],
    expected: str,
) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order(*names, **options)
    assert spell(await query.fetch_all()) == expected
    assert await query.count() == 4


async def test_a_window_of_the_order(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order("author__name", "title")
    assert spell(await query.clone().limit(2).fetch_all()) == "EP"
    assert spell(await query.clone().offset(1).limit(2).fetch_all()) == "PF"
    assert spell(await query.clone().offset(3).fetch_all()) == "S"
    assert await query.clone().limit(3).count() == 3


async def test_the_first_and_the_last_row(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order("editor__name", "title")
    assert (await query.fetch_first()).title == "Persuasion"
    assert (await query.fetch_one()).title == "Persuasion"
    assert (await query.fetch_last()).title == "Fiasco"
    assert (await query.clone().limit(2).fetch_last()).title == "Solaris"
    assert (await query.clone().offset(1).limit(2).fetch_last()).title == "Emma"


async def test_the_key_decides_between_the_last_ones(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    assert (await db.select(lib.Book).order("author__name").fetch_last()).pk == 4
    assert (await db.select(lib.Book).order("-author__name").fetch_last()).pk == 3
    query = db.select(lib.Book).order("author__country__name")
    assert (await query.limit(2).fetch_last()).pk == 3


async def test_order_with_filters_and_related_rows(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__country__name="England")
    query.order("-author__name", "-title").select_related("editor")
    books = await query.fetch_all()
    assert spell(books) == "PE"
    assert [book.editor and book.editor.name for book in books] == [None, "Ada"]
    query = db.select(lib.Book).filter(tags__name="space").order("editor__name")
    assert spell(await query.fetch_all()) == "SF"


async def test_order_of_chosen_fields(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).fields(["title"]).order("author__name", "title")
    assert spell(await query.fetch_all()) == "EPFS"


async def test_order_in_a_tree(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Node).order("parent__name", "name")
    assert spell(await query.fetch_all()) == "tslr"
    query = db.select(lib.Node).order("-parent__parent__name", "name")
    assert spell(await query.fetch_all()) == "slrt"


@pytest.mark.defect("D-05")
@pytest.mark.only("file")
async def test_a_key_that_leads_nowhere_loses_no_row(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    with outside(db) as connection:
        connection.execute("UPDATE books SET author_id = 99 WHERE title = 'Emma'")
    query = db.select(lib.Book).order("author__name", "title")
    assert spell(await query.fetch_all()) == "EPFS"
    query = db.select(lib.Book).order("author__country__name", "title")
    assert spell(await query.fetch_all()) == "EPFS"


@pytest.mark.parametrize(
    "name",
    [
        "tags__name",
        "comments__stars",
        "author__books__title",
        "author__nope",
        "nope__name",
        "author__country__nope",
    ],
)
async def test_what_gives_no_order(db: Any, colour: Colour, name: str) -> None:
    lib = await stocked(db, colour)
    query = db.select(lib.Book).order("-pk")
    for spelled in (name, f"-{name}"):
        with pytest.raises(InvalidOrderError) as caught:
            query.order(spelled)
        assert name in str(caught.value)
    assert spell(await query.fetch_all()) == "FPSE"  # the failed calls left no trace


async def test_groups_are_not_ordered_along_keys(db: Any, colour: Colour) -> None:
    with pytest.raises(InvalidOrderError):
        db.select(library(colour).Book).group_by("pages").order("author__name")


async def test_the_last_order_counts(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)
    assert await initials(db.select(lib.Book).order("-author__name")) == "ESPF"
    query = db.select(lib.Book).order("-pk").order("author__name", "title")
    assert spell(await query.fetch_all()) == "EPFS"
