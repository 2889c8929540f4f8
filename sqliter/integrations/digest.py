"""What a statement does to which table, as far as its text says so."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Digest", "digest_of", "redacted"]

_TOKEN = re.compile(
    r"""(?sx)
      (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<literal> [xX]?'(?:[^']|'')*(?:'|\Z) | \b\d[\w.]* )
    | (?P<name> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<word> [^\W\d]\w* )
    | (?P<mark> \S )
    """
)
_MAIN = {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "VALUES"}
_BEFORE_TABLE = {
    "SELECT": ("FROM",),
    "DELETE": ("FROM",),
    "INSERT": ("INTO",),
    "REPLACE": ("INTO",),
    "UPDATE": ("UPDATE",),
    "CREATE": ("TABLE", "ON"),
    "DROP": ("TABLE",),
    "ALTER": ("TABLE",),
}
_NO_TABLE = {
    "OR",
    "ROLLBACK",
    "ABORT",
    "REPLACE",
    "FAIL",
    "IGNORE",
    "IF",
    "NOT",
    "EXISTS",
}
_SCHEMA = {"CREATE", "DROP", "ALTER"}
_OBJECTS = {"TABLE", "INDEX", "VIEW", "TRIGGER"}
_QUERIES = {"SELECT", "VALUES", "PRAGMA", "EXPLAIN"}


class Digest(NamedTuple):
    """The verb in capitals, the table it is about, and whether rows come back."""

    operation: str
    table: str | None
    returns_rows: bool

    @property
    def summary(self) -> str:
        """Verb and table."""
        return " ".join(filter(None, (self.operation, self.table)))


class _Token(NamedTuple):
    kind: str | None
    text: str


@functools.lru_cache(maxsize=256)
def digest_of(sql: str) -> Digest:
    """Return what a statement does; what is not known stays empty."""
    tokens = list(_outermost(_tokens(sql)))
    words = [token.text.upper() if token.kind == "word" else "" for token in tokens]
    verb = words[0] if words else ""
    start = 0
    if verb == "WITH":
        verb = next(filter(_MAIN.__contains__, words), verb)
        start = words.index(verb)
    table = _table(tokens[start:], words[start:])
    if table in {_unquoted(token.text) for token in tokens[:start]}:
        table = None  # it is what WITH defines
    if verb in _SCHEMA:
        verb = " ".join([verb, *filter(_OBJECTS.__contains__, words[:4])])
    return Digest(verb, table, verb in _QUERIES or "RETURNING" in words)


def redacted(sql: str) -> str:
    """Return a text with question marks for the values written into it."""
    return _TOKEN.sub(lambda found: "?" if found["literal"] else found[0], sql)


def _tokens(sql: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(sql):
        if found.lastgroup != "comment":
            yield _Token(found.lastgroup, found[0])


def _outermost(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Leave out what stands in parentheses, such as sub-selects."""
    depth = 0
    for token in tokens:
        depth -= token.text == ")"
        if depth == 0 and token.text != ";":
            yield token
        depth += token.text == "("


def _table(tokens: Sequence[_Token], words: Sequence[str]) -> str | None:
    """Return the first name behind the word that a table follows."""
    for marker in _BEFORE_TABLE.get(words[0], ()) if words else ():
        if marker in words:
            behind = words.index(marker) + 1
            while words[behind : behind + 1] and words[behind] in _NO_TABLE:
                behind += 1
            return _name(tokens[behind:])
    return None


def _name(tokens: Sequence[_Token]) -> str | None:
    """Return a name as it is called, that of the database in front of it included."""
    if not tokens or tokens[0].kind not in ("name", "word"):
        return None
    name = _unquoted(tokens[0].text)
    if len(tokens) > 2 and tokens[1].text == ".":
        return f"{name}.{_unquoted(tokens[2].text)}"
    return name


def _unquoted(name: str) -> str:
    quote = name[0]
    if quote == "[":
        return name[1:-1]
    return name[1:-1].replace(quote * 2, quote) if quote in '"`' else name
