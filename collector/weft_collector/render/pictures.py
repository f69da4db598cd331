"""The formats of the graph, by name: what the API's `format=` and the command line's `--format` offer.

A new format is a function and a line in `FORMATS`.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from weft_collector.errors import BadQuery
from weft_collector.graph.snapshot import GraphSnapshot
from weft_collector.render import figure, svg, text
from weft_collector.render.geometry import Layout
from weft_collector.render.scene import scene


class Subject(NamedTuple):
    """What a picture is made from.

    Attributes:
        snapshot: The graph.
        layout: A place for each node and a route for each edge; see `Positions.layout`.
        title: The headline.
    """

    snapshot: GraphSnapshot
    layout: Layout
    title: str


class Format(NamedTuple):
    """A format.

    Attributes:
        media_type: For the `content-type` header.
        render: Makes the file's bytes.
    """

    media_type: str
    render: Callable[[Subject], bytes]


def _svg(subject: Subject) -> bytes:
    return svg.render(scene(*subject)).encode()


def _png(subject: Subject) -> bytes:
    return figure.render(scene(*subject), "png")


def _pdf(subject: Subject) -> bytes:
    return figure.render(scene(*subject), "pdf")


def _dot(subject: Subject) -> bytes:
    return text.dot(subject.snapshot).encode()


def _json(subject: Subject) -> bytes:
    return json.dumps(subject.snapshot.as_dict(), indent=2).encode() + b"\n"


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "svg": Format("image/svg+xml", _svg),
        "png": Format("image/png", _png),
        "pdf": Format("application/pdf", _pdf),
        "dot": Format("text/vnd.graphviz; charset=utf-8", _dot),
        "json": Format("application/json", _json),
    }
)


def picture(name: str, subject: Subject) -> bytes:
    """The graph in a format.

    Args:
        name: A key of `FORMATS`.
        subject: What to show.

    Raises:
        BadQuery: There is no such format.
        MissingLibrary: The format needs a library that is not installed.
    """
    if name not in FORMATS:
        raise BadQuery(f"no picture format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name].render(subject)
