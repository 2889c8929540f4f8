"""Several queries in one, trees, and groups of what is computed."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from typing import Any

import pytest

from sqliter.exceptions import InvalidProjectionError, InvalidRelationshipError
from sqliter.expressions import F, Q, extract, func
from sqliter.model import BaseDBModel
from sqliter.orm import BaseDBModel as OrmModel
from sqliter.orm import ForeignKey


class Folder(OrmModel):
    name: str
    size: int = 0
    made: datetime = datetime(2020, 1, 1, tzinfo=timezone.utc)
    parent: ForeignKey["Folder | None"] = ForeignKey(
        "Folder", null=True, related_name="children"
    )

    class Meta:
        table_name = "folders"


class Other(BaseDBModel):
    name: str = ""


PARENTS = {"/": None, "usr": "/", "lib": "usr", "py": "lib", "etc": "/", "tmp": None}


async def fill(db: Any) -> Any:
    await db.create_table(Folder)
    made: dict[str, Any] = {}
    for number, (name, above) in enumerate(PARENTS.items()):
        parent_id = made[above].pk if above else None
        year = datetime(2020 + number // 4, 6, 1, tzinfo=timezone.utc)
        folder = Folder(name=name, size=number, made=year, parent_id=parent_id)
        made[name] = await db.insert(folder)
    return lambda **conditions: db.select(Folder).filter(**conditions)


async def names(query: Any) -> list[str]:
    return await query.order("size").scalars("name")


async def test_rows_of_several_queries(db: Any) -> None:
    folders = await fill(db)
    small, largest = folders(size__lt=3), folders().order("-size").limit(2)
    odd = folders(name__in=["usr", "py", "tmp"])
    assert await names(small.clone().union(largest, odd)) == [
        *("/", "usr", "lib", "py", "etc", "tmp")
    ]
    assert await names(odd.clone().intersect(largest)) == ["tmp"]
    assert await names(odd.clone().except_(largest, small)) == ["py"]
    assert await odd.clone().union(odd).count() == 3
    together = odd.clone().union(largest).filter(size__gt=3).order("-name").limit(1)
    assert (await together.fetch_one()).name == "tmp"
    assert (
        small.clone()
        .union(largest)
        .to_sql()[0]
        .endswith(
            'WHERE "pk" IN (SELECT "pk" FROM "folders" WHERE "size" < ? UNION SELECT * FROM '
            '(SELECT "pk" FROM "folders" ORDER BY "size" DESC LIMIT ?))'
        )
    )
    assert await odd.clone().except_(small).delete() == 2
    assert await names(folders()) == ["/", "usr", "lib", "etc"]


async def test_what_cannot_be_put_together(db: Any) -> None:
    folders = await fill(db)
    with pytest.raises(TypeError, match="queries of one model"):
        folders().union(db.select(Other))
    with pytest.raises(TypeError, match="queries of rows"):
        folders().union(folders().group_by("name"))
    with pytest.raises(TypeError, match="queries of rows"):
        folders().union([1])


async def test_above_and_below(db: Any) -> None:
    folders = await fill(db)
    root, leaf = folders(name="/"), folders(name="py")
    below = [
        (dict(), ["usr", "lib", "py", "etc"]),
        (dict(depth=1), ["usr", "etc"]),
        (dict(depth=2, include_self=True), ["/", "usr", "lib", "etc"]),
    ]
    for options, expected in below:
        assert await names(root.clone().descendants("parent", **options)) == expected
    assert await names(leaf.clone().ancestors("parent")) == ["/", "usr", "lib"]
    assert await names(leaf.ancestors("parent", depth=1, include_self=True)) == [
        *("lib", "py")
    ]
    assert (
        root.clone()
        .descendants("parent", depth=2)
        .to_sql()[0]
        .endswith(
            'WHERE "pk" IN (WITH RECURSIVE t0_tree("key", "depth") AS (SELECT "pk", 1 FROM '
            '"folders" WHERE "parent_id" IN (SELECT "pk" FROM "folders" WHERE "name" = ?) '
            'UNION SELECT t1."pk", t0_tree."depth" + 1 FROM "folders" AS t1 JOIN t0_tree ON '
            't1."parent_id" = t0_tree."key" WHERE t0_tree."depth" < ?) SELECT "key" FROM '
            "t0_tree)"
        )
    )
    with pytest.raises(InvalidRelationshipError):
        folders().descendants("name")
    with pytest.raises(InvalidRelationshipError):
        folders().ancestors("children")
    with pytest.raises(ValueError, match="at least one step"):
        folders().ancestors("parent", depth=0)


async def test_ways_that_lead_back_end(db: Any) -> None:
    folders = await fill(db)
    leaf = await folders(name="py").fetch_one()
    assert await folders(name="/").update({"parent_id": leaf.pk}) == 1
    circle = ["/", "usr", "lib", "py", "etc"]
    assert await names(folders(name="lib").descendants("parent")) == circle
    assert await names(folders(name="etc").ancestors("parent")) == circle[:4]
    assert await names(folders(name="/").descendants("parent", depth=9)) == circle


@pytest.mark.only("memory")
async def test_trees_are_those_of_python(db: Any) -> None:
    chance = random.Random(6)
    await db.create_table(Folder)
    above: dict[int, int | None] = {}
    for pk in range(1, 40):
        above[pk] = chance.choice([None, *above]) if above else None
        await db.insert(Folder(name=str(pk), parent_id=above[pk]))

    def way(pk: int) -> list[int]:
        parent = above[pk]
        return [] if parent is None else [parent, *way(parent)]

    for _ in range(30):
        start, depth = set(chance.sample(sorted(above), 3)), chance.choice([None, 1, 2])
        steps = slice(depth)
        query = db.select(Folder).filter(pk__in=list(start))
        higher = {pk for one in start for pk in way(one)[steps]}
        lower = {pk for pk in above if start.intersection(way(pk)[steps])}
        for verb, expected in (("ancestors", higher), ("descendants", lower)):
            found = await getattr(query.clone(), verb)("parent", depth=depth).scalars(
                "pk"
            )
            assert sorted(found) == sorted(expected)


async def test_groups_of_what_is_computed(db: Any) -> None:
    folders = await fill(db)
    years = folders().group_by(year=extract("year", F("made")), big=F("size") > 2)
    found = years.annotate(n=func.count(), total=func.sum("size")).order("year", "big")
    assert await found.fetch_dicts() == [
        {"year": 2020, "big": False, "n": 3, "total": 3},
        {"year": 2020, "big": True, "n": 1, "total": 3},
        {"year": 2021, "big": True, "n": 2, "total": 9},
    ]
    kept = found.clone().having(Q(n__gt=1) & (F("year") == 2021))
    assert [each["total"] for each in await kept.fetch_dicts()] == [9]
    both = folders().group_by("parent_id", length=func.length(Folder.name))
    assert both.annotate(n=func.count()).to_sql()[0] == (
        'SELECT "parent_id" AS "parent_id", length("name") AS "length", COUNT(*) AS "n" '
        'FROM "folders" GROUP BY "parent_id", 2'
    )
    with pytest.raises(InvalidProjectionError, match="is an aggregate"):
        folders().group_by(n=func.count())
    with pytest.raises(InvalidProjectionError, match="value per row"):
        await folders().group_by("name").annotate(x=F("size") + 1).fetch_dicts()
    with pytest.raises(InvalidProjectionError, match="not groups"):
        await both.fetch_annotated()
