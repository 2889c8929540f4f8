"""`ModelRegistry`: who points to whom, kept and forgotten."""

import gc
import sys
import weakref

import pytest

pytestmark = pytest.mark.only("memory")


@pytest.fixture
def registry(orm):
    from sqliter.orm import ModelRegistry

    return ModelRegistry


# --- look-ups ----------------------------------------------------------------------------


def test_models_are_found_by_table_and_by_name(registry, library):
    assert registry.get_model("authors") is library.Author
    assert registry.get_model_by_name("Author") is library.Author
    assert registry.get_model("nowhere") is None
    assert registry.get_model_by_name("Nobody") is None


def test_keys_are_listed_by_table(registry, library):
    author, editor = registry.get_foreign_keys("books")
    assert author == {
        "to_model": library.Author,
        "fk_field": "author",
        "on_delete": "CASCADE",
        "related_name": "books",
    }
    assert (editor["fk_field"], editor["on_delete"]) == ("editor", "SET NULL")
    assert registry.get_foreign_keys("nowhere") == []


def test_links_are_listed_by_table(registry, press):
    assert registry.get_m2m_relationships("articles") == [
        {
            "to_model": press.Tag,
            "m2m_field": "tags",
            "junction_table": "articles_tags",
            "related_name": "articles",
            "symmetrical": False,
        }
    ]
    assert registry.get_m2m_relationships("nowhere") == []


def test_what_is_listed_is_a_copy(registry, library):
    registry.get_foreign_keys("books").clear()
    assert len(registry.get_foreign_keys("books")) == 2


def test_the_last_class_of_a_table_counts(registry, orm, library):
    class Author(orm.BaseDBModel):
        name: str

    assert registry.get_model("authors") is Author
    assert registry.get_model_by_name("Author") is Author


def test_an_accessor_can_be_asked_for(registry, orm, library):
    class Note(orm.BaseDBModel):
        writer_id: int = 0

    registry.add_reverse_relationship(Note, library.Author, "writer", "notes")
    assert library.Author.notes.from_model is Note
    with pytest.raises(
        AttributeError, match="Reverse relationship 'notes' already exists"
    ):
        registry.add_reverse_relationship(Note, library.Author, "other", "notes")


def test_an_accessor_waits_for_its_target(registry, orm, library):
    class Note(orm.BaseDBModel):
        writer_id: int = 0

    registry.reset()
    registry.add_reverse_relationship(Note, library.Author, "writer", "notes")
    registry.register_model(library.Author)
    assert library.Author.notes.from_model is Note


def test_a_key_can_be_registered(registry, library):
    registry.register_foreign_key(library.Author, library.Book, "best", "RESTRICT")
    (entry,) = registry.get_foreign_keys("authors")
    assert (entry["to_model"], entry["fk_field"]) == (library.Book, "best")
    assert entry["related_name"] is None


def test_a_waiting_link_is_told_its_target(registry, orm, library):
    class Stub:
        junction_table = None
        told = None

        def resolve_forward_ref(self, cls):
            self.told = cls
            self.junction_table = "authors_latecomers"

    stub = Stub()
    registry.add_pending_m2m_relationship(
        from_model=library.Author,
        to_model_name="Latecomer",
        m2m_field="lates",
        related_name="late_authors",
        symmetrical=False,
        descriptor=stub,
    )
    assert stub.told is None

    class Latecomer(orm.BaseDBModel):
        name: str

    assert stub.told is Latecomer
    (entry,) = registry.get_m2m_relationships("authors")
    assert entry["junction_table"] == "authors_latecomers"
    assert hasattr(Latecomer, "late_authors")


def test_a_waiting_link_without_a_junction_is_an_error(registry, orm, library):
    class Stub:
        junction_table = None

        def resolve_forward_ref(self, cls):
            pass

    stub = Stub()
    registry.add_pending_m2m_relationship(
        from_model=library.Author,
        to_model_name="Latecomer",
        m2m_field="lates",
        related_name="late_authors",
        symmetrical=False,
        descriptor=stub,
    )
    text = "ManyToMany junction table could not be resolved."
    with pytest.raises((ValueError, RuntimeError), match=text):

        class Latecomer(orm.BaseDBModel):
            name: str


# --- reset, snapshot, restore ------------------------------------------------------------


def test_reset_forgets_all_but_the_classes_keep_their_accessors(registry, library):
    registry.reset()
    assert registry.get_model("authors") is None
    assert registry.get_foreign_keys("books") == []
    assert library.Author.books.from_model is library.Book


def test_a_snapshot_has_these_parts(registry):
    assert set(registry.snapshot()) == {
        "models", "models_by_name", "foreign_keys", "pending_reverses",
        "m2m_relationships", "pending_m2m_reverses", "pending_m2m_targets",
    }  # fmt: skip


def test_restore_brings_back_and_forgets(registry, orm, library):
    state = registry.snapshot()

    class Later(orm.BaseDBModel):
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)

    registry.restore(state)
    assert registry.get_model_by_name("Later") is None
    assert registry.get_foreign_keys("laters") == []
    registry.reset()
    registry.restore(state)
    assert registry.get_model("authors") is library.Author
    assert len(registry.get_foreign_keys("books")) == 2


@pytest.mark.defect("O-22")
@pytest.mark.parametrize("kind", ["ManyToMany", "ForeignKey"])
def test_a_restored_class_still_finds_its_late_target(registry, declare, kind):
    text = "class Early(BaseDBModel):\n    late: {0}['Latecomer'] = {0}('Latecomer')\n"
    shop = declare(text.format(kind))
    registry.restore(registry.snapshot())
    declare("class Latecomer(BaseDBModel):\n    name: str\n")
    assert shop.Early.late.to_model is shop.Latecomer


@pytest.mark.defect("O-22")
def test_a_snapshot_does_not_change_afterwards(registry, orm, library):
    state = registry.snapshot()
    sizes = {part: len(state[part]) for part in state}
    registry.restore(state)

    class Later(orm.BaseDBModel):
        author: orm.ForeignKey[library.Author] = orm.ForeignKey(library.Author)

    assert {part: len(state[part]) for part in state} == sizes
    registry.restore(state)
    assert registry.get_model_by_name("Later") is None


def test_a_forgotten_class_is_not_kept_alive(registry, orm):
    class Fleeting(orm.BaseDBModel):
        name: str

    known = weakref.ref(Fleeting)
    del Fleeting
    gc.collect()
    assert known() is None
    assert registry.get_model_by_name("Fleeting") is None


@pytest.mark.defect("O-42")
def test_a_definition_costs_the_same_among_many_models(orm, declare):
    text = """
        class Target{0}(BaseDBModel):
            name: str

        class Pointer{0}(BaseDBModel):
            target: ForeignKey[Target{0}] = ForeignKey(Target{0}, related_name="pointers")
            links: ManyToMany[Target{0}] = ManyToMany(Target{0}, related_name="linked")
    """
    declare(text.format("Warm"))
    first = calls(lambda: declare(text.format("First")))
    for number in range(60):
        declare(text.format(number))
    assert calls(lambda: declare(text.format("Last"))) < 1.3 * first


def calls(function):
    """How many Python functions a call leads to."""
    count = 0

    def see(frame, event, arg):
        nonlocal count
        count += event == "call"

    gc.disable()
    before = sys.getprofile()
    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count
