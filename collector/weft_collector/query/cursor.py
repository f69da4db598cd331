"""Where a page of a search ended, as a text that the client hands back.

Besides one bound for all tables it remembers tables in which nothing is left, and, where the time ran out
among tables that overlap, bounds of single tables. So every page begins where the one before it ended, even
after an answer that was not complete.

The text is not secret and needs no signature: whatever it says, it can only leave rows out. It is bound to its
question by a digest, and every number in it is checked. It keeps the window of the first page: `the last hour`
is another hour when the second page is asked for.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Final

from weft_collector.errors import BadQuery
from weft_collector.query.order import TOP, Key
from weft_collector.query.question import Question

__all__ = ["LONGEST", "Cursor", "decode", "encode"]

LONGEST: Final = 8192
MOST_RANGES: Final = 512
_TEXT: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a search.

    Attributes:
        bound: All rows at and above it were given, or looked at.
        done: Numbers of tables in which nothing is left.
        bounds: Lower bounds of single tables.
    """

    bound: Key = TOP
    done: frozenset[int] = frozenset()
    bounds: Mapping[int, Key] = field(default_factory=dict[int, Key])

    def bound_of(self, number: int) -> Key:
        """Where the search goes on in a table."""
        return min(self.bound, self.bounds.get(number, TOP))


def encode(cursor: Cursor, question: Question) -> str:
    """The cursor, and the window of its question, as a text.

    Raises:
        BadQuery: So many tables overlap that it would become too long.
    """
    bounds = [[number, *key] for number, key in sorted(cursor.bounds.items()) if number not in cursor.done]
    window = [question.start_ns, question.end_ns]
    data = [_digest(question), window, list(cursor.bound), _ranges(cursor.done), bounds]
    text = urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode()
    if len(text) > LONGEST:
        raise BadQuery("Too many parts of the store overlap in this window; ask for a shorter one.")
    return text


def decode(text: str | None, question: Question) -> tuple[Cursor, Question]:
    """The cursor that a text holds, and the question in the window of its first page; the beginning for none.

    Raises:
        BadQuery: It is no cursor, or belongs to another question.
    """
    if text is None:
        return Cursor(), question
    try:
        digest, (start, end), bound, ranges, bounds = json.loads(_bytes(text))
        cursor = Cursor(_key(bound), _numbers(ranges), {_natural(n): _key(key) for n, *key in bounds})
        asked = replace(question, start_ns=_natural(start), end_ns=_natural(end))
    except (ValueError, TypeError, RecursionError):
        raise BadQuery(
            f"cursor={text[:20]!r}... is none: hand back what the last answer gave, unchanged."
        ) from None
    if digest != _digest(question):
        raise BadQuery("The cursor belongs to another search: repeat all parameters as they were.")
    return cursor, asked


def _bytes(text: str) -> bytes:
    if len(text) > LONGEST or not _TEXT.fullmatch(text):
        raise ValueError(text[:20])
    return urlsafe_b64decode(text)


def _digest(question: Question) -> str:
    return hashlib.sha256(repr(astuple(replace(question, start_ns=0, end_ns=1))).encode()).hexdigest()[:16]


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as runs of first and last."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _numbers(ranges: list[Any]) -> frozenset[int]:
    if len(ranges) > MOST_RANGES:
        raise ValueError(len(ranges))
    runs = [(_natural(first), _natural(last)) for first, last in ranges]
    if sum(last - first + 1 for first, last in runs if last >= first) > 1 << 20:
        raise ValueError(runs[:1])
    return frozenset(number for first, last in runs for number in range(first, last + 1))


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 2**63:
        raise ValueError(value)
    return value


def _key(parts: list[Any]) -> Key:
    value, *rest = parts
    if type(value) is not int or abs(value) > 2**63:
        raise ValueError(value)
    return Key(value, *map(_natural, rest))
