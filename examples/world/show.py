"""What the user sees."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from .answers import Answer, Column

__all__ = ["Bar", "Screen"]


class Screen:
    """Prints to the terminal; plain text when the output is no terminal."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # not all encodings have 京
        self._console = Console(highlight=False)
        self._errors = Console(highlight=False, stderr=True)

    def head(self, text: str) -> None:
        """Print the first line."""
        self._console.rule(f"[bold]{escape(text)}[/bold]", style="cyan")

    def end(self, text: str) -> None:
        """Print the last line."""
        self._console.print()
        self._console.rule(escape(text), style="cyan")

    def say(self, text: str) -> None:
        """Print a line about what is going on."""
        self._console.print(escape(text))

    def complain(self, text: str) -> None:
        """Print a line to the error output."""
        self._errors.print(escape(text), style="yellow")

    def answer(self, number: int, text: str, answer: Answer, cost: str) -> None:
        """Print a question, its answer, and what it took."""
        heading = f"[bold cyan]{number:>2}[/bold cyan]  [bold]{escape(text)}[/bold]"
        self._console.print("\n" + heading)
        self._console.print(_table(answer))
        remark = f"{answer.remark} · " if answer.remark else ""
        self._console.print(f"    {escape(remark + cost)}", style="dim")

    @contextmanager
    def bar(self, text: str, total: int) -> Iterator[Bar]:
        """Show a progress bar, on terminals only."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=36),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            TimeElapsedColumn(),
        )
        hidden = not self._console.is_terminal
        with Progress(*columns, console=self._console, disable=hidden) as progress:
            yield Bar(progress, progress.add_task(text, total=total))


class Bar:
    """A progress bar that is moved forward."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, count: int) -> None:
        """Move it so many steps."""
        self._progress.advance(self._task, count)


def _table(answer: Answer) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("   ")  # the margin
    for column in answer.columns:
        justify: Any = "right" if column.form else "left"
        table.add_column(column.title, justify=justify, overflow="fold")
    for row in answer.rows:
        pairs = zip(answer.columns, row, strict=True)
        table.add_row("", *(_cell(column, value) for column, value in pairs))
    return table


def _cell(column: Column, value: object) -> str:
    if value is None:
        return "—"
    return escape(format(value, column.form))
