"""How fast the library is, beside raw ``sqlite3`` and its peers.

    python -m benchmarks                          # all that is installed: some minutes
    python -m benchmarks --only get --only select # two items
    python -m benchmarks --contender peewee       # us, and one peer
    python -m benchmarks --growth                 # the cost per row of large tables
    python -m benchmarks --write                  # also write the page and the picture

Every contender has a process of its own and does the same work on files of its own
(WAL, synchronous=NORMAL, foreign keys checked). In each round all take turns; a ratio
is over raw sqlite3 in the same round, and the median of the rounds is printed. Results
are checked, outside of what is timed. Peers: pip install -e '.[bench]'.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import contenders, growth, page
from benchmarks.contenders import ENTRIES, RAW, Entry
from benchmarks.items import ITEMS
from benchmarks.measure import Plan, measure
from benchmarks.picture import picture
from benchmarks.table import losses, misses, table
from benchmarks.versions import versions


def arguments() -> argparse.Namespace:
    """Return what the user wants."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", action="append", choices=ITEMS, metavar="ITEM", help=", ".join(ITEMS))
    names = [entry.name for entry in ENTRIES if entry is not RAW]
    add(
        *("--contender", "-c"),
        action="append",
        choices=names,
        metavar="NAME",
        help=f"beside raw and this library: {', '.join(names)}",
    )
    add("--rounds", type=int, default=5)
    add("--scale", type=float, default=1.0, help="how much of the work to do")
    add("--growth", action="store_true", help="measure large tables instead")
    add("--write", action="store_true", help=f"write to {page.PAGE.name}, too")
    return parser.parse_args()


def chosen(names: Sequence[str] | None) -> list[Entry]:
    """Return raw, this library, and all peers or those named."""
    return [
        entry
        for entry in contenders.installed()
        if entry is RAW or entry.is_ours or names is None or entry.name in names
    ]


def compare(options: argparse.Namespace) -> bool:
    """Measure all items; return whether everything worked."""
    entries = chosen(options.contender)
    plan = Plan(entries, options.only or list(ITEMS), options.rounds, options.scale)
    rows = measure(plan, lambda name: print(name, file=sys.stderr, flush=True))
    text = "\n".join(
        [
            *(table(plan, rows), ""),
            *(listed("Not the fastest of its colour", losses(plan, rows)), ""),
            *(listed("Short of what is wanted", misses(plan, rows)), ""),
            f"{options.rounds} rounds at scale {options.scale:g}; {versions(entries)}.",
        ]
    )
    print(text)
    if options.write:
        page.write("results", text)
        page.PICTURE.write_text(picture(plan, rows), encoding="utf-8")
    return not any(cell.note == "failed" for row in rows for cell in row.cells.values())


def listed(title: str, lines: Sequence[str]) -> str:
    """Return a sentence."""
    return f"{title}: {'; '.join(lines) or 'none'}."


def grow(options: argparse.Namespace) -> bool:
    """Measure large tables."""
    text = growth.report(options.scale)
    print(text)
    if options.write:
        page.write("growth", text)
    return True


def main() -> int:
    """Do what the user wants; 1 if a contender failed."""
    options = arguments()
    return 0 if (grow if options.growth else compare)(options) else 1


if __name__ == "__main__":
    sys.exit(main())
