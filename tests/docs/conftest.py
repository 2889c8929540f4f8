"""An empty folder and an empty module for each page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from docs.blocks import Page

NAME = "a_page_of_the_documentation"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page whose code runs like a script in an empty folder."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType(NAME)
    sys.modules[NAME] = module  # where annotations and pickles look names up
    yield Page(module)
    del sys.modules[NAME]
