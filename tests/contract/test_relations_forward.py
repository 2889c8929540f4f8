"""A foreign key on an object: building the object and assigning the key."""

from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from sqliter.exceptions import RecordInsertionError, SqliterError

WRONG = [
    pytest.param(lambda models: "x", id="text"),
    pytest.param(lambda models: 1.5, id="float"),
    pytest.param(lambda models: [1], id="list"),
    pytest.param(lambda models: True, id="bool"),
    pytest.param(
        lambda models: models.Book(title="b", author=1, pk=7), id="other model"
    ),
]


@pytest.fixture
def Book(library):
    return library.Book


# --- building ----------------------------------------------------------------------------


@pytest.mark.only("memory")
@pytest.mark.parametrize("given", [3, "3"])
def test_the_id_may_be_given(Book, given):
    assert Book(title="x", author_id=given).author_id == 3


@pytest.mark.only("memory")
@pytest.mark.parametrize("author", [3, SimpleNamespace(pk=3)], ids=["id", "duck"])
def test_a_key_takes_an_id_or_anything_with_a_pk(Book, author):
    for book in (
        Book(title="x", author=author),
        Book.model_validate({"title": "x", "author": author}),
    ):
        assert book.author_id == 3
        assert "author_id" in book.model_fields_set


@pytest.mark.only("memory")
def test_a_key_takes_an_object(library):
    ada = library.Author(name="Ada", pk=3)
    assert library.Book(title="x", author=ada).author_id == 3
    assert library.Book.model_validate({"title": "x", "author": ada}).author_id == 3


@pytest.mark.only("memory")
def test_json_may_name_the_key(Book):
    assert Book.model_validate_json('{"title": "x", "author": 3}').author_id == 3


@pytest.mark.only("memory")
def test_the_relation_wins_over_the_id(Book):
    assert Book(title="x", author=1, author_id=2).author_id == 1


@pytest.mark.only("memory")
def test_a_required_key_is_missed_by_its_id(Book):
    with pytest.raises(ValidationError) as caught:
        Book(title="x")
    (error,) = caught.value.errors()
    assert (error["loc"], error["type"]) == (("author_id",), "missing")
    with pytest.raises(ValidationError) as caught:
        Book(title="x", author=None)
    (error,) = caught.value.errors()
    assert (error["loc"], error["type"]) == (("author_id",), "int_type")


@pytest.mark.only("memory")
def test_a_nullable_key_is_none_by_default(Book):
    assert Book(title="x", author=1).editor_id is None
    assert Book(title="x", author=1, editor=None).editor_id is None


@pytest.mark.defect("O-05", "O-08")
@pytest.mark.only("memory")
@pytest.mark.parametrize("relation", ["author", "editor"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_value_is_refused_where_it_was_given(library, relation, wrong):
    values = {"title": "x", "author": 1, relation: wrong(library)}
    for build in (
        lambda: library.Book(**values),
        lambda: library.Book.model_validate(values),
    ):
        with pytest.raises(ValidationError) as caught:
            build()
        (error,) = caught.value.errors()
        assert error["loc"] == (relation,)
        assert "FK value must be BaseModel, int, or None" in error["msg"]


# --- assigning ---------------------------------------------------------------------------


def by_attribute(book, value):
    book.author = value


def by_descriptor(book, value):
    type(book).author.__set__(book, value)


ASSIGN = pytest.mark.parametrize("assign", [by_attribute, by_descriptor])


@ASSIGN
@pytest.mark.only("memory")
def test_assigning_sets_the_id(library, assign):
    book = library.Book(title="x", author=1)
    for value in (2, SimpleNamespace(pk=2), library.Author(name="Ada", pk=2)):
        book.author_id = 1
        assign(book, value)
        assert book.author_id == 2


@pytest.mark.only("memory")
def test_none_empties_a_nullable_key_only(library):
    ada = library.Author(name="Ada", pk=2)
    book = library.Book(title="x", author=ada, editor=ada)
    book.editor = None
    assert book.editor_id is None
    assert book.editor is None
    with pytest.raises(ValidationError):
        book.author = None
    assert book.author_id == 2


@pytest.mark.defect("O-08")
@ASSIGN
@pytest.mark.only("memory")
@pytest.mark.parametrize("wrong", WRONG)
def test_assigning_a_wrong_value_is_refused(library, assign, wrong):
    book = library.Book(title="x", author=1)
    with pytest.raises(
        TypeError, match="^FK value must be BaseModel, int, or None, got "
    ):
        assign(book, wrong(library))
    assert book.author_id == 1


@pytest.mark.defect("O-08")
@pytest.mark.only("memory")
def test_the_refusal_of_another_model_names_both(library):
    book = library.Book(title="x", author=1)
    with pytest.raises(TypeError, match=r"(?s)(Author.*Book|Book.*Author)"):
        book.author = library.Book(title="y", author=1, pk=1)


@pytest.mark.only("memory")
def test_the_id_is_validated_when_assigned(Book):
    book = Book(title="x", author=1)
    with pytest.raises(ValidationError):
        book.author_id = "not a number"


@pytest.mark.defect("O-06")
async def test_the_key_of_one_object_may_be_given_to_another(
    logged_db, statements, seeded, Book
):
    _, bob, book = await seeded(logged_db)
    first = await logged_db.get(Book, book.pk)
    with statements.watch():
        second = Book(title="copy", author=first.author)
        third = Book(title="third", author_id=bob.pk)
        third.author = first.author
    assert (second.author_id, third.author_id) == (first.author_id, first.author_id)
    assert statements.statements == []


# --- assigned objects are kept -----------------------------------------------------------


@pytest.mark.defect("O-07")
@pytest.mark.only("memory")
@pytest.mark.parametrize("pk", [0, 4])
def test_a_given_object_is_the_value(library, pk):
    ada, bob = library.Author(name="Ada", pk=pk), library.Author(name="Bob", pk=9)
    book = library.Book(title="x", author=ada)
    assert book.author is ada
    assert book.author_id == pk
    book.author = bob
    assert book.author is bob
    book.author = ada
    assert book.author is ada


@pytest.mark.defect("O-07")
@pytest.mark.parametrize("many_rows", [False, True], ids=["insert", "bulk_insert"])
async def test_a_parent_saved_later_gives_its_pk(db, library, many_rows):
    await library.create(db)
    ada = library.Author(name="Ada")
    book = library.Book(title="x", author=ada, editor=ada)
    await db.insert(library.Author(name="first"))
    await db.insert(ada)
    if many_rows:
        await db.bulk_insert([book])
    else:
        await db.insert(book)
    assert (book.author_id, book.editor_id) == (ada.pk, ada.pk)
    assert (await db.get(library.Book, book.pk)).author_id == ada.pk
    assert book.author is ada


@pytest.mark.defect("O-07")
async def test_an_update_takes_the_pk_of_a_parent_saved_later(db, library, seeded):
    _, _, book = await seeded(db)
    carl = library.Author(name="Carl")
    book.editor = carl
    await db.insert(carl)
    await db.update(book)
    assert (await db.get(library.Book, book.pk)).editor_id == carl.pk


@pytest.mark.defect("O-07")
@pytest.mark.parametrize("relation", ["author", "editor"])
async def test_a_parent_that_is_never_saved_is_named(db, library, relation):
    await library.create(db)
    saved = await db.insert(library.Author(name="saved"))
    book = library.Book(title="x", author=saved)
    setattr(book, relation, library.Author(name="Ada"))
    with pytest.raises(RecordInsertionError, match=relation):
        await db.insert(book)
    with pytest.raises(RecordInsertionError, match=relation):
        await db.bulk_insert([book])
    assert await db.select(library.Book).count() == 0


@pytest.mark.defect("O-07")
async def test_an_update_with_an_unsaved_parent_is_refused(db, library, seeded):
    ada, _, book = await seeded(db)
    book.author = library.Author(name="Carl")
    with pytest.raises(SqliterError, match="author"):
        await db.update(book)
    assert (await db.get(library.Book, book.pk)).author_id == ada.pk
