"""The results as a picture: bars, written as SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.contenders import Entry
from benchmarks.figure import Unit
from benchmarks.measure import Plan, Row

__all__ = ["picture"]

WIDTH, LEFT, RIGHT, TOP = 980, 400, 60, 70
BAR, GAP, HEAD = 11, 18, 20
MOST = 128.0
"""Ratios beyond are cut off; the number stands beside the bar."""

COLOURS = {
    "sqliter": "#d9480f",
    "SQLAlchemy": "#868e96",
    "SQLModel": "#adb5bd",
    "Peewee": "#5c7cfa",
    "Tortoise": "#5c7cfa",
    "Piccolo": "#74c0fc",
    "Oxyde": "#63997b",
    "aiosqlite": "#ced4da",
}
TITLE = "Time over raw sqlite3 doing the same work (1 = as fast; less is better)"


def picture(plan: Plan, rows: Sequence[Row]) -> str:
    """Return a picture of all ratios, on a logarithmic scale."""
    parts: list[str] = []
    y = TOP
    for is_async in (False, True):
        entries = [each for each in plan.rivals if each.is_async is is_async]
        for row in rows:
            if row.figure.unit is Unit.RATIO:
                drawn = _group(row, entries, y, is_async=is_async)
                parts += drawn
                y += HEAD + BAR * (len(drawn) - 1) + GAP if drawn else 0
    lines = [_line(ratio, y) for ratio in (1, 2, 4, 8, 16, 32, 64)]
    return "\n".join([_head(y), *lines, *_legend(plan), *parts, "</svg>\n"])


def _head(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="11">\n'
        f"<title>{TITLE}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="10" y="20" font-size="14" font-weight="bold">{TITLE}</text>'
    )


def _legend(plan: Plan) -> list[str]:
    parts, x = [], 10
    for title in dict.fromkeys(entry.title for entry in plan.rivals):
        colour = COLOURS[title]
        parts.append(f'<rect x="{x}" y="30" width="11" height="11" fill="{colour}"/>')
        parts.append(f'<text x="{x + 15}" y="40">{escape(title)}</text>')
        x += 35 + 7 * len(title)
    return parts


def _line(ratio: int, height: int) -> str:
    x = _x(ratio)
    return (
        f'<line x1="{x:.0f}" x2="{x:.0f}" y1="60" y2="{height}" stroke="#dee2e6"/>'
        f'<text x="{x:.0f}" y="56" fill="#868e96" text-anchor="middle">{ratio}</text>'
    )


def _group(row: Row, entries: list[Entry], y: int, *, is_async: bool) -> list[str]:
    """Return the heading of an item and its bars, or nothing."""
    bars = [
        (entry, value)
        for entry in entries
        if (value := row.cells[entry.name].value) is not None
    ]
    if not bars:
        return []
    colour = "asyncio" if is_async else "blocking"
    name = escape(f"{row.figure.title.replace('`', '')}, {colour}")
    head = f'<text x="10" y="{y + 12}" font-weight="bold">{name}</text>'
    first = y + HEAD
    drawn = [
        _bar(entry, value, first + BAR * number)
        for number, (entry, value) in enumerate(bars)
    ]
    return [head, *drawn]


def _bar(entry: Entry, value: float, y: int) -> str:
    start, end = sorted((_x(1), _x(value)))
    width = max(end - start, 1)
    return (
        f'<text x="{LEFT - 130}" y="{y + 9}">{escape(entry.title)}</text>'
        f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="{BAR - 2}" '
        f'fill="{COLOURS[entry.title]}"/>'
        f'<text x="{end + 4:.1f}" y="{y + 9}">{value:.2f}</text>'
    )


def _x(ratio: float) -> float:
    """Return where a ratio stands; 1 is not at the left edge, some are below."""
    cut = min(max(ratio, 1 / 16), MOST)
    span = WIDTH - LEFT - RIGHT
    return LEFT + span * (math.log2(cut) + 4) / (math.log2(MOST) + 4)
