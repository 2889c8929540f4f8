"""Mistakes with relations and asyncio: exactly the lines marked as errors."""

from __future__ import annotations

from typing import ClassVar

from sqliter import orm
from sqliter.asyncio import AsyncSqliterDB
from sqliter.asyncio.orm import (
    AsyncBaseDBModel,
    AsyncForeignKey,
    AsyncLazyLoader,
    AsyncManyToMany,
    AsyncReverseManyToMany,
    AsyncReverseQuery,
    AsyncReverseRelationship,
    Prefetch,
    fk_id,
)


class Country(orm.BaseDBModel):
    name: str


class Author(AsyncBaseDBModel):
    name: str
    country: AsyncForeignKey[Country] = AsyncForeignKey(Country)
    books: ClassVar[AsyncReverseRelationship["Book"]]
    edited: ClassVar[AsyncReverseRelationship["Book"]] = AsyncReverseRelationship("Book")


class Book(AsyncBaseDBModel):
    title: str
    author_id: int = fk_id()
    author: AsyncForeignKey[Author] = AsyncForeignKey(Author, related_name="books")
    editor: AsyncForeignKey[Author | None] = AsyncForeignKey(Author, null=True)


class Tag(AsyncBaseDBModel):
    name: str
    articles: ClassVar[AsyncReverseManyToMany["Article"]]


class Article(AsyncBaseDBModel):
    title: str
    tags: AsyncManyToMany[Tag] = AsyncManyToMany(Tag, related_name="articles")


class NoModel:
    pk = 1


class Declarations(AsyncBaseDBModel):
    loose: AsyncForeignKey[Author] = AsyncForeignKey(Author, null=True)  # error
    other: AsyncForeignKey[Author] = AsyncForeignKey(Book)  # error
    colour: AsyncForeignKey[Author] = orm.ForeignKey(Author)  # error
    option: AsyncForeignKey[Author] = AsyncForeignKey(Author, on_delete="DEL")  # error
    typo: AsyncForeignKey[Author] = AsyncForeignKey(Author, relatd_name="x")  # error
    number: AsyncForeignKey[Author] = AsyncForeignKey(7)  # error
    foreign: AsyncForeignKey[NoModel] = AsyncForeignKey("NoModel")  # error
    tags: AsyncManyToMany[Tag] = AsyncManyToMany(Article)  # error
    marks: AsyncManyToMany[Tag] = AsyncManyToMany(Tag, null=True)  # error
    paints: AsyncManyToMany[Tag] = orm.ManyToMany(Tag)  # error
    all: ClassVar[AsyncReverseRelationship[Book]] = AsyncReverseRelationship(Tag)  # error


def construction(ada: Author, bob: Author | None, book: Book, tag: Tag) -> None:
    Book(title="x", author="Ada")  # error
    Book(title="x", author=None)  # error
    Book(title="x", author=bob)  # error
    Book(title="x", author=book)  # error
    Book(title="x", author=ada.fetch())  # error
    Book(title="x", author=NoModel())  # error
    Book(title="x", author_id=ada)  # error
    Book(title="x", author_id=None)  # error
    Book(title="x", author=ada, editor="Bob")  # error
    Book(title="x", author=ada, editor=book)  # error
    Book(title="x", editor_id=1)  # error
    Book(title="x", writer=ada)  # error
    Book(author=ada)  # error
    Article(title="x", tags=[tag])  # error
    Author(name="x", books=[book])  # error


async def forward(db: AsyncSqliterDB, book: Book, ada: Author) -> None:
    await book.author  # error
    await book.author.name  # error
    await book.author_id  # error
    await Book.author.id_of(book)  # error
    book.author.fetch().name  # error
    (await book.author.fetch()).title  # error
    await book.author.fetch(1)  # error
    await book.author.fetch_one()  # error
    await book.editor.fetch()  # error
    await ada.country.fetch()  # error
    await db.load(book)(1)  # error
    await db.load(book.author_id)  # error
    await db.load(ada.books)  # error
    db.load(book.author).name  # error
    (await db.load(book.editor)).name  # error
    name: str = await db.load(book.author)  # error
    author: Author = book.author.fetch()  # error
    book.autor  # error
    book.author.nam  # error
    book.editor.name  # error
    book.editor_id  # error
    Book.author.id_of(7)  # error
    print(name, author)


async def assignment(book: Book, ada: Author, bob: Author | None, tag: Tag) -> None:
    book.author = "Ada"  # error
    book.author = None  # error
    book.author = bob  # error
    book.author = book  # error
    book.author = ada.fetch()  # error
    book.editor = book  # error
    ada.books = [book]  # error
    ada.books = ada.edited  # error
    tag.articles = []  # error


async def backward(ada: Author, book: Book) -> None:
    await ada.books  # error
    await ada.books.filter(title="x")  # error
    await ada.books.limit(1)  # error
    ada.boks  # error
    ada.books.name  # error
    len(ada.books)  # error
    await ada.books.fetch_al()  # error
    await ada.books.add(book)  # error
    ada.books.filter("x")  # error
    ada.books.limit("3")  # error
    ada.books.order(nulls="none")  # error
    ada.books.fetch_all()[0]  # error
    (await ada.books.fetch_one()).title  # error
    await Author.books.fetch_all()  # error
    for _ in ada.books:  # error
        pass
    for _ in await ada.books:  # error
        pass
    async for _ in ada.books.fetch_all():  # error
        pass
    names: list[str] = await ada.books.fetch_all()  # error
    total: int = ada.books.count()  # error
    print(names, total)


async def many(article: Article, tag: Tag, maybe: Tag | None) -> None:
    article.tags = [tag]  # error
    article.tags = article.tags  # error
    await article.tags.add(article)  # error
    await article.tags.add([tag])  # error
    await article.tags.add(maybe)  # error
    await article.tags.add(1)  # error
    await article.tags.remove("x")  # error
    await article.tags.set([tag])  # error
    await article.tags.set(article)  # error
    await article.tags.clear(tag)  # error
    await article.tags.append(tag)  # error
    await article.tag.add(tag)  # error
    await article.tags  # error
    len(article.tags)  # error
    await article.tags.filter(name="x").add(tag)  # error
    await article.tags.filter("x")  # error
    (await article.tags.filter(name="x")).name  # error
    await (await article.tags.filter(name="x").fetch_all())  # error
    (await article.tags.fetch_one()).name  # error
    await tag.articles.add(tag)  # error
    (await tag.articles.fetch_all())[0].name  # error
    await Article.tags.add(tag)  # error
    for _ in article.tags:  # error
        pass
    async for each in article.tags:
        each.title  # error


async def queries(db: AsyncSqliterDB, book: Book) -> None:
    db.select(Book).select_related(Book.author)  # error
    db.select(Author).prefetch_related(Author.books)  # error
    db.select(Author).prefetch_related(Prefetch("books", Book))  # error
    db.select(Author).prefetch_related(Prefetch("books", "title"))  # error
    db.select(Author).prefetch_related(Prefetch(db.select(Book)))  # error
    await db.select(Book).prefetch_related("author")  # error
    (await db.select(Author).fetch_all())[0].books.name  # error
    book.model_dump(include_related="yes")  # error


async def held(loader: AsyncLazyLoader[Author], query: AsyncReverseQuery[Book]) -> None:
    loader.name  # error
    (await loader.fetch()).name  # error
    (await query.fetch_all())[0].name  # error
    article: Article | None = await query.fetch_one()  # error
    print(article)


async def forgotten(db: AsyncSqliterDB, ada: Author, book: Book, tag: Tag) -> None:
    book.author.fetch()  # error
    db.load(book.author)  # error
    tag.articles.clear()  # error
