"""Programs of this folder that run in processes of their own, and what is said to them.

`python -m stress.clerk ...`: each says `ready` and waits for a line, so that all begin at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import IO

READY = "ready"


class Child:
    """One such program; it does not outlive its `with` block."""

    def __init__(self, program: str, *args: object) -> None:
        self._name = program
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", f"stress.{program}", *map(str, args)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def is_ready(self) -> None:
        """Wait until it has imported and opened what it needs."""
        if (said := self._hear()) != READY:
            raise self._failed(said)

    def ask(self, line: str = "go") -> str:
        """Say a line and wait for the answer."""
        self.tell(line)
        return self._hear()

    def tell(self, line: str = "go") -> None:
        _pipe(self._process.stdin).write(f"{line}\n".encode())

    def result(self, timeout: float = 300) -> str:
        """Wait for its end; the last line that it printed."""
        out, error = self._process.communicate(timeout=timeout)
        if self._process.returncode:
            raise self._failed(error.decode())
        return out.decode().strip().rpartition("\n")[2]

    def kill_after(self, seconds: float) -> str:
        """Let it run for so long, then end it with SIGKILL; all that it printed."""
        try:
            _, error = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.communicate()[0].decode()
        raise self._failed(error.decode())

    def _hear(self) -> str:
        return _pipe(self._process.stdout).readline().decode().strip()

    def _failed(self, why: str) -> AssertionError:
        self._process.kill()
        error = self._process.communicate()[1].decode()
        return AssertionError(f"{self._name} said {why!r}:\n{error}")


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def say(line: str) -> None:
    """Print in a child, at once and whole, whatever happens to it afterwards."""
    os.write(1, f"{line}\n".encode())


def wait_for_go() -> None:
    """Begin together with the other children."""
    say(READY)
    sys.stdin.readline()


class Probe(Child):
    """Another process that wants to write, and does not wait for it."""

    def __init__(self, filename: object) -> None:
        super().__init__("prober", filename)
        self.is_ready()

    def can_write(self) -> bool:
        return self.ask("write?") == "yes"
