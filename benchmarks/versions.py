"""What was measured: names and versions."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Sequence
from importlib import metadata

from benchmarks.contenders import Entry

__all__ = ["versions"]

DISTRIBUTIONS = {"tortoise": "tortoise-orm", "sqliter": "sqliter-py"}


def versions(entries: Sequence[Entry]) -> str:
    """Return a list of names and versions."""
    parts = [
        f"{platform.python_implementation()} {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    packages = {entry.package: entry.title for entry in entries[1:]}
    for package, title in packages.items():
        parts.append(f"{title} {metadata.version(DISTRIBUTIONS.get(package, package))}")
    return ", ".join(parts)
