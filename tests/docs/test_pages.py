"""Every Python block of the README and of the documentation runs as printed.

The blocks of a page run in order, in one namespace and one empty folder; ``await`` is
allowed at top level. ``<!-- no-run -->`` before a block: compiled only.
``<!-- raises: SomeError -->``: must raise that.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.blocks import Page, blocks_of

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [
    each for each in (README, *sorted((ROOT / "docs").rglob("*.md"))) if each.exists()
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_of_a_page_runs(path: Path, page: Page) -> None:
    page.run(blocks_of(path))


@pytest.mark.skipif(not README.exists(), reason="there is no README yet")
def test_the_readme_shows_code() -> None:
    assert len([block for block in blocks_of(README) if block.runs]) >= 2


# --- the runner itself ------------------------------------------------------


def _page(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "page.md"
    path.write_text(text.replace("'''", "```"))
    return path


def test_blocks_share_names_and_may_await(tmp_path: Path, page: Page) -> None:
    text = (
        "'''python\nimport asyncio\nfound = []\n'''\n\n- a list\n\n"
        "  '''python\n  await asyncio.sleep(0)\n  found.append(1)\n  '''\n"
        "<!-- no-run -->\n'''python\nfound.append(2)\n'''\n"
        "<!-- raises: ZeroDivisionError -->\n\n'''python\nfound.append(3)\n1 / 0\n'''\n"
        "'''text\nfound.append(4)\n'''\n"
    )
    page.run(blocks_of(_page(tmp_path, text)))
    assert page.names["found"] == [1, 3]


def test_a_block_that_does_not_raise_is_found(tmp_path: Path, page: Page) -> None:
    path = _page(tmp_path, "<!-- raises: ValueError -->\n'''python\nx = 1\n'''\n")
    with pytest.raises(AssertionError, match=r"page\.md:3 did not raise"):
        page.run(blocks_of(path))


def test_a_block_that_raises_something_else_is_found(
    tmp_path: Path, page: Page
) -> None:
    path = _page(tmp_path, "<!-- raises: ValueError -->\n'''python\n1 / 0\n'''\n")
    with pytest.raises(ZeroDivisionError):
        page.run(blocks_of(path))


def test_a_block_that_is_not_run_is_compiled(tmp_path: Path, page: Page) -> None:
    path = _page(tmp_path, "text\n<!-- no-run -->\n'''python\nx =\n'''\n")
    with pytest.raises(SyntaxError) as caught:
        page.run(blocks_of(path))
    assert caught.value.lineno == 4


def test_a_note_belongs_to_the_next_block_only(tmp_path: Path) -> None:
    text = "<!-- no-run -->\n'''python\nx\n'''\ntext\n'''python\ny\n'''\n"
    assert [each.runs for each in blocks_of(_page(tmp_path, text))] == [False, True]
