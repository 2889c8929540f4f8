"""Programs that come to an end in another interpreter, and what they leave behind.

A program gets the name of the file as its first argument. It says `ready()` when the reason to end
is there, or when the test may send Ctrl-C. No promise of the library is checked here.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from support import INTERRUPTIBLE

LIMIT = 0.5
"""Seconds that a program may take to end."""

HANGS = 10
"""Seconds after which nobody waits any longer."""

TRIES = 3

HEAD = """
import asyncio, atexit, gc, os, signal, sqlite3, sys, threading, time
from sqliter import SqliterDB
from sqliter.asyncio import AsyncSqliterDB
from sqliter.model import BaseDBModel

class User(BaseDBModel):
    name: str

    class Meta:
        table_name = "users"

path = sys.argv[1]
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n LIMIT 3000000000)"
LONG_READ = NUMBERS + " SELECT count(*) FROM n"
LONG_WRITE = f"INSERT INTO users SELECT i, 0, 0, 'lost' FROM ({NUMBERS} SELECT i FROM n)"

def ready():
    print(time.time(), flush=True)

def soon():
    timer = threading.Timer(0.2, ready)
    timer.daemon = True
    timer.start()

def start(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()

def lost():
    return User(name="lost")

def filled(**options):
    db = SqliterDB(path, **options)
    db.create_table(User)
    db.insert(User(name="kept"))
    return db

async def filled_async(**options):
    db = AsyncSqliterDB(path, **options)
    await db.create_table(User)
    await db.insert(User(name="kept"))
    return db

def run(main):
    asyncio.run(main(), debug=False)
"""


@dataclass
class End:
    """How a program ended."""

    returncode: int
    seconds: float
    stderr: str


def end_of(body: str, path: Path, *, interrupted: bool = False) -> End:
    """Run a program to its end; the time counts from the reason to end."""
    program = f"{INTERRUPTIBLE}\n{HEAD}\n{body}"
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = process.stdout.readline()
        since = time.time() if interrupted else float(said or "nan")
        if interrupted:
            process.send_signal(signal.SIGINT)
        try:
            _, stderr = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"it hangs: {process.communicate()[1]}") from None
        return End(process.returncode, time.time() - since, stderr)


def prompt_end_of(body: str, folder: Path, *, interrupted: bool = False) -> End:
    """The same, in a file of its own each time, until it is clear that it ends in time."""
    ends: list[End] = []
    while len(ends) < TRIES:
        path = folder / f"{len(ends)}.db"
        end = end_of(body, path, interrupted=interrupted)
        ends.append(end)
        assert kept(path) == ["kept"], end.stderr
        if end.seconds <= LIMIT and len(ends) == 1:
            return end
    assert statistics.median(end.seconds for end in ends) <= LIMIT
    return ends[0]


def kept(path: Path) -> list[str]:
    """What is in a file that must be sound, and that others may write to at once."""
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.execute("BEGIN IMMEDIATE")
        rows = database.execute("SELECT name FROM users").fetchall()
        database.execute("ROLLBACK")
    finally:
        database.close()
    return [name for (name,) in rows]
