"""The names that `sqliter.orm` and `sqliter.asyncio.orm` offer."""

import importlib

import pytest

SYNC = [
    "BaseDBModel", "ForeignKey", "ManyToMany", "ModelRegistry", "Prefetch",
    "ReverseManyToMany", "ReverseRelationship", "fk_id",
]  # fmt: skip
ASYNC = [
    "AsyncBaseDBModel", "AsyncForeignKey", "AsyncLazyLoader", "AsyncManyToMany",
    "AsyncManyToManyManager", "AsyncPrefetchedM2MResult", "AsyncPrefetchedResult",
    "AsyncReverseManyToMany", "AsyncReverseQuery", "AsyncReverseRelationship",
    "Prefetch", "fk_id",
]  # fmt: skip
DEEP = {
    "sqliter.orm.fields": "ForeignKey ForeignKeyDescriptor LazyLoader HasPK",
    "sqliter.orm.foreign_key": "ForeignKey",
    "sqliter.orm.model": "BaseDBModel",
    "sqliter.orm.query": "ReverseRelationship ReverseQuery PrefetchedResult HasPKAndContext",
    "sqliter.orm.m2m": (
        "ManyToMany ManyToManyManager PrefetchedM2MResult ReverseManyToMany ManyToManyInfo "
        "ManyToManyOptions M2MSQLMetadata HasPKAndContext create_junction_table "
        "build_junction_table_sql build_junction_index_sqls"
    ),
    "sqliter.orm.registry": "ModelRegistry",
    "sqliter.asyncio.orm.fields": "AsyncForeignKey AsyncLazyLoader",
    "sqliter.asyncio.orm.model": "AsyncBaseDBModel",
    "sqliter.asyncio.orm.query": (
        "AsyncReverseQuery AsyncPrefetchedResult AsyncReverseRelationship HasPKAndContext"
    ),
    "sqliter.asyncio.orm.m2m": (
        "AsyncManyToMany AsyncManyToManyManager AsyncPrefetchedM2MResult "
        "AsyncReverseManyToMany HasPKAndContext"
    ),
}


@pytest.mark.parametrize(
    ("package", "names"), [("sqliter.orm", SYNC), ("sqliter.asyncio.orm", ASYNC)]
)
def test_the_packages_offer_their_names(package, names):
    module = importlib.import_module(package)
    assert set(names) <= set(module.__all__)
    assert all(hasattr(module, name) for name in names)


@pytest.mark.parametrize("module", DEEP)
def test_the_deep_paths(module):
    found = importlib.import_module(module)
    assert [name for name in DEEP[module].split() if not hasattr(found, name)] == []


def test_one_class_has_one_identity():
    from sqliter.orm import ForeignKey, fields, foreign_key

    assert fields.ForeignKeyDescriptor is fields.ForeignKey is ForeignKey
    assert foreign_key.ForeignKey is ForeignKey


def test_awaited_declarations_are_blocking_ones_too():
    from sqliter import model, orm
    from sqliter.asyncio import orm as awaited

    assert issubclass(awaited.AsyncForeignKey, orm.ForeignKey)
    assert issubclass(awaited.AsyncManyToMany, orm.ManyToMany)
    assert issubclass(awaited.AsyncReverseManyToMany, orm.ReverseManyToMany)
    assert issubclass(awaited.AsyncReverseRelationship, orm.ReverseRelationship)
    assert issubclass(awaited.AsyncBaseDBModel, orm.BaseDBModel)
    assert issubclass(orm.BaseDBModel, model.BaseDBModel)
