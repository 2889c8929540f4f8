"""``tests/defects.md`` lists every repaired defect with the tests that prove it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS / "defects.md"
ROW = re.compile(r"^\| ([DO]-?\d+) \| (.*) \|$", re.MULTILINE)


def test_the_table_lists_exactly_the_marked_tests() -> None:
    assert dict(ROW.findall(TABLE.read_text("utf-8"))) == proofs()


def proofs() -> dict[str, str]:
    """Return the marked tests by the number of the defect they prove repaired."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        for number, name in _marked(path):
            found[number].add(f"`{path.relative_to(TESTS).as_posix()}::{name}`")
    return {number: "<br>".join(sorted(tests)) for number, tests in found.items()}


def _marked(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                for number in _numbers(decorator):
                    yield number, node.name


def _numbers(decorator: ast.expr) -> list[str]:
    is_call = isinstance(decorator, ast.Call)
    if not is_call or not ast.unparse(decorator.func).endswith("mark.defect"):
        return []
    return [each.value for each in decorator.args if isinstance(each, ast.Constant)]


def _key(number: str) -> tuple[str, bool, int]:
    return number[0], "-" in number, int(number.strip("DO-"))


def write_table() -> None:
    """Write the table anew: ``python -m structure.test_defects`` inside ``tests``."""
    rows = [
        f"| {n} | {t} |" for n, t in sorted(proofs().items(), key=lambda p: _key(p[0]))
    ]
    head = TABLE.read_text("utf-8").partition("| number |")[0]
    lines = ["| number | proved repaired by |", "|---|---|", *rows]
    TABLE.write_text(head + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write_table()
