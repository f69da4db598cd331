"""Decoded batches made by hand."""

import numpy as np

from weft_collector.wire.columns import Decoded, Resources, Scopes, Spans

TYPES = {"trace_hi": np.uint64, "trace_lo": np.uint64, "span_id": np.uint64, "parent_id": np.uint64}
TYPES |= {"start": np.int64, "end": np.int64, "kind": np.uint8, "status": np.uint8, "caller_stale": np.uint8}


def spans(**columns) -> Spans:
    """Spans of which some columns are given; numbers that nobody gave are 0."""
    n = max(len(c) for c in columns.values())
    return Spans(*(np.array(columns.get(f, np.zeros(n)), TYPES.get(f, np.int32)) for f in Spans._fields))


def resources(*slices) -> Resources:
    """Resources at the given (offset, length)."""
    rows = np.array(slices, np.int32).reshape(-1, 2)
    empty = np.zeros(len(rows), np.int32)
    return Resources(*[empty] * 7, rows[:, 0], rows[:, 1], empty)


def scopes(*slices) -> Scopes:
    """Scopes at the given (offset, length)."""
    rows = np.array(slices, np.int32).reshape(-1, 2)
    return Scopes(rows[:, 0], rows[:, 1], np.zeros(len(rows), np.int32))


def decoded(count: int, rejected=()) -> Decoded:
    """A batch of some spans with ids 1, 2, ..."""
    return Decoded(spans(span_id=range(1, count + 1)), resources((0, 1)), scopes((0, 0)), rejected)
