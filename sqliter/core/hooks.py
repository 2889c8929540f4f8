"""Hooks: functions of the program that are called around the writes of instances.

Methods of a model come first, then what was subscribed, in that order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from sqliter.core.courses import Call, Course, Parts, carry_out
from sqliter.core.steps import Operation

R = TypeVar("R")

Change: TypeAlias = Literal["insert", "update", "delete"]
"""What becomes of a row."""

WriteEvent: TypeAlias = Literal[
    "before_insert",
    "after_insert",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
]
"""When a hook is called with the instance."""

EVENTS: tuple[str, ...] = (*get_args(WriteEvent), "after_commit")

Hook: TypeAlias = Callable[..., object]
"""Called with the instance; after the commit also with the ``Change``."""


class Hooks(NamedTuple):
    """What is called around one change to the rows of a model."""

    change: Change
    first: tuple[Hook, ...] = ()
    then: tuple[Hook, ...] = ()
    committed: tuple[Hook, ...] = ()

    def around(
        self, records: Sequence[Any], make: Callable[[], Operation[R]]
    ) -> Course[R]:
        """Return the course of an operation, made when what comes first was called."""
        return Course(self.surrounding(records, make))

    def surrounding(
        self, records: Sequence[Any], make: Callable[[], Operation[R]]
    ) -> Parts[R]:
        """Call what comes first, write, and call what comes then."""
        yield from self.before(records)
        value = yield from carry_out(make())
        yield from self.after(records)
        return value

    def before(self, records: Iterable[Any]) -> Parts[None]:
        """Call what may change the records, or refuse them."""
        for record in records:
            for hook in self.first:
                yield Call(hook, (record,))

    def after(self, records: Sequence[Any]) -> Parts[None]:
        """Call what is told of the records, at once or after the commit.

        The latter is noted first: hooks that are called at once may write themselves.
        """
        for record in records:
            for hook in self.committed:
                yield Call(hook, (record, self.change), is_late=True)
        for record in records:
            for hook in self.then:
                yield Call(hook, (record,))


class ModelHooks(NamedTuple):
    """The hooks of one model by change; ``None`` where there are none."""

    insert: Hooks | None
    update: Hooks | None
    delete: Hooks | None

    def of(self, change: Change) -> Hooks:
        """Return those of a change, which may be none at all."""
        found: Hooks | None = getattr(self, change)
        return found or Hooks(change)


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """A function that is called for a model, and for those that inherit from it.

    Equal to no other: the same function may be subscribed twice.
    """

    model: type[Any]
    event: str
    hook: Hook


class HookRegistry:
    """What one database object calls.

    ``of`` gives the ``ModelHooks`` of a model, prepared once: where there are none,
    writing must cost nothing. ``are_awaited``: whether coroutine functions are welcome.
    """

    def __init__(self) -> None:
        self.are_awaited = False
        self._subscriptions: list[Subscription] = []
        self.of = _ByModel(self)

    def add(self, new: Subscription) -> Callable[[], None]:
        """Have it called; returns what ends that. Raises ``TypeError``."""
        self._check(new.hook)
        self._subscriptions.append(new)
        self.of = _ByModel(self)  # another one: somebody may be asking the old one

        def remove() -> None:
            with suppress(ValueError):  # it has been removed before
                self._subscriptions.remove(new)
            self.of = _ByModel(self)

        return remove

    def prepared(self, model: type[Any]) -> ModelHooks:
        """Return what is called for a model."""
        found = {event: tuple(self._found(model, event)) for event in EVENTS}
        late = found["after_commit"]
        each = {
            change: Hooks(
                change, found[f"before_{change}"], found[f"after_{change}"], late
            )
            for change in get_args(Change)
        }
        return ModelHooks(
            **{
                change: hooks if any(hooks[1:]) else None
                for change, hooks in each.items()
            }
        )

    def _found(self, model: type[Any], event: str) -> Iterator[Hook]:
        method = getattr(model, event, None)
        if callable(method):
            self._check(method)
            yield method
        for each in tuple(self._subscriptions):
            if each.event == event and issubclass(model, each.model):
                yield each.hook

    def _check(self, hook: Hook) -> None:
        if not inspect.iscoroutinefunction(hook) or self.are_awaited:
            return
        name = getattr(hook, "__qualname__", repr(hook))
        msg = (
            f"the hook {name} is a coroutine function, which only AsyncSqliterDB can "
            "await: make it a plain function"
        )
        raise TypeError(msg)


class _ByModel(dict[type[Any], ModelHooks]):
    """Looks the hooks of a model up at first use."""

    def __init__(self, registry: HookRegistry) -> None:
        super().__init__()
        self._registry = registry

    def __missing__(self, model: type[Any]) -> ModelHooks:
        found = self[model] = self._registry.prepared(model)
        return found
