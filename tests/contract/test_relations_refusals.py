"""What a many-to-many refuses: owners and objects without a key, assignment."""

import pytest
from pydantic import ValidationError
from support import unwrap

from sqliter.exceptions import ManyToManyIntegrityError

HOW = pytest.mark.parametrize("how", ["lazy", "prefetched"])
NO_CONTEXT = (
    "Many-to-many integrity error: No database context available. "
    "Insert the instance first or use within a db context."
)
NO_KEY = (
    "Many-to-many integrity error: Instance has no primary key. "
    "Insert the instance before managing relationships."
)
NO_RELATED_KEY = (
    "Many-to-many integrity error: Related instance has no primary key. "
    "Insert it before adding to a relationship."
)


# --- what is missing ---------------------------------------------------------------------


def detached(press, db):
    return press.Article(title="x", pk=1), NO_CONTEXT


def unsaved(press, db):
    return press.Article(title="x", db_context=unwrap(db)), NO_KEY


MISSING = pytest.mark.parametrize("missing", [detached, unsaved])


@MISSING
async def test_without_database_or_key_there_is_nothing_to_read(
    db, press, tagged, many, missing
):
    await tagged(db)
    tags = many(missing(press, db)[0].tags)
    assert await tags.fetch_all() == []
    assert await tags.fetch_one() is None
    assert (await tags.count(), await tags.exists()) == (0, False)


@MISSING
@pytest.mark.parametrize("verb", ["add", "remove", "set", "clear", "filter"])
async def test_without_database_or_key_nothing_is_written(
    db, press, tagged, many, missing, verb
):
    _, api, *_ = await tagged(db)
    owner, text = missing(press, db)
    with pytest.raises(ManyToManyIntegrityError) as caught:
        if verb == "filter":
            await many(owner.tags).filter(name="x").fetch_all()
        else:
            await getattr(many(owner.tags), verb)(*([] if verb == "clear" else [api]))
    assert str(caught.value) == text


@MISSING
@pytest.mark.only("async")
@pytest.mark.defect("O-34")
async def test_an_awaited_filter_fails_at_that_moment(db, press, tagged, missing):
    await tagged(db)
    owner, _ = missing(press, db)
    with pytest.raises(ManyToManyIntegrityError):
        await owner.tags.filter()


@HOW
@pytest.mark.parametrize("verb", ["add", "set"])
async def test_an_unsaved_object_cannot_be_linked(db, press, linked, many, how, verb):
    article = await linked(db, how)
    with pytest.raises(ManyToManyIntegrityError) as caught:
        await getattr(many(article.tags), verb)(press.Tag(name="unsaved"))
    assert str(caught.value) == NO_RELATED_KEY


# --- assigning ---------------------------------------------------------------------------

ADVICE = "Use .add(), .remove(), .clear(), or .set() instead."


@pytest.mark.only("memory")
def test_assigning_is_refused_on_both_sides(press):
    class Label(press.Tag):
        pass

    cases = [
        (press.Article(title="x"), "tags", f"Cannot assign to ManyToMany field 'tags'. {ADVICE}"),
        (press.Tag(name="x"), "articles", f"Cannot assign to reverse ManyToMany 'articles'. {ADVICE}"),
        (Label(name="x"), "articles", f"Cannot assign to reverse ManyToMany 'articles'. {ADVICE}"),
    ]  # fmt: skip
    for instance, name, text in cases:
        with pytest.raises(AttributeError) as caught:
            setattr(instance, name, [])
        assert str(caught.value) == text
        with pytest.raises(AttributeError):
            getattr(type(instance), name).__set__(instance, [])


@pytest.mark.defect("O-23")
@pytest.mark.only("memory")
def test_links_cannot_be_given_to_the_constructor(press):
    values = {"title": "x", "tags": [press.Tag(name="t", pk=1)]}
    for build in (
        lambda: press.Article(**values),
        lambda: press.Article.model_validate(values),
    ):
        with pytest.raises(ValidationError) as caught:
            build()
        (error,) = caught.value.errors()
        assert error["loc"] == ("tags",)
        assert f"Cannot assign to ManyToMany field 'tags'. {ADVICE}" in error["msg"]
