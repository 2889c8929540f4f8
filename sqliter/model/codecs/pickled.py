"""Reading the containers that older versions pickled, without running anything."""

from __future__ import annotations

import io
import pickle  # the reader below refuses every global, so nothing can be called
import pickletools
from typing import Any


class _Plain(pickle.Unpickler):
    """An unpickler for built-in containers and scalars only."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse: a global is how a pickle calls code."""
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_pickle(blob: bytes) -> Any:
    """Read plain containers and scalars, or raise `ValueError`."""
    try:
        _refuse_bombs(blob)
        return _Plain(io.BytesIO(blob)).load()
    except Exception as error:  # broken pickles raise nearly anything
        raise ValueError(f"not a plain pickled container: {error}") from error


def _refuse_bombs(blob: bytes) -> None:
    """Raise for a few bytes that would take gigabytes: lengths and numbers made up."""
    for opcode, argument, position in pickletools.genops(blob):
        if "PUT" in opcode.name and int(argument or 0) > (position or 0):
            raise pickle.UnpicklingError(f"it has no {argument} parts to be numbered")
