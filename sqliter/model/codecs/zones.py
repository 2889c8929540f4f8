"""The local zone at an instant, remembered per quarter of an hour."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BUCKET = 900  # seconds; no zone in use changes its offset twice within a quarter
_MOST = 4096
_UNKNOWN = (OverflowError, OSError, ValueError)


class _Zone:
    """Epochs by bucket for one setting of the process's zone."""

    __slots__ = ("epochs", "names")

    def __init__(self, names: tuple[str, str]) -> None:
        self.names = names
        self.epochs: dict[int, datetime | None] = {}


_zone = _Zone(time.tzname)


def local_epoch(seconds: int) -> datetime:
    """1970-01-01T00:00Z written in the fixed-offset zone that is local at `seconds`.

    Adding the seconds to it gives the local time of that instant.
    """
    global _zone  # noqa: PLW0603 - one process has one local zone
    zone = _zone
    # time.tzset() binds a new tuple, so identity notices it at the price of one lookup
    if zone.names is not time.tzname:
        zone = _zone = _Zone(time.tzname)
    bucket = seconds // BUCKET
    try:
        epoch = zone.epochs[bucket]
    except KeyError:
        epoch = _remember(zone.epochs, bucket)
    return _epoch_at(seconds) if epoch is None else epoch


def local_offset(seconds: int) -> int:
    """Seconds that a local clock is ahead of UTC at an instant; not remembered."""
    try:
        return time.localtime(seconds).tm_gmtoff
    except _UNKNOWN:
        return 0


def _remember(epochs: dict[int, datetime | None], bucket: int) -> datetime | None:
    """Keep the bucket's epoch, or None where the offset changes inside it."""
    first, last = _epoch_at(bucket * BUCKET), _epoch_at(bucket * BUCKET + BUCKET - 1)
    same = first.utcoffset() == last.utcoffset() and first.tzname() == last.tzname()
    if len(epochs) >= _MOST:
        epochs.clear()
    epochs[bucket] = first if same else None
    return epochs[bucket]


def _epoch_at(seconds: int) -> datetime:
    """Ask the system; what it cannot say (Windows before 1970) is UTC."""
    try:
        local = time.localtime(seconds)
    except _UNKNOWN:
        return EPOCH
    return EPOCH.astimezone(timezone(timedelta(seconds=local.tm_gmtoff), local.tm_zone))
