"""`model_validate_partial`: an instance that has the given fields only."""

from datetime import date, datetime
from typing import Any, Literal

import pytest

from sqliter.model import BaseDBModel


class Row(BaseDBModel):
    name: str
    age: int = 30
    amount: int | float = 0
    flag: bool | None = None
    day: date | None = None
    at: datetime | None = None
    kind: Literal["a", "b"] = "a"
    anything: Any = None


def test_given_fields_are_set():
    row = Row.model_validate_partial({"pk": 3, "name": "Ada"})
    assert (row.pk, row.name) == (3, "Ada")
    assert isinstance(row, Row)


def test_fields_set_are_the_given_ones():
    assert Row.model_validate_partial({"pk": 3, "name": "x"}).model_fields_set == {
        "pk",
        "name",
    }


@pytest.mark.parametrize("field", ["name", "age", "created_at", "updated_at", "flag"])
def test_absent_field_raises_attribute_error_naming_the_reason(field):
    row = Row.model_validate_partial({"pk": 3})
    assert not hasattr(row, field)
    with pytest.raises(AttributeError, match=f"{field}.*not selected"):
        getattr(row, field)


def test_unknown_attribute_is_not_called_unselected():
    with pytest.raises(AttributeError) as caught:
        _ = Row.model_validate_partial({"pk": 3}).nowhere
    assert "not selected" not in str(caught.value)


def test_none_stays_none():
    assert Row.model_validate_partial({"flag": None}).flag is None


def test_assigned_field_becomes_present():
    row = Row.model_validate_partial({"pk": 3})
    row.age = 7
    assert row.age == 7


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("string", "string")])
def test_union_takes_the_first_arm_that_fits_or_keeps_the_value(value, expected):
    assert Row.model_validate_partial({"amount": value}).amount == expected


@pytest.mark.defect("D6")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 1.5),
        ("flag", False),
        ("day", date(2024, 3, 10)),
        ("at", datetime(2024, 3, 10, 12, 30)),
        ("kind", "b"),
        ("anything", {"a": [1]}),
    ],
)
def test_values_of_every_type_are_kept(field, value):
    assert getattr(Row.model_validate_partial({field: value}), field) == value


def test_partial_instance_can_be_shown_and_compared():
    one, two = (Row.model_validate_partial({"pk": 3, "name": "Ada"}) for _ in range(2))
    assert one == two
    assert "Ada" in repr(one)
    assert one.model_dump() == {"pk": 3, "name": "Ada"}
