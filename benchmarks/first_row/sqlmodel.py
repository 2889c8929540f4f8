"""SQLModel: start, read a row, print a name, end."""

import sys

from sqlmodel import Field, Session, SQLModel, create_engine


class Author(SQLModel, table=True):
    __tablename__ = "authors"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    country: str


engine = create_engine(f"sqlite:///{sys.argv[1]}")
with Session(engine) as session:
    author = session.get(Author, 1)
    assert author
    print(author.name)
engine.dispose()
