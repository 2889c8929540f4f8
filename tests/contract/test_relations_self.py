"""Many-to-many of a model with itself: one way (`follows`) and both ways (`friends`)."""

import pytest
from support import values

NAMES = ("ada", "bob", "cat")


@pytest.fixture
def trio(people):
    """`await trio(db)` gives Ada, Bob and Cat, who know nobody yet."""

    async def make(db):
        await people.create(db)
        return [await db.insert(people.Person(name=name)) for name in NAMES]

    return make


@pytest.fixture
def known(people, many, trio):
    """`await known(db, relation, how)`: Ada follows Bob and Cat, Bob follows Ada."""

    async def make(db, relation, how):
        ada, bob, cat = await trio(db)
        await many(getattr(ada, relation)).add(bob, cat)
        await many(getattr(bob, relation)).add(ada)
        query = db.select(people.Person).order("name")
        if how == "prefetched":
            query = query.prefetch_related("follows", "followers", "friends")
        return await query.fetch_all()

    return make


HOW = pytest.mark.parametrize("how", ["lazy", "prefetched"])


# --- one way -----------------------------------------------------------------------------


@pytest.mark.defect("O-36")
@HOW
async def test_each_direction_reads_its_own(db, known, many, how):
    ada, bob, cat = await known(db, "follows", how)
    assert await values(many(ada.follows)) == ["bob", "cat"]
    assert await values(many(ada.followers)) == ["bob"]
    assert (
        await values(many(bob.follows)) == await values(many(bob.followers)) == ["ada"]
    )
    assert await values(many(cat.follows)) == []
    assert await values(many(cat.followers)) == ["ada"]


@pytest.mark.defect("O-36")
@HOW
async def test_each_direction_counts_its_own(db, known, many, how):
    ada, _, cat = await known(db, "follows", how)
    assert (await many(ada.follows).count(), await many(ada.followers).count()) == (
        2,
        1,
    )
    assert (await many(cat.follows).exists(), await many(cat.followers).exists()) == (
        False,
        True,
    )


@pytest.mark.defect("O-36")
@HOW
async def test_each_direction_filters_its_own(db, known, many, how):
    ada, _, cat = await known(db, "follows", how)
    assert await values(many(ada.followers).filter(name__gt="a")) == ["bob"]
    assert await values(many(cat.follows).filter()) == []


@HOW
async def test_each_direction_writes_its_own(db, known, many, how):
    ada, bob, cat = await known(db, "follows", how)
    await many(cat.followers).add(bob)
    assert await values(many(bob.follows)) == ["ada", "cat"]
    await many(cat.followers).remove(ada)
    assert await values(many(ada.follows)) == ["bob"]
    await many(ada.followers).set(cat)
    assert await values(many(cat.follows)) == ["ada"]
    await many(ada.followers).clear()
    assert await values(many(ada.follows)) == ["bob"]


async def test_following_oneself(db, trio, many):
    ada, *_ = await trio(db)
    await many(ada.follows).add(ada)
    assert (
        await values(many(ada.follows)) == await values(many(ada.followers)) == ["ada"]
    )
    await many(ada.followers).remove(ada)
    assert await many(ada.follows).count() == 0


@pytest.mark.defect("O-36")
async def test_nested_directions(db, people, known, many):
    await known(db, "follows", "lazy")
    query = db.select(people.Person).filter(name="cat")
    cat = await query.prefetch_related("followers__follows").fetch_one()
    (ada,) = await many(cat.followers).fetch_all()
    assert await values(many(ada.follows)) == ["bob", "cat"]


# --- both ways ---------------------------------------------------------------------------


@pytest.mark.defect("O-36")
@HOW
async def test_friends_are_seen_from_both_ends(db, known, many, how):
    ada, bob, cat = await known(db, "friends", how)
    assert await values(many(ada.friends)) == ["bob", "cat"]
    assert await values(many(bob.friends)) == await values(many(cat.friends)) == ["ada"]
    assert [await many(each.friends).count() for each in (ada, bob, cat)] == [2, 1, 1]
    assert await values(many(cat.friends).filter(name__gt="a")) == ["ada"]


async def test_a_pair_is_one_row_with_the_smaller_key_first(db, known):
    await known(db, "friends", "lazy")
    rows = await db.fetch("SELECT * FROM friendships ORDER BY 1")
    assert [(row["people_pk_left"], row["people_pk_right"]) for row in rows] == [
        (1, 2),
        (1, 3),
    ]


@HOW
@pytest.mark.parametrize(
    ("verb", "who", "left"),
    [
        ("remove", ["ada"], [["cat"], [], ["ada"]]),
        ("clear", [], [["cat"], [], ["ada"]]),
        ("set", ["cat"], [["cat"], ["cat"], ["ada", "bob"]]),
        ("add", ["cat"], [["bob", "cat"], ["ada", "cat"], ["ada", "bob"]]),
    ],
)
async def test_writing_works_on_both_ends(db, known, many, how, verb, who, left):
    trio = await known(db, "friends", how)
    arguments = [person for person in trio if person.name in who]
    await getattr(many(trio[1].friends), verb)(*arguments)
    found = await db.select(type(trio[0])).order("name").fetch_all()
    assert [await values(many(each.friends)) for each in found] == left
    assert await values(many(trio[1].friends)) == left[1]


@pytest.mark.defect("O-36")
@HOW
async def test_a_friend_of_oneself_is_there_once(db, people, trio, many, how):
    ada, *_ = await trio(db)
    await many(ada.friends).add(ada)
    query = db.select(people.Person).filter(name="ada")
    if how == "prefetched":
        query = query.prefetch_related("friends")
    ada = await query.fetch_one()
    assert await values(many(ada.friends)) == ["ada"]
    assert await many(ada.friends).count() == 1


@pytest.mark.defect("O-18")
async def test_setting_friends_is_all_or_nothing(db, people, known, many):
    _, bob, cat = await known(db, "friends", "lazy")
    with pytest.raises(Exception, match="no primary key"):
        await many(bob.friends).set(cat, people.Person(name="unsaved"))
    assert await values(many(bob.friends)) == ["ada"]


# --- metadata ----------------------------------------------------------------------------


@pytest.mark.only("memory")
def test_the_directions_swap_the_columns(people):
    forward = people.Person.follows.sql_metadata
    backward = people.Person.followers.sql_metadata
    assert forward.junction_table == backward.junction_table == "follows"
    assert (forward.from_column, forward.to_column) == (
        "people_pk_left",
        "people_pk_right",
    )
    assert (backward.from_column, backward.to_column) == (
        "people_pk_right",
        "people_pk_left",
    )
    assert (forward.symmetrical, people.Person.friends.sql_metadata.symmetrical) == (
        False,
        True,
    )


@HOW
async def test_handles_know_their_direction(db, people, known, how):
    ada, *_ = await known(db, "follows", how)
    assert ada.follows.sql_metadata == people.Person.follows.sql_metadata
    assert ada.followers.sql_metadata == people.Person.followers.sql_metadata


@pytest.mark.only("memory")
def test_a_friendship_has_no_other_side(people):
    assert people.Person.friends.related_name is None
