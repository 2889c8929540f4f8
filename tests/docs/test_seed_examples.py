"""The examples the library was made for run as they were written."""

from __future__ import annotations

from pathlib import Path

from docs.blocks import Page, blocks_of

SEEDS = Path(__file__).with_name("seed_examples.md")


def test_the_first_examples_run(page: Page) -> None:
    blocks = blocks_of(SEEDS)
    assert len(blocks) == 6
    page.run(blocks)
    assert page.names["results"] == [page.names["ada"]]
