"""What a search asks the token filters for.

Which parts of a span have tokens, and how they are hashed, stands in `wire/token_kernel.py`.
"""

import math
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weft_collector.wire.token_sink import DOUBLE, TEXT, hash_token

__all__ = ["key_number", "tokens_of"]

_LONGEST_NUMBER: Final = 1100  # characters: no double needs more to be told from all others


def tokens_of(key: str, value: str) -> NDArray[np.uint64]:
    """The tokens under which `key=value` may stand: of the text, and of the double that the text spells.

    Args:
        key: Of an attribute; `name` for the name of a span, `event.name` for that of an event.
        value: A text; a number in decimal, a boolean as `true` or `false`.
    """
    forms = [(value.encode("utf-8", "surrogatepass"), TEXT)]
    number = _double(value)
    if number is not None:
        forms.append((struct.pack("<d", number), DOUBLE))
    return np.array([_hashed(key.encode("utf-8", "surrogatepass"), *form) for form in forms], np.uint64)


def key_number(key: str) -> int:
    """The number by which pairs of keys know a key: the token of the key and an empty text."""
    return _hashed(key.encode("utf-8", "surrogatepass"), b"", TEXT)


def _double(text: str) -> float | None:
    """The number that a text spells; one zero, and one that is no number."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return math.nan if math.isnan(number) else number + 0.0


def _hashed(key: bytes, value: bytes, tag: int) -> int:
    texts = np.frombuffer(key + value + b"\0", np.uint8)  # the last byte: an empty array has no address
    begin = texts.ctypes.data
    middle, end = begin + len(key), begin + len(key) + len(value)
    return hash_token((begin, middle), (middle, end), tag) & (1 << 64) - 1
