"""What the scenarios work with: models of either colour, and a file with rows of them.

Poet <- Poem - Theme     a poet writes poems, which have themes
Guest, Club              have no table yet; a club has themes, too
"""

# No `from __future__ import annotations`: the annotations speak of local classes.

import functools
import sqlite3
import tempfile
from pathlib import Path
from types import SimpleNamespace

from support import Colour

from sqliter import SqliterDB
from sqliter.model import unique

LONG_AGO = 1000
"""When the rows of the file were written; anything later is "now"."""


@functools.cache
def models(colour: Colour) -> SimpleNamespace:
    """The models of a colour; always the same classes."""
    orm = colour.orm

    class Theme(orm.BaseDBModel):
        name: str = unique()

        class Meta:
            table_name = "themes"

    class Poet(orm.BaseDBModel):
        name: str
        age: int = 0

        class Meta:
            table_name = "poets"

    class Poem(orm.BaseDBModel):
        title: str
        poet: orm.ForeignKey[Poet] = orm.ForeignKey(
            Poet, on_delete="CASCADE", related_name="poems"
        )
        themes: orm.ManyToMany[Theme] = orm.ManyToMany(Theme, related_name="poems")

        class Meta:
            table_name = "poems"

    class Guest(orm.BaseDBModel):
        email: str = unique()
        name: str
        poet: orm.ForeignKey[Poet | None] = orm.ForeignKey(
            Poet, null=True, on_delete="SET NULL", related_name="guests"
        )

        class Meta:
            table_name = "guests"
            indexes = ["name", ("name", "email")]

    class Club(orm.BaseDBModel):
        name: str
        themes: orm.ManyToMany[Theme] = orm.ManyToMany(Theme, related_name="clubs")

        class Meta:
            table_name = "clubs"

    return SimpleNamespace(Theme=Theme, Poet=Poet, Poem=Poem, Guest=Guest, Club=Club)


@functools.cache
def template() -> bytes:
    """The content of a file with three poets, four poems, three themes and some links."""
    with tempfile.TemporaryDirectory(prefix="sqliter-") as folder:
        path = Path(folder, "template.db")
        fill(path)
        return path.read_bytes()


def fill(path: Path) -> None:
    """Make the file."""
    made = models(Colour.SYNC)
    db = SqliterDB(str(path))
    for model in (made.Theme, made.Poet, made.Poem):
        db.create_table(model)
    db.bulk_insert([made.Theme(name=name) for name in ("love", "sea", "war")])
    db.bulk_insert([made.Poet(name=name, age=30) for name in ("Ann", "Bob", "Cy")])
    titles = (("Dawn", 1), ("Echo", 1), ("Foam", 2), ("Gull", 2))
    poems = db.bulk_insert([made.Poem(title=t, poet_id=key) for t, key in titles])
    first, second = db.select(made.Theme).limit(2).fetch_all()
    poems[0].themes.add(first, second)
    poems[2].themes.add(second)
    db.close()
    with sqlite3.connect(path) as raw:
        for table in ("themes", "poets", "poems"):
            raw.execute(
                f"UPDATE {table} SET created_at = {LONG_AGO}, updated_at = {LONG_AGO}"
            )
        raw.execute("CREATE TABLE probe (n INTEGER)")
        raw.execute("INSERT INTO probe VALUES (0)")
    raw.close()
