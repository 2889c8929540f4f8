"""Hooks: who is called around which write, once, and what they may do to it."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest
from support import Signal, assert_no_transaction_left, unwrap

from sqliter.engines import prompt
from sqliter.exceptions import (
    RecordInsertionError,
    RecordNotFoundError,
    TransactionError,
)
from sqliter.expressions import F
from sqliter.model import BaseDBModel, unique

EVENTS = (
    "before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete",
)  # fmt: skip


class User(BaseDBModel):
    name: str = unique()
    age: int = 0
    note: str = ""


class Admin(User):
    class Meta:
        table_name = "admins"


class Event(BaseDBModel):
    text: str


class Polite(BaseDBModel):
    """Has every hook as a method; what is called is noted."""

    name: str

    def before_insert(self):
        self.name = self.name.strip()
        noted.append(("before_insert", self.name, self.pk))

    def after_insert(self):
        noted.append(("after_insert", self.name, self.pk))

    def before_update(self):
        if self.name == "no":
            raise Refusal
        noted.append(("before_update", self.name, self.pk))

    def after_update(self):
        noted.append(("after_update", self.name, self.pk))

    def before_delete(self):
        noted.append(("before_delete", self.name, self.pk))

    def after_delete(self):
        noted.append(("after_delete", self.name, self.pk))

    def after_commit(self, change):
        noted.append(("after_commit", self.name, change))


noted = []


class Refusal(Exception):
    """What the hooks of these tests raise."""


@pytest.fixture(autouse=True)
def clean():
    noted.clear()


@pytest.fixture
def calls(db):
    """What was called for a user in `db`, in order."""
    return listening(db, User)


def listening(db, model):
    calls = []
    for event in EVENTS:
        db.on(model, event, lambda user, event=event: calls.append((event, user.name)))
    db.on(
        model,
        "after_commit",
        lambda user, change: calls.append((f"committed {change}", user.name)),
    )
    return calls


def written(change, *names):
    """The calls for one write of so many, outside of a block."""
    return [
        (word, name)
        for word in (f"before_{change}", f"after_{change}", f"committed {change}")
        for name in names
    ]


def through(db, body):
    """A hook that does what the coroutine function says, in either colour."""
    if db is unwrap(db):
        return body

    def run(*arguments):
        try:
            body(*arguments).send(None)
        except StopIteration:
            pass

    return run


async def names(db, model=User):
    return await db.select(model).order("pk").scalars("name")


async def two(db):
    """The table, and two users in it."""
    await db.create_table(User)
    return await db.bulk_insert([User(name="a"), User(name="b")])


# --- who is called ---------------------------------------------------------------------


async def test_methods_are_called_and_may_change_what_is_written(db):
    await db.create_table(Polite)
    record = await db.insert(Polite(name=" ann "))
    assert noted == [
        ("before_insert", "ann", 0),
        ("after_insert", "ann", 1),
        ("after_commit", "ann", "insert"),
    ]
    assert (await db.get(Polite, 1)).name == "ann"
    noted.clear()
    record.name = "bob"
    await db.update(record)
    await db.delete(Polite, 1)
    assert noted == [
        ("before_update", "bob", 1),
        ("after_update", "bob", 1),
        ("after_commit", "bob", "update"),
        ("before_delete", "bob", 1),
        ("after_delete", "bob", 1),
        ("after_commit", "bob", "delete"),
    ]
    assert_no_transaction_left(db)


def seen(answer):
    """The answer of a verb, without the time of day."""
    if isinstance(answer, User):
        return answer.pk, answer.name, answer.age
    many = isinstance(answer, (list, tuple))
    return [seen(each) for each in answer] if many else answer


def changed(user):
    user.age += 1
    return user


VERBS = {
    "insert": (lambda db, a, b: db.insert(User(name="c")), written("insert", "c")),
    "save of a new one": (lambda db, a, b: db.save(User(name="c")), written("insert", "c")),
    "bulk_insert": (
        lambda db, a, b: db.bulk_insert([User(name="c"), User(name="d")]),
        written("insert", "c", "d"),
    ),
    "update": (lambda db, a, b: db.update(changed(a)), written("update", "a")),
    "save": (lambda db, a, b: db.save(changed(a)), written("update", "a")),
    "bulk_update": (
        lambda db, a, b: db.bulk_update([a, changed(b), b], ["age"]),
        written("update", "a", "b"),
    ),
    "delete": (lambda db, a, b: db.delete(User, b.pk), written("delete", "b")),
    "bulk_delete": (
        lambda db, a, b: db.bulk_delete(User, [b, a.pk, a, 99]),
        written("delete", "a", "b"),
    ),
    "get_or_create, found": (lambda db, a, b: db.get_or_create(User, name="a"), []),
    "get_or_create": (
        lambda db, a, b: db.get_or_create(User, name="c"),
        written("insert", "c"),
    ),
    "update_or_create, found": (
        lambda db, a, b: db.update_or_create(User, {"age": 3}, name="a"),
        written("update", "a"),
    ),
    "update_or_create": (
        lambda db, a, b: db.update_or_create(User, {"age": 3}, name="c"),
        written("insert", "c"),
    ),
    "upsert, new": (lambda db, a, b: db.upsert(User(name="c")), written("insert", "c")),
    "upsert": (lambda db, a, b: db.upsert(User(name="a", age=4)), written("update", "a")),
    "upsert of a key": (
        lambda db, a, b: db.upsert(User(pk=b.pk, name="d")),
        written("update", "d"),
    ),
    "bulk_upsert": (
        lambda db, a, b: db.bulk_upsert([User(name=n) for n in "cac"]),
        [
            ("before_insert", "c"),
            ("before_update", "a"),
            ("before_update", "c"),
            ("after_insert", "c"),
            ("after_update", "a"),
            ("after_update", "c"),
            ("committed insert", "c"),
            ("committed update", "a"),
            ("committed update", "c"),
        ],
    ),
    "upsert that keeps the row": (
        lambda db, a, b: db.upsert(User(name="a", age=4), update=[]),
        [],
    ),
    "nothing at all": (lambda db, a, b: db.bulk_insert([]), []),
    "update of a query": (
        lambda db, a, b: db.select(User).update({"age": F("age") + 1}),
        [],
    ),
    "update_where": (lambda db, a, b: db.update_where(User, {"pk": 1}, {"age": 1}), []),
    "delete of a query": (lambda db, a, b: db.select(User).delete(), []),
    "execute": (lambda db, a, b: db.execute('UPDATE "users" SET "age" = 1'), []),
    "reading": (lambda db, a, b: db.select(User).fetch_all(), []),
    "refresh": (lambda db, a, b: db.refresh(a), []),
}  # fmt: skip


@pytest.mark.only("memory")
async def test_each_verb_calls_what_belongs_to_what_it_does(make_db):
    """With hooks it returns what it returns without them, and leaves the same rows."""
    for verb, (act, expected) in VERBS.items():
        shown = []
        for has_hooks in (False, True):
            db = make_db()
            a, b = await two(db)
            calls = listening(db, User) if has_hooks else []
            answer = seen(await act(db, a, b))
            assert calls == (expected if has_hooks else []), verb
            rows = await db.select(User).order("pk").tuples("name", "age")
            shown.append((answer, rows))
            assert_no_transaction_left(db)
        assert shown[0] == shown[1], verb


async def test_links_and_rows_that_go_along_call_nothing(db, press, library, many):
    await press.create(db)
    article = await db.insert(press.Article(title="x"))
    tags = [await db.insert(press.Tag(name=name)) for name in "ab"]
    calls = []
    for model in (press.Article, press.Tag):
        for event in EVENTS:
            db.on(model, event, calls.append)
    await many(article.tags).add(*tags)
    await many(article.tags).clear()
    assert calls == []
    await library.create(db)
    author = await db.insert(library.Author(name="Ada"))
    await db.insert(library.Book(title="x", author=author))
    db.on(library.Book, "before_delete", calls.append)
    await db.delete(library.Author, author.pk)  # its books go by ON DELETE CASCADE
    assert calls == []
    assert not await db.select(library.Book).exists()


async def test_hooks_see_the_instance_that_was_given(db):
    a, b = await two(db)
    seen = []
    db.on(User, "before_delete", seen.append)
    db.on(User, "before_update", seen.append)
    await db.update(a)
    await db.bulk_delete(User, [a, b.pk])
    assert seen[0] is a
    assert seen[1] is a
    assert seen[2] == b


async def test_nobody_is_told_of_a_row_that_is_not_there(db, calls):
    await db.create_table(User)
    with pytest.raises(RecordNotFoundError) as caught:
        await db.delete(User, 9)
    assert caught.value.key == 9
    assert await db.bulk_delete(User, [9]) == 0
    assert calls == []


async def test_of_a_bulk_update_the_named_fields_are_written(db):
    a, _ = await two(db)
    db.on(User, "before_update", lambda user: setattr(user, "age", 7))
    db.on(User, "before_update", lambda user: setattr(user, "note", "kept back"))
    await db.bulk_update([a], ["age"])
    found = await db.get(User, a.pk)
    assert (found.age, found.note) == (7, "")


# --- subscribing -----------------------------------------------------------------------


async def test_a_subscription_ends(db):
    await db.create_table(User)
    calls = []
    stop = db.on(User, "after_insert", calls.append)
    also = db.on(User, "after_insert", calls.append)
    await db.insert(User(name="a"))
    assert len(calls) == 2
    stop()
    stop()
    await db.insert(User(name="b"))
    assert len(calls) == 3
    also()
    await db.insert(User(name="c"))
    assert len(calls) == 3


async def test_models_that_inherit_are_meant_too_and_others_are_not(db):
    for model in (User, Admin, Event):
        await db.create_table(model)
    calls = []
    db.on(User, "after_insert", lambda user: calls.append(type(user)))
    await db.insert(Admin(name="a"))
    await db.insert(Event(text="b"))
    await db.insert(User(name="c"))
    assert calls == [Admin, User]
    db.on(BaseDBModel, "after_insert", lambda each: calls.append("any"))
    await db.insert(Event(text="d"))
    assert calls == [Admin, User, "any"]


async def test_what_cannot_be_subscribed_is_refused(db):
    for arguments, error, text in (
        ((dict, "after_insert", print), TypeError, "is none"),
        ((User(name="x"), "after_insert", print), TypeError, "is none"),
        ((User, "after_select", print), ValueError, "before_insert, after_insert"),
        ((User, "after_insert", "print"), TypeError, "takes the instance"),
    ):
        with pytest.raises(error, match=text):
            db.on(*arguments)


class Awaited(BaseDBModel):
    name: str

    async def before_insert(self):
        await asyncio.sleep(0)
        self.name = self.name.upper()


@pytest.mark.only("async")
async def test_hooks_may_be_coroutine_functions(db):
    await db.create_table(Awaited)
    calls = []

    async def hook(record, change=None):
        await asyncio.sleep(0)
        calls.append((record.name, change))

    db.on(Awaited, "after_insert", hook)
    db.on(Awaited, "after_commit", hook)
    await db.insert(Awaited(name="a"))
    assert calls == [("A", None), ("A", "insert")]


@pytest.mark.only("sync")
async def test_a_coroutine_function_that_nobody_awaits_is_refused(db):
    async def hook(record):
        """Never called."""

    await db.create_table(Awaited)
    with pytest.raises(TypeError, match="hook is a coroutine function.*plain function"):
        db.on(Awaited, "after_insert", hook)
    with pytest.raises(TypeError, match=r"Awaited\.before_insert is a coroutine"):
        await db.insert(Awaited(name="a"))
    assert await names(db, Awaited) == []


# --- refusing --------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_a_hook_raises_undoes_the_write_and_arrives_unchanged(db, when):
    a, b = await two(db)
    error = Refusal(when)

    def refuse(_):
        raise error

    for change in ("insert", "update", "delete"):
        db.on(User, f"{when}_{change}", refuse)
    committed = listening(db, Event)
    db.on(User, "after_commit", lambda user, change: committed.append(change))
    new = [User(name="c"), User(name="d")]
    for write in (
        lambda: db.insert(new[0]),
        lambda: db.save(new[0]),
        lambda: db.bulk_insert(new),
        lambda: db.upsert(new[0]),
        lambda: db.update_or_create(User, {"age": 3}, name="a"),
        lambda: db.get_or_create(User, name="e"),
        lambda: db.update(changed(a)),
        lambda: db.bulk_update([changed(a), b], ["age"]),
        lambda: db.delete(User, b.pk),
        lambda: db.bulk_delete(User, [a, b]),
    ):
        with pytest.raises(Refusal) as caught:
            await write()
        assert caught.value is error
        assert_no_transaction_left(db)
    assert [each.pk for each in new] == [0, 0]
    assert [each.created_at for each in new] == [0, 0]
    rows = await db.select(User).order("pk").fetch_all()
    assert [(each.name, each.age) for each in rows] == [("a", 0), ("b", 0)]
    assert committed == []


@pytest.mark.only("sync")
async def test_even_what_python_itself_raises_for_other_reasons_arrives(db):
    await db.create_table(User)
    for error in (StopIteration, GeneratorExit, KeyboardInterrupt):

        def refuse(_, error=error):
            raise error

        stop = db.on(User, "before_insert", refuse)
        with pytest.raises(error):
            unwrap(db).insert(User(name="a"))
        stop()
    assert await names(db) == []
    assert_no_transaction_left(db)


async def test_a_refusal_in_a_block_undoes_one_write(db):
    await db.create_table(Polite)
    async with db:
        ann = await db.insert(Polite(name="ann"))
        ann.name = "no"
        with pytest.raises(Refusal):
            await db.update(ann)
        await db.insert(Polite(name="bob"))
    assert await names(db, Polite) == ["ann", "bob"]


async def test_a_write_that_fails_calls_nothing_after_it(db):
    await two(db)
    calls = listening(db, User)
    with pytest.raises(RecordInsertionError):
        await db.insert(User(name="a"))
    with pytest.raises(RecordNotFoundError):
        await db.update(User(pk=99, name="x"))
    assert calls == [("before_insert", "a"), ("before_update", "x")]


async def test_mixed_records_are_refused_before_anything_is_called(db, calls):
    a, _ = await two(db)
    calls.clear()
    for verb in (
        lambda both: db.bulk_insert(both),
        lambda both: db.bulk_update(both, ["age"]),
        lambda both: db.bulk_upsert(both),
    ):
        with pytest.raises(TypeError, match="same model type"):
            await verb([a, Event(text="x")])
    assert calls == []


async def test_a_hook_may_not_change_what_an_upsert_looked_the_row_up_by(db):
    await two(db)
    calls = []

    def rename(user):
        calls.append(user.name)
        user.name = "b"

    db.on(User, "before_insert", rename)
    with pytest.raises(ValueError, match="changed 'name' of User, by which"):
        await db.upsert(User(name="c"))
    assert calls == ["c"]
    assert await names(db) == ["a", "b"]


async def test_what_a_hook_assigned_stays_and_what_the_library_did_is_undone(db):
    await db.create_table(User)
    user = User(name="a")
    db.on(User, "before_insert", lambda user: setattr(user, "note", "by the hook"))
    with pytest.raises(Refusal):
        async with db:
            await db.insert(user)
            assert user.pk
            raise Refusal
    assert (user.pk, user.created_at, user.note) == (0, 0, "by the hook")


# --- after the commit ------------------------------------------------------------------


async def test_after_commit_waits_for_the_outermost_block(db, calls):
    await db.create_table(User)
    async with db:
        await db.insert(User(name="a"))
        async with db:
            await db.insert(User(name="b"))
        with pytest.raises(Refusal):
            async with db:
                await db.insert(User(name="never"))
                raise Refusal
        assert not [name for word, name in calls if word.startswith("committed")]
        calls.clear()
    assert calls == [("committed insert", "a"), ("committed insert", "b")]


async def test_after_commit_sees_what_is_committed_and_may_fail(db, calls):
    await db.create_table(User)
    seen = []

    async def look(user, change):
        seen.append((db.in_transaction, await names(db)))
        if user.name == "b":
            raise Refusal

    db.on(User, "after_commit", through(db, look))
    await db.insert(User(name="a"))
    with pytest.raises(Refusal):
        await db.insert(User(name="b"))
    assert seen == [(False, ["a"]), (False, ["a", "b"])]
    assert await names(db) == ["a", "b"]


# --- hooks that use the database -------------------------------------------------------


async def test_a_hook_reads_and_writes_in_the_same_transaction(db):
    for model in (User, Event):
        await db.create_table(model)

    async def log(user):
        assert db.in_transaction
        found = await db.get(User, user.pk)
        await db.insert(Event(text=f"{found.name} {user.age}"))
        if user.age > 9:
            raise Refusal

    db.on(User, "after_insert", through(db, log))
    await db.insert(User(name="a"))
    await db.bulk_insert([User(name="b"), User(name="c")])
    with pytest.raises(Refusal):
        await db.insert(User(name="d", age=10))
    texts = await db.select(Event).order("pk").scalars("text")
    assert texts == ["a 0", "b 0", "c 0"]
    assert_no_transaction_left(db)


async def test_hooks_of_what_hooks_write_are_called_too(db, calls):
    for model in (User, Event):
        await db.create_table(model)

    async def write(event):
        await db.insert(User(name=event.text))

    db.on(Event, "before_insert", through(db, write))
    await db.insert(Event(text="x"))
    assert calls == written("insert", "x")


async def test_a_cached_answer_is_dropped(make_db):
    db = make_db(cache_enabled=True)
    await two(db)
    listening(db, User)
    assert await names(db) == ["a", "b"]
    await db.insert(User(name="c"))
    await db.delete(User, 1)
    assert await names(db) == ["b", "c"]


async def test_objects_of_foreign_keys_may_be_assigned_by_a_hook(db, library):
    await library.create(db)

    async def give_author(book):
        book.author = await db.insert(library.Author(name="Ada"))

    db.on(library.Book, "before_insert", through(db, give_author))
    book = await db.insert(library.Book(title="x", author_id=77))
    author = await db.get(library.Author, book.author_id)
    assert author.name == "Ada"


async def test_a_read_only_transaction_stays_so(db, calls):
    await db.create_table(User)
    with pytest.raises(TransactionError):
        async with db.transaction(read_only=True):
            await db.insert(User(name="a"))
    assert await names(db) == []
    assert_no_transaction_left(db)


# --- without auto-commit ---------------------------------------------------------------


async def test_without_auto_commit_nothing_is_committed(make_db):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.commit()
    calls = listening(db, User)
    a = await db.insert(User(name="a"))
    assert calls == written("insert", "a")[:2]
    await db.rollback()
    assert a.pk == 0
    assert await names(db) == []
    calls.clear()
    await db.insert(a)
    await db.insert(User(name="b"))
    await db.commit()
    assert calls[-2:] == [("committed insert", "a"), ("committed insert", "b")]
    assert await names(db) == ["a", "b"]
    assert_no_transaction_left(db)


@pytest.mark.parametrize("is_first", [True, False])
async def test_without_auto_commit_a_refusal_undoes_one_write(make_db, is_first):
    db = make_db(auto_commit=False)
    await db.create_table(User)
    await db.create_table(Polite)
    await db.commit()
    if not is_first:
        await db.insert(User(name="a"))

    def refuse(_):
        raise Refusal

    stop = db.on(User, "after_insert", refuse)
    with pytest.raises(Refusal):
        await db.insert(User(name="b"))
    if is_first:
        assert_no_transaction_left(db)
    stop()
    await db.insert(User(name="c"))
    await db.commit()
    assert await names(db) == (["c"] if is_first else ["a", "c"])
    assert_no_transaction_left(db)


# --- once ------------------------------------------------------------------------------


async def test_many_at_once_are_each_told_once(db, together):
    """What has no hooks shares commits meanwhile, and begins anew when that fails."""
    for model in (User, Event):
        await db.create_table(model)
    calls = listening(db, User)

    async def write(part):
        for n in range(8):
            await db.insert(User(name=f"{part}-{n}"))
            await db.insert(Event(text=f"{part}-{n}"))

    await together(*(write(part) for part in range(6)))
    expected = sorted(f"{part}-{n}" for part in range(6) for n in range(8))
    for word, _ in written("insert", ""):
        assert sorted(name for w, name in calls if w == word) == expected
    assert await db.select(User).count() == await db.select(Event).count() == 48


@pytest.mark.only("async")
async def test_work_that_is_handed_over_to_a_thread_calls_nothing_twice(
    make_db, monkeypatch
):
    db = make_db()
    await db.create_table(User)
    calls = listening(db, User)
    monkeypatch.setattr(prompt, "BUDGET", -1)  # always used up
    a = await db.insert(User(name="a"))
    async with db:
        await db.update(changed(a))
        await db.delete(User, a.pk)
    assert sorted(calls) == sorted(
        written("insert", "a") + written("update", "a") + written("delete", "a")
    )


@pytest.mark.only("file")
@pytest.mark.parametrize("begin", ["immediate", "deferred"])
async def test_hooks_are_called_when_others_let_go_of_the_file(make_db, begin):
    """Nothing is looked up, or called, before it may be written."""
    db = make_db(begin=begin)
    await two(db)
    calls = listening(db, User)
    before = []
    with closing(
        sqlite3.connect(db.filename, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE users SET name = 'new' WHERE pk = 1")

        def let_go():
            before.extend(calls)
            other.execute("COMMIT")

        timer = threading.Timer(0.05, let_go)
        timer.start()
        await db.delete(User, 1)
        timer.join()
    assert before == []
    assert calls == written("delete", "new")


@pytest.mark.only("async")
async def test_a_write_that_is_cancelled_in_its_hook_has_not_happened(db):
    await db.create_table(User)
    reached = Signal()

    async def wait(_):
        reached.set()
        await asyncio.sleep(30)

    db.on(User, "after_insert", wait)
    user = User(name="a")
    task = asyncio.create_task(db.insert(user))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert user.pk == 0
    assert await names(db) == []
    assert_no_transaction_left(db)


# --- what it costs ---------------------------------------------------------------------


async def test_what_has_hooks_of_other_kinds_only_is_written_at_once(db, monkeypatch):
    await db.create_table(User)
    await db.insert(User(name="a"))
    db.on(User, "before_delete", lambda user: None)
    entered = []
    engine = type(unwrap(db)._engine)
    enter = engine.enter
    monkeypatch.setattr(
        engine, "enter", lambda *a, **k: [entered.append(1), enter(*a, **k)][1]
    )
    await db.insert(User(name="b"))
    assert entered == []
    await db.delete(User, 1)
    assert entered == [1]


async def test_a_row_that_is_read_back_has_hooks_too(db):
    calls = []
    await db.create_table(ReadBack)
    db.on(ReadBack, "before_insert", lambda each: calls.append(f"before {each.pk}"))
    db.on(ReadBack, "after_insert", lambda each: calls.append(f"after {each.pk}"))
    assert (await db.insert(ReadBack(), returning=True)).pk == 1
    assert calls == ["before 0", "after 1"]


class ReadBack(BaseDBModel):
    text: str = ""
