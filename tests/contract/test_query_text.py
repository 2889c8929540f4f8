"""The text operators: literal, exact about case, safe for every character."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from sqliter.exceptions import InvalidFilterError
from sqliter.model import BaseDBModel

TEXTS = [
    "Ada",
    "ada",
    "ADA LOVELACE",
    "CAFÉ",
    "café au lait",
    "100%",
    "100x",
    "a_b",
    "axb",
    "x*y",
    "xzy",
    "[1]",
    "end[1]",
    "1",
    "what?",
    "nul\x00end",
    "back\\slash",
    "Straße",
    "STRASSE",
    "ΛΌΓΟΣ",
    "",
]


class Note(BaseDBModel):
    text: str
    extra: str | None = None
    number: int = 0
    ratio: float | None = None

    class Meta:
        table_name = "notes"


class Word(str, Enum):
    ADA = "Ada"


async def seed(db: Any) -> None:
    await db.create_table(Note)
    await db.bulk_insert([Note(text=text, extra=text) for text in TEXTS])
    await db.insert(Note(text="without extra"))


async def texts(db: Any, **conditions: Any) -> list[str]:
    rows = (
        await db.select(Note)
        .filter(extra__notnull=True, **conditions)
        .order("pk")
        .fetch_all()
    )
    return [row.text for row in rows]


CASES = [
    ("contains", "da", ["Ada", "ada"]),
    ("contains", "DA", ["ADA LOVELACE"]),
    ("contains", "é", ["café au lait"]),
    ("contains", "É", ["CAFÉ"]),
    ("contains", "nowhere", []),
    ("startswith", "Ad", ["Ada"]),
    ("startswith", "ad", ["ada"]),
    ("startswith", "da", []),
    ("startswith", "100", ["100%", "100x"]),
    ("startswith", "Ada Lovelace, Countess", []),
    ("endswith", "a", ["Ada", "ada"]),
    ("endswith", "E", ["ADA LOVELACE", "STRASSE"]),
    ("endswith", "Ad", []),
    ("endswith", "much longer than Ada", []),
    ("icontains", "AD", ["Ada", "ada", "ADA LOVELACE"]),
    ("icontains", "nowhere", []),
    ("istartswith", "aDA", ["Ada", "ada", "ADA LOVELACE"]),
    ("istartswith", "lovelace", []),
    ("iendswith", "lOVELACE", ["ADA LOVELACE"]),
    ("iendswith", "ad", []),
    ("like", "ada%", ["Ada", "ada", "ADA LOVELACE"]),
    ("like", "ada", ["Ada", "ada"]),
    ("like", "%lait", ["café au lait"]),
    ("like", "a_b", ["a_b", "axb"]),
    ("like", "", [""]),
    ("like", "x*y", ["x*y"]),
    ("like", "café%", ["café au lait"]),
    ("like", "nowhere%", []),
]


@pytest.mark.parametrize(("operator", "value", "expected"), CASES)
async def test_text_operators(
    db: Any, operator: str, value: str, expected: list[str]
) -> None:
    await seed(db)
    assert await texts(db, **{f"text__{operator}": value}) == expected
    assert await texts(db, **{f"extra__{operator}": value}) == expected


LITERAL = [
    ("contains", "*", ["x*y"]),
    ("contains", "x*y", ["x*y"]),
    ("contains", "?", ["what?"]),
    ("contains", "[", ["[1]", "end[1]"]),
    ("contains", "[1]", ["[1]", "end[1]"]),
    ("contains", "%", ["100%"]),
    ("contains", "_", ["a_b"]),
    ("contains", "\\", ["back\\slash"]),
    ("startswith", "[", ["[1]"]),
    ("startswith", "x*", ["x*y"]),
    ("startswith", "a_", ["a_b"]),
    ("startswith", "*", []),
    ("endswith", "[1]", ["[1]", "end[1]"]),
    ("endswith", "*y", ["x*y"]),
    ("endswith", "%", ["100%"]),
    ("icontains", "_", ["a_b"]),
    ("icontains", "%", ["100%"]),
    ("icontains", "*", ["x*y"]),
    ("icontains", "\\", ["back\\slash"]),
    ("istartswith", "A_", ["a_b"]),
    ("istartswith", "%", []),
    ("iendswith", "0%", ["100%"]),
    ("iendswith", "_B", ["a_b"]),
    ("like", r"%\%", ["100%"]),
    ("like", r"a\_b", ["a_b"]),
    ("like", r"back\\slash", ["back\\slash"]),
]


@pytest.mark.defect("D-12")
@pytest.mark.parametrize(("operator", "value", "expected"), LITERAL)
async def test_no_character_is_a_wildcard(
    db: Any, operator: str, value: str, expected: list[str]
) -> None:
    await seed(db)
    assert await texts(db, **{f"text__{operator}": value}) == expected


UNICODE = [
    ("icontains", "café", ["CAFÉ", "café au lait"]),
    ("icontains", "CAFÉ", ["CAFÉ", "café au lait"]),
    ("icontains", "É", ["CAFÉ", "café au lait"]),
    ("istartswith", "CAFÉ", ["CAFÉ", "café au lait"]),
    ("istartswith", "straß", ["Straße", "STRASSE"]),
    ("istartswith", "strass", ["Straße", "STRASSE"]),
    ("iendswith", "fé", ["CAFÉ"]),
    ("iendswith", "SSE", ["Straße", "STRASSE"]),
    ("icontains", "λόγος", ["ΛΌΓΟΣ"]),
    ("iendswith", "ς", ["ΛΌΓΟΣ"]),
]


@pytest.mark.defect("D-11")
@pytest.mark.parametrize(("operator", "value", "expected"), UNICODE)
async def test_case_is_folded_by_unicode(
    db: Any, operator: str, value: str, expected: list[str]
) -> None:
    await seed(db)
    assert await texts(db, **{f"text__{operator}": value}) == expected


NUL = [
    ("contains", "\x00", ["nul\x00end"]),
    ("contains", "l\x00e", ["nul\x00end"]),
    ("contains", "end", ["end[1]", "nul\x00end"]),
    ("contains", "nul\x00x", []),
    ("contains", "Ada\x00", []),
    ("startswith", "nul\x00e", ["nul\x00end"]),
    ("startswith", "\x00", []),
    ("startswith", "Ada\x00", []),
    ("endswith", "\x00end", ["nul\x00end"]),
    ("endswith", "end", ["nul\x00end"]),
    ("endswith", "nul", []),
    ("endswith", "\x00", []),
    ("icontains", "L\x00E", ["nul\x00end"]),
    ("icontains", "\x00", ["nul\x00end"]),
    ("icontains", "ADA\x00", []),
    ("istartswith", "NUL\x00E", ["nul\x00end"]),
    ("iendswith", "\x00END", ["nul\x00end"]),
    ("iendswith", "nul", []),
]


@pytest.mark.defect("D-13")
@pytest.mark.parametrize(("operator", "value", "expected"), NUL)
async def test_nul_is_a_character(
    db: Any, operator: str, value: str, expected: list[str]
) -> None:
    await seed(db)
    assert await texts(db, **{f"text__{operator}": value}) == expected


@pytest.mark.defect("D-13")
async def test_nul_does_not_delete_everything(db: Any) -> None:
    await seed(db)
    assert await db.select(Note).filter(text__contains="\x00").delete() == 1
    assert await db.select(Note).count() == len(TEXTS)


@pytest.mark.defect("D-13")
async def test_nul_ends_no_pattern(db: Any) -> None:
    """Refused, or a character: never the end of the pattern before it."""
    await seed(db)
    for pattern, expected in (
        ("%\x00%", ["nul\x00end"]),
        ("Ada\x00", []),
        ("nul\x00x", []),
    ):
        try:
            query = db.select(Note).filter(text__like=pattern)
        except InvalidFilterError:
            continue
        assert [row.text for row in await query.fetch_all()] == expected


@pytest.mark.parametrize(
    "operator",
    ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith"],
)
async def test_the_empty_text_is_part_of_every_text_but_not_of_null(
    db: Any, operator: str
) -> None:
    await seed(db)
    assert await texts(db, **{f"extra__{operator}": ""}) == TEXTS
    assert await db.select(Note).filter(**{f"extra__{operator}": ""}).count() == len(
        TEXTS
    )


async def test_like_does_not_match_null(db: Any) -> None:
    await seed(db)
    assert await db.select(Note).filter(extra__like="%").count() == len(TEXTS)


async def test_numbers_are_compared_as_text(db: Any) -> None:
    await db.create_table(Note)
    for number in (25, 52, 7, -2):
        await db.insert(Note(text="n", number=number, ratio=number / 4))

    async def numbers(**conditions: Any) -> list[int]:
        rows = await db.select(Note).filter(**conditions).order("pk").fetch_all()
        return [row.number for row in rows]

    assert await numbers(number__contains="2") == [25, 52, -2]
    assert await numbers(number__startswith="2") == [25]
    assert await numbers(number__endswith="2") == [52, -2]
    assert await numbers(number__icontains="2") == [25, 52, -2]
    assert await numbers(number__like="_2") == [52, -2]
    assert await numbers(ratio__contains=".25") == [25]


@pytest.mark.defect("D-46")
@pytest.mark.parametrize(
    "operator", ["contains", "startswith", "endswith", "icontains"]
)
async def test_a_very_long_text(db: Any, operator: str) -> None:
    await seed(db)
    long = "é" * 60_000
    await db.insert(Note(text=long, extra="long"))
    assert await texts(db, **{f"text__{operator}": long}) == [long]
    assert await texts(db, **{f"text__{operator}": long + "x"}) == []


@pytest.mark.defect("D-46")
async def test_a_text_enum_stands_for_its_value(db: Any) -> None:
    await seed(db)
    assert await texts(db, text__startswith=Word.ADA) == ["Ada"]
    assert await texts(db, text__istartswith=Word.ADA) == ["Ada", "ada", "ADA LOVELACE"]
    assert await texts(db, text=Word.ADA) == ["Ada"]
    assert await texts(db, text__in=[Word.ADA]) == ["Ada"]
