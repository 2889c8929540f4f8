"""Abstract models and mixins: bases without a table, whose fields and options others share."""

import pytest
from pydantic import BaseModel

from sqliter.exceptions import AbstractModelError, InvalidForeignKeyError
from sqliter.model import BaseDBModel, ForeignKey


class Author(BaseDBModel):
    name: str


class Named(BaseDBModel):
    name: str

    class Meta:
        abstract = True
        indexes = ("name",)


class Owned(BaseDBModel):
    author_id: int = ForeignKey(Author)

    class Meta:
        abstract = True
        unique_indexes = ("author_id",)


class Both(Named, Owned):
    year: int = 0


class Stamped(BaseModel):
    stamp: int = 7

    def shown(self) -> str:
        return f"#{self.stamp}"


async def schema(db, table):
    rows = await db.fetch(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql NOT NULL", (table,)
    )
    return [row["sql"] for row in rows]


async def test_what_derives_from_abstract_models_has_their_fields_and_options(db):
    await db.create_table(Author)
    await db.create_table(Both)
    assert await schema(db, "boths") == [
        'CREATE TABLE "boths" ("pk" INTEGER PRIMARY KEY AUTOINCREMENT, '
        '"created_at" INTEGER, "updated_at" INTEGER, "author_id" INTEGER NOT NULL, '
        '"name" TEXT NOT NULL, "year" INTEGER, FOREIGN KEY ("author_id") '
        'REFERENCES "authors"("pk") ON DELETE RESTRICT ON UPDATE RESTRICT)',
        'CREATE INDEX "idx_boths_author_id" ON "boths" ("author_id")',
        'CREATE INDEX idx_boths_name ON "boths" ("name")',
        'CREATE UNIQUE INDEX "idx_boths_author_id_unique" ON "boths" ("author_id")',
    ]
    ada = await db.insert(Author(name="Ada"))
    row = await db.insert(Both(name="one", author_id=ada.pk))
    assert await db.select(Both).filter(name="one").fetch_one() == row


USES = [
    lambda db: db.create_table(Named),
    lambda db: db.drop_table(Named),
    lambda db: db.insert(Named(name="Ada")),
    lambda db: db.bulk_insert([Named(name="Ada")]),
    lambda db: db.get(Named, 1),
    lambda db: db.delete(Named, 1),
    lambda db: db.select(Named).fetch_all(),
]


@pytest.mark.only("memory")
async def test_an_abstract_model_has_no_table(db):
    for use in USES:
        with pytest.raises(AbstractModelError, match="'Named' is abstract") as caught:
            await use(db)
        assert caught.value.model == "Named"
        assert isinstance(caught.value, TypeError)


def test_options_of_a_meta_come_before_those_of_abstract_bases():
    class Own(Named, Owned):
        class Meta:
            table_name = "mine"
            indexes = ()

    class Further(Own, Owned):
        pass

    class Explicit(Named):
        class Meta(Named.Meta):
            indexes = (*Named.Meta.indexes, ("name", "pk"))

    class StillAbstract(Named):
        class Meta:
            abstract = True
            version = "count"

        count: int = 0

    class Last(StillAbstract):
        pass

    assert (Own.get_table_name(), Own.Meta.indexes) == ("mine", ())
    assert Own.Meta.unique_indexes == ("author_id",)
    assert (Further.get_table_name(), Further.Meta.indexes) == ("furthers", ())
    assert Explicit.Meta.indexes == ("name", ("name", "pk"))
    assert (Last.Meta.indexes, Last.Meta.version) == (("name",), "count")
    with pytest.raises(AbstractModelError):
        StillAbstract.get_table_name()


def test_what_an_abstract_model_cannot_be():
    with pytest.raises(ValueError, match="Titled is abstract .* leave table_name out"):

        class Titled(BaseDBModel):
            class Meta:
                abstract = True
                table_name = "titles"

    with pytest.raises(InvalidForeignKeyError, match="Named is abstract"):
        ForeignKey(Named)


@pytest.mark.parametrize("bases", [(Stamped, BaseDBModel), (BaseDBModel, Stamped)])
async def test_mixins_may_be_models_of_pydantic(db, bases):
    class Note(*bases):
        text: str

    await db.create_table(Note)
    note = await db.insert(Note(text="first", stamp=8))
    note.text = "second"
    await db.update(note)
    (found,) = await db.select(Note).filter(stamp=8).fetch_all()
    assert (found, found.shown()) == (note, "#8")


async def test_foreign_keys_of_abstract_bases_and_mixins(db, orm, many, reach):
    class Writer(orm.BaseDBModel):
        name: str

    class Signed(BaseModel):
        place: str = "here"

    class Written(orm.BaseDBModel):
        writer: orm.ForeignKey[Writer] = orm.ForeignKey(Writer, on_delete="CASCADE")
        after: orm.ForeignKey["Written | None"] = orm.ForeignKey(
            "self", null=True, on_delete="CASCADE"
        )

        class Meta:
            abstract = True

    class Poem(Signed, Written):
        title: str

    class Letter(Written):
        title: str

    for model in (Writer, Poem, Letter):
        await db.create_table(model)
    ada = await db.insert(Writer(name="Ada"))
    one = await db.insert(Poem(title="One", writer=ada, place="there"))
    two = await db.insert(Poem(title="Two", writer=ada, after=one))
    await db.insert(Letter(title="Three", writer=ada))
    found = await db.get(Poem, two.pk, bypass_cache=True)
    assert (await reach(found.after)).place == "there"
    assert await db.select(Poem).filter(writer__name="Ada", after=one).count() == 1
    assert [each.title for each in await many(ada.letters).fetch_all()] == ["Three"]
    assert await many(ada.poems).count() == 2
    assert not hasattr(Writer, "writtens")
    await db.delete(Writer, ada.pk)
    assert await db.select(Poem).count() == await db.select(Letter).count() == 0
