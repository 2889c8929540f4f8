"""The library's source as data: what the structure tests look at."""

from __future__ import annotations

import ast
import functools
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqliter

PACKAGE = Path(sqliter.__file__).parent

PUBLIC_MODULES = (
    "sqliter",
    "sqliter.asyncio",
    "sqliter.asyncio.db",
    "sqliter.asyncio.orm",
    "sqliter.asyncio.orm.fields",
    "sqliter.asyncio.orm.m2m",
    "sqliter.asyncio.orm.model",
    "sqliter.asyncio.orm.query",
    "sqliter.asyncio.query",
    "sqliter.constants",
    "sqliter.exceptions",
    "sqliter.expressions",
    "sqliter.helpers",
    "sqliter.integrations",
    "sqliter.integrations.opentelemetry",
    "sqliter.lookups",
    "sqliter.model",
    "sqliter.model.foreign_key",
    "sqliter.model.model",
    "sqliter.model.unique",
    "sqliter.orm",
    "sqliter.orm.fields",
    "sqliter.orm.foreign_key",
    "sqliter.orm.m2m",
    "sqliter.orm.model",
    "sqliter.orm.query",
    "sqliter.orm.registry",
    "sqliter.query",
    "sqliter.query.aggregates",
    "sqliter.query.annotated",
    "sqliter.query.page",
    "sqliter.query.query",
    "sqliter.query.search",
    "sqliter.sqliter",
)
"""The paths users may import from."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path

    @functools.cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @functools.cached_property
    def code_lines(self) -> frozenset[int]:
        """The lines that hold code: no blank ones, comments or docstrings."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        lines = {
            line
            for token in tokens
            if token.type not in _NO_CODE
            for line in range(token.start[0], token.end[0] + 1)
        }
        return frozenset(lines - self._docstring_lines())

    def _docstring_lines(self) -> set[int]:
        # A string that is a statement is documentation, wherever it stands.
        return {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }

    def definitions(self) -> Iterator[tuple[str, Definition]]:
        """Yield every class and function with its dotted name in the module."""
        yield from _definitions(self.tree, "")

    def size(self, node: Definition) -> int:
        """How many lines of code a definition has, its head and decorators included."""
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        last = node.end_lineno or first
        return len([line for line in self.code_lines if first <= line <= last])


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, *FUNCTIONS)):
            name = f"{prefix}{child.name}"
            yield name, child
            yield from _definitions(child, f"{name}.")
        else:
            yield from _definitions(child, prefix)


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, the examples in a wheel left out."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[1:2] != ("demo",):
            name = ".".join(parts).removesuffix(".__init__")
            found.append(Module(name, path))
    return tuple(found)


def module(name: str) -> Module:
    """Return one module of the package."""
    return next(each for each in modules() if each.name == name)


def body_without_docstring(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> list[ast.stmt]:
    """Return the statements of a function but its docstring."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return function.body[1:] if has_docstring else function.body
