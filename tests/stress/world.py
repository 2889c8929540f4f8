"""What a database should hold: dicts in place of tables, copies in place of transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Row: TypeAlias = tuple[str, int]
Rows: TypeAlias = dict[int, Row]


@dataclass
class World:
    """``rows`` is what the task sees, ``committed`` what others do.

    ``saved`` has an entry for each open block, the innermost last: what its end by an
    exception leads back to. No dict is changed once it is here.
    """

    auto_commit: bool
    rows: Rows = field(default_factory=dict)
    committed: Rows = field(default_factory=dict)
    saved: list[Rows] = field(default_factory=list)

    def copy(self) -> World:
        return World(self.auto_commit, self.rows, self.committed, [*self.saved])

    @property
    def undone(self) -> Rows:
        """What a block that begins now leads back to: with it goes what was not committed."""
        return self.rows if self.saved else self.committed

    def write(self, rows: Rows) -> None:
        self.rows = rows
        if self.auto_commit and not self.saved:
            self.committed = rows

    def enter(self) -> None:
        self.saved.append(self.undone)

    def leave(self, *, fails: bool) -> None:
        before = self.saved.pop()
        if fails:
            self.rows = before
        elif not self.saved:
            self.committed = self.rows

    def commit(self) -> None:
        self.committed = self.rows
        self.saved = [self.rows for _ in self.saved]

    def rollback(self) -> None:
        self.rows = self.saved[-1] if self.saved else self.committed
