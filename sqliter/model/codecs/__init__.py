"""From a field's annotation to the way its values are kept in one SQLite column.

    codec = codec_for(Decimal | None)
    codec.storage                      # "TEXT"
    codec.encode(Decimal("1.50"))      # "1.50"
    codec.decode("1.50")               # Decimal("1.50")

A value comes back exactly as it was, or there is an error that says what to do:
`UnstorableTypeError` when the codec is built, `UnstorableValue` when one value cannot
be kept. Units: datetimes and dates are Unix seconds (a date is midnight UTC),
timedeltas are microseconds; everything that is no scalar is JSON text. `-0.0` in a
`float` column comes back as `0.0`: SQLite keeps whole REAL values as integers.
"""

from .codec import (
    Codec,
    Storage,
    UnstorableTypeError,
    UnstorableValue,
    Value,
    read_legacy,
)
from .decimals import DECIMAL_COLLATION, DecimalAvg, DecimalSum, compare_decimal
from .resolve import codec_for, natural_encode, read_natural

__all__ = [
    "DECIMAL_COLLATION",
    "Codec",
    "DecimalAvg",
    "DecimalSum",
    "Storage",
    "UnstorableTypeError",
    "UnstorableValue",
    "Value",
    "codec_for",
    "compare_decimal",
    "natural_encode",
    "read_legacy",
    "read_natural",
]
