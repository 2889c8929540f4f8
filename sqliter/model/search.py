"""Full-text search: which fields of a model are searched, and how their text is cut."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqliter.exceptions import InvalidSearchError
from sqliter.helpers import quote_identifier
from sqliter.model.table import Column, Table

__all__ = ["FullText", "SearchIndex", "needed_index_of", "search_index_of"]

Tokenizer: TypeAlias = Literal["unicode61", "porter"]

_TOKENIZERS = typing.get_args(Tokenizer)
_RESERVED = ("rank", "rowid")  # columns that every table of FTS5 has
_MOST_PREFIXES = 31  # of FTS5


@dataclass(frozen=True)
class FullText:
    """The search index of a model: ``Meta.fts``, where a list of fields is too little.

    ``tokenizer``: ``"porter"`` also finds other forms of English words, ``"unicode61"``
    takes words as they are. ``remove_diacritics``: é is e. ``prefixes``: lengths, in
    characters, of beginnings of words that are to be found faster. Raises
    ``ValueError`` and ``TypeError`` for what cannot be.

    Example:
        >>> class Article(BaseDBModel):
        ...     title: str
        ...     class Meta:
        ...         fts = FullText(["title"], tokenizer="porter", prefixes=[2, 3])
    """

    fields: Sequence[str]
    tokenizer: Tokenizer = "unicode61"
    remove_diacritics: bool = True
    prefixes: Sequence[int] = ()

    def __post_init__(self) -> None:
        if isinstance(self.fields, str):
            msg = f"fts takes a list of field names, not the string {self.fields!r}"
            raise TypeError(msg)
        if self.tokenizer not in _TOKENIZERS:
            names = " or ".join(map(repr, _TOKENIZERS))
            msg = f"tokenizer must be {names}, not {self.tokenizer!r}"
            raise ValueError(msg)
        object.__setattr__(self, "fields", tuple(dict.fromkeys(self.fields)))
        object.__setattr__(self, "prefixes", _lengths(self.prefixes))


FullText.__module__ = "sqliter.model"  # where users import it from


@dataclass(frozen=True, eq=False, repr=False)
class SearchIndex:
    """The table of FTS5 that finds rows of another table; one object per table."""

    table: Table
    columns: tuple[Column, ...]
    options: FullText

    @property
    def name(self) -> str:
        """Its name, which follows from that of the table."""
        return f"{self.table.name}_fts"

    @property
    def sql(self) -> str:
        """The quoted name."""
        return quote_identifier(self.name)

    def place_of(self, field: str) -> int:
        """Return which of its columns a field is, or raise ``InvalidSearchError``."""
        fields = [column.field for column in self.columns]
        if field not in fields:
            names = ", ".join(fields)
            msg = f"'{field}' is none of the fields that are searched: {names}"
            raise InvalidSearchError(msg)
        return fields.index(field)


def search_index_of(table: Table) -> SearchIndex | None:
    """Return the search index that ``Meta`` asks for, if it does.

    Raises ``InvalidSearchError`` for fields that cannot be searched.
    """
    return table.prepare(_described) if _asked_for(table) else None


def needed_index_of(table: Table) -> SearchIndex:
    """Return the search index, or raise ``InvalidSearchError`` if there is none."""
    index = search_index_of(table)
    if index is None:
        name = table.model.__name__
        msg = f"{name} has no search index; give its Meta fts = [...], a list of fields"
        raise InvalidSearchError(msg)
    return index


def _asked_for(table: Table) -> object:
    return getattr(table.model.Meta, "fts", None)


def _described(table: Table) -> SearchIndex:
    given = _asked_for(table)
    try:
        options = given if isinstance(given, FullText) else FullText(_listed(given))
    except TypeError as error:
        model = table.model.__name__
        raise InvalidSearchError(f"{error} ({model}.Meta)") from error
    if table.is_keyed:  # VACUUM gives such rows other numbers
        msg = (
            f"{table.model.__name__} cannot be searched: the index knows rows by "
            "integers, so the primary key must be one"
        )
        raise InvalidSearchError(msg)
    columns = tuple(_searched(table, field) for field in options.fields)
    if not columns:
        msg = f"the search index of {table.model.__name__} names no fields"
        raise InvalidSearchError(msg)
    return SearchIndex(table, columns, options)


def _listed(given: object) -> Sequence[str]:
    if isinstance(given, (str, Sequence)):
        return given
    msg = f"fts takes a list of field names, or FullText(...), not {given!r}"
    raise TypeError(msg)


def _searched(table: Table, field: str) -> Column:
    column, model = table.by_field.get(field), table.model.__name__
    if column is None:
        raise InvalidSearchError(f"{model} has no field {field!r} to be searched")
    if column.codec.encode is not None or str not in column.codec.writes:
        raise InvalidSearchError(f"field '{field}' of {model} holds no text")
    if column.name.lower() in (*_RESERVED, f"{table.name}_fts".lower()):
        raise InvalidSearchError(
            f"FTS5 keeps the name '{field}' for itself; rename that field of {model}"
        )
    return column


def _lengths(given: Sequence[int]) -> tuple[int, ...]:
    lengths = tuple(sorted(set(given)))
    for each in lengths:
        if type(each) is not int or not 1 <= each <= 999:
            msg = f"prefixes are lengths from 1 to 999, not {each!r}"
            raise ValueError(msg)
    if len(lengths) > _MOST_PREFIXES:
        msg = f"FTS5 takes at most {_MOST_PREFIXES} prefixes"
        raise ValueError(msg)
    return lengths
