"""The page of the documentation that shows the results."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["PAGE", "PICTURE", "replaced", "write"]

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"
PICTURE = DOCS / "benchmarks.svg"


def write(section: str, text: str) -> None:
    """Put a text between the page's markers of a section."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(replaced(page, section, text), encoding="utf-8")


def replaced(page: str, section: str, text: str) -> str:
    """Return a page with another text between the markers of a section.

    Raises ``ValueError`` if it has none.
    """
    begin, end = f"<!-- begin: {section} -->", f"<!-- end: {section} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no markers {begin} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)
