"""Books and their tags."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from sqliter.asyncio import AsyncSqliterDB

from .bodies import Given, revise
from .database import Database, Transaction
from .details import BookDetails
from .models import Book, Key, Tag, Text
from .queries import Page, find

__all__ = ["router"]

router = APIRouter(prefix="/books", tags=["books"])


@router.post("", status_code=201)
async def add(book: Given[Book], db: Transaction) -> Book:
    """Add a book of an author who is there."""
    return await db.insert(book)


@router.get("")
async def show_all(db: Database, page: Page, tag: str | None = None) -> list[Book]:
    """Return a page of books; with ``tag`` of those that have it."""
    books = db.select(Book)
    return await page.of(books if tag is None else books.filter(tags__name=tag))


@router.get("/{pk}", response_model=BookDetails)
async def show(pk: Key, db: Database) -> dict[str, Any]:
    """Return a book with everything around it, asked for in two statements."""
    books = db.select(Book).select_related("author", "borrower")
    book = await find(books.prefetch_related("tags"), pk)
    return book.model_dump(include_related=True)


@router.put("/{pk}")
async def change(pk: Key, given: Given[Book], db: Transaction) -> Book:
    """Change a book; who has it stays as it is."""
    book = await find(db.select(Book), pk)
    revise(book, given)
    await db.update(book)
    return book


@router.delete("/{pk}", status_code=204)
async def remove(pk: Key, db: Transaction) -> None:
    """Remove a book."""
    await db.delete(Book, pk)


@router.put("/{pk}/tags")
async def label(
    pk: Key, names: Annotated[list[Text], Body()], db: Transaction
) -> list[Tag]:
    """Have exactly these tags on a book; those that are new are added."""
    book = await find(db.select(Book), pk)
    await book.tags.set(*[await _tag(db, name) for name in names])
    return await book.tags.order("name").fetch_all()


async def _tag(db: AsyncSqliterDB, name: str) -> Tag:
    found = await db.select(Tag).filter(name=name).fetch_one()
    return found or await db.insert(Tag(name=name))
