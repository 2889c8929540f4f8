"""What older versions wrote stays readable, and nothing in a file can run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, NaiveDatetime

from sqliter.model.codecs import codec_for, read_legacy
from sqliter.model.codecs.pickled import read_pickle

NewColumn = Callable[..., Any]
AN_ID = UUID("12345678-1234-5678-1234-567812345678")


class Level(IntEnum):
    LOW = 1


class Ratio(Enum):
    HALF = 0.5


class Street(BaseModel):
    name: str


@pytest.mark.parametrize(
    ("annotation", "stored", "value"),
    [
        (int | None, "7", 7),
        (int, "-7", -7),
        (int, "7.0", 7),
        (int, 7.0, 7),
        (int, "9223372036854775808", 2**63),
        (float | None, "1.5", 1.5),
        (float, "7", 7.0),
        (float, 7, 7.0),
        (float, "1e3", 1000.0),
        (float, "Inf", float("inf")),
        (bool | None, "0", False),
        (bool, "1", True),
        (bool, 1.0, True),
        (bool, "true", True),
        (str, b"abc", "abc"),
        (bytes, "abc", b"abc"),
        (datetime | None, "1704164645", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (datetime, "-1.5", datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC)),
        (datetime, "23036572800", datetime(2700, 1, 1, tzinfo=UTC)),
        (datetime, "2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (date | None, "1704153600", date(2024, 1, 2)),
        (date, "-62135596800", date.min),
        (date, 1704153600.0, date(2024, 1, 2)),
        (date, "2024-01-02", date(2024, 1, 2)),
        (Decimal, 5, Decimal(5)),
        (Decimal, 0.1, Decimal("0.1")),
        (UUID, AN_ID.bytes, AN_ID),
        (Level, "1", Level.LOW),
        (Ratio, "0.5", Ratio.HALF),
        (Literal[1, 2], "1", 1),
        (Literal[1] | None, "1", 1),
        (Any, "hello", "hello"),
        (Any, 5, 5),
        (Any, 1.5, 1.5),
        (list, pickle.dumps([1, (2, {3})]), [1, (2, {3})]),
        (dict, pickle.dumps({1: b"a"}), {1: b"a"}),
        (set, pickle.dumps({1}), {1}),
        (tuple, pickle.dumps((1, None)), (1, None)),
        (list[str], pickle.dumps(["a"]), ["a"]),
        (list[str] | None, pickle.dumps(["a"]), ["a"]),
        (set[int], pickle.dumps({1}), {1}),
        (tuple[int, str], pickle.dumps((1, "a")), (1, "a")),
        (dict[str, Any], pickle.dumps({"a": (1, {2})}), {"a": (1, {2})}),
        (Street, pickle.dumps({"name": "a"}), Street(name="a")),
        (list[Any], pickle.dumps([frozenset({1})]), [frozenset({1})]),
        (Any, pickle.dumps([1]), [1]),
    ],
)
def test_reads(annotation: Any, stored: Any, value: Any) -> None:
    codec = codec_for(annotation)
    loaded = read_legacy(codec, stored)
    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.parametrize(
    ("annotation", "stored"),
    [
        (int, "seven"),
        (int, 1.5),
        (float, "x"),
        (float, "nan"),
        (float, b"1.5"),
        (float, 2**53 + 1),
        (bool, "2"),
        (str, 5),
        (str, b"\xff"),
        (datetime, "soon"),
        (datetime, b"\x80"),
        (date, "99999999999999999"),
        (Level, "7"),
        (Decimal, "x"),
        (Decimal, b"\xff"),
        (Literal["a"], 5),
        (list, b""),
        (list, b"\x80"),
        (list, b"garbage"),
        (list, 5),
        (list, pickle.dumps("text")),
        (list[int], pickle.dumps(["a"])),
        (list, pickle.dumps([date(2024, 1, 1)])),
        (list, pickle.dumps([1])[:-1]),
        (list, b"cnowhere\nnothing\n."),
        (Street, pickle.dumps({})),
        (Any, b"\x80"),
        (None, 1),
    ],
)
def test_refuses(annotation: Any, stored: Any) -> None:
    codec = codec_for(annotation)
    with pytest.raises(ValueError, match="."):
        codec.legacy(stored)


def test_zone_of_old_datetimes() -> None:
    codec = codec_for(datetime | None)
    assert read_legacy(codec, "0", utc=True).tzinfo is UTC
    assert codec_for(NaiveDatetime).legacy("0").tzinfo is None


def test_old_text_columns_stay_writable(column: NewColumn) -> None:
    for annotation, value in [
        (int | None, 7),
        (bool | None, False),
        (float | None, 1.5),
        (datetime | None, datetime(2024, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)),
        (date | None, date(2024, 1, 1)),
        (Level, Level.LOW),
    ]:
        table = column(codec_for(annotation), "TEXT")
        table.put(value)
        [stored], [loaded] = table.raw(), table.read()
        assert type(stored) is str
        assert loaded == value
        assert type(loaded) is type(value)


class Payload:
    """Runs a command when it is unpickled freely."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("annotation", [list, list[int], dict, set, tuple, Any, Street])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_runs(annotation: Any, protocol: int, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    blob = pickle.dumps([Payload(proof)], protocol)
    with pytest.raises(ValueError, match="system"):
        codec_for(annotation).legacy(blob)
    assert not proof.exists()
    pickle.loads(blob)
    assert proof.exists()  # the payload is a real one


@pytest.mark.parametrize(
    "blob",
    [
        b"cbuiltins\neval\n(V1\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.",
        b"(S'1'\nibuiltins\neval\n.",
        b"\x80\x02\x82\x01.",
        b"Pname\n.",
        b"\x80\x05\x97.",
        b"]]\x94b.",
        b"h\x05.",
        b".",
    ],
)
def test_crafted_pickles_are_value_errors(blob: bytes) -> None:
    with pytest.raises(ValueError, match="plain pickled"):
        read_pickle(blob)


def test_plain_pickles_of_every_protocol() -> None:
    value = [1, 1.5, "ä", b"x", None, True, (1, 2), {"a": [2**80]}]
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        assert read_pickle(pickle.dumps(value, protocol)) == value
