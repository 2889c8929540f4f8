"""Decimals as TEXT: every digit and the exponent are kept, and SQL compares numbers."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation

from .codec import Codec, UnstorableValue, shown

DECIMAL_COLLATION = "sqliter_decimal"

_EXACT = Context(
    prec=100_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation, Inexact]
)


def encode_decimal(value: Decimal) -> str:
    """Write a decimal as text; NaN is refused."""
    number = Decimal(value)
    if number.is_nan():
        raise UnstorableValue(f"{value!r} is no number; use None for 'unknown'")
    return str(number)


def decode_decimal(text: str | float) -> Decimal:
    """Read a decimal; a number SQL computed is read by its shortest text."""
    try:
        number = Decimal(str(text))
    except ArithmeticError:
        raise ValueError(f"{shown(text)} is no decimal number") from None
    if number.is_nan():
        raise ValueError(f"{shown(text)} is no decimal number")
    return number


def compare_decimal(a: str, b: str) -> int:
    """Order two texts as numbers (negative, 0, positive); other text goes last."""
    left, right = _number(a), _number(b)
    if left is None or right is None:
        first, second = (left is None, a), (right is None, b)
        return (first > second) - (first < second)
    return (left > right) - (left < right)


class DecimalSum:
    """SUM over decimal texts, exact; NULL without rows (`create_aggregate(…, 1)`)."""

    def __init__(self) -> None:
        """Start without a total."""
        self.total: Decimal | None = None
        self.count = 0

    def step(self, value: str | float | None) -> None:
        """Add one stored value; NULL counts for nothing."""
        if value is None:
            return
        number = decode_decimal(value)
        self.total = number if self.total is None else _EXACT.add(self.total, number)
        self.count += 1

    def finalize(self) -> str | None:
        """Give the sum as text."""
        return None if self.total is None else str(self.total)


class DecimalAvg(DecimalSum):
    """AVG over decimal texts: the exact sum, divided to at least 28 digits."""

    def finalize(self) -> str | None:
        """Give the mean as text."""
        if self.total is None:
            return None
        digits = max(28, len(self.total.as_tuple().digits) + 10)
        wide = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN)
        return str(wide.divide(self.total, Decimal(self.count)))


def _number(text: str) -> Decimal | None:
    try:
        return decode_decimal(text)
    except ValueError:
        return None


DECIMAL = Codec(
    storage="TEXT",
    writes=(Decimal,),
    reads=frozenset({str}),
    encode=encode_decimal,
    decode=decode_decimal,
    collation=DECIMAL_COLLATION,
    adds=True,
)
