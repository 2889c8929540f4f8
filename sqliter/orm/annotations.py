"""Annotations of relations, read without evaluating what does not exist yet."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from typing import Any

__all__ = ["allows_none", "own_annotations"]

_UNIONS = (typing.Union, types.UnionType)


def own_annotations(cls: type[Any]) -> dict[str, Any]:
    """Return the annotations of a class itself; unknown names stay unevaluated."""
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - new in 3.14

        return annotationlib.get_annotations(  # type: ignore[no-any-return, unused-ignore]
            cls, format=annotationlib.Format.FORWARDREF
        )
    return dict(inspect.get_annotations(cls))


def allows_none(annotation: Any, cls: type[Any]) -> bool:
    """Whether ``ForeignKey[...]`` has an arm ``None``."""
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return _text_allows_none(annotation, cls)
    arguments = typing.get_args(annotation)
    return bool(arguments) and _has_none(arguments[0])


def _has_none(target: Any) -> bool:
    if isinstance(target, typing.ForwardRef):
        target = target.__forward_arg__
    if isinstance(target, str):
        return _is_optional(_parsed(target))
    if typing.get_origin(target) in _UNIONS:
        return type(None) in typing.get_args(target)
    return False


def _text_allows_none(text: str, cls: type[Any]) -> bool:
    module = sys.modules.get(cls.__module__)
    names = {**(vars(module) if module else {}), **vars(cls), cls.__name__: cls}
    try:
        found = eval(text, names)  # noqa: S307 - what typing.get_type_hints does, too
    except Exception:  # noqa: BLE001 - a name that does not exist: read the text
        return _is_optional(_argument(_parsed(text)))
    return not isinstance(found, str) and allows_none(found, cls)


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _argument(node: ast.expr | None) -> ast.expr | None:
    """Return what stands in the brackets."""
    if not isinstance(node, ast.Subscript):
        return None
    inner = node.slice
    is_text = isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    return _parsed(inner.value) if is_text else inner  # type: ignore[attr-defined]


def _is_optional(node: ast.expr | None) -> bool:
    if isinstance(node, ast.BinOp):
        return any(
            _is_none(arm) or _is_optional(arm) for arm in (node.left, node.right)
        )
    if not isinstance(node, ast.Subscript):
        return False
    name = ast.unparse(node.value).rpartition(".")[2]
    arms = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return name == "Optional" or (name == "Union" and any(map(_is_none, arms)))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
