"""``ModelRegistry``: which models there are, and how they refer to each other."""

from __future__ import annotations

import weakref
from typing import Any, ClassVar, TypeAlias

from sqliter.model import registry
from sqliter.model.relations import (
    ForwardKey,
    ManyLink,
    ReverseKey,
    ReverseLink,
    add_link,
    relations_of,
)
from sqliter.model.table import is_table_of
from sqliter.orm.accessors import Accessor
from sqliter.orm.fields import ForeignKey
from sqliter.orm.installing import check_free, install
from sqliter.orm.m2m import ManyToMany

__all__ = ["ModelRegistry"]

_Entries: TypeAlias = dict[str, Any]
_ByModel: TypeAlias = weakref.WeakKeyDictionary[type[Any], list[_Entries]]


class _Pending:
    """Something that waits for a class; told once."""

    def __init__(self, kind: str, target: str, arrived: Any) -> None:
        self.kind = kind
        self.target = target
        self._arrived = arrived

    def ready(self, model: type[Any]) -> None:
        if self in ModelRegistry.pending:
            ModelRegistry.pending.remove(self)
            self._arrived(model)


class ModelRegistry:
    """Looks up models and relations, and takes in some made by hand.

    Models register themselves, and are forgotten when nothing else knows them.
    """

    pending: ClassVar[list[_Pending]] = []
    _keys: ClassVar[_ByModel] = weakref.WeakKeyDictionary()
    _links: ClassVar[_ByModel] = weakref.WeakKeyDictionary()

    # --- looking up ---

    @classmethod
    def get_model(cls, table_name: str) -> type[Any] | None:
        """Return the newest model of a table, or ``None``."""
        found = [m for m in registry.models() if is_table_of(table_name, m)]
        return found[-1] if found else None

    @classmethod
    def get_model_by_name(cls, class_name: str) -> type[Any] | None:
        """Return the newest model of a class name, or ``None``."""
        found = registry.models(class_name)
        return found[-1] if found else None

    @classmethod
    def get_foreign_keys(cls, table_name: str) -> list[_Entries]:
        """Return the foreign keys of a table's model as dicts.

        Their keys are ``to_model``, ``fk_field``, ``on_delete``, ``related_name``.
        """
        model = cls.get_model(table_name)
        if model is None:
            return []
        declared = [
            _key_entry(
                accessor.to_model, name, accessor.fk_info.on_delete, each.inverse
            )
            for name, each in relations_of(model).items()
            if isinstance(accessor := getattr(model, name), ForeignKey)
        ]
        return declared + list(cls._keys.get(model, ()))

    @classmethod
    def get_m2m_relationships(cls, table_name: str) -> list[_Entries]:
        """Return the many-to-many relations that a table's model declares, as dicts.

        Their keys are ``to_model``, ``m2m_field``, ``junction_table``,
        ``related_name``, ``symmetrical``.
        """
        model = cls.get_model(table_name)
        if model is None:
            return []
        declared = [
            _link_entry(each, accessor.to_model, accessor.junction_table)
            for name, each in relations_of(model).items()
            if isinstance(each, ManyLink)
            and isinstance(accessor := getattr(model, name), ManyToMany)
        ]
        return declared + list(cls._links.get(model, ()))

    # --- by hand ---

    @classmethod
    def register_model(cls, model_class: type[Any]) -> None:
        """Make a model known; whoever waits for it is told."""
        registry.register(model_class)

    @classmethod
    def register_foreign_key(
        cls,
        from_model: type[Any],
        to_model: type[Any],
        fk_field: str,
        on_delete: str,
        related_name: str | None = None,
    ) -> None:
        """Add a foreign key to what ``get_foreign_keys`` lists."""
        entry = _key_entry(to_model, fk_field, on_delete, related_name)
        cls._keys.setdefault(from_model, []).append(entry)

    @classmethod
    def add_reverse_relationship(
        cls,
        from_model: type[Any],
        to_model: type[Any],
        fk_field: str,
        related_name: str,
    ) -> None:
        """Give ``to_model`` the attribute that leads back; once it is known."""

        def place(target: type[Any]) -> None:
            forward = ForwardKey(from_model, fk_field, f"{fk_field}_id", target)
            handles = from_model.__handles__
            text = "Reverse relationship '{name}' already exists on {target}"
            check_free(target, related_name, forward, handles.reverse_key, text)
            accessor = handles.reverse_key(from_model, fk_field, related_name)
            accessor.handles = handles
            install(
                target,
                related_name,
                accessor,
                ReverseKey(target, related_name, forward),
            )

        if to_model in registry.models():
            place(to_model)
        else:
            cls._wait("pending_reverses", to_model.__name__, from_model, place)

    @classmethod
    def add_m2m_relationship(
        cls,
        from_model: type[Any],
        to_model: type[Any],
        m2m_field: str,
        junction_table: str,
        related_name: str | None,
        *,
        symmetrical: bool = False,
    ) -> None:
        """Add a many-to-many relation, with the attribute that leads back."""
        link = ManyLink(
            from_model,
            m2m_field,
            to_model,
            through=junction_table,
            symmetrical=symmetrical,
        )
        if related_name is not None and not symmetrical:
            _place_link(link, to_model, related_name)
        add_link(link)
        entry = _link_entry(link, to_model, junction_table)
        cls._links.setdefault(from_model, []).append(entry)

    @classmethod
    def add_pending_m2m_relationship(
        cls,
        *,
        from_model: type[Any],
        to_model_name: str,
        m2m_field: str,
        related_name: str | None,
        symmetrical: bool,
        descriptor: Any,
    ) -> None:
        """Add a many-to-many relation once a class of that name exists.

        The descriptor is told (``resolve_forward_ref``), and must then know its
        ``junction_table``; else ``ValueError``.
        """

        def arrived(model: type[Any]) -> None:
            descriptor.resolve_forward_ref(model)
            if descriptor.junction_table is None:
                msg = "ManyToMany junction table could not be resolved."
                raise ValueError(msg)
            cls.add_m2m_relationship(
                from_model,
                model,
                m2m_field,
                descriptor.junction_table,
                related_name,
                symmetrical=symmetrical,
            )

        cls._wait("pending_m2m_targets", to_model_name, from_model, arrived)

    # --- all of it ---

    @classmethod
    def reset(cls) -> None:
        """Forget everything; attributes that classes have stay."""
        registry.restore([], {})
        cls.pending.clear()
        cls._keys.clear()
        cls._links.clear()

    @classmethod
    def snapshot(cls) -> _Entries:
        """Return everything that is known, for ``restore``."""
        models = registry.models()
        return {
            "models": {(m.__module__, m.__qualname__): m for m in models},
            "models_by_name": _by_name(models),
            "foreign_keys": {m: list(e) for m, e in cls._keys.items()},
            "m2m_relationships": {m: list(e) for m, e in cls._links.items()},
            "pending_reverses": cls._pending_of("pending_reverses"),
            "pending_m2m_reverses": registry.waiting(),
            "pending_m2m_targets": cls._pending_of("pending_m2m_targets"),
        }

    @classmethod
    def restore(cls, state: _Entries) -> None:
        """Know exactly what was known at ``snapshot``; the snapshot stays as it is."""
        models = [
            model for named in state["models_by_name"].values() for model in named
        ]
        registry.restore(models, state["pending_m2m_reverses"])
        cls.pending[:] = [*state["pending_reverses"], *state["pending_m2m_targets"]]
        for kept, entries in (
            (cls._keys, state["foreign_keys"]),
            (cls._links, state["m2m_relationships"]),
        ):
            kept.clear()
            kept.update({model: list(each) for model, each in entries.items()})

    @classmethod
    def _wait(cls, kind: str, target: str, owner: type[Any], arrived: Any) -> None:
        pending = _Pending(kind, target, arrived)
        cls.pending.append(pending)
        registry.when_ready(target, owner, pending.ready)

    @classmethod
    def _pending_of(cls, kind: str) -> list[_Pending]:
        return [each for each in cls.pending if each.kind == kind]


def _place_link(link: ManyLink, target: type[Any], name: str) -> None:
    accessor = link.owner.__handles__.reverse_link(
        link.owner, target, link.through, name
    )
    _place(accessor, ReverseLink(target, name, link), ManyToMany.taken)
    link.inverse = name


def _place(accessor: Accessor, reverse: ReverseKey | ReverseLink, taken: str) -> None:
    """Give the target the attribute that leads back, unless the name is taken."""
    target, name = reverse.owner, reverse.name
    check_free(target, name, reverse.forward, type(accessor), taken)
    accessor.handles = reverse.target.__handles__
    install(target, name, accessor, reverse)


def _by_name(models: list[type[Any]]) -> dict[str, list[type[Any]]]:
    found: dict[str, list[type[Any]]] = {}
    for model in models:
        found.setdefault(model.__name__, []).append(model)
    return found


def _key_entry(
    to_model: Any, fk_field: str, on_delete: str, related_name: str | None
) -> _Entries:
    return {
        "to_model": to_model,
        "fk_field": fk_field,
        "on_delete": on_delete,
        "related_name": related_name,
    }


def _link_entry(link: ManyLink, to_model: Any, junction_table: str | None) -> _Entries:
    return {
        "to_model": to_model,
        "m2m_field": link.name,
        "junction_table": junction_table,
        "related_name": None if link.symmetrical else link.inverse,
        "symmetrical": link.symmetrical,
    }
