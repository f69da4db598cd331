"""What the kernels of the second pass share."""

from typing import NamedTuple


class Job(NamedTuple):
    """What is read, what is written, and by which limits: addresses and numbers.

    Attributes:
        listed: the rows that `index_body` filled.
        capacity: numbers in a row of `listed`.
        stride: numbers in a row of the columns of spans: as many as listed spans.
        wide: six rows of 64-bit numbers: the ids, then start and end.
        words: one row of 32-bit numbers for each of SPAN_WORDS, all 0.
        small: three rows of bytes, all 0: kind, status, caller_stale.
        resource_stride: numbers in a row of the columns of resources.
        resources: one row of 32-bit numbers for each of RESOURCE_WORDS, all 0.
        strings: the table of texts.
        scratch: DECODER_SCRATCH bytes of memory.
        tally: a 64-bit counter for each code of a rejection, the first for none.
        latest_start: the latest start of a span, in nanoseconds, that is not rejected.
        span_bytes: the longest span that is not rejected.
        span_attributes: the most attributes that are not rejected.
        value_bytes: the longest value of an attribute that is not rejected.
    """

    listed: int
    capacity: int
    stride: int
    wide: int
    words: int
    small: int
    resource_stride: int
    resources: int
    strings: int
    scratch: int
    tally: int
    latest_start: int
    span_bytes: int
    span_attributes: int
    value_bytes: int
