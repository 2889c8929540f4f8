"""The name of the other side: given, generated, refused, suppressed, declared, redefined."""

import sys
from typing import ClassVar

import pytest
from support import Models

from sqliter.exceptions import SqliterError
from sqliter.model import BaseDBModel

pytestmark = pytest.mark.only("memory")


@pytest.fixture
def Author(orm):
    class Author(orm.BaseDBModel):
        name: str

        def greet(self):
            return f"I am {self.name}"

    return Author


@pytest.fixture
def point_at(orm):
    """`point_at(target, kind, related_name=...)` defines a class with one relation."""

    def define(target, kind="ForeignKey", **options):
        class Pointer(orm.BaseDBModel):
            to: getattr(orm, kind) = getattr(orm, kind)(target, **options)

        return Pointer

    return define


KINDS = pytest.mark.parametrize("kind", ["ForeignKey", "ManyToMany"])
TAKEN = {"ForeignKey": "Reverse relationship", "ManyToMany": "Reverse M2M accessor"}


# --- generated ---------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("Book", "books"),
        ("BookReviewModel", "bookreviewmodels"),
        ("_TestArticle", "_testarticles"),
        ("News", "news"),
    ],
)
def test_a_name_is_made_from_the_class_name(orm, Author, kind, class_name, expected):
    relation = getattr(orm, kind)(Author)
    body = {"__module__": __name__, "__annotations__": {"to": type(relation)}}
    made = type(orm.BaseDBModel)(
        class_name, (orm.BaseDBModel,), body | {"to": relation}
    )
    assert made.to.related_name == expected
    assert hasattr(Author, expected)


def test_a_name_is_made_without_inflect_as_well(orm, Author, monkeypatch):
    monkeypatch.setitem(sys.modules, "inflect", None)

    class BookFallback(orm.BaseDBModel):
        to: orm.ForeignKey[Author] = orm.ForeignKey(Author)

    assert hasattr(Author, "bookfallbacks")


# --- refused -----------------------------------------------------------------------------


@pytest.mark.defect("O-25")
@KINDS
@pytest.mark.parametrize("name", ["", "not an identifier", "1st", "a-b"])
def test_a_name_that_is_no_identifier_is_refused(Author, point_at, kind, name):
    with pytest.raises(ValueError, match="related_name"):
        point_at(Author, kind, related_name=name)
    assert name not in vars(Author)


@pytest.mark.defect("O-14")
@KINDS
@pytest.mark.parametrize("name", ["name", "pk", "created_at"])
def test_a_field_of_the_target_is_taken(Author, point_at, kind, name):
    with pytest.raises(AttributeError) as caught:
        point_at(Author, kind, related_name=name)
    assert str(caught.value).startswith(
        f"{TAKEN[kind]} '{name}' already exists on Author"
    )
    assert Author(name="Ada").name == "Ada"


@pytest.mark.defect("O-14")
@KINDS
def test_a_field_of_a_subclass_of_the_target_is_taken(Author, point_at, kind):
    class Poet(Author):
        poems: int = 3

    with pytest.raises(AttributeError, match="'poems' already exists"):
        point_at(Author, kind, related_name="poems")
    assert Poet(name="P").poems == 3


@pytest.mark.defect("O-25")
@KINDS
@pytest.mark.parametrize(
    "name", ["greet", "model_dump", "get_table_name", "db_context"]
)
def test_an_attribute_of_the_target_is_taken(Author, point_at, kind, name):
    with pytest.raises(AttributeError, match=f"'{name}' already exists on Author"):
        point_at(Author, kind, related_name=name)
    assert Author(name="Ada").greet() == "I am Ada"


@pytest.mark.defect("O-28")
@KINDS
def test_a_method_of_a_plain_target_is_taken(point_at, kind):
    class Thing(BaseDBModel):
        def describe(self):
            return "a thing"

    with pytest.raises(AttributeError, match="'describe' already exists on Thing"):
        point_at(Thing, kind, related_name="describe")
    assert Thing().describe() == "a thing"


def test_two_keys_to_one_target_need_two_names(orm, Author):
    with pytest.raises(
        AttributeError, match="^Reverse relationship 'books' already exists on Author"
    ):

        class Book(orm.BaseDBModel):
            author: orm.ForeignKey[Author] = orm.ForeignKey(Author)
            editor: orm.ForeignKey[Author] = orm.ForeignKey(Author)


@pytest.mark.defect("O-37")
def test_symmetrical_needs_one_model(Author, point_at):
    with pytest.raises(ValueError, match="symmetrical"):
        point_at(Author, "ManyToMany", symmetrical=True)


@pytest.mark.defect("O-38")
def test_two_links_between_the_same_models_need_two_tables(orm, Author):
    def declare(**options):
        class Club(orm.BaseDBModel):
            members: orm.ManyToMany[Author] = orm.ManyToMany(
                Author, related_name="clubs"
            )
            fans: orm.ManyToMany[Author] = orm.ManyToMany(
                Author, related_name="liked", **options
            )

        return Club

    with pytest.raises(ValueError, match="through"):
        declare()
    Club = declare(through="club_fans")
    assert Club.members.junction_table != Club.fans.junction_table


@pytest.mark.parametrize("through", ["", "two words", "1st", 'a"b'])
def test_a_bad_name_of_a_junction_is_refused(Author, point_at, through):
    with pytest.raises(ValueError, match=r"(?i)invalid table name"):
        point_at(Author, "ManyToMany", through=through)


@pytest.mark.defect("O-39")
def test_a_junction_cannot_be_the_table_of_a_model(orm, Author, point_at):
    class Membership(orm.BaseDBModel):
        since: int

    with pytest.raises(ValueError, match="memberships"):
        point_at(Author, "ManyToMany", through="memberships")


@pytest.mark.defect("O-39")
def test_a_junction_cannot_serve_other_tables(orm, Author, press):
    with pytest.raises(ValueError, match="articles_tags"):

        class Club(orm.BaseDBModel):
            members: orm.ManyToMany[Author] = orm.ManyToMany(
                Author, through="articles_tags"
            )


# --- suppressed --------------------------------------------------------------------------


@pytest.mark.defect("O-25")
@KINDS
def test_no_accessor_on_request(Author, point_at, kind):
    before = set(dir(Author))
    Pointer = point_at(Author, kind, related_name=False)
    assert set(dir(Author)) == before
    assert not isinstance(Pointer.to.related_name, str)


@pytest.mark.defect("O-26")
@pytest.mark.parametrize("name", [None, "befriended"])
def test_a_symmetrical_link_has_no_other_side(orm, name):
    class Person(orm.BaseDBModel):
        friends: orm.ManyToMany["Person"] = orm.ManyToMany(
            "Person", symmetrical=True, related_name=name
        )

    reverse = [
        each
        for each in vars(Person).values()
        if isinstance(each, orm.ReverseManyToMany)
    ]
    assert reverse == []
    assert not hasattr(Person, "befriended")


# --- declared on the other side ----------------------------------------------------------


async def test_an_annotation_alone_declares_the_other_side(db, orm, many):
    class Writer(orm.BaseDBModel):
        name: str
        works: ClassVar[orm.ReverseRelationship["Work"]]
        fans: ClassVar[orm.ReverseManyToMany]

    class Work(orm.BaseDBModel):
        writer: orm.ForeignKey[Writer] = orm.ForeignKey(Writer, related_name="works")
        liked: orm.ManyToMany[Writer] = orm.ManyToMany(Writer, related_name="fans")

    await Models(Writer=Writer, Work=Work).create(db)
    ada = await db.insert(Writer(name="Ada"))
    work = await db.insert(Work(writer=ada))
    assert await many(ada.works).fetch_all() == [work]
    assert await many(ada.fans).count() == 0


async def test_a_declared_value_is_bound_by_the_key(db, orm, many):
    class Writer(orm.BaseDBModel):
        name: str
        works: ClassVar[orm.ReverseRelationship["Work"]] = orm.ReverseRelationship(
            "Work"
        )

    class Work(orm.BaseDBModel):
        writer: orm.ForeignKey[Writer] = orm.ForeignKey(Writer, related_name="works")

    await Models(Writer=Writer, Work=Work).create(db)
    ada = await db.insert(Writer(name="Ada"))
    work = await db.insert(Work(writer=ada))
    assert await many(ada.works).fetch_all() == [work]


def test_a_declared_value_without_a_key_fails_when_used(orm):
    class Writer(orm.BaseDBModel):
        works: ClassVar[orm.ReverseRelationship["Work"]] = orm.ReverseRelationship(
            "Work"
        )

    with pytest.raises((SqliterError, AttributeError, TypeError), match="works"):
        _ = Writer().works


# --- redefined ---------------------------------------------------------------------------


@pytest.mark.defect("O-25")
@KINDS
def test_a_class_defined_again_replaces_its_accessor(Author, point_at, kind):
    first = point_at(Author, kind, related_name="pointers")
    second = point_at(Author, kind, related_name="pointers")
    relation = Author.pointers
    assert getattr(relation, "from_model", None) in (second, Author)
    assert first not in (relation.from_model, getattr(relation, "to_model", None))


@pytest.mark.defect("O-25")
async def test_rows_of_a_class_defined_again(db, Author, point_at, many):
    point_at(Author, related_name="pointers")
    again = point_at(Author, related_name="pointers")
    await Models(Author=Author, Pointer=again).create(db)
    ada = await db.insert(Author(name="Ada"))
    pointer = await db.insert(again(to=ada))
    (found,) = await many(ada.pointers).fetch_all()
    assert type(found) is again
    assert found == pointer


@pytest.mark.defect("O-25")
def test_another_class_of_the_same_name_does_not_replace_it(orm, Author, point_at):
    point_at(Author, related_name="pointers")
    with pytest.raises(AttributeError, match="already exists"):

        class Pointer(orm.BaseDBModel):
            to: orm.ForeignKey[Author] = orm.ForeignKey(Author, related_name="pointers")
