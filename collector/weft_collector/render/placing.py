"""Edge labels that overlap neither each other nor a box: the most telling ones first, the rest left out."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from weft_collector.render.curves import Curve, point_on
from weft_collector.render.geometry import BOX_WIDTH, COLUMN_STEP, Point, column_of, column_x
from weft_collector.render.labels import text_width
from weft_collector.render.lettering import SIZES, Kind, Lettering, beside

LABEL_HEIGHT = 13.0
MOST_LABELS, MOST_TRIED = 24, 200
TRIED = (0.5, 0.42, 0.58, 0.34, 0.66)
"""Places along a curve, in the order of preference; all lie between two columns."""


class Wish(NamedTuple):
    """A label wanted somewhere along an edge."""

    text: str
    curve: Curve


def _places(curve: Curve) -> Iterator[Point]:
    """Points on the first and on the last stretch between two columns."""
    points = curve.points
    for t in TRIED:
        yield point_on(points[:4], t)
        yield point_on(points[-4:], t)


def _fits_between_columns(at: Point, width: float) -> bool:
    """Whether a text here stays off the boxes; the level stretches inside a column do not count."""
    into_step = (at.x - column_x(column_of(at))) % COLUMN_STEP
    free = BOX_WIDTH / 2 + width / 2
    return free <= into_step <= COLUMN_STEP - free


class _Taken:
    """The labels placed so far, by horizontal bands, so that only near ones are compared."""

    def __init__(self) -> None:
        self._bands: dict[int, list[tuple[Point, float]]] = {}

    def is_free(self, at: Point, width: float) -> bool:
        band = int(at.y // LABEL_HEIGHT)
        near = (label for i in (band - 1, band, band + 1) for label in self._bands.get(i, ()))
        return not any(
            abs(at.y - other.y) < LABEL_HEIGHT and abs(at.x - other.x) < (width + other_width) / 2
            for other, other_width in near
        )

    def add(self, at: Point, width: float) -> None:
        self._bands.setdefault(int(at.y // LABEL_HEIGHT), []).append((at, width))


def place_labels(wishes: Iterable[Wish]) -> tuple[Lettering, ...]:
    """Places for as many of the wishes as fit, at most `MOST_LABELS`; earlier ones choose first."""
    taken = _Taken()
    labels: list[Lettering] = []
    for wish in islice(wishes, MOST_TRIED):
        width = text_width(wish.text, SIZES[Kind.LABEL])
        places = (at for at in _places(wish.curve) if _fits_between_columns(at, width))
        at = next((at for at in places if taken.is_free(at, width)), None)
        if at is not None and len(labels) < MOST_LABELS:
            taken.add(at, width)
            labels.append(beside(at, wish.text, Kind.LABEL))
    return tuple(labels)
