"""The results as a picture: bars, written as SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.contenders import Entry
from benchmarks.figure import Unit
from benchmarks.measure import Plan, Row

__all__ = ["picture"]

PANEL = 480
"""Width of the blocking half and of the asyncio half, in pixels."""
LEFT, RIGHT, TOP = 90, 60, 70
BAR, HEAD, GAP = 13, 20, 14
LEAST, MOST = 1 / 16, 128.0
"""Bars end there; the number stands beside the bar."""
SCALE = (0.25, 1, 4, 16, 64)

OURS, BY_HAND, OTHERS = "#d9480f", "#ced4da", "#748ffc"
TITLE = "Time over raw sqlite3 doing the same work: 1 is as fast, less is better"


def picture(plan: Plan, rows: Sequence[Row]) -> str:
    """Return a picture of all ratios on a logarithmic scale, a row for each item."""
    y = TOP
    groups: list[str] = []
    for row in rows:
        panels = [list(_bars_of(plan, row, is_async=each)) for each in (False, True)]
        if row.figure.unit is Unit.RATIO and any(panels):
            groups += _group(row, panels, y)
            y += HEAD + BAR * max(map(len, panels)) + GAP
    axes = [_axis(panel, ratio, y) for panel in (0, PANEL) for ratio in SCALE]
    return "\n".join([*_head(y), *axes, *groups, "</svg>\n"])


def _bars_of(plan: Plan, row: Row, *, is_async: bool) -> Iterator[tuple[Entry, float]]:
    for entry in plan.rivals:
        value = row.cells[entry.name].value
        if entry.is_async is is_async and value is not None:
            yield entry, value


def _head(height: int) -> list[str]:
    width = 2 * PANEL
    size = f'width="{width}" height="{height}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}',
        f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif"',
        'font-size="11">',
        f"<title>{TITLE}</title>",
        f'<rect {size} fill="#fff"/>',
        f'<text x="10" y="20" font-size="14" font-weight="bold">{TITLE}</text>',
        '<text x="10" y="40" font-weight="bold">blocking</text>',
        f'<text x="{PANEL + 10}" y="40" font-weight="bold">asyncio</text>',
    ]


def _axis(panel: int, ratio: float, height: int) -> str:
    x = f"{panel + _x(ratio):.0f}"
    colour = "#868e96" if ratio == 1 else "#dee2e6"
    return (
        f'<line x1="{x}" x2="{x}" y1="60" y2="{height}" stroke="{colour}"/>'
        f'<text x="{x}" y="56" fill="#868e96" text-anchor="middle">{ratio:g}</text>'
    )


def _group(row: Row, panels: list[list[tuple[Entry, float]]], y: int) -> list[str]:
    """Return the heading of an item, and the bars of both halves."""
    title = escape(row.figure.title.replace("`", ""))
    parts = [f'<text x="10" y="{y + 12}" font-weight="bold">{title}</text>']
    for panel, bars in zip((0, PANEL), panels, strict=True):
        tops = range(y + HEAD, y + HEAD + BAR * len(bars), BAR)
        for (entry, value), top in zip(bars, tops, strict=True):
            parts.append(_bar(entry, value, panel, top))
    return parts


def _bar(entry: Entry, value: float, panel: int, y: int) -> str:
    start, end = sorted((_x(1), _x(value)))
    number = Unit.RATIO.shown(value)
    return (
        f'<text x="{panel + 10}" y="{y + 10}">{escape(entry.title)}</text>'
        f'<rect x="{panel + start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" '
        f'height="{BAR - 2}" fill="{_colour(entry)}"/>'
        f'<text x="{panel + end + 4:.1f}" y="{y + 10}">{number}</text>'
    )


def _colour(entry: Entry) -> str:
    if entry.is_ours:
        return OURS
    return BY_HAND if entry.is_by_hand else OTHERS


def _x(ratio: float) -> float:
    """Return where a ratio stands in a half."""
    cut = math.log(min(max(ratio, LEAST), MOST) / LEAST)
    return LEFT + (PANEL - LEFT - RIGHT) * cut / math.log(MOST / LEAST)
