"""Mistakes with relations, blocking: exactly the lines marked as errors."""

from __future__ import annotations

from typing import ClassVar, assert_type

from sqliter import SqliterDB
from sqliter.orm import (
    BaseDBModel,
    ForeignKey,
    ManyToMany,
    Prefetch,
    ReverseManyToMany,
    ReverseRelationship,
    fk_id,
)


class Author(BaseDBModel):
    name: str
    books: ClassVar[ReverseRelationship["Book"]]
    edited: ClassVar[ReverseRelationship["Book"]] = ReverseRelationship("Book")


class Book(BaseDBModel):
    title: str
    author_id: int = fk_id()
    author: ForeignKey[Author] = ForeignKey(Author, related_name="books")
    editor: ForeignKey[Author | None] = ForeignKey(Author, null=True)


class Tag(BaseDBModel):
    name: str
    articles: ClassVar[ReverseManyToMany["Article"]]


class Article(BaseDBModel):
    title: str
    tags: ManyToMany[Tag] = ManyToMany(Tag, related_name="articles")


class NoModel:
    pk = 1


class Declarations(BaseDBModel):
    loose: ForeignKey[Author] = ForeignKey(Author, null=True)  # error
    other: ForeignKey[Author] = ForeignKey(Book)  # error
    option: ForeignKey[Author] = ForeignKey(Author, on_delete="DELETE")  # error
    typo: ForeignKey[Author] = ForeignKey(Author, relatd_name="x")  # error
    number: ForeignKey[Author] = ForeignKey(7)  # error
    foreign: ForeignKey[NoModel] = ForeignKey("NoModel")  # error
    tags: ManyToMany[Tag] = ManyToMany(Article)  # error
    marks: ManyToMany[Tag] = ManyToMany(Tag, null=True)  # error
    books: ClassVar[ReverseRelationship[Book]] = ReverseRelationship(Tag)  # error
    id: ForeignKey[Author] = fk_id  # error


def construction(ada: Author, bob: Author | None, book: Book, tag: Tag) -> None:
    Book(title="x", author="Ada")  # error
    Book(title="x", author=None)  # error
    Book(title="x", author=bob)  # error
    Book(title="x", author=book)  # error
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


def forward(db: SqliterDB, book: Book, ada: Author, bob: Author | None) -> None:
    book.autor  # error
    book.author.nam  # error
    book.author.title  # error
    book.author.fetch()  # error
    book.editor.name  # error
    book.editor_id  # error
    book.author_ids  # error
    book.author = "Ada"  # error
    book.author = None  # error
    book.author = bob  # error
    book.author = book  # error
    book.editor = book  # error
    book.author.name = 7  # error
    title: str = book.author  # error
    number: int = book.author  # error
    Book.author.id_of(7)  # error
    key: int = Book.author.id_of(book)  # error
    name: str = db.load(book.author)  # error
    db.load(book.editor).name  # error
    db.load(book.author_id)  # error
    db.load(ada.books)  # error
    print(title, number, key, name)


async def waiting(db: SqliterDB, book: Book, ada: Author, article: Article) -> None:
    await book.author  # error
    await db.load(book.author)  # error
    await ada.books.fetch_all()  # error
    await article.tags.filter(name="x")  # error
    async for _ in ada.books:  # error
        pass


def backward(ada: Author, book: Book) -> None:
    ada.books = [book]  # error
    ada.books = ada.edited  # error
    ada.boks  # error
    ada.books.name  # error
    ada.books.fetch_al()  # error
    ada.books.add(book)  # error
    ada.books.filter("x")  # error
    ada.books.limit("3")  # error
    ada.books.fetch_one().title  # error
    ada.books[0]  # error
    ada.books.order(nulls="none")  # error
    Author.books.fetch_all()  # error
    names: list[str] = ada.books.fetch_all()  # error
    authors: list[Author] = [each for each in ada.books]  # error
    print(names, authors)


def many(article: Article, tag: Tag, maybe: Tag | None) -> None:
    article.tags = [tag]  # error
    article.tags = article.tags  # error
    article.tags.add(article)  # error
    article.tags.add([tag])  # error
    article.tags.add(maybe)  # error
    article.tags.add(1)  # error
    article.tags.remove("x")  # error
    article.tags.set([tag])  # error
    article.tags.set(article)  # error
    article.tags.clear(tag)  # error
    article.tags.append(tag)  # error
    article.tag.add(tag)  # error
    article.tags.filter(name="x").add(tag)  # error
    article.tags.fetch_one().name  # error
    tag.articles = [article]  # error
    tag.articles.add(tag)  # error
    tag.articles.fetch_all()[0].name  # error
    Article.tags.add(tag)  # error
    for each in article.tags:
        each.title  # error


def queries(db: SqliterDB, book: Book) -> None:
    db.select(Book).select_related(Book.author)  # error
    db.select(Author).prefetch_related(Author.books)  # error
    db.select(Author).prefetch_related(Prefetch("books", Book))  # error
    db.select(Author).prefetch_related(Prefetch("books", "title"))  # error
    db.select(Author).prefetch_related(Prefetch(db.select(Book)))  # error
    db.select(Author).fetch_all()[0].books.fetch_all()[0].name  # error
    db.select(ForeignKey)  # error
    book.model_dump(include_related="yes")  # error
    assert_type(db.load(book.editor), Author)  # error
