"""What is asked, and what an answer looks like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .atlas import Atlas
from .steps import Steps

__all__ = ["CITY", "COUNTRY", "PEOPLE", "Answer", "Column", "Question"]


@dataclass(frozen=True)
class Column:
    """A column of an answer; ``form`` is how its numbers are written, if it has any."""

    title: str
    form: str = ""


@dataclass(frozen=True)
class Answer:
    """A table, and perhaps a remark below it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    remark: str = ""


@dataclass(frozen=True)
class Question:
    """What a person would ask, and the steps that find the answer."""

    text: str
    ask: Callable[[Atlas], Steps[Answer]]


PEOPLE = Column("People", ",")
CITY = Column("City")
COUNTRY = Column("Country")
