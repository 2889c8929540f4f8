"""What a class with relations becomes: its fields and columns, which keys may be null."""

import threading
from typing import ClassVar

import pytest
from pydantic import ConfigDict, ValidationError
from support import Models

from sqliter.model import get_foreign_key_info

pytestmark = pytest.mark.only("memory")

PLAIN = ["pk", "created_at", "updated_at"]
SHOP = "class Author(BaseDBModel):\n    name: str\n"


async def columns(db, table):
    return [
        row["name"] for row in await db.fetch(f"SELECT * FROM pragma_table_info('{table}')")
    ]  # fmt: skip


# --- fields ------------------------------------------------------------------------------


async def test_ids_come_after_the_plain_fields_in_the_order_of_the_keys(db, orm):
    class Author(orm.BaseDBModel):
        name: str

    class Book(orm.BaseDBModel):
        author: orm.ForeignKey[Author] = orm.ForeignKey(Author, related_name="books")
        title: str
        editor: orm.ForeignKey[Author] = orm.ForeignKey(Author, related_name="edited")
        year: int = 0

    await Models(Author=Author, Book=Book).create(db)
    expected = [*PLAIN, "title", "year", "author_id", "editor_id"]
    assert list(Book.model_fields) == expected
    assert sorted(await columns(db, "books")) == sorted(expected)


async def test_a_many_to_many_is_neither_field_nor_column(db, press):
    await press.create(db)
    assert list(press.Article.model_fields) == [*PLAIN, "title"]
    assert set(await columns(db, "articles")) == {*PLAIN, "title"}


def test_the_class_gives_the_descriptors(orm, library, press):
    assert isinstance(library.Book.author, orm.ForeignKey)
    assert vars(library.Book)["author"] is library.Book.author
    assert isinstance(library.Author.books, orm.ReverseRelationship)
    assert isinstance(press.Article.tags, orm.ManyToMany)
    assert isinstance(press.Tag.articles, orm.ReverseManyToMany)


def test_the_class_lists_its_own_relations(library, press):
    Book, Article = library.Book, press.Article
    assert Book.fk_descriptors == {"author": Book.author, "editor": Book.editor}
    assert Article.m2m_descriptors == {"tags": Article.tags}
    assert library.Author.fk_descriptors == {}
    assert library.Author.fk_descriptors is not press.Tag.fk_descriptors


def test_a_key_knows_where_it_stands(library):
    key = library.Book.author
    assert (key.attribute, key.owner, key.to_model) == (
        "author",
        library.Book,
        library.Author,
    )
    assert key.related_name == "books"
    assert key.fk_info.on_delete == "CASCADE"
    assert (key.fk_info.null, library.Book.editor.fk_info.null) == (False, True)


def test_the_id_field_carries_the_key(library):
    info = get_foreign_key_info(library.Book.model_fields["author_id"])
    assert info.to_model is library.Author
    assert info.db_column in (None, "author_id")


@pytest.mark.defect("O-46")
async def test_a_renamed_column_is_used_by_index_and_api(db, orm):
    class Author(orm.BaseDBModel):
        name: str

    class Book(orm.BaseDBModel):
        author: orm.ForeignKey[Author] = orm.ForeignKey(Author, db_column="writer")

        class Meta:
            indexes: ClassVar = ["author_id"]

    await Models(Author=Author, Book=Book).create(db)
    ada = await db.insert(Author(name="Ada"))
    book = await db.insert(Book(author=ada))
    assert "writer" in await columns(db, "books")
    assert "author_id" not in await columns(db, "books")
    assert (await db.get(Book, book.pk)).author_id == ada.pk
    indexed = await db.fetch(
        "SELECT DISTINCT x.name FROM pragma_index_list('books') i, pragma_index_info(i.name) x"
    )
    assert [row["name"] for row in indexed] == ["writer"]


def test_an_id_line_of_the_class_stays_optional_for_checkers_only(orm, library):
    class Note(orm.BaseDBModel):
        author_id: int = orm.fk_id()
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)

    assert Note(author_id=3).author_id == 3
    assert Note(author=4).author_id == 4
    with pytest.raises(ValidationError, match="author_id"):
        Note()


def test_an_id_annotation_of_the_class_wins(orm, library):
    class Note(orm.BaseDBModel):
        author_id: int = 7
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)

    assert Note().author_id == 7


def test_descriptors_need_no_annotation(orm, library):
    class Note(orm.BaseDBModel):
        author = orm.ForeignKey(library.Author, related_name="notes")
        others = orm.ManyToMany(library.Author, related_name="noted")

    assert list(Note.model_fields) == [*PLAIN, "author_id"]
    assert Note(author=2).author_id == 2
    assert isinstance(Note.others, orm.ManyToMany)


def test_a_model_may_have_ignored_types_of_its_own(orm, library):
    class Extra:
        pass

    class Note(orm.BaseDBModel):
        model_config = ConfigDict(ignored_types=(Extra,))
        extra = Extra()
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)
        others: orm.ManyToMany[library.Author] = orm.ManyToMany(
            library.Author, related_name="noted"
        )

    assert list(Note.model_fields) == [*PLAIN, "author_id"]


# --- nullability -------------------------------------------------------------------------

NULLABLE = [
    "ForeignKey[Author | None]",
    "ForeignKey[None | Author]",
    "ForeignKey[Optional[Author]]",
    "ForeignKey[Union[Author, None]]",
    "ForeignKey['Author | None']",
    "ForeignKey['Optional[Author]']",
]
REQUIRED = ["ForeignKey[Author]", "ForeignKey", "ForeignKey['Author']"]
WRITTEN = ["plain", "future", "quoted"]
BOOK = """
from typing import Optional, Union
class Book(BaseDBModel):
    author: {} = ForeignKey(Author)
"""


def book_with(declare, spelling, written):
    annotation = repr(spelling) if written == "quoted" else spelling
    future = written == "future"
    return declare(SHOP + BOOK.format(annotation), future=future).Book


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("spelling", NULLABLE)
def test_an_annotation_with_none_makes_the_key_nullable(declare, spelling, written):
    Book = book_with(declare, spelling, written)
    assert Book.author.fk_info.null is True
    assert Book().author_id is None


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("spelling", REQUIRED)
def test_an_annotation_without_none_leaves_the_key_required(declare, spelling, written):
    Book = book_with(declare, spelling, written)
    assert Book.author.fk_info.null is False
    with pytest.raises(ValidationError, match="author_id"):
        Book()


INSIDE = """
from typing import Optional, Union
def make():
    class Nobody(BaseDBModel):
        name: str
    class Book(BaseDBModel):
        author: ForeignKey[{}] = ForeignKey(Nobody)
    return Book
Book = make()
"""


@pytest.mark.parametrize(
    ("inside", "null"),
    [
        ("Nobody | None", True),
        ("Ghost | None", True),
        ("Optional[Ghost]", True),
        ("Union[Ghost, None]", True),
        ("Nobody", False),
        ("Ghost", False),
        ("Ghost[None]", False),
    ],
)
def test_names_that_cannot_be_resolved_are_read_as_text(declare, inside, null):
    Book = declare(INSIDE.format(inside), future=True).Book
    assert Book.author.fk_info.null is null


def test_null_as_argument_always_wins(orm, library):
    class Note(orm.BaseDBModel):
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, null=True
        )

    assert Note().author_id is None


# --- failures ----------------------------------------------------------------------------

BROKEN = {
    "action": lambda orm, target: {
        "other": orm.ForeignKey(target, on_delete="EXPLODE")
    },
    "field": lambda orm, target: {"__annotations__": {"lock": type(threading.Lock())}},
    "name": lambda orm, target: {"other": orm.ForeignKey(target, related_name="notes")},
    "value": lambda orm, target: {"other": 5},
}


@pytest.mark.defect("O-41")
@pytest.mark.parametrize("cause", BROKEN)
def test_a_class_that_fails_leaves_nothing_behind(orm, library, cause):
    from sqliter.orm import ModelRegistry

    def note(extra):
        body = {
            "__module__": __name__,
            "author": orm.ForeignKey(library.Author, related_name="notes"),
            "fans": orm.ManyToMany(library.Author, related_name="liked"),
        }
        return type(orm.BaseDBModel)("Note", (orm.BaseDBModel,), body | extra)

    with pytest.raises(Exception, match=r"(?s).+"):
        note(BROKEN[cause](orm, library.Author))
    assert not hasattr(library.Author, "notes")
    assert not hasattr(library.Author, "liked")
    assert ModelRegistry.get_foreign_keys("notes") == []
    assert ModelRegistry.get_m2m_relationships("notes") == []
    again = note({})
    assert library.Author.notes.from_model is again
