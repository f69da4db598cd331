import json

import pytest

from tests.collector.render.graphs import laid_out, small
from weft_collector.errors import BadQuery
from weft_collector.render.pictures import FORMATS, Subject, picture

STARTS = {"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "json": b"{"}
SUBJECT = Subject(small(), laid_out(small()), "Weft")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_gives_a_file_of_its_kind(name):
    assert picture(name, SUBJECT).startswith(STARTS[name])


def test_the_formats_that_the_readme_names():
    assert set(FORMATS) == set(STARTS)
    assert {name: kind.media_type.split(";")[0] for name, kind in FORMATS.items()} == {
        "svg": "image/svg+xml",
        "png": "image/png",
        "pdf": "application/pdf",
        "dot": "text/vnd.graphviz",
        "json": "application/json",
    }


def test_json_is_the_graph_as_the_api_shows_it():
    assert json.loads(picture("json", SUBJECT)) == small().as_dict()


def test_an_unknown_format_is_a_bad_query_that_lists_the_known_ones():
    with pytest.raises(BadQuery, match="svg, png, pdf, dot, json"):
        picture("gif", SUBJECT)
