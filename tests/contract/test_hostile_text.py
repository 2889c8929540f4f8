"""Whatever text is given, wherever it reaches SQL: a named error, or what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sqliter import SqliterDB
from sqliter.exceptions import SqliterError
from sqliter.expressions import (
    F,
    Q,
    case,
    cast,
    coalesce,
    exists,
    extract,
    outer,
    subquery,
)
from sqliter.model import BaseDBModel
from sqliter.query import func


class Secret(BaseDBModel):
    name: str
    body: str = ""
    number: int = 0
    ratio: float = 0.5

    class Meta:
        table_name = "secrets"
        unique_indexes = ("name",)
        fts = ("name", "body")


ROWS = [("one", "first"), ("two", "second"), ("three", "third")]

PIECES = (
    *("'", '"', "`", ";", "--", "/*", "*/", "\0", "\\", "%", "_", "[", "]", "(", ")"),
    *(
        "?",
        ":a",
        "$a",
        "@a",
        " ",
        "\n",
        "__",
        "-",
        "*",
        ".",
        "\udc80",
        "é",
        "x",
        "name",
    ),
    *("pk", " OR 1=1", " UNION SELECT ", "DROP TABLE secrets", "secrets", "rowid"),
    *(
        "NEAR",
        "AND",
        "NOT",
        "^",
        "+",
        "{name}",
        "0",
        "1e999",
        "gt",
        "in",
        "regex",
        "year",
    ),
)

texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)

ASKED: dict[str, Callable[[Any, str], Any]] = {
    "value": lambda db, text: db.select(Secret).filter(name=text).fetch_all(),
    "like": lambda db, text: db.select(Secret).filter(name__like=text).count(),
    "contains": lambda db, text: db.select(Secret).filter(name__contains=text).count(),
    "icontains": lambda db, text: (
        db.select(Secret).filter(name__icontains=text).count()
    ),
    "in": lambda db, text: db.select(Secret).filter(name__in=[text] * 99).count(),
    "range": lambda db, text: (
        db.select(Secret).filter(name__range=(text, text)).count()
    ),
    "not like": lambda db, text: db.select(Secret).filter(name__not_like=text).count(),
    "q": lambda db, text: (
        db.select(Secret).filter(~Q(name=text) | Q(body=text)).count()
    ),
    "keyword": lambda db, text: db.select(Secret).filter(**{text: 1}).count(),
    "keyword of q": lambda db, text: db.select(Secret).filter(~Q(**{text: 1})).count(),
    "f": lambda db, text: db.select(Secret).filter(number=F(text) + 1).count(),
    "order": lambda db, text: db.select(Secret).order(text).fetch_all(),
    "fields": lambda db, text: db.select(Secret, fields=[text]).fetch_all(),
    "exclude": lambda db, text: db.select(Secret, exclude=[text]).fetch_all(),
    "only": lambda db, text: db.select(Secret).only(text).fetch_all(),
    "values": lambda db, text: db.select(Secret).values(text),
    "tuples": lambda db, text: db.select(Secret).tuples("pk", text, distinct=True),
    "scalars": lambda db, text: db.select(Secret).scalars(text),
    "sum": lambda db, text: db.select(Secret).sum(text),
    "group": lambda db, text: db.select(Secret).group_by(text).fetch_dicts(),
    "alias": lambda db, text: (
        db.select(Secret)
        .group_by("name")
        .annotate(**{text: func.count()})
        .fetch_dicts()
    ),
    "aggregate": lambda db, text: (
        db.select(Secret).group_by("name").annotate(a=func.max(text)).fetch_dicts()
    ),
    "having": lambda db, text: (
        db.select(Secret).group_by("name").having(**{text: 1}).fetch_dicts()
    ),
    "related": lambda db, text: db.select(Secret).select_related(text).fetch_all(),
    "prefetch": lambda db, text: db.select(Secret).prefetch_related(text).fetch_all(),
    "with_count": lambda db, text: db.select(Secret).with_count(text).fetch_dicts(),
    "search": lambda db, text: db.select(Secret).search(text).fetch_all(),
    "raw search": lambda db, text: db.select(Secret).search(text, raw=True).fetch_all(),
    "weight": lambda db, text: db.select(Secret).search("x", weights={text: 1}).count(),
    "marks": lambda db, text: (
        db.select(Secret).search("first").fetch_hits("body", before=text, after=text)
    ),
    "marked field": lambda db, text: db.select(Secret).search("one").fetch_hits(text),
    "update": lambda db, text: db.select(Secret).filter(pk=0).update({text: 1}),
    "updated by f": lambda db, text: (
        db.select(Secret).filter(pk=0).update({"number": F(text)})
    ),
    "index": lambda db, text: db.create_indexes(Secret, [text]),
    "get": lambda db, text: db.get(Secret, text),
    "lookup": lambda db, text: db.get_or_create(Secret, {"body": "x"}, **{text: 1}),
    "conflict": lambda db, text: db.upsert(Secret(name="one"), conflict=[text]),
    "upserted fields": lambda db, text: db.upsert(
        Secret(name="one"), conflict=["name"], update=[text]
    ),
    "bulk_update": lambda db, text: db.bulk_update([Secret(pk=1, name="one")], [text]),
    "refresh": lambda db, text: db.refresh(Secret(pk=1, name="one"), [text]),
    "limit": lambda db, text: db.select(Secret).limit(text).fetch_all(),
    "function": lambda db, text: (
        db.select(Secret)
        .filter(getattr(func, text.lstrip("_") or "x")(F("name")) == 1)
        .count()
    ),
    "argument": lambda db, text: db.select(Secret).values(x=func.lower(text)),
    "pieces": lambda db, text: (
        db.select(Secret)
        .filter(coalesce(F("name"), text) + text == func.nullif(text, F("body")))
        .values(x=case((F("name") == text, text), otherwise=F("body")))
    ),
    "computed operators": lambda db, text: (
        db.select(Secret)
        .filter(func.lower(F("name")).contains(text), func.upper("x").in_([text]))
        .filter(func.trim(F("name"), text).like(text))
        .count()
    ),
    "operator": lambda db, text: (
        db.select(Secret).filter(func.lower(F("name")).matches(text, 1)).count()
    ),
    "operator of a column": lambda db, text: (
        db.select(Secret).filter(F("name").matches(text, "x")).count()
    ),
    "frame": lambda db, text: db.select(Secret).values(
        x=func.count().over(order_by="pk", frame=text)
    ),
    "longer frame": lambda db, text: db.select(Secret).values(
        x=func.count().over(frame=f"ROWS {text} PRECEDING")
    ),
    "partition": lambda db, text: db.select(Secret).values(
        x=func.count().over(partition_by=text, order_by=text)
    ),
    "place of nulls": lambda db, text: (
        db.select(Secret).order(F("name").asc(nulls=text)).fetch_all()
    ),
    "computed alias": lambda db, text: db.select(Secret).values(**{text: F("pk") + 1}),
    "annotated alias": lambda db, text: (
        db.select(Secret)
        .annotate(**{text: func.lower(F("name"))})
        .order(F(text).desc())
        .having(F(text) != "x")
        .fetch_annotated()
    ),
    "target": lambda db, text: db.select(Secret).values(x=cast(F("name"), text)),
    "part": lambda db, text: db.select(Secret).values(x=extract(text, F("name"))),
    "part that is compared": lambda db, text: (
        db.select(Secret).filter(extract(text, F("name")) == 1).count()
    ),
    "subquery": lambda db, text: (
        db.select(Secret)
        .filter(F("name") == subquery(db.select(Secret).filter(name=text), text))
        .count()
    ),
    "exists": lambda db, text: (
        db.select(Secret)
        .filter(exists(db.select(Secret).filter(body=text, name=outer(Secret.name))))
        .count()
    ),
    "updated by functions": lambda db, text: db.select(Secret).update(
        {"body": func.replace(F("body"), text, text) + text}
    ),
    "updated by a function": lambda db, text: db.select(Secret).update(
        {"number": cast(getattr(func, text.lstrip("_") or "x")(F("pk")), int)}
    ),
}

EXPECTED = (SqliterError, TypeError, ValueError)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliterDB]:
    db = SqliterDB(tmp_path_factory.mktemp("hostile") / "x.db")
    db.create_table(Secret)
    db.bulk_insert([Secret(name=name, body=body) for name, body in ROWS])
    yield db
    db.close()


@pytest.mark.parametrize("name", ASKED)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=texts)
def test_nothing_but_named_errors(db: SqliterDB, name: str, text: str) -> None:
    tables = db.get_table_names()
    with db:  # what is changed in earnest is taken back
        try:
            ASKED[name](db, text)
        except EXPECTED:
            pass
        db.rollback()
    assert db.get_table_names() == tables
    found = [
        (each.name, each.body) for each in db.select(Secret).order("pk").fetch_all()
    ]
    assert found == ROWS


@settings(max_examples=100, deadline=None)
@given(texts)
def test_hostile_values_come_back_as_they_were(text: str) -> None:
    db = SqliterDB(memory=True)
    db.create_table(Secret)
    try:
        db.insert(Secret(name=text, body=text))
    except SqliterError:
        assert "\udc80" in text
        return
    query = db.select(Secret).filter(
        name=text, body__contains=text, name__endswith=text
    )
    assert query.scalars("body") == [text]
    assert db.select(Secret).filter(Q(name__in=[text]) & ~Q(name__ne=text)).count() == 1
    assert db.upsert(Secret(name=text, body="x"), conflict=["name"]).pk == 1
    db.close()
