"""SQLAlchemy, with asyncio: start, read a row, print a name, end."""

import asyncio
import sys

from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country: Mapped[str]


async def main() -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{sys.argv[1]}")
    async with AsyncSession(engine) as session:
        author = await session.get(Author, 1)
        assert author
        print(author.name)
    await engine.dispose()


asyncio.run(main())
