"""What relations are called: aliases, what validators see, names that are refused."""

from typing import ClassVar

import pytest
from pydantic import AliasChoices, ConfigDict, Field, model_validator
from support import Models

from sqliter.exceptions import InvalidForeignKeyError

pytestmark = pytest.mark.only("memory")

SHOP = "class Author(BaseDBModel):\n    name: str\n"
NOTE = """
class Note(BaseDBModel):
    {name}: {kind}[Author] = {kind}(Author, related_name={related!r})
"""
KINDS = pytest.mark.parametrize("kind", ["ForeignKey", "ManyToMany"])

# --- aliases, validators -----------------------------------------------------------------

FIELDS = {
    "alias": lambda: Field(alias="writer"),
    "validation_alias": lambda: Field(validation_alias="writer"),
    "choices": lambda: Field(validation_alias=AliasChoices("writer", "scribe")),
}
BY_NAME = [{}, {"validate_by_name": False, "validate_by_alias": True}, {"populate_by_name": False}]  # fmt: skip


@pytest.mark.parametrize("config", BY_NAME, ids=["names", "validate", "populate"])
@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_an_object_wins_over_an_id_given_by_alias(orm, library, field, config):
    class Note(orm.BaseDBModel):
        model_config = ConfigDict(**config)
        author_id: int = field()
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, related_name=False
        )

    ada = library.Author(name="Ada", pk=3)
    for data in ({"author": ada}, {"author": ada, "writer": 7}):
        for note in (Note(**data), Note.model_validate(data)):
            assert (note.author_id, note.author) == (3, ada)
    assert Note(writer=7).author_id == 7


@pytest.fixture
def watched(orm, library):
    """Authors, and notes with a validator; `Note.seen` lists the authors it saw."""

    class Note(orm.BaseDBModel):
        seen: ClassVar[list] = []
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(
            library.Author, related_name=False
        )

        @model_validator(mode="after")
        def look(self):
            self.seen.append(self.author)
            return self

    return Models(Author=library.Author, Note=Note)


@pytest.fixture(params=["unsaved", "saved"])
def pair(request, db, runner, watched):
    """Two authors."""
    both = [watched.Author(name="Ada"), watched.Author(name="Bob")]
    runner.run(watched.create(db))
    for each in both if request.param == "saved" else ():
        runner.run(db.insert(each))
    return both


def test_validators_see_the_object_that_is_given(watched, pair):
    ada, _ = pair
    for note in (
        watched.Note(author=ada),
        watched.Note.model_validate({"author": ada}),
    ):
        assert note.author is ada
    assert watched.Note.seen
    assert all(each is ada for each in watched.Note.seen)


def test_validators_see_the_object_that_is_assigned(watched, pair):
    ada, bob = pair
    note = watched.Note(author=ada)
    watched.Note.seen.clear()
    note.author = bob
    assert watched.Note.seen
    assert all(each is bob for each in watched.Note.seen)


# --- names -------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(
    "name",
    ["_author", "__author", "my__author", "model_fields", "copy", "get_table_name", "db_context", "pk"],
)  # fmt: skip
def test_a_relation_cannot_have_every_name(declare, name, kind):
    module = declare(SHOP)
    with pytest.raises(InvalidForeignKeyError, match=name):
        declare(NOTE.format(name=name, kind=kind, related="notes"))
    assert not hasattr(module.Author, "notes")


@KINDS
def test_a_relation_cannot_have_the_name_of_the_key_of_another(declare, kind):
    text = f"""
class Note(BaseDBModel):
    a: ForeignKey[Author] = ForeignKey(Author, related_name="first")
    a_id: {kind}[Author] = {kind}(Author, related_name="second")
"""
    with pytest.raises(InvalidForeignKeyError, match="a_id"):
        declare(SHOP + text)


@KINDS
@pytest.mark.parametrize("name", ["my__notes", "__notes", "notes__"])
def test_a_related_name_has_no_double_underscore(declare, name, kind):
    with pytest.raises(ValueError, match="related_name"):
        declare(SHOP + NOTE.format(name="author", kind=kind, related=name))


@KINDS
def test_a_class_defined_anew_leaves_no_attribute_under_its_old_name(declare, kind):
    note = NOTE.format(name="author", kind=kind, related="{}")
    Author = declare(SHOP + note.replace("'{}'", "'notes'")).Author
    first = declare(note.replace("'{}'", "'remarks'")).Note
    assert not hasattr(Author, "notes")
    assert Author.remarks.name == "remarks"
    Other = declare(note.replace("Note", "Other").replace("'{}'", "'notes'")).Other
    assert first.author.related_name == "remarks"
    assert Other.author.related_name == Author.notes.name == "notes"


THROUGH = {
    "tags": "    tags: ManyToMany[Tag] = ManyToMany(Tag, related_name='a1')",
    "labels": "    labels: ManyToMany[Tag] = ManyToMany(Tag, through='articles_tags', related_name='a2')",
}
TAG = "class Tag(BaseDBModel):\n    name: str\n"


@pytest.mark.parametrize(
    "order", [("tags", "labels"), ("labels", "tags")], ids="-".join
)
def test_through_cannot_be_the_default_of_another_relation(declare, order):
    body = "\n".join(THROUGH[name] for name in order)
    with pytest.raises(ValueError, match="articles_tags|share one table"):
        declare(f"{TAG}class Article(BaseDBModel):\n{body}")


@pytest.mark.parametrize(
    "order", [("tags", "labels"), ("labels", "tags")], ids="-".join
)
def test_through_cannot_be_the_default_of_another_model(declare, order):
    owner = {"tags": "Article", "labels": "Story"}
    first, second = (
        f"class {owner[name]}(BaseDBModel):\n{THROUGH[name]}\n" for name in order
    )
    declare(TAG + first)
    with pytest.raises(ValueError, match="articles_tags"):
        declare(second)


def test_a_class_that_leads_to_itself_waits_for_no_other(orm):
    from sqliter.model import registry

    before = registry.waiting()

    class Node(orm.BaseDBModel):
        up: orm.ForeignKey["Node"] = orm.ForeignKey("self", null=True, related_name="x")
        by: orm.ForeignKey["Node"] = orm.ForeignKey("Node", null=True, related_name="y")
        all: orm.ManyToMany["Node"] = orm.ManyToMany("self", related_name="z")

    assert registry.waiting() == before
    assert Node.up.to_model is Node.by.to_model is Node
