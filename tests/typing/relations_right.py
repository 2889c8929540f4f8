"""Relations as users write them, blocking, without a cast. No checker may object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, assert_type

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
from sqliter.orm.fields import LazyLoader
from sqliter.orm.m2m import ManyToManyManager, PrefetchedM2MResult
from sqliter.orm.query import PrefetchedResult, ReverseQuery
from sqliter.query import QueryBuilder


class Author(BaseDBModel):
    name: str
    books: ClassVar[ReverseRelationship["Book"]]  # filled by related_name
    edited: ClassVar[ReverseRelationship["Book"]] = ReverseRelationship("Book")
    articles: ClassVar[ReverseManyToMany]  # bare: of any model

    class Meta:
        table_name = "writers"


class Book(BaseDBModel):
    title: str
    author_id: int = fk_id()
    author: ForeignKey[Author] = ForeignKey(
        Author, on_delete="CASCADE", on_update="NO ACTION", related_name="books"
    )
    editor: ForeignKey[Author | None] = ForeignKey(
        Author, null=True, on_delete="SET NULL", related_name="edited"
    )
    critic: ForeignKey[Author | None] = ForeignKey(Author, related_name=False)
    reviews: ClassVar[ReverseRelationship[Review]]

    class Meta:
        indexes = ["title"]


class Novel(Book):
    pages: int = 0


class Review(BaseDBModel):
    text: str
    book_id: int | None = fk_id()
    book: ForeignKey[Book | None] = ForeignKey("Book", null=True, unique=True)
    reader: ForeignKey[Author] = ForeignKey("Author", db_column="who")


class Node(BaseDBModel):
    name: str = ""
    parent: ForeignKey[Node | None] = ForeignKey(
        "Node", null=True, related_name="children"
    )
    root: ForeignKey["Node | None"] = ForeignKey("self", null=True, related_name="all")
    children: ClassVar[ReverseRelationship[Node]]
    links: ManyToMany["Node"] = ManyToMany("Node", related_name="linked")
    linked: ClassVar[ReverseManyToMany[Node]]
    twins: ManyToMany[Node] = ManyToMany("self", through="twins", symmetrical=True)


class Tag(BaseDBModel):
    name: str
    articles: ClassVar[ReverseManyToMany["Article"]]
    pages: ClassVar[ReverseManyToMany["Article"]] = ReverseManyToMany("Article")


class Article(BaseDBModel):
    title: str
    tags: ManyToMany[Tag] = ManyToMany(Tag, related_name="articles")
    marks: ManyToMany[Tag] = ManyToMany(Tag, through="marks", related_name="pages")
    authors: ManyToMany[Author] = ManyToMany("Author", related_name="articles")


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


def forward(
    db: SqliterDB, book: Book, review: Review, node: Node, novel: Novel
) -> None:
    assert_type(book.author, Author)
    assert_type(book.author.name, str)
    assert_type(book.author_id, int)
    assert_type(review.book_id, int | None)
    assert_type(review.reader.name, str)
    assert_type(novel.author.name, str)
    assert_type(book.editor, Author | None)
    assert_type(book.critic, Author | None)
    if book.editor is not None:
        assert_type(book.editor.name, str)
    if review.book:
        assert_type(review.book.author.name, str)
    if node.parent is not None and node.parent.parent is not None:
        assert_type(node.parent.parent.name, str)
    assert_type(node.root, Node | None)

    assert_type(db.load(book.author), Author)
    assert_type(db.load(book.editor), Author | None)
    assert_type(db.load(node.parent), Node | None)

    book.author = Author(name="Ada")
    book.author = 3
    book.author_id = 4
    book.editor = None
    book.editor = 5
    book.editor = db.get(Author, 1)
    node.parent = node
    book.author.name = "Ada"

    assert_type(Book.author, ForeignKey[Author])
    assert_type(Book.editor, ForeignKey[Author | None])
    assert_type(Book.author.id_of(book), int | None)
    assert_type(Book.editor.id_of(novel), int | None)
    assert_type(Node.parent.id_of(node), int | None)


def backward(author: Author, node: Node, book: Book) -> None:
    handle: ReverseQuery[Book] | PrefetchedResult[Book] = author.books
    assert_type(handle.count(), int)
    assert_type(author.books.fetch_all(), list[Book])
    assert_type(author.books.fetch_one(), Book | None)
    assert_type(author.books.count(), int)
    assert_type(author.books.exists(), bool)
    assert_type(author.edited.fetch_all(), list[Book])
    assert_type(book.reviews.fetch_all(), list[Review])
    assert_type(node.children.fetch_all(), list[Node])
    chain = author.books.filter(title__startswith="N", author__name="Ada")
    assert_type(chain.order("-title").limit(3).offset(1).fetch_all(), list[Book])
    assert_type(author.books.order("title").fetch_one(), Book | None)
    assert_type(author.books.limit(1).exists(), bool)
    assert_type(author.books.offset(1).count(), int)
    for each in author.books:
        assert_type(each, Book)
    for each in author.books.filter(title="x").order("title"):
        assert_type(each.author.name, str)
    assert_type([each.title for each in author.books], list[str])
    assert_type(len(author.books), int)
    assert_type(len(author.books.filter(title="x")), int)
    assert_type(list(author.books), list[Book])
    assert_type(iter(author.books), Iterator[Book])
    assert_type(Author.books, ReverseRelationship[Book])


def many(article: Article, tag: Tag, node: Node, author: Author) -> None:
    handle: ManyToManyManager[Tag] | PrefetchedM2MResult[Tag] = article.tags
    handle.add(tag)
    article.tags.add(tag, tag)
    article.tags.remove(tag)
    article.tags.set(tag)
    article.tags.set(*article.marks.fetch_all())
    article.tags.clear()
    assert_type(article.tags.fetch_all(), list[Tag])
    assert_type(article.tags.fetch_one(), Tag | None)
    assert_type(article.tags.count(), int)
    assert_type(article.tags.exists(), bool)
    assert_type(article.authors.fetch_all(), list[Author])
    query: QueryBuilder[Tag] = article.tags.filter(name="x")
    assert_type(query.order("-name").limit(2).fetch_all(), list[Tag])
    assert_type(article.tags.filter(name__in=["x", "y"]).count(), int)
    assert_type(article.tags.filter().fetch_last(), Tag | None)
    assert_type(article.tags.order("name").limit(3).offset(1).fetch_all(), list[Tag])
    assert_type(article.tags.limit(3).fetch_all(), list[Tag])
    assert_type(article.tags.offset(1).exists(), bool)
    for each in article.tags:
        assert_type(each, Tag)
    assert_type({each.name for each in article.tags}, set[str])
    assert_type(len(article.tags), int)

    tag.articles.add(article)
    tag.articles.set()
    assert_type(tag.articles.fetch_all(), list[Article])
    assert_type(tag.articles.filter(title="x").fetch_one(), Article | None)
    assert_type(tag.pages.fetch_all(), list[Article])
    assert_type(len(tag.articles), int)
    for text in tag.articles:
        assert_type(text.tags.fetch_all(), list[Tag])
    node.links.add(node)
    assert_type(node.links.fetch_all(), list[Node])
    assert_type(node.linked.filter(name="x").fetch_all(), list[Node])
    assert_type(node.twins.fetch_one(), Node | None)
    author.articles.add(article)
    assert_type(author.articles.fetch_all(), list[Any])

    assert_type(Article.tags, ManyToMany[Tag])
    assert_type(Tag.articles, ReverseManyToMany[Article])


def queries(db: SqliterDB, ada: Author, tag: Tag) -> None:
    query = db.select(Book).select_related("author", "editor").share_lazy()
    assert_type(query, QueryBuilder[Book])
    found = query.filter(author=ada, author__name="Ada", editor__isnull=True)
    assert_type(found.order("author__name", "-title").fetch_all(), list[Book])
    assert_type(db.select(Book).filter(author__in=[ada, 3, None]).count(), int)
    assert_type(db.select(Author).filter(books__title="x").exists(), bool)
    assert_type(db.select(Article).filter(tags=tag, tags__name="x").count(), int)
    book = query.fetch_one()
    if book is not None:
        assert_type(book.author.name, str)
    assert_type(book.author.name if book else None, str | None)

    latest = Prefetch("books", db.select(Book).order("-title").limit(3))
    authors = db.select(Author).prefetch_related(latest, "books__reviews", "edited")
    assert_type(authors, QueryBuilder[Author])
    for each in authors.fetch_all():
        assert_type([b.title for b in each.books], list[str])
        assert_type(each.books.fetch_all()[0].reviews.count(), int)
    db.select(Author).prefetch_related(Prefetch("books"))
    counted = db.select(Author).with_count("books", "n").having(n__gt=1)
    assert_type(counted.fetch_dicts(), list[dict[str, Any]])
    db.warn_lazy()
    db.forbid_lazy()


def plain(book: Book) -> None:
    assert_type(book.model_dump(), dict[str, Any])
    assert_type(book.model_dump(include_related=True), dict[str, Any])
    assert_type(book.model_dump(mode="json", exclude={"pk"}), dict[str, Any])
    assert_type(book.model_dump_json(include_related=True, indent=2), str)
    assert_type(book.model_copy(), Book)


def loader(lazy: LazyLoader[Author], query: ReverseQuery, mine: ForeignKey) -> None:
    assert_type(query.fetch_all(), list[Any])
    assert_type(lazy.db_context, Any)
    assert_type(mine, ForeignKey[Any])
