"""The examples the library was made for run as they were written."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from docs.blocks import Page, blocks_of

from sqliter.asyncio import orm

SEEDS = Path(__file__).with_name("seed_examples.md")
SIGNATURE = re.compile(r"^```pyi\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_first_examples_run(page: Page) -> None:
    page.run(blocks_of(SEEDS))
    assert page.names["results"] == [page.names["ada"]]


def test_none_of_them_is_left_out() -> None:
    blocks = blocks_of(SEEDS)
    text = SEEDS.read_text(encoding="utf-8")
    ours = re.findall(r"^And[^\n]*:\n\n```python", text, re.MULTILINE)
    assert len(blocks) - len(ours) == 20
    assert all(block.runs and block.raises is None for block in blocks)


def test_signatures_are_as_written() -> None:
    """Names, order, kinds and defaults of parameters; bodies were never given."""
    written = [f"{text.rstrip()} ..." for text in SIGNATURE.findall(SEEDS.read_text())]
    assert len(written) == 3
    for text in written:
        (node,) = ast.parse(text).body
        if isinstance(node, ast.ClassDef):
            assert ast.unparse(node.bases[0]) == "Generic[T]"
            kind = getattr(orm, node.name)
            assert kind.__parameters__
            (init,) = node.body
            assert list(_parameters(init)) == list(_actual(kind.__init__))
        else:
            assert isinstance(node, ast.AsyncFunctionDef)
            fetch = getattr(orm.AsyncLazyLoader, node.name)
            assert inspect.iscoroutinefunction(fetch)
            assert list(_parameters(node)) == list(_actual(fetch))


def _parameters(node: ast.AST) -> Iterator[tuple[str, bool, str | None]]:
    """Yield the name of each parameter, whether it is keyword-only, its default."""
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    assert not node.args.defaults
    for each in node.args.args:
        yield each.arg, False, None
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    for each, default in pairs:
        yield each.arg, True, default and repr(ast.literal_eval(default))


def _actual(function: object) -> Iterator[tuple[str, bool, str | None]]:
    for each in inspect.signature(function).parameters.values():  # type: ignore[arg-type]
        has_default = each.default is not each.empty
        yield (
            each.name,
            each.kind is each.KEYWORD_ONLY,
            repr(each.default) if has_default else None,
        )
