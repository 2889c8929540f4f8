"""Readers and what they borrow."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException

from sqliter.asyncio import AsyncSqliterDB

from .bodies import Given
from .database import Database, Transaction
from .details import ReaderDetails
from .models import Book, Key, Reader
from .queries import Page, find

__all__ = ["router"]

router = APIRouter(prefix="/readers", tags=["readers"])


@router.post("", status_code=201)
async def add(reader: Given[Reader], db: Transaction) -> Reader:
    """Add a reader."""
    return await db.insert(reader)


@router.get("")
async def show_all(db: Database, page: Page) -> list[Reader]:
    """Return a page of readers."""
    return await page.of(db.select(Reader))


@router.get("/{pk}", response_model=ReaderDetails)
async def show(pk: Key, db: Database) -> dict[str, Any]:
    """Return a reader with the borrowed books."""
    reader = await find(db.select(Reader).prefetch_related("loans"), pk)
    return reader.model_dump(include_related=True)


@router.post("/{pk}/loans")
async def borrow(
    pk: Key, books: Annotated[list[Key], Body()], db: Transaction
) -> list[Book]:
    """Lend all of these books, or none of them."""
    reader = await find(db.select(Reader), pk)
    return [await _lend(db, reader, key) for key in books]


@router.delete("/{pk}/loans/{book_pk}", status_code=204)
async def bring_back(pk: Key, book_pk: Key, db: Transaction) -> None:
    """Take a book back from its reader."""
    book = await find(db.select(Book).filter(borrower=pk), book_pk)
    book.borrower = None
    await db.update(book)


async def _lend(db: AsyncSqliterDB, reader: Reader, key: int) -> Book:
    book = await find(db.select(Book), key)
    if book.borrower_id is not None:
        raise HTTPException(409, f"{book.title!r} is lent already")
    book.borrower = reader
    await db.update(book)
    return book
