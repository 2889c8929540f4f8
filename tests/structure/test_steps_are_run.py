"""Steps that are called must be carried out.

A step function returns a generator. Called without ``yield from``, it does nothing
and nobody notices: the insert is not made, the check not done.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from structure.source import FUNCTIONS, Module, module, modules

Function = ast.FunctionDef | ast.AsyncFunctionDef

OPERATIONS = tuple(
    each for each in modules() if each.name.startswith("sqliter.operations.")
)
WORDS = "sqliter.core.steps"
"""Where ``ask`` and its like live: the only functions that yield."""


def _returns(function: Function, kind: str) -> bool:
    return function.returns is not None and ast.unparse(function.returns).startswith(
        kind
    )


def _is_operation(function: Function) -> bool:
    return any(
        ast.unparse(each) in ("reads", "writes", "writes_shortly")
        for each in function.decorator_list
    )


def _step_functions() -> set[str]:
    return {
        node.name
        for each in (*OPERATIONS, module(WORDS))
        for _, node in each.definitions()
        if isinstance(node, FUNCTIONS)
        and _returns(node, "Steps[")
        and not _is_operation(node)
    }


def _homes(each: Module) -> set[str]:
    """Return the names under which a module knows other modules of steps."""
    return {
        alias.asname or alias.name
        for node in ast.walk(each.tree)
        if isinstance(node, ast.ImportFrom)
        and node.module in ("sqliter.operations", "sqliter.core")
        for alias in node.names
    }


def _called_name(call: ast.Call, homes: set[str]) -> str:
    """Return the bare name of a called function; of a method only on such a module."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr if ast.unparse(function.value) in homes else ""
    return ast.unparse(function)


def _made_operations(function: Function) -> set[ast.expr]:
    """Return what is handed to ``Operation(...)``: an engine runs it."""
    return {
        argument
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Operation"
        for argument in node.args
    }


def _functions(each: Module) -> Iterator[Function]:
    return (node for _, node in each.definitions() if isinstance(node, FUNCTIONS))


def lost_calls(each: Module, step_functions: set[str]) -> list[str]:
    """Return the calls whose steps nobody runs."""
    lost = []
    homes = _homes(each)
    for function in _functions(each):
        if _returns(function, "Operation["):
            continue  # hands the steps on
        run = {
            node.value for node in ast.walk(function) if isinstance(node, ast.YieldFrom)
        }
        if not run:
            run = {
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Return)
            }
        run |= _made_operations(function)
        lost += [
            f"{each.name}:{node.lineno}: {ast.unparse(node)}"
            for node in ast.walk(function)
            if isinstance(node, ast.Call)
            and _called_name(node, homes) in step_functions
            and node not in run
        ]
    return lost


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda module: module.name)
def test_every_step_that_is_called_is_run(each: Module) -> None:
    lost = lost_calls(each, _step_functions())
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda module: module.name)
def test_operations_ask_through_the_words_for_it(each: Module) -> None:
    bare = [
        f"{each.name}:{node.lineno}"
        for node in ast.walk(each.tree)
        if isinstance(node, ast.Yield)
    ]
    assert not bare, f"a bare yield: {', '.join(bare)}"


def test_there_are_steps_to_look_for() -> None:
    assert {"ask", "ask_all", "look_up", "known", "touch"} <= _step_functions()


def test_a_lost_call_would_be_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("source") / "lost.py"
    path.write_text(
        "from sqliter.operations import schema\n"
        "def good() -> Steps[None]:\n"
        "    result = yield from ask(1)\n"
        "    return (yield from known(result))\n"
        "def passed_on() -> Steps[None]:\n"
        "    return known(1)\n"
        "def bad() -> Steps[None]:\n"
        "    known(1)\n"
        "    result = ask(2)\n"
        "    yield from result\n"
        "    effects.known(4)\n"
        "    schema.known(5)\n"
        "    return ask(3)\n"
    )
    found = lost_calls(Module("lost", path), {"ask", "known"})
    calls = sorted(found, key=lambda line: int(line.split(":")[1]))
    assert [line.split()[-1] for line in calls] == [
        "known(1)",
        "ask(2)",
        "schema.known(5)",
        "ask(3)",
    ]
