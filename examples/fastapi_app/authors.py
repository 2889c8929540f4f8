"""Authors."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from .bodies import Given, revise
from .database import Database, Transaction
from .details import AuthorDetails
from .models import Author, Key
from .queries import Page, find

__all__ = ["router"]

router = APIRouter(prefix="/authors", tags=["authors"])


@router.post("", status_code=201)
async def add(author: Given[Author], db: Transaction) -> Author:
    """Add an author."""
    return await db.insert(author)


@router.get("")
async def show_all(db: Database, page: Page) -> list[Author]:
    """Return a page of authors."""
    return await page.of(db.select(Author))


@router.get("/{pk}", response_model=AuthorDetails)
async def show(pk: Key, db: Database) -> dict[str, Any]:
    """Return an author with the books."""
    author = await find(db.select(Author).prefetch_related("books"), pk)
    return author.model_dump(include_related=True)


@router.put("/{pk}")
async def change(pk: Key, given: Given[Author], db: Transaction) -> Author:
    """Change an author."""
    author = await find(db.select(Author), pk)
    revise(author, given)
    await db.update(author)
    return author


@router.delete("/{pk}", status_code=204)
async def remove(pk: Key, db: Transaction) -> None:
    """Remove an author who has no books."""
    await db.delete(Author, pk)
