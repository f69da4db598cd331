"""How much one sender may ask of the collector.

Everything a client can make larger has a limit here, so that memory and work per request are bounded by
these numbers and by nothing the client says.
"""

from dataclasses import dataclass
from typing import Final

#: Version of the rules by which single spans of a body are refused, kept with each record of the log; what each
#: version says stands in `docs/log-format.md`. A body is decoded again by the rules that it was accepted by.
RULES: Final = 2

_KIB = 1024
_MIB = 1024 * _KIB

#: The most that `inflated_bytes` may be set to, and so the largest body that the log can hold; positions in a body
#: are 32-bit.
LARGEST_BODY: Final = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a body and of what is kept out of it.

    Attributes:
        body_bytes: largest body as sent.
        inflated_bytes: largest body after decompression; at most LARGEST_BODY.
        span_bytes: largest single span; a larger one is rejected alone.
        span_attributes: most attributes of a span; a span with more is rejected alone.
        value_bytes: longest value of an attribute of a span, its events or its links; a span with a longer one
            is rejected alone (rules 2 and later).
        future_ns: how far a span's start may lie after its arrival; a later one is rejected alone.
        strings: most distinct texts kept for the life of a decoder; later ones become `other`.
        string_bytes: longest text that is kept; a longer one becomes `other`.
        strings_total_bytes: room for all texts together.

    Raises:
        ValueError: `inflated_bytes` is more than LARGEST_BODY.
    """

    body_bytes: int = 16 * _MIB
    inflated_bytes: int = 64 * _MIB
    span_bytes: int = _MIB
    span_attributes: int = 1024
    value_bytes: int = 256 * _KIB
    future_ns: int = 3_600_000_000_000
    strings: int = 131_072
    string_bytes: int = _KIB
    strings_total_bytes: int = 16 * _MIB

    def __post_init__(self) -> None:
        if self.inflated_bytes > LARGEST_BODY:
            raise ValueError(f"inflated_bytes is {self.inflated_bytes}; at most {LARGEST_BODY} can be kept.")
