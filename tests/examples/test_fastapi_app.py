"""The lending library: a real server on a real file, asked over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

fastapi = pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from examples.fastapi_app import create_app  # noqa: E402
from examples.fastapi_app.database import Transaction  # noqa: E402
from examples.fastapi_app.models import TABLES, Author  # noqa: E402
from sqliter import SqliterDB  # noqa: E402
from sqliter.exceptions import RecordNotFoundError  # noqa: E402

WAIT = 30  # seconds; nothing here takes one
BEYOND = 2**63  # no key of SQLite is that large

numbers = count(1)


# --- a server ---------------------------------------------------------------


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Run a server in a thread; return its address.

    The socket listens before the server starts: whoever connects early waits in the
    queue of the socket, so nobody has to ask whether the server is there.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = uvicorn.Config(app, log_config=None, ws="none", lifespan="on")
        server = uvicorn.Server(settings)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(WAIT)
        assert server.started and not thread.is_alive()


def talking_to(address: str) -> Any:
    return httpx.Client(base_url=address, timeout=WAIT, trust_env=False)


class Broken(Exception):
    pass


FAILURES = {
    "error": (Broken("no"), 500),
    "http": (fastapi.HTTPException(418), 418),
    "library": (RecordNotFoundError(1), 404),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library") / "library.db"


@pytest.fixture(scope="module")
def address(file: Path) -> Iterator[str]:
    app = create_app(file)

    @app.post("/failures/{kind}")
    async def fail(kind: str, name: str, db: Transaction) -> None:
        await db.insert(Author(name=name))
        raise FAILURES[kind][0]

    with serving(app) as address:
        yield address
    assert not file.with_name("library.db-wal").exists()  # it was closed


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    with talking_to(address) as client:
        yield client


def made(client: Any, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def new_author(client: Any) -> dict[str, Any]:
    return made(client, "/authors", name=f"Author {next(numbers)}")


def new_reader(client: Any) -> dict[str, Any]:
    return made(client, "/readers", name=f"Reader {next(numbers)}")


def new_book(client: Any, **more: Any) -> dict[str, Any]:
    number = next(numbers)
    body = {"title": f"Book {number}", "isbn": f"isbn {number}", **more}
    body.setdefault("author_id", None)
    body["author_id"] = body["author_id"] or new_author(client)["pk"]
    return made(client, "/books", **body)


def refused(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["detail"]


def rows(file: Path, sql: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(sql, values).fetchall()


# --- one record -------------------------------------------------------------


def test_create_and_read(client: Any) -> None:
    author = new_author(client)
    assert author["pk"] > 0
    assert author["created_at"] == author["updated_at"] > 0
    assert set(author) == {"pk", "created_at", "updated_at", "name"}
    details = client.get(f"/authors/{author['pk']}")
    assert details.status_code == 200
    assert details.json() == {"pk": author["pk"], "name": author["name"], "books": []}


def test_update(client: Any) -> None:
    book, other = new_book(client), new_author(client)
    body = {**book, "title": "Changed", "author_id": other["pk"]}
    answer = client.put(f"/books/{book['pk']}", json=body)
    assert answer.status_code == 200
    assert answer.json() == {**body, "updated_at": answer.json()["updated_at"]}
    details = client.get(f"/books/{book['pk']}").json()
    assert (details["title"], details["author"]) == ("Changed", other)


def test_delete(client: Any) -> None:
    book = new_book(client)
    answer = client.delete(f"/books/{book['pk']}")
    assert (answer.status_code, answer.content) == (204, b"")
    refused(client.get(f"/books/{book['pk']}"), 404)


def test_it_is_committed_before_it_is_answered(tmp_path: Path) -> None:
    app, seen = create_app(tmp_path / "library.db"), []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def watch(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.extend(rows(tmp_path / "library.db", "SELECT name FROM authors"))
            await send(message)

        await app(scope, receive, watch)

    with serving(watched) as address, talking_to(address) as client:
        author = new_author(client)
    assert seen == [(author["name"],)]


# --- what clients cannot set ------------------------------------------------

FOREIGN = {
    "pk": 4711,
    "created_at": 1,
    "updated_at": 1,
    "borrower_id": 1,
    "db_context": "x",
    "unknown": 1,
    "tags": ["x"],
    "author": {"name": "x"},
}


def test_what_the_server_sets_is_ignored_in_a_new_record(client: Any) -> None:
    book = new_book(client, **FOREIGN)
    assert 0 < book["pk"] < 4711
    assert book["created_at"] > 1
    assert book["borrower_id"] is None
    assert not {"db_context", "unknown", "author", "tags"} & set(book)


def test_what_the_server_sets_is_ignored_in_a_change(client: Any) -> None:
    reader, book = new_reader(client), new_book(client)
    client.post(f"/readers/{reader['pk']}/loans", json=[book["pk"]])
    answer = client.put(f"/books/{book['pk']}", json={**book, **FOREIGN})
    assert answer.status_code == 200
    changed = answer.json()
    assert changed["pk"] == book["pk"]
    assert changed["created_at"] == book["created_at"]
    assert changed["borrower_id"] == reader["pk"]


# --- 404, 409, 422, 503 -----------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/authors/999999", None),
        ("GET", "/books/999999", None),
        ("GET", "/readers/999999", None),
        ("PUT", "/authors/999999", {"name": "x"}),
        ("PUT", "/books/999999", {"title": "x", "isbn": "x", "author_id": 1}),
        ("PUT", "/books/999999/tags", ["x"]),
        ("DELETE", "/authors/999999", None),
        ("DELETE", "/books/999999", None),
        ("POST", "/readers/999999/loans", [1]),
        ("DELETE", "/readers/1/loans/999999", None),
    ],
)
def test_404(client: Any, method: str, path: str, body: Any) -> None:
    assert "999999" in refused(client.request(method, path, json=body), 404)


def test_409_for_a_value_that_is_taken(client: Any) -> None:
    one, two = new_book(client), new_book(client)
    body = {"title": "x", "isbn": one["isbn"], "author_id": one["author_id"]}
    assert "already" in refused(client.post("/books", json=body), 409)
    refused(client.put(f"/books/{two['pk']}", json=body), 409)
    assert client.get(f"/books/{two['pk']}").json()["isbn"] == two["isbn"]


def test_409_for_an_author_who_is_not_there(client: Any) -> None:
    body = {"title": "x", "isbn": "x", "author_id": 999999}
    assert "refers" in refused(client.post("/books", json=body), 409)
    book = new_book(client)
    refused(client.put(f"/books/{book['pk']}", json={**book, **body}), 409)


def test_409_for_an_author_who_has_books(client: Any) -> None:
    book = new_book(client)
    assert "refer" in refused(client.delete(f"/authors/{book['author_id']}"), 409)
    client.delete(f"/books/{book['pk']}")
    assert client.delete(f"/authors/{book['author_id']}").status_code == 204


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, [["body", "title"], ["body", "isbn"], ["body", "author_id"]]),
        ({"title": "", "isbn": "x", "author_id": 1}, [["body", "title"]]),
        ({"title": "x", "isbn": "x", "author_id": "x"}, [["body", "author_id"]]),
        ({"title": "x", "isbn": "x", "author_id": None}, [["body", "author_id"]]),
        ({"title": "x", "isbn": "x", "author_id": BEYOND}, [["body", "author_id"]]),
        ([], [["body"]]),
    ],
)
def test_422_names_the_field(client: Any, body: Any, places: list[Any]) -> None:
    errors = refused(client.post("/books", json=body), 422)
    assert [error["loc"] for error in errors] == places


@pytest.mark.parametrize(
    "path",
    [
        "/books/x",
        "/books/0",
        f"/books/{BEYOND}",
        "/books?limit=0",
        "/books?limit=101",
        "/books?offset=-1",
        f"/books?offset={BEYOND}",
    ],
)
def test_422_for_addresses(client: Any, path: str) -> None:
    refused(client.get(path), 422)


def test_503_while_another_process_writes(tmp_path: Path) -> None:
    app = create_app(tmp_path / "busy.db", busy_timeout=0.05)
    with serving(app) as address, talking_to(address) as client:
        new_author(client)
        with closing(SqliterDB(tmp_path / "busy.db")) as other, other:
            answer = client.post("/authors", json={"name": "Late"})
            assert "busy" in refused(answer, 503)
            assert answer.headers["Retry-After"] == "1"
            assert len(client.get("/authors").json()) == 1  # reading does not wait
        made(client, "/authors", name="Late")


# --- one transaction per request --------------------------------------------


@pytest.mark.parametrize("kind", FAILURES)
def test_a_handler_that_raises_leaves_nothing(
    address: str, client: Any, file: Path, kind: str
) -> None:
    name = f"Nobody {kind}"
    with talking_to(address) as other:  # uvicorn hangs up after an error of a program
        answer = other.post(f"/failures/{kind}", params={"name": name})
    assert answer.status_code == FAILURES[kind][1]
    assert rows(file, "SELECT * FROM authors WHERE name = ?", name) == []
    made(client, "/authors", name=name)  # and nothing stays open


def test_loans_are_all_or_nothing(client: Any) -> None:
    reader, free, lent = new_reader(client), new_book(client), new_book(client)
    loans = f"/readers/{reader['pk']}/loans"
    assert client.post(loans, json=[lent["pk"]]).status_code == 200
    refused(client.post(loans, json=[free["pk"], lent["pk"]]), 409)
    refused(client.post(loans, json=[free["pk"], 999999]), 404)
    refused(client.post(loans, json=[free["pk"], free["pk"]]), 409)
    assert client.get(f"/books/{free['pk']}").json()["borrower"] is None
    details = client.get(f"/readers/{reader['pk']}").json()
    assert [book["pk"] for book in details["loans"]] == [lent["pk"]]


def test_a_loan_comes_back(client: Any) -> None:
    reader, book = new_reader(client), new_book(client)
    loans = f"/readers/{reader['pk']}/loans"
    (loan,) = client.post(loans, json=[book["pk"]]).json()
    assert loan["borrower_id"] == reader["pk"]
    assert client.delete(f"{loans}/{book['pk']}").status_code == 204
    refused(client.delete(f"{loans}/{book['pk']}"), 404)
    assert client.get(f"/books/{book['pk']}").json()["borrower"] is None


async def all_at_once(address: str, *requests: tuple[str, Any]) -> list[Any]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(
        base_url=address, timeout=WAIT, limits=limits, trust_env=False
    ) as client:
        posts = [client.post(path, json=body) for path, body in requests]
        return await asyncio.gather(*posts)


async def test_50_concurrent_posts_are_all_kept(address: str, file: Path) -> None:
    names = [f"Crowd {number:02}" for number in range(50)]
    answers = await all_at_once(
        address, *(("/authors", {"name": name}) for name in names)
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["pk"] for answer in answers}) == 50
    sql = "SELECT name FROM authors WHERE name LIKE 'Crowd%' ORDER BY name"
    assert rows(file, sql) == [(name,) for name in names]


async def test_one_of_many_gets_the_name(address: str, file: Path) -> None:
    same = ("/authors", {"name": "Only One"})
    answers = await all_at_once(address, *[same] * 20)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    assert len(rows(file, "SELECT * FROM authors WHERE name = 'Only One'")) == 1


async def test_one_of_many_gets_the_book(address: str, client: Any) -> None:
    book, readers = new_book(client), [new_reader(client) for _ in range(20)]
    answers = await all_at_once(
        address,
        *((f"/readers/{reader['pk']}/loans", [book["pk"]]) for reader in readers),
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    (winner,) = [a.json()[0]["borrower_id"] for a in answers if a.status_code == 200]
    assert client.get(f"/books/{book['pk']}").json()["borrower"]["pk"] == winner


# --- relations --------------------------------------------------------------


def test_a_book_comes_with_its_relations(client: Any) -> None:
    author, reader = new_author(client), new_reader(client)
    book = new_book(client, author_id=author["pk"])
    tags = client.put(f"/books/{book['pk']}/tags", json=["sea", "air"]).json()
    client.post(f"/readers/{reader['pk']}/loans", json=[book["pk"]])
    details = client.get(f"/books/{book['pk']}").json()
    assert details.pop("author") == author
    assert details.pop("borrower") == reader
    assert sorted(details.pop("tags"), key=lambda tag: tag["name"]) == tags
    assert details == {name: book[name] for name in ("pk", "title", "isbn")}


def test_an_author_comes_with_the_books(client: Any) -> None:
    author = new_author(client)
    books = [new_book(client, author_id=author["pk"]) for _ in range(3)]
    details = client.get(f"/authors/{author['pk']}").json()
    assert details["books"] == books


def test_tags_are_made_once_and_replaced(client: Any) -> None:
    one, two = new_book(client), new_book(client)
    path = "/books/{pk}/tags".format
    first = client.put(path(**one), json=["red", "blue", "red"]).json()
    second = client.put(path(**two), json=["blue", "green"]).json()
    assert [tag["name"] for tag in first] == ["blue", "red"]
    assert [tag["name"] for tag in second] == ["blue", "green"]
    assert first[0] == second[0]
    assert client.get("/books", params={"tag": "blue"}).json() == [one, two]
    assert client.put(path(**one), json=[]).json() == []
    assert client.get("/books", params={"tag": "blue"}).json() == [two]


# --- pages ------------------------------------------------------------------


def test_pages(client: Any) -> None:
    for _ in range(5):
        new_author(client)
    everybody = client.get("/authors", params={"limit": 100}).json()
    assert [each["pk"] for each in everybody] == sorted(e["pk"] for e in everybody)
    page = client.get("/authors", params={"limit": 2, "offset": 1}).json()
    assert page == everybody[1:3]
    assert client.get("/authors").json() == everybody[:20]
    assert client.get("/authors", params={"offset": BEYOND - 1}).json() == []


# --- schemas ----------------------------------------------------------------


def test_openapi(client: Any) -> None:
    schema = client.get("/openapi.json").json()
    assert "db_context" not in json.dumps(schema)
    book = schema["components"]["schemas"]["Book"]
    assert book["required"] == ["title", "isbn", "author_id"]
    assert book["properties"]["author_id"]["type"] == "integer"
    assert not {"author", "borrower", "tags"} & set(book["properties"])
    read_only = {n for n, each in book["properties"].items() if each.get("readOnly")}
    assert read_only == {"pk", "created_at", "updated_at", "borrower_id"}
    details = schema["components"]["schemas"]["BookDetails"]["properties"]
    assert details["author"] == {"$ref": "#/components/schemas/Author"}
    assert client.get("/docs").status_code == 200


@pytest.mark.parametrize("name", ["Book", "Author"])
def test_requests_and_responses_are_the_model(client: Any, name: str) -> None:
    post = client.get("/openapi.json").json()["paths"][f"/{name.lower()}s"]["post"]
    model = {"$ref": f"#/components/schemas/{name}"}
    for place in (post["requestBody"], post["responses"]["201"]):
        assert place["content"]["application/json"]["schema"] == model


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_model_json_schema(mode: Any) -> None:
    for model in TABLES:
        schema = model.model_json_schema(mode=mode)
        assert set(schema["properties"]) == set(model.model_fields)
        assert "db_context" not in json.dumps(schema)


# --- the documented command -------------------------------------------------


@contextmanager
def command(folder: Path, listener: socket.socket) -> Iterator[Any]:
    """Start what the README tells, on a socket that listens already."""
    descriptor = str(listener.fileno())
    process = subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-m", "uvicorn"),
            *("--factory", "examples.fastapi_app:create_app", "--fd", descriptor),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        pass_fds=[listener.fileno()],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="hands a socket to a process")
def test_the_command_serves_ends_and_finds_its_file_again(tmp_path: Path) -> None:
    seen = []
    for name in ("Ada", "Bob"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with command(tmp_path, listener) as process, talking_to(address) as client:
                made(client, "/authors", name=name)
                seen = [each["name"] for each in client.get("/authors").json()]
                client.close()
                process.send_signal(signal.SIGTERM)
                _, errors = process.communicate(timeout=WAIT)
                assert process.returncode in (0, -signal.SIGTERM), errors
                assert "Application shutdown complete" in errors
                assert "Traceback" not in errors
        assert os.listdir(tmp_path) == ["library.db"]  # closed: no log beside it
    assert seen == ["Ada", "Bob"]
