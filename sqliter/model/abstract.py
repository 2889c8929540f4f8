"""Abstract models: bases without a table, whose fields and options others share."""

from __future__ import annotations

from typing import Any

from sqliter.exceptions import AbstractModelError

__all__ = ["check_concrete", "inherit_options", "is_abstract"]


def is_abstract(model: type[Any]) -> bool:
    """Whether a class says so itself: what derives from it is a table again."""
    meta = vars(model).get("Meta")
    return meta is not None and bool(vars(meta).get("abstract", False))


def check_concrete(model: type[Any]) -> None:
    """Raise ``AbstractModelError`` for a model without a table."""
    if is_abstract(model):
        raise AbstractModelError(model.__name__)


def inherit_options(model: type[Any]) -> None:
    """Let ``Meta`` of a class have the options of its abstract bases, too.

    What it says itself comes first, then what the bases say in their order. Raises
    ``ValueError`` for an abstract model with a table name.
    """
    meta = model.Meta
    shared = [vars(base)["Meta"] for base in model.__mro__[1:] if is_abstract(base)]
    missing = [each for each in shared if not issubclass(meta, each)]
    if missing:
        said: dict[str, Any] = {
            "abstract": is_abstract(model),
            "__module__": model.__module__,
        }
        if "Meta" not in vars(model):  # a table's name belongs to one class
            said["table_name"] = None
        type.__setattr__(model, "Meta", type("Meta", (meta, *missing), said))
    if is_abstract(model) and getattr(model.Meta, "table_name", None) is not None:
        msg = (
            f"{model.__name__} is abstract and has no table: leave table_name out, or "
            "give one to each model that derives from it"
        )
        raise ValueError(msg)
