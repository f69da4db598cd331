"""Texts with a place and a kind; the kind decides size and weight in every format."""

from enum import StrEnum
from typing import NamedTuple

from weft_collector.render.geometry import Point


class Kind(StrEnum):
    """What a text is for."""

    HEADLINE = "headline"
    SUMMARY = "summary"
    NAME = "name"
    FIGURES = "figures"
    LABEL = "label"
    LEGEND = "legend"


SIZES = {
    Kind.HEADLINE: 17.0,
    Kind.SUMMARY: 11.5,
    Kind.NAME: 12.0,
    Kind.FIGURES: 10.5,
    Kind.LABEL: 10.0,
    Kind.LEGEND: 11.0,
}
"""Font sizes in pixels."""
STRONG = frozenset({Kind.HEADLINE, Kind.NAME})
FAINT = frozenset({Kind.SUMMARY, Kind.FIGURES, Kind.LEGEND})
_MIDDLE = 0.36
"""From the middle of a text to its baseline, in parts of its size."""


class Lettering(NamedTuple):
    """One line of text.

    Attributes:
        at: The left end of its baseline; the middle of it for a label.
        words: What it says, not yet escaped.
        kind: What it is for.
    """

    at: Point
    words: str
    kind: Kind


def beside(middle: Point, words: str, kind: Kind) -> Lettering:
    """A text whose height is centred on a point."""
    return Lettering(Point(middle.x, middle.y + _MIDDLE * SIZES[kind]), words, kind)
