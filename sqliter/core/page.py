"""Pages: some of many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["KeysetPage", "Page"]

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """What ``paginate()`` gives: the rows of one page, and how many there are in all.

    ``number`` counts from 1; ``size`` is the number of rows of a full page.
    """

    items: list[T]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; one at least."""
        return max(1, -(-self.total // self.size))

    @property
    def has_next(self) -> bool:
        """Whether there is a page behind this one."""
        return self.number < self.pages

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1


@dataclass(frozen=True)
class KeysetPage(Generic[T]):
    """What ``page_after()`` gives: some rows, and where the next page starts.

    ``next_cursor`` is a text for URLs; ``None`` if nothing comes behind.
    """

    items: list[T]
    next_cursor: str | None

    @property
    def has_next(self) -> bool:
        """Whether there is a page behind this one."""
        return self.next_cursor is not None


for _page in (KeysetPage, Page):
    _page.__module__ = "sqliter.query.page"  # where users import it from
