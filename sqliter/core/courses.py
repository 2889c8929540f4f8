"""Operations with functions of the program before and after them.

A course is carried out in a block of its own, all of it or nothing. The functions are
called by the engine, between operations and where the program asked: so each is called
once, however often steps begin anew, and may use the database like any other code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from sqliter.core.steps import Operation

R = TypeVar("R")


class Call(NamedTuple):
    """A function of the program; what ``is_late`` is called after the commit."""

    function: Callable[..., object]
    arguments: tuple[Any, ...]
    is_late: bool = False

    def make(self) -> object:
        """Make the call."""
        return self.function(*self.arguments)


Part: TypeAlias = Operation[Any] | Call
"""What a course may yield; it is answered with what came of it."""

Parts: TypeAlias = Generator[Part, Any, R]


def carry_out(operation: Operation[R]) -> Parts[R]:
    """Carry an operation out."""
    value: R = yield operation
    return value


class Course(Generic[R]):
    """Parts that an engine carries out one after another."""

    __slots__ = ("_parts", "value")

    def __init__(self, parts: Parts[R]) -> None:
        self._parts = parts
        self.value: Any = None

    def advance(self, answer: object = None) -> Part | None:
        """Hand over what came of the last part; return the next one, if any."""
        try:
            return self._parts.send(answer)
        except StopIteration as stop:
            self.value = stop.value
            return None

    def giving(self, value: Any) -> Course[Any]:
        """Return the same course with another value."""
        return Course(_giving(self._parts, value))


def _giving(parts: Parts[Any], value: R) -> Parts[R]:
    yield from parts
    return value
