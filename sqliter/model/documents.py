"""What is where in the JSON of a column: from annotations to paths."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Container, Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import (
    Annotated,
    Any,
    NamedTuple,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from pydantic import BaseModel
from typing_extensions import is_typeddict

from sqliter.model.codecs import Codec
from sqliter.model.codecs.annotations import arms, unwrap

__all__ = [
    "HasCodec",
    "Part",
    "Shape",
    "cut",
    "declared",
    "field_of",
    "json_path",
    "root_of",
    "shape_of",
    "step",
    "walk",
]

_TAGS: dict[Any, str] = {date: "date", UUID: "uuid", Decimal: "decimal"}
_INDEX = re.compile("0|-?[1-9][0-9]{0,8}")
_UNFIT = re.compile('[\0-\x1f"\\\\\ud800-\udfff]')


class HasCodec(Protocol):
    """A column, as far as it matters here."""

    codec: Codec


C = TypeVar("C", bound=HasCodec)


class Part(NamedTuple):
    """A part of the JSON of a column: its annotation, and the path that leads to it.

    ``tagged``: values that JSON has no form for are objects with one key, such as
    ``{"$date": "2024-12-24"}``.
    """

    annotation: Any
    tagged: bool
    path: str = "$"

    def __str__(self) -> str:
        kind = self.kind
        is_class = isinstance(kind, type) and not get_args(kind)
        return kind.__name__ if is_class else str(kind).removeprefix("typing.")

    @property
    def kind(self) -> Any:
        """The annotation without wrappers and ``None``; ``Any`` for unions."""
        kind = unwrap(self.annotation)[0]
        others = [arm for arm in arms(kind) if arm is not NoneType]
        if len(others) != 1:
            return Any
        kind = unwrap(others[0])[0]
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        if is_model and kind.__pydantic_root_model__:
            root = kind.model_fields["root"].annotation
            return self._replace(annotation=root).kind
        return kind

    @property
    def tag(self) -> str:
        """What leads from a tagged scalar to what can be compared."""
        kind = self.kind
        is_class = isinstance(kind, type) and self.tagged
        return f'."${_TAGS[kind]}"' if is_class and kind in _TAGS else ""

    @property
    def value_path(self) -> str:
        """The path of what can be compared."""
        return self.path + self.tag


class Shape(NamedTuple):
    """What is inside a container; ``None`` where there is nothing of the sort.

    ``inside`` leads from the container to its elements and keys.
    """

    element: Any = None
    key: Any = None
    value: Any = None
    places: tuple[Any, ...] | None = None
    is_indexed: bool = False
    inside: str = ""


_OPEN = Shape(element=Any, key=Any, value=Any, is_indexed=True)
_GROUPS: dict[Any, str] = {
    tuple: '."$tuple"',
    set: '."$set"',
    frozenset: '."$frozenset"',
    deque: '."$deque"[0]',
}


def root_of(codec: Codec) -> Part | None:
    """Return all that a column holds, if that is JSON."""
    form = codec.json
    return None if form is None else Part(form.annotation, form.tagged)


def shape_of(part: Part) -> Shape | None:
    """Return what is inside; ``None`` for what is no container."""
    kind = part.kind
    if kind is Any:
        return _OPEN
    names = declared(kind)
    if names is not None:
        return Shape(key=str, value=Any)
    origin, args = get_origin(kind) or kind, get_args(kind)
    if not isinstance(origin, type):
        return None
    if issubclass(origin, dict):
        key, value = args if len(args) == 2 else (Any, Any)
        return Shape(key=key, value=value)
    if origin is list:
        return Shape(element=args[0] if args else Any, is_indexed=True)
    for group, inside in _GROUPS.items():
        if issubclass(origin, group):
            return _group(origin, args, inside if part.tagged else "")
    # Of Sequence and the like nobody knows what they are kept as.
    return _OPEN if origin.__module__ == "collections.abc" else None


def _group(origin: type, args: tuple[Any, ...], inside: str) -> Shape:
    is_fixed = issubclass(origin, tuple) and args and args[-1] is not ...
    return Shape(
        element=Any if is_fixed or not args else args[0],
        places=args if is_fixed else None,
        is_indexed=not issubclass(origin, (set, frozenset)),
        inside=inside,
    )


def declared(kind: Any) -> dict[str, Any] | None:
    """Return the annotations of the names that a class declares, if it does so."""
    if not isinstance(kind, type):
        return None
    if issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        return {
            name: _whole(field.annotation, field.metadata) for name, field in fields
        }
    if dataclasses.is_dataclass(kind):
        return _hints(kind, [field.name for field in dataclasses.fields(kind)])
    return _hints(kind, kind.__annotations__) if is_typeddict(kind) else None


def _hints(kind: type, names: Iterable[str]) -> dict[str, Any]:
    try:
        hints = get_type_hints(kind)
    except NameError:  # its annotations are texts that speak of local names
        hints = {}
    return {name: hints.get(name, Any) for name in names}


def _whole(annotation: Any, metadata: list[Any]) -> Any:
    return Annotated[annotation, *metadata] if metadata else annotation


def step(part: Part, name: str, *, is_key: bool = False) -> Part:
    """Return the part of a part under a key, or at an index if it may be one.

    Raises ``ValueError`` if there can be none, or no path leads there.
    """
    shape = shape_of(part)
    if shape is None:
        msg = f"{part} has no parts"
        raise ValueError(msg)
    names = declared(part.kind)
    if names is not None and (name in names or not _is_extensible(part.kind)):
        if name not in names:
            msg = f"{part} has no field {name!r}"
            raise ValueError(msg)
        return part._replace(annotation=names[name], path=part.path + _key(part, name))
    if shape.is_indexed and not is_key and _INDEX.fullmatch(name):
        return _at(part, shape, int(name))
    if shape.key is None:
        hint = "an index such as 0 or -1" if shape.is_indexed else "'__contains'"
        msg = f"the elements of {part} are reached by {hint}"
        raise ValueError(msg)
    _check_key(part, shape, name)
    return part._replace(annotation=shape.value, path=part.path + _key(part, name))


def walk(columns: Mapping[str, C], name: str) -> tuple[C, Part] | None:
    """Return the part that ``"meta__theme"`` means, and its column, or ``None``.

    Raises ``ValueError`` for a part that there cannot be.
    """
    field = field_of(columns, name)
    part = root_of(columns[field].codec) if field else None
    if field is None or part is None or field == name:
        return None
    rest = name[len(field) + 2 :]
    while rest:
        key, rest, is_quoted = cut(rest)
        part = step(part, key, is_key=is_quoted)
    return columns[field], part


def field_of(fields: Container[str], name: str) -> str | None:
    """Return the longest field that a name begins with."""
    while name not in fields:
        name, found, _ = name.rpartition("__")
        if not found:
            return None
    return name


def cut(text: str) -> tuple[str, str, bool]:
    """Return the first name of several, the others, and whether it was in quotes."""
    if text.startswith('"'):
        from json import JSONDecoder  # noqa: PLC0415 - few programs need it

        try:
            name, end = JSONDecoder().raw_decode(text)
        except ValueError:
            name, end = "", -1
        if text[end : end + 2] in ("", "__") and end > 0:
            return name, text[end + 2 :], True
    name, _, rest = text.partition("__")
    return name, rest, False


def json_path(field: str, *names: str | int) -> str:
    """Return what leads, in keywords, from a field to a part of its JSON.

    Keys are taken as they are, operators, indexes and ``__`` among them included.

    Example:
        >>> size = json_path("meta", "len", 0)
        >>> db.select(User).filter(**{size: 3, f"{size}__ne": 4})
    """
    from json import dumps  # noqa: PLC0415 - few programs need it

    for name in names:
        _check_name(name)
    return "__".join((field, *(dumps(name, ensure_ascii=False) for name in names)))


def _check_name(name: object) -> None:
    if not isinstance(name, (str, int)) or isinstance(name, bool):
        msg = f"a key is a str, an index an int; {name!r} is neither"
        raise TypeError(msg)


def _at(part: Part, shape: Shape, index: int) -> Part:
    annotation = shape.element
    if shape.places is not None:
        if not -len(shape.places) <= index < len(shape.places):
            msg = f"{part} has no element {index}"
            raise ValueError(msg)
        annotation = shape.places[index]
    place = f"[#{index}]" if index < 0 else f"[{index}]"
    return part._replace(annotation=annotation, path=part.path + shape.inside + place)


def _check_key(part: Part, shape: Shape, name: str) -> None:
    """Keys that are no text are not kept as keys, but for those of ``dict[int, …]``."""
    key = unwrap(shape.key)[0]
    if key is int and not part.tagged:
        if not re.fullmatch("0|-?[1-9][0-9]*", name):
            msg = f"{name!r} is no key of {part}"
            raise ValueError(msg)
    elif not _is_text(key):
        msg = f"keys of {part} are no texts: JSON has no other ones"
        raise ValueError(msg)


def _is_text(key: Any) -> bool:
    choices = get_args(key) or (key,)
    return all(each in (str, Any) or isinstance(each, str) for each in choices)


def _is_extensible(kind: Any) -> bool:
    return getattr(kind, "model_config", {}).get("extra") == "allow"


def _key(part: Part, name: str) -> str:
    if not name or _UNFIT.search(name):
        msg = (
            f"a path to the key {name!r} cannot be written: it is empty, or has a "
            "quote, a backslash or a control character"
        )
        raise ValueError(msg)
    if part.tagged and name.startswith("$"):
        msg = f"a dict with a key such as {name!r} is no JSON object where it is kept"
        raise ValueError(msg)
    return f'."{name}"'
