"""Classes of error rates, and the width of an edge."""

from enum import StrEnum
from math import log10

THINNEST, THICKEST = 0.8, 6.0
WIDTH_PER_DECADE = 1.3


class Health(StrEnum):
    """How bad an error rate is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


LIMITS = ((Health.OK, 0.005), (Health.WARN, 0.03))
"""A class holds the error rates below its limit."""
MEANINGS = {
    Health.OK: "below 0.5 % errors",
    Health.WARN: "0.5 to 3 % errors",
    Health.BAD: "3 % errors or more",
}


def health_of(error_rate: float) -> Health:
    """The class of a share of errors (0 to 1)."""
    return next((health for health, limit in LIMITS if error_rate < limit), Health.BAD)


def stroke_width(rate: float) -> float:
    """The width of an edge, in pixels, by its calls per second: each ten-fold rate adds 1.3."""
    return round(min(THINNEST + WIDTH_PER_DECADE * log10(1 + max(rate, 0.0)), THICKEST), 2)
