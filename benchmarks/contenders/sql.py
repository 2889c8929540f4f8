"""The SQL of those who write it by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from benchmarks.library import BookData

__all__ = [
    "BY_KEY",
    "BY_TITLE",
    "CHILDREN",
    "COLUMNS",
    "EAGER",
    "GROUPS",
    "INSERT",
    "INSERT_AUTHOR",
    "INSERT_LINK",
    "INSERT_TAG",
    "SCHEMA",
    "SINCE",
    "TAGS",
    "UPDATE",
    "UPDATE_SINCE",
    "WITHIN",
    "plain",
    "row",
]

SCHEMA = """
CREATE TABLE authors (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL
);
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE books (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    price REAL NOT NULL,
    published TEXT NOT NULL,
    in_print INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES authors (id)
);
CREATE TABLE books_tags (
    book_id INTEGER NOT NULL REFERENCES books (id),
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (book_id, tag_id)
);
CREATE INDEX books_title ON books (title);
CREATE INDEX books_author ON books (author_id);
"""
COLUMNS = "id, title, year, price, published, in_print, author_id"
INSERT_AUTHOR = "INSERT INTO authors (name, country) VALUES (?, ?)"
INSERT_TAG = "INSERT INTO tags (name) VALUES (?)"
INSERT_LINK = "INSERT INTO books_tags (book_id, tag_id) VALUES (?, ?)"
INSERT = (
    "INSERT INTO books (title, year, price, published, in_print, author_id) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
BY_KEY = f"SELECT {COLUMNS} FROM books WHERE id = ?"
BY_TITLE = f"SELECT {COLUMNS} FROM books WHERE title = ? LIMIT 1"
SINCE = f"SELECT {COLUMNS} FROM books WHERE year >= ?"
EAGER = (
    "SELECT b.id, b.title, b.year, b.price, b.published, b.in_print, b.author_id, "
    "a.id, a.name, a.country FROM books b JOIN authors a ON a.id = b.author_id"
)
CHILDREN = f"SELECT {COLUMNS} FROM books WHERE author_id IN (SELECT id FROM authors)"
TAGS = (
    "SELECT l.book_id, t.id, t.name FROM books_tags l JOIN tags t ON t.id = l.tag_id "
    "WHERE l.book_id IN (SELECT id FROM books)"
)
WITHIN = f"SELECT {COLUMNS} FROM books WHERE id IN (SELECT value FROM json_each(?))"
UPDATE = "UPDATE books SET price = ? WHERE id = ?"
UPDATE_SINCE = "UPDATE books SET price = ? WHERE year >= ?"
GROUPS = "SELECT year, count(*), avg(price) FROM books GROUP BY year"


def row(book: BookData) -> tuple[Any, ...]:
    """Return the values to bind."""
    title, year, price, published, in_print, author = book
    return title, year, price, published.isoformat(), in_print, author


def plain(stored: tuple[Any, ...]) -> BookData:
    """Return the values of a row of ``COLUMNS``."""
    _, title, year, price, published, in_print, author = stored[:7]
    day = date.fromisoformat(published)
    return BookData(title, year, price, day, bool(in_print), author)
