"""Aliases written with the `type` statement of Python 3.12."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from sqliter.model.codecs import Codec, codec_for

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="needs Python 3.12")

SOURCE = """
type Age = int
type Nested = list[Nested]
type Tree[T] = dict[str, Tree[T] | T]
type Json = dict[str, Json] | list[Json] | str | int | float | bool | None
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Age", 5),
        ("Nested", [[], [[]]]),
        ("Json", {"a": [1, 1.5, None, {"b": True}]}),
        ("Tree[int]", {"a": {"b": 1}, "c": 2}),
    ],
)
def test_aliases(
    round_trip: Callable[[Codec, Any], Any], name: str, value: Any
) -> None:
    names: dict[str, Any] = {}
    exec(SOURCE, names)
    assert round_trip(codec_for(eval(name, names)), value) == value
