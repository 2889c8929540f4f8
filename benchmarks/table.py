"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contenders import Entry
from benchmarks.measure import Plan, Row

__all__ = ["losses", "misses", "rivals", "table"]

COLOURS = {False: "blocking", True: "asyncio"}


def table(plan: Plan, rows: Sequence[Row]) -> str:
    """Return a table: contenders as columns, the best of each colour in bold."""
    titles = [f"{each.title}<br>{COLOURS[each.is_async]}" for each in plan.rivals]
    lines = [
        f"| over raw `sqlite3` | {' | '.join([*titles, 'wanted'])} |",
        f"|---|{'---:|' * (len(titles) + 1)}",
    ]
    lines += [_line(plan, row) for row in rows]
    return "\n".join(lines)


def _line(plan: Plan, row: Row) -> str:
    best = {best_of(plan, row, is_async=colour) for colour in COLOURS}
    cells = [
        f"**{_shown(row, entry)}**" if entry.name in best else _shown(row, entry)
        for entry in plan.rivals
    ]
    return f"| {' | '.join([row.figure.title, *cells, _target(row)])} |"


def _shown(row: Row, entry: Entry) -> str:
    cell = row.cells[entry.name]
    return cell.note if cell.value is None else row.figure.unit.shown(cell.value)


def _target(row: Row) -> str:
    """Return what is wanted: blocking / asyncio."""
    targets = (row.figure.blocking, row.figure.asyncio)
    return " / ".join("—" if each is None else f"{each:g}" for each in targets)


def rivals(plan: Plan, *, is_async: bool) -> list[Entry]:
    """Return who gives typed instances, in one colour."""
    return [
        entry
        for entry in plan.rivals
        if entry.is_async is is_async and not entry.is_by_hand
    ]


def best_of(plan: Plan, row: Row, *, is_async: bool) -> str | None:
    """Return who has the lowest number, of those who give typed instances."""
    values = {
        entry.name: value
        for entry in rivals(plan, is_async=is_async)
        if (value := row.cells[entry.name].value) is not None
    }
    return min(values, key=values.__getitem__) if values else None


def losses(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Return where this library is not the best of its colour."""
    found = []
    for row in rows:
        for entry in filter(lambda each: each.is_ours, plan.rivals):
            best = best_of(plan, row, is_async=entry.is_async)
            if best not in {None, entry.name}:
                other = next(each for each in plan.rivals if each.name == best)
                found.append(
                    f"{_name(row, entry)}: {other.title} has {_shown(row, other)}, "
                    f"{entry.title} {_shown(row, entry)}"
                )
    return found


def misses(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Return where this library does not reach what is wanted."""
    found = []
    for row in rows:
        for entry in filter(lambda each: each.is_ours, plan.rivals):
            target = row.figure.target(is_async=entry.is_async)
            value = row.cells[entry.name].value
            if target is not None and (value is None or value > target):
                found.append(
                    f"{_name(row, entry)}: {_shown(row, entry)}, wanted {target:g}"
                )
    return found


def _name(row: Row, entry: Entry) -> str:
    return f"{row.item} ({COLOURS[entry.is_async]})"
