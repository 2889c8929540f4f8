"""Reading the containers that older versions pickled, without running anything."""

from __future__ import annotations

import io
import pickle  # the reader below refuses every global, so nothing can be called
from typing import Any


class _Plain(pickle.Unpickler):
    """An unpickler for built-in containers and scalars only."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse: a global is how a pickle calls code."""
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def read_pickle(blob: bytes) -> Any:
    """Read plain containers and scalars, or raise `ValueError`."""
    try:
        return _Plain(io.BytesIO(blob)).load()
    except Exception as error:  # broken pickles raise nearly anything
        raise ValueError(f"not a plain pickled container: {error}") from error
