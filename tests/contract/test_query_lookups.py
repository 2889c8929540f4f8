"""Ranges, regular expressions, lengths, parts of dates, opposites, and lookups of programs."""

# No `from __future__ import annotations`: the annotations speak of local classes.

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from contract.library import stocked
from support import Colour

from sqliter.constants import OPERATOR_MAPPING
from sqliter.exceptions import (
    InvalidFilterError,
    InvalidProjectionError,
    RecordFetchError,
)
from sqliter.lookups import lookup
from sqliter.model import BaseDBModel
from sqliter.query import func
from sqliter.sql.lookups import custom, find_lookup, registry


class Film(BaseDBModel):
    title: str
    note: str | None = None
    minutes: int = 0
    price: Decimal | None = None
    poster: bytes | None = None
    shown: date | None = None
    added: datetime | None = None
    tags: list[str] = []
    year: int | None = None

    class Meta:
        table_name = "films"
        indexes = ["shown", "added"]


async def seed(db: Any) -> None:
    await db.create_table(Film)
    await db.bulk_insert(
        [
            Film(
                title="Alien",
                note="a\x00b",
                minutes=117,
                price=Decimal("9.5"),
                poster=b"\xff\x00",
                shown=date(1979, 5, 25),
                added=datetime(2020, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC),
                year=1979,
            ),
            Film(
                title="Brazil",
                note="",
                minutes=132,
                price=Decimal("10"),
                poster=b"",
                shown=date(1985, 2, 20),
                added=datetime(2020, 12, 31, 22, 30, tzinfo=UTC),
            ),
            Film(title="Čas sluhů", minutes=90, shown=date(1, 1, 1)),
            Film(title="DUNE", note="Dune", minutes=137, price=Decimal("-1")),
        ]
    )


async def initials(query: Any) -> str:
    return "".join(film.title[0] for film in await query.order("pk").fetch_all())


FOUND = [
    ({"minutes__range": (117, 132)}, "AB"),
    ({"minutes__between": [117, 132]}, "AB"),
    ({"minutes__range": (132, 117)}, ""),
    ({"price__range": (Decimal("-1"), Decimal("9.50"))}, "AD"),
    ({"price__range": (9, 10)}, "AB"),
    ({"shown__range": (date(1979, 1, 1), "1985-02-20")}, "AB"),
    ({"title__range": ("B", "D")}, "B"),
    ({"minutes__not_range": (100, 135)}, "ČD"),
    ({"price__not_between": (9, 10)}, "D"),
    ({"title__iexact": "ČAS SLUHŮ"}, "Č"),
    ({"title__iexact": "dune"}, "D"),
    ({"title__iexact": "dun"}, ""),
    ({"note__iexact": ""}, "B"),
    ({"note__iexact": "A\x00B"}, "A"),
    ({"note__not_iexact": "dUNE"}, "AB"),
    ({"title__regex": "^[A-D]"}, "ABD"),
    ({"title__regex": r"^\w+ \w+$"}, "Č"),
    ({"title__regex": "dune"}, ""),
    ({"title__regex": ""}, "ABČD"),
    ({"title__iregex": "dune|ALIEN"}, "AD"),
    ({"note__regex": "^a\x00b$"}, "A"),
    ({"note__regex": ":"}, ""),
    ({"title__regex": "(?<!^)i"}, "AB"),
    ({"title__not_regex": "i"}, "ČD"),
    ({"note__not_iregex": "d"}, "AB"),
    ({"minutes__regex": "^1.7$"}, "AD"),
    ({"title__not_contains": "i"}, "ČD"),
    ({"note__not_contains": ""}, ""),
    ({"note__not_startswith": "a"}, "BD"),
    ({"note__not_startswith": ""}, ""),
    ({"note__not_endswith": "e"}, "AB"),
    ({"note__not_icontains": "D"}, "AB"),
    ({"note__not_istartswith": "D"}, "AB"),
    ({"note__not_iendswith": "E"}, "AB"),
    ({"title__not_like": "%l%"}, "D"),
    ({"title__len": 5}, "A"),
    ({"title__len__gt": 5}, "BČ"),
    ({"title__len__in": [4, 6]}, "BD"),
    ({"title__len__not_in": [4, 6]}, "AČ"),
    ({"title__len__range": (4, 5)}, "AD"),
    ({"title__len__not_range": (4, 5)}, "BČ"),
    ({"note__len": 3}, "A"),
    ({"note__len": None}, "Č"),
    ({"note__len__ne": 3}, "BD"),
    ({"poster__len": 2}, "A"),
    ({"poster__len__lt": 2}, "B"),
    ({"shown__year": 1979}, "A"),
    ({"shown__year__eq": 1979}, "A"),
    ({"shown__year": "1979"}, "A"),
    ({"shown__year": 1}, "Č"),
    ({"shown__year": 0}, ""),
    ({"shown__year": 10_000}, ""),
    ({"shown__year": None}, "D"),
    ({"shown__year__isnull": False}, "ABČ"),
    ({"shown__year__ne": 1979}, "BČ"),
    ({"shown__year__gte": 1979}, "AB"),
    ({"shown__year__range": (1979, 1984)}, "A"),
    ({"shown__year__in": [1, 1985]}, "BČ"),
    ({"shown__year__in": [1, None]}, "ČD"),
    ({"shown__year__in": range(1, 1980)}, "AČ"),
    ({"shown__month": 5}, "A"),
    ({"shown__month__lt": 3}, "BČ"),
    ({"shown__day": 20}, "B"),
    ({"shown__week_day": 5}, "A"),
    ({"shown__week_day__lte": 3}, "BČ"),
    ({"shown__date": date(1985, 2, 20)}, "B"),
    ({"shown__date__gte": "1985-02-20"}, "B"),
    ({"year": 1979}, "A"),
    ({"year__lt": 1980}, "A"),
]


@pytest.mark.parametrize(("conditions", "expected"), FOUND, ids=ascii)
async def test_what_is_found(
    db: Any, conditions: dict[str, Any], expected: str
) -> None:
    await seed(db)
    for _ in range(2):  # the second time it is prepared
        assert await initials(db.select(Film).filter(**conditions)) == expected


MOMENTS = [
    ({"added__year": 2020}, "AB", "AB"),
    ({"added__year__gt": 2020}, "", ""),
    ({"added__date": date(2020, 1, 1)}, "A", ""),
    ({"added__date": date(2020, 1, 2)}, "", "A"),
    ({"added__date__in": ["2020-01-01", "2020-12-31"]}, "AB", "B"),
    ({"added__month": 12}, "B", "B"),
    ({"added__day": 2}, "", "A"),
    ({"added__week_day": 3}, "A", ""),
    ({"added__week_day": 4}, "B", "AB"),
    ({"added__hour": 23}, "A", "B"),
    ({"added__hour": 0}, "", "A"),
    ({"added__minute": 59}, "A", "A"),
    ({"added__minute__not_range": (0, 30)}, "A", "A"),
]


@pytest.mark.parametrize(("conditions", "in_utc", "local"), MOMENTS, ids=str)
async def test_parts_of_instants_are_those_of_what_is_read(
    make_db: Any,
    warsaw: None,
    conditions: dict[str, Any],
    in_utc: str,
    local: str,
) -> None:
    for is_local, expected in ((False, in_utc), (True, local)):
        db = make_db(return_local_time=is_local)
        await seed(db)
        for _ in range(2):
            assert await initials(db.select(Film).filter(**conditions)) == expected


@pytest.fixture
def warsaw(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An hour before UTC in winter."""
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process cannot be set here")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Warsaw")
        time.tzset()
        yield
    time.tzset()


async def test_a_part_of_a_year_that_ends_elsewhere(make_db: Any, warsaw: None) -> None:
    new_year = datetime(2020, 12, 31, 23, 0, tzinfo=UTC)
    for is_local, year in ((False, 2020), (True, 2021)):
        db = make_db(return_local_time=is_local)
        await db.create_table(Film)
        await db.insert(Film(title="x", added=new_year))
        [film] = await db.select(Film).filter(added__year=year).fetch_all()
        assert film.added.year == year
        assert not await db.select(Film).filter(added__year=year ^ 1).exists()


async def test_an_hour_that_comes_twice(make_db: Any, warsaw: None) -> None:
    db = make_db()
    await db.create_table(Film)
    before = datetime(2024, 10, 26, 23, 30, tzinfo=UTC)
    await db.bulk_insert(
        [Film(title=str(n), added=before + timedelta(hours=n)) for n in range(4)]
    )
    assert await initials(db.select(Film).filter(added__hour=2)) == "12"
    assert await initials(db.select(Film).filter(added__date="2024-10-27")) == "0123"


@pytest.mark.parametrize("conditions", [{"shown__year": 1979}, {"added__year": 2020}])
async def test_a_year_uses_an_index(db: Any, conditions: dict[str, Any]) -> None:
    await seed(db)
    plan = await db.select(Film).filter(**conditions).explain()
    assert "USING INDEX idx_films_" in plan[0]


async def test_a_day_uses_an_index(db: Any) -> None:
    await seed(db)
    plan = await db.select(Film).filter(added__date=date(2020, 1, 1)).explain()
    assert "USING INDEX idx_films_added (added>? AND added<?)" in plan[0]


REFUSED = [
    ({"minutes__range": (1, None)}, TypeError, "'__gte' or '__lte'"),
    ({"minutes__range": (None, 1)}, TypeError, "minutes requires two bounds"),
    ({"minutes__not_between": (None, 1)}, TypeError, "'__not_between'"),
    ({"minutes__range": 1}, TypeError, r"a pair \(low, high\) for '__range'"),
    ({"minutes__range": (1, 2, 3)}, TypeError, "a pair"),
    ({"minutes__range": {1, 2}}, TypeError, "a pair"),
    ({"title__range": "ab"}, TypeError, "a pair"),
    ({"minutes__range": (1, 2**63)}, InvalidFilterError, "minutes"),
    ({"price__range": (1, "x")}, InvalidFilterError, "price"),
    ({"title__iexact": None}, TypeError, "string value for '__iexact'"),
    ({"title__not_like": 3}, TypeError, "string value for '__not_like'"),
    ({"title__not_like": "\0"}, InvalidFilterError, "'__contains'"),
    ({"title__regex": "("}, InvalidFilterError, "no regular expression"),
    ({"title__iregex": "a{2,1}"}, InvalidFilterError, "no regular expression"),
    ({"title__not_regex": "["}, InvalidFilterError, "no regular expression"),
    ({"title__regex": "\ud800"}, InvalidFilterError, "title"),
    ({"title__regex": b"a"}, TypeError, "string value for '__regex'"),
    ({"poster__regex": "a"}, InvalidFilterError, "'poster' holds bytes"),
    ({"minutes__len": 1}, InvalidFilterError, "'__len' is for str and bytes"),
    ({"price__len": 1}, InvalidFilterError, "'__len' is for str and bytes"),
    ({"title__len": "x"}, InvalidFilterError, "title"),
    ({"title__len": 1.5}, InvalidFilterError, "no whole number"),
    ({"title__len": 2**63}, InvalidFilterError, "beyond 64 bits"),
    ({"title__len__gt": None}, TypeError, "title__len cannot be compared with None"),
    ({"title__len__in": 3}, TypeError, "title__len requires a list"),
    ({"minutes__year": 1}, InvalidFilterError, "'minutes' is neither"),
    ({"shown__hour": 1}, InvalidFilterError, "'__hour' is for datetimes"),
    ({"shown__minute__lt": 1}, InvalidFilterError, "'__minute' is for datetimes"),
    ({"shown__year": [1979]}, TypeError, "shown__year requires scalar"),
    ({"shown__date": datetime(2000, 1, 1)}, InvalidFilterError, r"use \.date\(\)"),
    ({"shown__date": "soon"}, InvalidFilterError, "shown"),
    ({"shown__year__like": "1%"}, InvalidFilterError, "operator 'year__like'"),
    ({"shown__year__month": 1}, InvalidFilterError, "operator 'year__month'"),
    ({"shown__not_year": 1}, InvalidFilterError, "operator 'not_year'"),
    ({"minutes__not_gt": 1}, InvalidFilterError, "operator 'not_gt'"),
    ({"title__not_not_like": ""}, InvalidFilterError, "operator 'not_not_like'"),
    ({"shown__year__": 1}, InvalidFilterError, "operator 'year__'"),
    ({"nothing__year__gt": 1}, InvalidFilterError, "invalid field 'nothing'"),
]


@pytest.mark.parametrize(("conditions", "error", "text"), REFUSED, ids=ascii)
async def test_what_is_refused(
    db: Any, conditions: dict[str, Any], error: type[Exception], text: str
) -> None:
    query = db.select(Film)
    before = query.to_sql()
    with pytest.raises(error, match=text):
        query.filter(**conditions)
    assert query.to_sql() == before


def test_the_table_of_operators_is_complete() -> None:
    assert all(find_lookup(suffix) for suffix in OPERATOR_MAPPING)


# Through relations, and of groups


async def test_through_relations(db: Any, colour: Colour) -> None:
    lib = await stocked(db, colour)

    async def books(**conditions: Any) -> str:
        rows = await db.select(lib.Book).filter(**conditions).order("pk").fetch_all()
        return "".join(row.title[0] for row in rows)

    async def authors(**conditions: Any) -> str:
        rows = await db.select(lib.Author).filter(**conditions).order("pk").fetch_all()
        return "".join(row.name[0] for row in rows)

    assert await books(author__name__iexact="JANE") == "EP"
    assert await books(author__name__not_startswith="J") == "SF"
    assert await books(editor__name__not_regex="^J") == "E"  # others have no editor
    assert await books(author__name__len__gt=3) == "ESPF"
    assert await books(author__country__code__len=2) == "EP"
    assert await books(author__range=(1, 1)) == "EP"
    assert await authors(books__published__year__gte=1900) == "S"
    assert await authors(books__published__year=1815, books__pages__range=(1, 9)) == ""
    assert await authors(books__title__not_contains="o") == "J"
    with pytest.raises(InvalidFilterError, match="'author' is neither"):
        db.select(lib.Book).filter(author__year=2000)
    with pytest.raises(InvalidFilterError, match="'tags' is neither"):
        db.select(lib.Book).filter(tags__len=2)


async def test_fields_win_over_parts(db: Any, orm: Any) -> None:
    class Studio(orm.BaseDBModel):
        year: int
        len: str = ""

    class Scene(orm.BaseDBModel):
        name: str
        studio: orm.ForeignKey[Studio] = orm.ForeignKey(Studio, related_name="scenes")

    await db.create_table(Studio)
    await db.create_table(Scene)
    old = await db.insert(Studio(year=1950, len="abc"))
    new = await db.insert(Studio(year=2020))
    await db.insert(Scene(name="o", studio_id=old.pk))
    await db.insert(Scene(name="n", studio_id=new.pk))

    async def found(**conditions: Any) -> list[str]:
        rows = await db.select(Scene).filter(**conditions).order("pk").fetch_all()
        return [row.name for row in rows]

    assert await found(studio__year=1950) == ["o"]
    assert await found(studio__year__gt=1950) == ["n"]
    assert await found(studio__year__not_range=(1, 2000)) == ["n"]
    assert await found(studio__len="abc") == ["o"]
    assert await found(studio__len__len=3) == ["o"]
    assert await found(studio__len__len__lt=3) == ["n"]


async def test_of_groups(make_db: Any, warsaw: None) -> None:
    db = make_db()
    await seed(db)
    groups = (
        db.select(Film)
        .group_by("title", "shown")
        .annotate(n=func.count(), last=func.max("added"), most=func.max("price"))
    )

    async def found(**conditions: Any) -> str:
        rows = await groups.clone().having(**conditions).order("-title").fetch_dicts()
        return "".join(sorted(row["title"][0] for row in rows))

    assert await found(title__iexact="alien") == "A"
    assert await found(title__not_regex="[AB]") == "DČ"
    assert await found(title__len__gt=5) == "BČ"
    assert await found(shown__year=1985) == "B"
    assert await found(shown__year__lt=1985) == "AČ"
    assert await found(last__date="2020-01-02") == "A"
    assert await found(last__hour=23) == "B"
    assert await found(n__range=(1, 1), most__range=(9, 10)) == "AB"
    assert await found(most__not_range=(9, 10)) == "D"
    with pytest.raises(InvalidFilterError, match="'n' is neither"):
        groups.having(n__year=2000)
    with pytest.raises(InvalidProjectionError, match="HAVING field 'nothing'"):
        groups.having(nothing__year__gt=2000)


async def test_updates_and_deletes(db: Any) -> None:
    await seed(db)
    query = db.select(Film).filter(shown__year=1979, title__not_contains="z")
    assert await query.update({"minutes": 1}) == 1
    assert await db.select(Film).filter(minutes__range=(1, 90)).count() == 2
    assert await db.select(Film).filter(title__regex="^[AB]").delete() == 2
    assert await initials(db.select(Film)) == "ČD"


# Lookups of programs


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`lookup`, whose work is forgotten after the test."""
    monkeypatch.setattr(registry, "_lookups", dict(registry._lookups))
    monkeypatch.setattr(registry, "_composed", {})
    monkeypatch.setattr(custom, "_own", set())
    return lookup


async def test_an_own_lookup(db: Any, register: Any) -> None:
    @register("a_multiple_of")
    def a_multiple_of(column: str, value: int) -> tuple[str, list[int]]:
        return f"{column} % ? = 0 AND '?' != ?", [value, value]

    await seed(db)
    query = db.select(Film).filter(minutes__a_multiple_of=3, title__ne="Alien")
    assert await initials(query) == "BČ"
    query = db.select(Film).filter(minutes__not_a_multiple_of=3)
    assert await initials(query) == "D"
    query = db.select(Film).filter(year__not_a_multiple_of=2)
    assert await initials(query) == "A"
    groups = db.select(Film).group_by("year").annotate(all=func.sum("minutes"))
    [row] = await groups.having(all__a_multiple_of=117).fetch_dicts()
    assert row == {"year": 1979, "all": 117}


async def test_alternatives_stay_together(db: Any, register: Any) -> None:
    @register("either")
    def either(column: str, value: str) -> tuple[str, list[str]]:
        return f"{column} = ? OR {column} = 'DUNE'", [value]

    await seed(db)
    query = db.select(Film).filter(title__either="Alien", minutes__gt=120)
    assert await initials(query) == "D"


async def test_an_own_lookup_through_relations(
    db: Any, colour: Colour, register: Any
) -> None:
    @register("sounding")
    def sounding(column: str, value: str) -> tuple[str, tuple[str]]:
        return f"substr({column}, 1, 1) = substr(?, 1, 1)", (value,)

    lib = await stocked(db, colour)
    query = db.select(lib.Book).filter(author__name__sounding="Joan").order("pk")
    assert [book.title for book in await query.fetch_all()] == ["Emma", "Persuasion"]
    query = db.select(lib.Author).filter(books__title__sounding="Sol")
    assert [author.name for author in await query.fetch_all()] == ["Stan"]


async def test_values_are_encoded_unless_they_are_wanted_raw(
    db: Any, register: Any
) -> None:
    @register("before")
    def before(column: str, value: int) -> tuple[str, list[int]]:
        assert type(value) is int
        return f"{column} < ?", [value]

    @register("near", raw=True)
    def near(column: str, value: tuple[int, int]) -> tuple[str, list[int]]:
        middle, distance = value
        return f"abs({column} - ?) <= ?", [middle, distance]

    await seed(db)
    query = db.select(Film).filter(shown__before=date(1980, 1, 1))
    assert await initials(query) == "AČ"
    query = db.select(Film).filter(minutes__near=(130, 5))
    assert await initials(query) == "B"
    with pytest.raises(InvalidFilterError, match="shown"):
        db.select(Film).filter(shown__before="soon")
    with pytest.raises(TypeError, match="use '__isnull'"):
        db.select(Film).filter(shown__before=None)
    with pytest.raises(TypeError, match="unpack"):
        db.select(Film).filter(minutes__near=3)


async def test_what_is_replaced_is_forgotten(db: Any, register: Any) -> None:
    await seed(db)
    for sign, expected in (("<", "Č"), (">", "BD"), ("=", "A")):

        @register("versus", replace=True)
        def versus(column: str, value: int, sign: str = sign) -> tuple[str, list[int]]:
            return f"{column} {sign} ?", [value]

        query = db.select(Film).filter(minutes__versus=117)
        assert await initials(query) == expected
        query = db.select(Film).filter(title__ne="", minutes__not_versus=117)
        assert set(await initials(query)) == set("ABČD") - set(expected)


async def test_a_name_is_unknown_until_it_is_registered(db: Any, register: Any) -> None:
    await seed(db)
    with pytest.raises(InvalidFilterError, match="unknown operator 'late'"):
        db.select(Film).filter(minutes__late=1)
    with pytest.raises(InvalidFilterError, match="unknown operator 'not_late'"):
        db.select(Film).filter(minutes__not_late=1)
    register("late")(lambda column, value: (f"{column} > ?", [value]))
    assert await initials(db.select(Film).filter(minutes__late=132)) == "D"
    assert await initials(db.select(Film).filter(minutes__not_late=132)) == "ABČ"


async def test_a_field_wins_over_an_own_lookup(db: Any, register: Any) -> None:
    class Loud(BaseDBModel):
        noise: int
        noise__caption: int = 0

    register("caption")(lambda column, value: (f"{column} = -1", []))
    await db.create_table(Loud)
    await db.insert(Loud(noise=-1, noise__caption=7))
    assert await db.select(Loud).filter(noise__caption=7).exists()
    assert await db.select(Loud).filter(noise__caption__caption=7).count() == 0


@pytest.mark.parametrize(
    "name", ["", "a__b", "_a", "a_", "a b", "1a", "a-b", '"', None, 3], ids=repr
)
def test_impossible_names(name: Any) -> None:
    with pytest.raises(ValueError, match="no name of a lookup"):
        lookup(name)


@pytest.mark.parametrize("name", ["eq", "like", "iexact", "year", "len", "in", "range"])
@pytest.mark.parametrize("replace", [False, True])
def test_names_of_the_library_are_taken(name: str, replace: bool) -> None:
    with pytest.raises(ValueError, match=f"a lookup '{name}' already; choose another"):
        lookup(name, replace=replace)


@pytest.mark.parametrize("name", ["not_in", "not_like", "not_mine"])
def test_opposites_are_not_registered(name: str) -> None:
    with pytest.raises(ValueError, match="is the opposite of"):
        lookup(name)


def test_a_name_is_registered_once(register: Any) -> None:
    function = register("once")(lambda column, value: (f"{column} = ?", [value]))
    with pytest.raises(ValueError, match="a lookup 'once' already; pass replace=True"):
        register("once")(function)
    with pytest.raises(TypeError, match="is no function"):
        register("twice")("text")


WRONG = [
    ("text", "must return SQL and a list of its parameters"),
    (None, "must return SQL and a list"),
    (("a = ?",), "must return SQL and a list"),
    (("a = ?", "b"), "must be a list or a tuple"),
    (("a = ?", [1, 2]), "has 1 '\\?' but 2 parameters"),
    (("'?' = ?", []), "has 1 '\\?' but 0 parameters"),
    (("a = ?", [date(2000, 1, 1)]), "which SQLite cannot hold"),
]


@pytest.mark.parametrize(("made", "text"), WRONG, ids=repr)
async def test_what_a_function_must_not_return(
    db: Any, register: Any, made: Any, text: str
) -> None:
    register("wrong")(lambda column, value: made)
    with pytest.raises(TypeError, match=text):
        db.select(Film).filter(title__wrong="x")


async def test_wrong_sql_is_reported(db: Any, register: Any) -> None:
    register("broken")(lambda column, value: (f"{column} == == ?", [value]))
    await seed(db)
    with pytest.raises(RecordFetchError, match="syntax error"):
        await db.select(Film).filter(title__broken="x").fetch_all()


async def test_what_a_function_refuses(db: Any, register: Any) -> None:
    @register("picky")
    def picky(column: str, value: str) -> tuple[str, list[str]]:
        raise ValueError("too long")

    with pytest.raises(InvalidFilterError, match="too long"):
        db.select(Film).filter(title__picky="x")
