"""The Python in pages of Markdown: found, compiled, run."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_FENCE = re.compile(
    r"^(?P<indent> *)```python[^\n]*\n(?P<code>.*?)^(?P=indent)```\s*$",
    re.MULTILINE | re.DOTALL,
)
_NOTE = re.compile(r"<!-- *(?:no-run|raises: *(?P<error>[\w.]+)) *-->\s*$")


@dataclass(frozen=True)
class Block:
    """One block of code and what the page says about it."""

    page: Path
    line: int
    code: str
    runs: bool
    raises: str | None

    def compiled(self) -> CodeType:
        """Compile it; error messages name the page and the line in it."""
        source = "\n" * (self.line - 1) + self.code
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, str(self.page), "exec", flags=flags, dont_inherit=True)
        assert isinstance(code, CodeType)
        return code


def blocks_of(page: Path) -> list[Block]:
    """Return the Python blocks of a page in order."""
    return list(_blocks(page, page.read_text(encoding="utf-8")))


def _blocks(page: Path, text: str) -> Iterator[Block]:
    for match in _FENCE.finditer(text):
        note = _NOTE.search(text[: match.start()])
        word = note.group(0) if note else ""
        yield Block(
            page,
            text.count("\n", 0, match.start()) + 2,
            _dedented(match["code"], len(match["indent"])),
            runs="no-run" not in word,
            raises=note["error"] if note else None,
        )


def _dedented(code: str, columns: int) -> str:
    return "".join(line[columns:] or "\n" for line in code.splitlines(keepends=True))


class Page:
    """A namespace and an event loop in which the blocks of a page run in order."""

    def __init__(self, module: ModuleType) -> None:
        self.names: dict[str, Any] = vars(module)

    def run(self, blocks: list[Block]) -> None:
        """Run every block that is to be run; compile the others."""
        with asyncio.Runner() as runner:
            runner.run(self._run(blocks))

    async def _run(self, blocks: list[Block]) -> None:
        # One coroutine for the whole page: what a block opens, the next one uses.
        for block in blocks:
            code = block.compiled()
            if block.runs:
                await self._run_block(block, code)

    async def _run_block(self, block: Block, code: CodeType) -> None:
        try:
            result = eval(code, self.names)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            names = {each.__name__ for each in type(error).__mro__}
            if block.raises is None or block.raises.rpartition(".")[2] not in names:
                raise
        else:
            assert block.raises is None, f"{block.page}:{block.line} did not raise"
