import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.collector.render.graphs import HOSTILE, edge, hostile, laid_out, service, shop, small, snapshot
from weft_collector.render import svg
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH
from weft_collector.render.labels import clean
from weft_collector.render.scene import scene

GOLDEN = Path(__file__).parent / "golden" / "small.svg"
NS = "{http://www.w3.org/2000/svg}"


def render(graph, title="Weft"):
    return svg.render(scene(graph, laid_out(graph), title))


def groups(root, kind):
    return [
        g
        for g in root.iter(f"{NS}g")
        if kind in g.get("class", "").split() and g.find(f"{NS}title") is not None
    ]


def test_the_golden_picture_byte_by_byte():
    drawn = render(small(), "Golden & small")
    if os.environ.get("WEFT_UPDATE_GOLDEN"):
        GOLDEN.write_text(drawn, encoding="utf-8")
    assert drawn.encode() == GOLDEN.read_bytes()


def test_it_is_an_image_with_a_title_and_a_description():
    root = ET.fromstring(render(shop(), "Shop"))
    assert root.tag == f"{NS}svg"
    assert root.get("role") == "img"
    assert root.find(f"{NS}title").text == "Shop"
    assert "20 nodes, 22 edges" in root.find(f"{NS}desc").text


def test_every_box_and_edge_has_a_title():
    root = ET.fromstring(render(shop()))
    assert len(groups(root, "box")) == 20
    assert len(groups(root, "edge")) == 22


def test_positions_equal_the_layouts():
    graph = shop()
    found = {}
    for box in groups(ET.fromstring(render(graph)), "box"):
        x, y = map(float, re.fullmatch(r"translate\((\S+) (\S+)\)", box.get("transform")).groups())
        found[box.get("data-node")] = (x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2)
    assert found == laid_out(graph).nodes


def test_hostile_names_are_text_and_nothing_else():
    drawn = render(hostile(), '<svg onload=alert(1)> & "')
    root = ET.fromstring(drawn)
    assert {element.tag for element in root.iter()} == {
        f"{NS}{tag}" for tag in ("svg", "title", "desc", "style", "rect", "g", "path", "text")
    }
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on") or "href" in name]
    assert "&lt;script&gt;" in drawn
    titles = "\n".join(title.text for title in root.iter(f"{NS}title"))
    assert all(clean(name) in titles for name in HOSTILE)


@given(st.text(st.characters(), min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_name_gives_a_document_that_parses(name):
    graph = snapshot([edge(service(name), service("b"))])
    root = ET.fromstring(render(graph, name).encode())
    assert any(clean(name) in title.text for title in root.iter(f"{NS}title"))


def test_nothing_outside_is_referred_to():
    drawn = render(shop())
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in drawn
    assert "@import" not in drawn


def test_there_is_a_dark_variant():
    assert "@media (prefers-color-scheme:dark)" in render(small())


def test_back_edges_and_foreign_nodes_are_dashed():
    root = ET.fromstring(render(small()))
    dashed = [
        g.get("data-edge") or g.get("data-node")
        for kind in ("edge", "box")
        for g in groups(root, kind)
        if "dashed" in g.find(f"{NS}path").get("class")
    ]
    assert sorted(dashed) == ["external:bank.example:443", "service:prod/shop/cart->service:web", "unknown:"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.001, "0"), (1.5, "1.5"), (1.256, "1.26"), (-3.0, "-3"), (120.0, "120"), (1e7, "10000000")],
)
def test_numbers_are_short(value, text):
    assert svg.number(value) == text


def test_the_order_of_the_snapshot_does_not_change_the_bytes():
    assert render(snapshot(list(shop().edges)[::-1])) == render(snapshot(list(shop().edges)))
