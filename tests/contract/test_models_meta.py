"""What a model class says about itself: built-in fields, configuration, `Meta`, table names."""

import sys

import pytest
from pydantic import ValidationError

from sqliter.exceptions import SqliterError
from sqliter.helpers import validate_table_name
from sqliter.model import BaseDBModel


class Person(BaseDBModel):
    name: str
    age: int = 0
    tags: list[str] = []


def named(name: str) -> type[BaseDBModel]:
    return type(
        name, (BaseDBModel,), {"__module__": __name__, "__annotations__": {"x": int}}
    )


def with_table(table: object) -> type[BaseDBModel]:
    class Sample(BaseDBModel):
        class Meta:
            table_name = table

    return Sample


# --- fields and configuration ------------------------------------------------------------


def test_built_in_fields_come_first():
    assert list(Person.model_fields) == [
        "pk",
        "created_at",
        "updated_at",
        "name",
        "age",
        "tags",
    ]


def test_fields_of_parents_come_before_own_fields():
    class Employee(Person):
        salary: int

    assert list(Employee.model_fields)[3:] == ["name", "age", "tags", "salary"]


def test_unsaved_instance_has_zero_pk_and_timestamps():
    person = Person(name="Ada")
    assert (person.pk, person.created_at, person.updated_at) == (0, 0, 0)


def test_base_model_can_be_instantiated():
    assert BaseDBModel().pk == 0


def test_pk_cannot_be_none():
    with pytest.raises(ValidationError):
        Person(pk=None, name="Ada")


def test_unknown_constructor_keywords_are_dropped():
    assert not hasattr(Person(name="Ada", id=3), "id")


def test_assignment_is_coerced():
    person = Person(name="Ada")
    person.age = "7"
    assert person.age == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [("age", "old"), ("tags", "a"), ("tags", {"a": 1}), ("name", None)],
)
def test_assignment_of_a_wrong_type_is_refused(field, value):
    person = Person(name="Ada")
    with pytest.raises(ValidationError):
        setattr(person, field, value)


@pytest.mark.parametrize(
    "option", ["populate_by_name", "validate_assignment", "from_attributes"]
)
def test_configuration(option):
    assert Person.model_config[option] is True


def test_extra_fields_are_ignored_by_configuration():
    assert Person.model_config["extra"] == "ignore"


@pytest.mark.parametrize(
    "owner", [Person, Person(name="Ada")], ids=["class", "instance"]
)
def test_class_methods_answer_on_class_and_instance(owner):
    assert owner.get_table_name() == "people"
    assert owner.get_primary_key() == "pk"
    assert owner.should_create_pk() is True


# --- table names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("User", "users"),
        ("UserModel", "users"),
        ("DefaultNameModel", "default_names"),
        ("TestModel", "tests"),
        ("UserProfile", "user_profiles"),
        ("Person", "people"),
        ("PersonModel", "people"),
        ("Category", "categories"),
        ("Bus", "buses"),
        ("Status", "statuses"),
        ("OAuth2Token", "o_auth2_tokens"),
        ("HTTPServer", "h_t_t_p_servers"),
        ("_Private", "__privates"),
    ],
)
def test_inferred_table_name(name, table):
    assert named(name).get_table_name() == table


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("User", "users"),
        ("UsersModel", "users"),
        ("Person", "persons"),
        ("Category", "categorys"),
        ("Status", "status"),
    ],
)
def test_inferred_table_name_without_inflect(monkeypatch, name, table):
    monkeypatch.setitem(sys.modules, "inflect", None)
    assert named(name).get_table_name() == table


@pytest.mark.defect("D28")
@pytest.mark.parametrize("name", ["Users", "UsersModel"])
def test_plural_class_names_are_left_alone(name):
    assert named(name).get_table_name() == "users"


@pytest.mark.defect("D28")
def test_class_named_model_gets_a_real_table_name_or_a_clear_error():
    try:
        table = named("Model").get_table_name()
    except ValueError as error:
        assert "table" in str(error)
    else:
        assert validate_table_name(table) != "s"


@pytest.mark.parametrize("table", ["users", "Custom_Name", "_x1", "order"])
def test_explicit_table_name_is_kept(table):
    assert with_table(table).get_table_name() == table


def test_explicit_none_means_infer():
    assert with_table(None).get_table_name() == "samples"


def test_own_meta_without_a_table_name_means_infer():
    class Named(BaseDBModel):
        class Meta:
            table_name = "other_name"

    class Item(Named):
        class Meta:
            indexes = ()

    assert Item.get_table_name() == "items"


def test_meta_changed_later_is_respected():
    model = with_table("before")
    assert model.get_table_name() == "before"
    model.Meta.table_name = "after"
    assert model.get_table_name() == "after"


@pytest.mark.parametrize(
    "table",
    [
        "invalid-table-name",
        'users"; DROP TABLE users; --',
        "123table",
        "a b",
        "Über",
        "",
    ],
)
def test_invalid_table_name_is_refused(table):
    with pytest.raises(ValueError, match="Invalid table name.*must start with"):
        with_table(table).get_table_name()


@pytest.mark.defect("D42")
@pytest.mark.parametrize("table", ["users\n", "sqlite_users", "SQLITE_users"])
def test_reserved_and_multi_line_table_names_are_refused(table):
    with pytest.raises(ValueError, match="table name"):
        with_table(table).get_table_name()


@pytest.mark.defect("D43")
def test_a_subclass_never_shares_its_parents_table_silently():
    class Parent(BaseDBModel):
        class Meta:
            table_name = "parents_of_all"

    try:

        class Child(Parent):
            extra: str

        table = Child.get_table_name()
    except (ValueError, TypeError, SqliterError) as error:
        assert "parents_of_all" in str(error)
    else:
        assert table != "parents_of_all"


@pytest.mark.defect("D43")
async def test_fields_that_differ_in_case_only_are_refused(db):
    with pytest.raises((ValueError, TypeError, SqliterError), match="(?i)name"):

        class Twice(BaseDBModel):
            name: str
            Name: str

        await db.create_table(Twice)


@pytest.mark.parametrize("table", ["order", "select", "group"])
async def test_keywords_work_as_table_and_column_names(db, table):
    class Keyword(BaseDBModel):
        select: str
        order: int

        class Meta:
            table_name = table
            indexes = ("order", ("select", "order"))

    await db.create_table(Keyword)
    row = await db.insert(Keyword(select="a", order=1))
    row.order = 2
    await db.update(row)
    assert await db.get(Keyword, row.pk) == row
    await db.create_table(Keyword, force=True)
    assert await db.get(Keyword, row.pk) is None
    await db.reset_database()
    assert await db.get_table_names() == []


async def test_class_variables_and_private_attributes_are_no_columns(db):
    from typing import ClassVar

    class Quiet(BaseDBModel):
        limit: ClassVar[int] = 5
        _seen: bool = False
        name: str

    await db.create_table(Quiet)
    columns = await db.fetch("SELECT name FROM pragma_table_info('quiets')")
    assert [c["name"] for c in columns] == ["pk", "created_at", "updated_at", "name"]


async def test_models_defined_under_one_name_do_not_cross_talk(db):
    def define(kind):
        class Note(BaseDBModel):
            value: kind

        return Note

    first, second = define(int), define(str)
    await db.create_table(first)
    row = await db.insert(first(value=5))
    assert (await db.get(first, row.pk)).value == 5
    assert second.model_fields["value"].annotation is str
    await db.create_table(second, force=True)
    row = await db.insert(second(value="five"))
    assert (await db.get(second, row.pk)).value == "five"
