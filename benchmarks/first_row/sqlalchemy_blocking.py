"""SQLAlchemy, blocking: start, read a row, print a name, end."""

import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str]


engine = create_engine(f"sqlite:///{sys.argv[1]}")
with Session(engine) as session:
    author = session.get(Author, 1)
    assert author
    print(author.name)
engine.dispose()
