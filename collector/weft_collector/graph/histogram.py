"""Histograms of durations: OTLP exponential buckets of scale 4.

A bucket's bounds grow by 2**(1/16) = 1.044 from one to the next; it holds the durations above its lower
and up to its upper bound, in whole nanoseconds. Bucket 0 holds 0 and 1 ns, bucket b those up to 2**(b/16)
ns: OTLP's index is b - 1. The last one takes everything longer, above 142 years. A merge adds counts, so
histograms of minutes, edges and sides sum without loss.

A quantile is found by rank and given as the geometric middle of its bucket: at most 2.2 % away from the
true one. The maximum is the upper bound of the highest bucket in use, because a booking can be taken back,
and a remembered maximum could not.
"""

import math

import numpy as np
from numpy.typing import NDArray

from weft_collector.kernel import kernel

SCALE = 4
PER_OCTAVE = 1 << SCALE
BUCKETS = 62 * PER_OCTAVE
QUANTILES = (0.5, 0.95, 0.99)


def _upper_bound(bucket: int) -> int:
    """The greatest whole number of ns in a bucket, exactly: the 16th root of 2**bucket, rounded down."""
    root = 1 << bucket
    for _ in range(SCALE):
        root = math.isqrt(root)
    return root


UPPER: NDArray[np.int64] = np.array([_upper_bound(bucket) for bucket in range(BUCKETS)], np.int64)
"""Greatest whole number of nanoseconds in each bucket."""


@kernel
def _fill(durations: NDArray[np.int64], upper: NDArray[np.int64], found: NDArray[np.int16]) -> None:
    """The logarithm is right up to its last bits; the table says which side of a bound a duration is on."""
    last = upper.shape[0] - 1
    for i in range(durations.shape[0]):
        duration = durations[i]
        bucket = 0
        if duration > 1:
            bucket = min(int(math.log2(float(duration)) * PER_OCTAVE), last)
            while bucket < last and upper[bucket] < duration:
                bucket += 1
            while upper[bucket - 1] >= duration:
                bucket -= 1
        found[i] = bucket


def buckets_of(durations: NDArray[np.int64]) -> NDArray[np.int16]:
    """The bucket of each duration in ns; a negative one (a clock was set back) counts as 0."""
    found = np.empty(len(durations), np.int16)
    _fill(np.ascontiguousarray(durations, np.int64), UPPER, found)
    return found


def upper_ms(buckets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The upper bound of buckets, in ms."""
    bounds: NDArray[np.float64] = np.exp2(buckets / PER_OCTAVE) / 1e6
    return bounds


def middle_ms(buckets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The geometric middle of buckets, in ms; that of bucket 0 is its upper bound."""
    middles: NDArray[np.float64] = np.exp2(np.maximum(buckets - 0.5, 0) / PER_OCTAVE) / 1e6
    return middles
