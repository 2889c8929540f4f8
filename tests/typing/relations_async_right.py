"""Relations as users write them, with asyncio. No checker may object.

The casts at the end are those of older documentation: needless now, still right.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, assert_type, cast

from sqliter import orm
from sqliter.asyncio import AsyncQueryBuilder, AsyncSqliterDB
from sqliter.asyncio.orm import (
    AsyncBaseDBModel,
    AsyncForeignKey,
    AsyncLazyLoader,
    AsyncManyToMany,
    AsyncManyToManyManager,
    AsyncPrefetchedM2MResult,
    AsyncPrefetchedResult,
    AsyncReverseManyToMany,
    AsyncReverseQuery,
    AsyncReverseRelationship,
    Prefetch,
    fk_id,
)


class Country(orm.BaseDBModel):  # a blocking model as target
    name: str


class Author(AsyncBaseDBModel):
    name: str
    country: AsyncForeignKey[Country] = AsyncForeignKey(Country)
    books: ClassVar[AsyncReverseRelationship["Book"]]  # filled by related_name
    edited: ClassVar[AsyncReverseRelationship["Book"]] = AsyncReverseRelationship(
        "Book"
    )
    articles: ClassVar[AsyncReverseManyToMany]  # bare: of any model

    class Meta:
        table_name = "writers"


class Book(AsyncBaseDBModel):
    title: str
    author_id: int = fk_id()
    author: AsyncForeignKey[Author] = AsyncForeignKey(
        Author, on_delete="CASCADE", on_update="NO ACTION", related_name="books"
    )
    editor: AsyncForeignKey[Author | None] = AsyncForeignKey(
        Author, null=True, on_delete="SET NULL", related_name="edited"
    )
    critic: AsyncForeignKey[Author | None] = AsyncForeignKey(Author, related_name=False)
    reviews: ClassVar[AsyncReverseRelationship[Review]]

    class Meta:
        indexes = ["title"]


class Novel(Book):
    pages: int = 0


class Review(AsyncBaseDBModel):
    text: str
    book_id: int | None = fk_id()
    book: AsyncForeignKey[Book | None] = AsyncForeignKey("Book", null=True, unique=True)
    reader: AsyncForeignKey[Author] = AsyncForeignKey("Author", db_column="who")


class Node(AsyncBaseDBModel):
    name: str = ""
    parent: AsyncForeignKey[Node | None] = AsyncForeignKey(
        "Node", null=True, related_name="children"
    )
    root: AsyncForeignKey["Node | None"] = AsyncForeignKey(
        "self", null=True, related_name="all"
    )
    children: ClassVar[AsyncReverseRelationship[Node]]
    links: AsyncManyToMany["Node"] = AsyncManyToMany("Node", related_name="linked")
    linked: ClassVar[AsyncReverseManyToMany[Node]]
    twins: AsyncManyToMany[Node] = AsyncManyToMany(
        "self", through="twins", symmetrical=True
    )


class Tag(AsyncBaseDBModel):
    name: str
    articles: ClassVar[AsyncReverseManyToMany["Article"]]
    pages: ClassVar[AsyncReverseManyToMany["Article"]] = AsyncReverseManyToMany(
        "Article"
    )


class Article(AsyncBaseDBModel):
    title: str
    tags: AsyncManyToMany[Tag] = AsyncManyToMany(Tag, related_name="articles")
    marks: AsyncManyToMany[Tag] = AsyncManyToMany(
        Tag, through="marks", related_name="pages"
    )
    authors: AsyncManyToMany[Author] = AsyncManyToMany(
        "Author", related_name="articles"
    )


def construction(ada: Author, bob: Author | None, number: int | None) -> None:
    assert_type(Book(title="x", author=ada), Book)
    Book(title="x", author=1)
    Book(title="x", author_id=1)
    Book(title="x", author_id=ada.pk, editor=bob, critic=3, pk=7)
    Book(title="x", author=ada, editor=None)
    Book(title="x", author=ada, editor=bob, critic=number)
    Review(text="x", book=None, reader=1)
    Review(text="x", book_id=None, reader=ada)
    Novel(title="x", author=ada, pages=3)
    Node(parent=Node(name="root"), root=2)
    Node()
    Article(title="x", pk=3)
    Author(name="Ada", country=Country(name="England"))


async def forward(
    db: AsyncSqliterDB, book: Book, review: Review, node: Node, novel: Novel
) -> None:
    assert_type(await book.author.fetch(), Author)
    assert_type((await book.author.fetch()).name, str)
    assert_type(book.author_id, int)
    assert_type(review.book_id, int | None)
    assert_type(await novel.author.fetch(), Author)
    assert_type(book.editor, Author | None)
    assert_type(book.critic, Author | None)
    if book.editor is not None:
        assert_type(await book.editor.fetch(), Author)
    if review.book:
        reviewed = await review.book.fetch()
        assert_type(await reviewed.author.fetch(), Author)
    if node.parent is not None:
        assert_type((await node.parent.fetch()).parent, Node | None)
    assert_type(node.root, Node | None)

    assert_type(await db.load(book.author), Author)
    assert_type(await db.load(book.editor), Author | None)
    assert_type(await db.load(node.parent), Node | None)
    author = await book.author.fetch()
    assert_type(await db.load(author.country), Country)
    assert_type(book.author.name, str)  # once it is loaded
    assert_type(await author.fetch(), Author)

    book.author = Author(name="Ada", country=1)
    book.author = 3
    book.author_id = 4
    book.editor = None
    book.editor = 5
    book.editor = await db.get(Author, 1)
    node.parent = node

    assert_type(Book.author, AsyncForeignKey[Author])
    assert_type(Book.editor, AsyncForeignKey[Author | None])
    assert_type(Book.author.id_of(book), int | None)
    assert_type(Book.editor.id_of(novel), int | None)
    assert_type(Node.parent.id_of(node), int | None)


async def backward(author: Author, node: Node, book: Book) -> None:
    handle: AsyncReverseQuery[Book] | AsyncPrefetchedResult[Book] = author.books
    assert_type(await handle.count(), int)
    assert_type(await author.books.fetch_all(), list[Book])
    assert_type(await author.books.fetch_one(), Book | None)
    assert_type(await author.books.count(), int)
    assert_type(await author.books.exists(), bool)
    assert_type(await author.edited.fetch_all(), list[Book])
    assert_type(await book.reviews.fetch_all(), list[Review])
    assert_type(await node.children.fetch_all(), list[Node])
    chain = author.books.filter(title__startswith="N", author__name="Ada")
    assert_type(await chain.order("-title").limit(3).offset(1).fetch_all(), list[Book])
    assert_type(await author.books.order("title").fetch_one(), Book | None)
    assert_type(await author.books.limit(1).exists(), bool)
    assert_type(await author.books.offset(1).count(), int)
    async for each in author.books:
        assert_type(each, Book)
    async for each in author.books.filter(title="x").order("title"):
        assert_type((await each.author.fetch()).name, str)
    assert_type([each.title async for each in author.books], list[str])
    assert_type([each.title for each in await author.books.fetch_all()], list[str])
    assert_type(aiter(author.books), AsyncIterator[Book])
    assert_type(Author.books, AsyncReverseRelationship[Book])


async def many(article: Article, tag: Tag, node: Node, author: Author) -> None:
    handle: AsyncManyToManyManager[Tag] | AsyncPrefetchedM2MResult[Tag] = article.tags
    await handle.add(tag)
    await article.tags.add(tag, tag)
    await article.tags.remove(tag)
    await article.tags.set(tag)
    await article.tags.set(*await article.marks.fetch_all())
    await article.tags.clear()
    assert_type(await article.tags.fetch_all(), list[Tag])
    assert_type(await article.tags.fetch_one(), Tag | None)
    assert_type(await article.tags.count(), int)
    assert_type(await article.tags.exists(), bool)
    assert_type(await article.authors.fetch_all(), list[Author])
    assert_type(await article.tags.filter(name="x").fetch_all(), list[Tag])
    query = await article.tags.filter(name="x")
    builder: AsyncQueryBuilder[Tag] = query
    assert_type(await builder.count(), int)
    assert_type(await query.order("-name").limit(2).fetch_all(), list[Tag])
    assert_type(await (await article.tags.filter()).fetch_one(), Tag | None)
    assert_type(await article.tags.filter().fetch_last(), Tag | None)
    assert_type(await article.tags.order("name").offset(1).fetch_all(), list[Tag])
    assert_type(await article.tags.limit(3).fetch_all(), list[Tag])
    async for each in article.tags:
        assert_type(each, Tag)
    assert_type({each.name async for each in article.tags}, set[str])

    await tag.articles.add(article)
    await tag.articles.set()
    assert_type(await tag.articles.fetch_all(), list[Article])
    assert_type(await tag.articles.filter(title="x").fetch_one(), Article | None)
    assert_type(await tag.pages.fetch_all(), list[Article])
    async for text in tag.articles:
        assert_type(await text.tags.fetch_all(), list[Tag])
    await node.links.add(node)
    assert_type(await node.links.fetch_all(), list[Node])
    assert_type(await node.linked.filter(name="x").fetch_all(), list[Node])
    assert_type(await node.twins.fetch_one(), Node | None)
    await author.articles.add(article)
    assert_type(await author.articles.fetch_all(), list[Any])

    assert_type(Article.tags, AsyncManyToMany[Tag])
    assert_type(Tag.articles, AsyncReverseManyToMany[Article])


async def queries(db: AsyncSqliterDB, ada: Author, tag: Tag) -> None:
    query = db.select(Book).select_related("author", "editor").share_lazy()
    assert_type(query, AsyncQueryBuilder[Book])
    found = query.filter(author=ada, author__name="Ada", editor__isnull=True)
    assert_type(await found.order("author__name", "-title").fetch_all(), list[Book])
    assert_type(await db.select(Book).filter(author__in=[ada, 3, None]).count(), int)
    assert_type(await db.select(Author).filter(books__title="x").exists(), bool)
    assert_type(await db.select(Article).filter(tags=tag).count(), int)
    book = await query.fetch_one()
    if book is not None:
        assert_type(book.author.name, str)
    assert_type(book.author.name if book else None, str | None)

    latest = Prefetch("books", db.select(Book).order("-title").limit(3))
    authors = db.select(Author).prefetch_related(latest, "books__reviews", "edited")
    assert_type(authors, AsyncQueryBuilder[Author])
    for each in await authors.fetch_all():
        books = await each.books.fetch_all()
        assert_type([b.title for b in books], list[str])
        assert_type(await books[0].reviews.count(), int)
    db.select(Author).prefetch_related(Prefetch("books"))
    counted = db.select(Author).with_count("books", "n").having(n__gt=1)
    assert_type(await counted.fetch_dicts(), list[dict[str, Any]])
    db.warn_lazy()
    db.forbid_lazy()


def plain(book: Book, db: AsyncSqliterDB) -> None:
    assert_type(book.model_dump(), dict[str, Any])
    assert_type(book.model_dump(include_related=True), dict[str, Any])
    assert_type(book.model_dump(mode="json", exclude={"pk"}), dict[str, Any])
    assert_type(book.model_dump_json(include_related=True, indent=2), str)
    assert_type(book.model_copy(), Book)
    assert_type(book.db_context, Any)
    book.db_context = db


async def older(db: AsyncSqliterDB, book: Book, author: Author) -> None:
    loader = cast(AsyncLazyLoader[Author], book.author)
    assert_type(await loader.fetch(), Author | None)
    assert_type(await db.load(loader), Author | None)
    assert_type(loader.db_context, Any)
    books_query = cast(AsyncReverseQuery, author.books)
    books = cast(list[Book], await books_query.fetch_all())
    assert_type(books, list[Book])
    typed = cast(AsyncReverseQuery[Book], author.books)
    assert_type(await typed.filter(title="x").fetch_all(), list[Book])
    bare: AsyncForeignKey = Book.author
    assert_type(bare, AsyncForeignKey[Any])
