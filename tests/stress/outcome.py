"""What a scenario has done, and everything it found wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """How much was done and survived, and what was wrong after it.

    ``rounds`` were tried; ``faults`` are those that were meant to go wrong and did;
    ``kept`` counts acknowledged writes; ``longest`` is a time to wait, in seconds, of
    which ``note`` says more.
    """

    rounds: int = 0
    faults: int = 0
    kept: int = 0
    longest: float = 0.0
    note: str = ""
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.rounds += other.rounds
        self.faults += other.faults
        self.kept += other.kept
        self.longest = max(self.longest, other.longest)
        self.wrong += other.wrong

    def assert_nothing_wrong(self) -> None:
        """Differences are named, but not thousands of them."""
        more = f"\n... {len(self.wrong)} in all" if len(self.wrong) > 20 else ""
        assert not self.wrong, "\n".join(self.wrong[:20]) + more
        assert self.kept, "nothing was written"


def total(outcomes: Iterable[Outcome]) -> Outcome:
    whole = Outcome()
    for each in outcomes:
        whole.add(each)
    return whole
