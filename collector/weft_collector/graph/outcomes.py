"""How a span and a call went: the classes of docs/graph-rules.md, R5.4 and R5.5, as small numbers.

The numbers are in order: 0 is `ok`, then come the classes that blame the caller, then those that are failures. So one
comparison tells whether a class is a failure, and a call's class follows from those of its two sides by a few.

A span's class and the histogram bucket of its duration share one number of 15 bits, its *measure*: ten bits are enough
for all buckets, and so an entry of the pairing table is no larger for knowing more.
"""

import re
from typing import Final

from weft_collector.graph.histogram import BUCKETS
from weft_collector.kernel import inline, number

__all__ = [
    "BLAME_THE_CALLER", "BUCKET_BITS", "CLASSES", "CLIENT_ERROR", "EXCEPTION", "FAILED_FROM", "MEASURE_BUCKET",
    "OUTCOMES", "SERVER_ERROR", "of_call", "of_error", "of_rpc_code",
]  # fmt: skip

BLAME_THE_CALLER: Final = (
    "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNAUTHENTICATED",
)  # fmt: skip
"""rpc codes that are to rpc what 4xx is to HTTP; the others but OK are the server's."""
_FAILURES: Final = (
    "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
)  # fmt: skip

OUTCOMES: Final = ("ok", "4xx", *BLAME_THE_CALLER, "5xx", *_FAILURES, "timeout", "refused", "exception")
"""The classes by number."""
CLASSES: Final = len(OUTCOMES)
FAILED_FROM: Final = number(OUTCOMES.index("5xx"))
"""The first class that is a failure; so are all behind it."""

CLIENT_ERROR, SERVER_ERROR = (number(OUTCOMES.index(name)) for name in ("4xx", "5xx"))
_TIMEOUT, _REFUSED, EXCEPTION = (OUTCOMES.index(name) for name in ("timeout", "refused", "exception"))
_RPC: Final = {name: OUTCOMES.index(name) for name in (*BLAME_THE_CALLER, *_FAILURES)}
_WORDS: Final = {"timeout": _TIMEOUT, "timedout": _TIMEOUT, "deadlineexceeded": _TIMEOUT, "refused": _REFUSED}
_NO_LETTERS: Final = re.compile("[^a-z]+")

BUCKET_BITS: Final = number((BUCKETS - 1).bit_length())
MEASURE_BUCKET: Final = number((1 << BUCKET_BITS) - 1)
"""The bits of a measure that are the bucket."""


def of_rpc_code(text: str) -> int:
    """The class of an rpc code by name, in letters of either case; 0 if it is none, or OK."""
    return _RPC.get(text.upper(), 0) if text.isascii() else 0


def of_error(error_type: str) -> int:
    """The class of a failure that neither HTTP nor rpc explains."""
    letters = _NO_LETTERS.sub("", error_type.lower())
    return next((outcome for word, outcome in _WORDS.items() if word in letters), EXCEPTION)


@inline
def of_call(server: int, client: int) -> int:
    """The class of a call by those of its sides; a side that was not seen is 0."""
    if server >= FAILED_FROM or (server != 0 and client < FAILED_FROM):
        return server
    return client
