"""Durations as a server sums them up, held against the exact ones of a case."""

from dataclasses import dataclass

STEP = 2 ** (1 / 16)
"""Buckets of a histogram of scale 4 grow by this factor (docs/graph-rules.md, R5.7)."""


@dataclass(eq=False)
class Measured:
    """Equal to a list of durations in ns whose number and whose largest a latency of the API gives."""

    latency: dict | None

    def __eq__(self, durations):
        if self.latency is None or not durations:
            return self.latency is None and not durations
        longest = max(durations) / 1e6
        near = longest / STEP <= self.latency["max_ms"] <= max(longest, 1e-6) * STEP
        return self.latency["samples"] == len(durations) and near

    __hash__ = None
