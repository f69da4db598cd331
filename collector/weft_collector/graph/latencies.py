"""Quantiles of many histograms that are given as counts of buckets."""

import numpy as np
from numpy.typing import NDArray

from weft_collector.graph.histogram import QUANTILES, middle_ms, upper_ms
from weft_collector.graph.snapshot import Latency

__all__ = ["latencies"]

Numbers = NDArray[np.int64]


def latencies(names: Numbers, buckets: Numbers, counts: Numbers) -> dict[int, Latency]:
    """Quantiles by rank: the smallest bucket that at least ceil(q * samples) of the samples do not exceed."""
    if not len(names):
        return {}
    first = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    last = np.append(first[1:], len(names)) - 1
    running = np.cumsum(counts)
    before = running[first] - counts[first]
    samples = running[last] - before
    ranks = [np.ceil(q * samples).astype(np.int64) for q in QUANTILES]
    found = [buckets[np.searchsorted(running, before + rank)] for rank in ranks]
    columns = [samples, *(middle_ms(bucket) for bucket in found), upper_ms(buckets[last])]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {name: Latency(*row) for name, row in zip(names[first].tolist(), rows, strict=True)}
