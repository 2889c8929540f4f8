"""Each promise of the documentation leads to a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "promises.md"
LINKS = re.findall(r"\[`(\w+)`\]\(([^)]+)\)", PAGE.read_text())


@pytest.mark.parametrize(("test", "path"), LINKS)
def test_a_promise_is_proved(test: str, path: str) -> None:
    source = (PAGE.parent / path).read_text()
    assert re.search(rf"^(async )?def {test}\(", source, re.MULTILINE)


def test_no_promise_stands_alone() -> None:
    promises = re.split(r"^\* ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    assert len(promises) > 10
    assert [text for text in promises if "](../tests/" not in text] == []
