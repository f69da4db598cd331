from weft_collector.graph.nodes import NodeType
from weft_collector.render.geometry import Point
from weft_collector.render.labels import text_width
from weft_collector.render.legend import LineSample, legend
from weft_collector.render.lettering import SIZES, Kind
from weft_collector.render.severity import Health


def test_it_explains_every_class_and_the_types_in_the_picture_only():
    items = legend([NodeType.DATABASE, NodeType.SERVICE, NodeType.SERVICE], Point(0, 0), 2000)
    assert {item.sample for item in items if not isinstance(item.sample, LineSample)} == {
        NodeType.DATABASE,
        NodeType.SERVICE,
    }
    assert {item.sample.health for item in items if isinstance(item.sample, LineSample)} == set(Health)
    assert [item.text for item in items].count("service") == 1


def test_rows_stay_within_the_width():
    items = legend(NodeType, Point(40, 100), 600)
    ends = [item.line.at.x + text_width(item.text, SIZES[Kind.LEGEND]) for item in items]
    assert max(ends) <= 640
    assert len({item.at.y for item in items}) > 1


def test_samples_of_width_grow():
    widths = [i.sample.width for i in legend([], Point(0, 0), 2000) if i.text.endswith("/s")]
    assert widths == sorted(set(widths))
    assert len(widths) == 3
