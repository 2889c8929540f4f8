"""What a relation may point to: named classes, the class itself; and what subclasses get."""

import pytest
from support import Models, values

from sqliter.exceptions import (
    ForeignKeyConstraintError,
    InvalidForeignKeyError,
    SqliterError,
)

pytestmark = pytest.mark.only("memory")

SHOP = "class Author(BaseDBModel):\n    name: str\n"


# --- targets -----------------------------------------------------------------------------


@pytest.mark.defect("O-04")
@pytest.mark.parametrize("target", ["self", "Node"])
async def test_a_model_may_refer_to_itself(db, orm, reach, target):
    class Node(orm.BaseDBModel):
        name: str
        parent: orm.ForeignKey["Node | None"] = orm.ForeignKey(
            target, related_name="kids"
        )

    await db.create_table(Node)
    root = await db.insert(Node(name="root"))
    await db.insert(Node(name="leaf", parent=root))
    leaf = await db.select(Node).filter(name="leaf").fetch_one()
    assert Node.parent.to_model is Node
    assert (await reach(leaf.parent)).name == "root"
    assert root.parent is None


@pytest.mark.defect("O-04")
@pytest.mark.parametrize("target", ["Author", "shop.Author"])
@pytest.mark.parametrize("order", ["target first", "target last"])
async def test_a_target_may_be_named(db, declare, many, target, order):
    book = f"class Book(BaseDBModel):\n    author: ForeignKey['Author'] = ForeignKey({target!r})\n"
    texts = [SHOP, book] if order == "target first" else [book, SHOP]
    shop = declare("".join(texts))
    await Models(Author=shop.Author, Book=shop.Book).create(db)
    ada = await db.insert(shop.Author(name="Ada"))
    await db.insert(shop.Book(author=ada))
    assert await many(ada.books).count() == 1


@pytest.mark.defect("O-04")
async def test_an_unknown_target_is_refused_with_the_table(db, orm):
    class Note(orm.BaseDBModel):
        author: orm.ForeignKey["Missing"] = orm.ForeignKey("Missing")

    with pytest.raises(InvalidForeignKeyError, match="Missing"):
        await db.create_table(Note)


@pytest.mark.defect("O-40")
@pytest.mark.parametrize("kind", ["ForeignKey", "ManyToMany"])
def test_a_bare_name_means_the_class_of_the_same_module(declare, kind):
    declare("class Tag(BaseDBModel):\n    name: str\n", name="elsewhere")
    text = f"class Post(BaseDBModel):\n    tag: {kind}['Tag'] = {kind}('Tag')\n"
    shop = declare(text + "class Tag(BaseDBModel):\n    label: str\n")
    assert shop.Post.tag.to_model is shop.Tag


@pytest.mark.defect("O-40")
@pytest.mark.parametrize("kind", ["ForeignKey", "ManyToMany"])
async def test_an_ambiguous_name_is_refused_with_the_candidates(db, declare, kind):
    for module in ("first", "second"):
        declare("class Tag(BaseDBModel):\n    name: str\n", name=module)
    text = f"class Post(BaseDBModel):\n    tag: {kind}['Tag'] = {kind}('Tag')\n"
    with pytest.raises((SqliterError, TypeError), match=r"first\.Tag.*second\.Tag"):
        await db.create_table(declare(text).Post)


@pytest.mark.parametrize("target", [int, 5, None, ""])
def test_a_target_that_is_no_model_is_refused(orm, target):
    with pytest.raises((InvalidForeignKeyError, TypeError)):

        class Note(orm.BaseDBModel):
            author: orm.ForeignKey = orm.ForeignKey(target)


@pytest.mark.defect("O-09")
@pytest.mark.parametrize("side", ["on_delete", "on_update"])
@pytest.mark.parametrize(
    ("action", "text"),
    [("SET NULL", "='SET NULL' requires null=True"), ("EXPLODE", "")],
)
def test_impossible_actions_are_refused_at_declaration(
    orm, library, side, action, text
):
    with pytest.raises(InvalidForeignKeyError, match=side + text):

        class Note(orm.BaseDBModel):
            author: orm.ForeignKey[library.Author] = orm.ForeignKey(
                library.Author, **{side: action}
            )


@pytest.mark.defect("O-09")
async def test_set_null_is_fine_where_the_annotation_allows_it(db, orm, library):
    class Note(orm.BaseDBModel):
        author: orm.ForeignKey[library.Author | None] = orm.ForeignKey(
            library.Author, on_delete="SET NULL"
        )

    await Models(Author=library.Author, Note=Note).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    note = await db.insert(Note(author=ada))
    await db.delete(library.Author, ada.pk)
    assert (await db.get(Note, note.pk)).author_id is None


# --- subclasses --------------------------------------------------------------------------


@pytest.mark.defect("O-10")
async def test_keys_work_on_a_subclass(db, orm, library, reach):
    class Novel(library.Book):
        pages: int = 0

    await Models(Author=library.Author, Novel=Novel).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    novel = await db.insert(Novel(title="N", author=ada))
    assert novel.author_id == ada.pk
    assert novel.editor is None
    novel.editor = ada
    await db.update(novel)
    (found,) = await db.select(Novel).filter(author__name="Ada").fetch_all()
    assert (await reach(found.editor)).name == "Ada"
    (found,) = await db.select(Novel).select_related("author").fetch_all()
    assert isinstance(found.author, library.Author)


@pytest.mark.defect("O-10")
async def test_a_lazy_key_of_a_subclass_is_kept(db, library):
    class Novel(library.Book):
        pages: int = 0

    await Models(Author=library.Author, Novel=Novel).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    await db.insert(Novel(title="N", author=ada))
    found = await db.select(Novel).fetch_one()
    assert found.author is found.author


@pytest.mark.defect("O-11")
async def test_a_subclass_links_in_a_table_of_its_own(db, press, many):
    class Essay(press.Article):
        pages: int = 0

    await Models(Tag=press.Tag, Article=press.Article, Essay=Essay).create(db)
    tag = await db.insert(press.Tag(name="sql"))
    article = await db.insert(press.Article(title="A"))
    essay = await db.insert(Essay(title="E"))
    assert article.pk == essay.pk
    await many(essay.tags).add(tag)
    assert await values(many(essay.tags)) == ["sql"]
    assert await many(article.tags).count() == 0


@pytest.mark.defect("O-11")
async def test_accessors_belong_to_the_declared_target_only(db, library):
    class Poet(library.Author):
        style: str = ""

    await Models(Author=library.Author, Book=library.Book, Poet=Poet).create(db)
    poet = await db.insert(Poet(name="P"))
    with pytest.raises(AttributeError, match="books"):
        _ = poet.books


# --- mixins, and classes that are defined again ------------------------------------------


async def test_a_mixin_gives_its_relations_to_every_model(db, orm, library, many):
    class ByAuthor:
        author: orm.ForeignKey["Author | None"] = orm.ForeignKey(library.Author)

    class Song(ByAuthor, orm.BaseDBModel):
        title: str

    class Poem(ByAuthor, orm.BaseDBModel):
        title: str

    await Models(Author=library.Author, Song=Song, Poem=Poem).create(db)
    ada = await db.insert(library.Author(name="Ada"))
    song = await db.insert(Song(title="S", author=ada))
    await db.insert(Poem(title="P"))
    assert (song.author_id, song.author) == (ada.pk, ada)
    assert await many(ada.songs).count() == 1
    assert await many(ada.poems).count() == 0


async def test_an_object_of_a_class_defined_again_fits(db, orm, library):
    class Note(orm.BaseDBModel):
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)

    again = type(library.Author)(
        "Author",
        (orm.BaseDBModel,),
        {
            "__module__": library.Author.__module__,
            "__qualname__": library.Author.__qualname__,
            "__annotations__": {"name": str},
        },
    )
    await Models(Author=library.Author, Note=Note).create(db)
    note = await db.insert(Note(author=await db.insert(again(name="Ada"))))
    assert note.author_id == 1


async def test_a_subclass_may_give_an_inherited_key_a_default(db, orm, library, reach):
    class Novel(library.Book):
        author_id: int = 1

    await Models(Author=library.Author, Novel=Novel).create(db)
    await db.insert(library.Author(name="Ada"))
    novel = await db.insert(Novel(title="N"))
    assert (await reach(novel.author)).name == "Ada"
    with pytest.raises(ForeignKeyConstraintError):
        await db.insert(Novel(title="M", author_id=9))
