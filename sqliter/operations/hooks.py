"""Subscriptions: functions that a program wants to be called around writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqliter.core.context import Context
from sqliter.core.hooks import EVENTS, Subscription
from sqliter.model.model import BaseDBModel

__all__ = ["subscribe"]


def subscribe(
    model: Any, event: str, hook: Any, context: Context
) -> Callable[[], None]:
    """Have a function called; returns what ends that.

    Raises ``ValueError`` for what is no event, ``TypeError`` for what is no model, or
    cannot be called.
    """
    if not (isinstance(model, type) and issubclass(model, BaseDBModel)):
        msg = f"hooks belong to models, and {model!r} is none"
        raise TypeError(msg)
    if event not in EVENTS:
        msg = f"there is no event {event!r}: choose one of {', '.join(EVENTS)}"
        raise ValueError(msg)
    if not callable(hook):
        msg = f"a hook is a function that takes the instance, not {hook!r}"
        raise TypeError(msg)
    return context.hooks.add(Subscription(model, event, hook))
