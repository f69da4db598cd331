from benchmarks.layout import service_graph
from tests.collector.render.graphs import (
    edge,
    hostile,
    laid_out,
    service,
    shape_of,
    shop,
    small,
    snapshot,
    with_figures,
)
from weft_collector.graph.nodes import CLIENT
from weft_collector.render.geometry import BOX_HEIGHT, BOX_WIDTH
from weft_collector.render.positions import Positions
from weft_collector.render.scene import EMPTY, scene
from weft_collector.render.severity import Health, stroke_width


def drawn(graph, title="Shop"):
    return scene(graph, laid_out(graph), title)


def test_boxes_stand_where_the_layout_put_them():
    graph = shop()
    layout = laid_out(graph)
    assert {box.id: box.centre for box in scene(graph, layout, "").boxes} == layout.nodes


def test_everything_is_inside_the_frame():
    for graph in (shop(), small(), with_figures(service_graph(80)), hostile()):
        picture = drawn(graph)
        frame = picture.frame
        points = [point for e in picture.edges for point in (*e.curve.points, *e.curve.head)]
        points += [box.centre for box in picture.boxes]
        points += [line.at for line in (*picture.labels, *picture.headings)]
        points += [item.at for item in picture.legend]
        assert all(frame.left < p.x < frame.left + frame.width for p in points)
        assert all(frame.top < p.y < frame.top + frame.height for p in points)


def test_headline_and_legend_stay_off_the_boxes():
    picture = drawn(small())
    highest = min(box.centre.y for box in picture.boxes) - BOX_HEIGHT / 2
    lowest = max(box.centre.y for box in picture.boxes) + BOX_HEIGHT / 2
    assert all(line.at.y < highest for line in picture.headings)
    assert all(item.at.y > lowest for item in picture.legend)


def test_a_part_of_the_map_is_cut_out_where_it_stands():
    graph = shop()
    positions = Positions()
    whole = positions.layout(*shape_of(graph))
    part = snapshot([e for e in graph.edges if e.callee.type == "database"])
    picture = scene(part, positions.layout(*shape_of(part)), "")
    assert all(box.centre == whole.nodes[box.id] for box in picture.boxes)
    assert picture.frame.left > 0


def test_the_worst_edges_are_drawn_last():
    classes = [e.health for e in drawn(shop()).edges]
    assert classes == sorted(classes, key=[Health.OK, Health.WARN, Health.BAD].index)
    assert len(set(classes)) == 3


def test_width_and_class_come_from_the_figures():
    web = service("web")
    picture = drawn(snapshot([edge(CLIENT, web, 90_000, 2000)]))
    assert picture.edges[0].width == stroke_width(100)
    assert picture.edges[0].health is Health.WARN
    assert {box.name: box.health for box in picture.boxes} == {"client": Health.OK, "web": Health.WARN}


def test_labels_go_to_the_worst_edges_first():
    graph = with_figures(service_graph(80))
    words = [line.words for line in drawn(graph).labels]
    worst = max((e for e in graph.edges if e.error_rate >= 0.03), key=lambda e: e.calls * e.client.p95_ms)
    assert words[0].startswith("p95 ")
    assert f"{worst.client.p95_ms:.3g}"[:3].rstrip(".") in words[0] or len(words) > 1
    assert len(words) <= 24


def test_long_names_are_shortened_in_the_box_and_whole_in_the_title():
    name = "a-service-with-quite-a-long-name-of-its-own"
    (box,) = drawn(snapshot([], (service(name),))).boxes
    assert box.name.endswith("\u2026")
    assert name in box.title


def test_an_empty_graph_says_so():
    picture = drawn(snapshot([]))
    assert picture.note == EMPTY
    assert picture.headings[1].words == EMPTY
    assert picture.frame.width >= BOX_WIDTH


def test_the_same_graph_gives_the_same_scene():
    assert drawn(shop()) == drawn(shop())


def test_the_title_is_made_safe():
    assert drawn(small(), "a\x00b\u202e").title == "ab"
