from itertools import combinations

from benchmarks.layout import service_graph
from weft_collector.render.curves import curves
from weft_collector.render.geometry import BOX_WIDTH, Shape
from weft_collector.render.labels import text_width
from weft_collector.render.layout import lay_out
from weft_collector.render.lettering import SIZES, Kind
from weft_collector.render.placing import LABEL_HEIGHT, MOST_LABELS, Wish, place_labels


def labelled(shape):
    layout = lay_out(shape)
    drawn = curves(layout, shape.edges)
    return layout, place_labels(Wish(f"p95 {i} ms", drawn[edge]) for i, edge in enumerate(shape.edges))


def test_labels_overlap_neither_each_other_nor_a_box():
    layout, labels = labelled(service_graph(80))
    width = {label: text_width(label.words, SIZES[Kind.LABEL]) for label in labels}
    for a, b in combinations(labels, 2):
        assert abs(a.at.y - b.at.y) >= LABEL_HEIGHT or abs(a.at.x - b.at.x) >= (width[a] + width[b]) / 2
    for label in labels:
        assert all(abs(label.at.x - at.x) >= (BOX_WIDTH + width[label]) / 2 for at in layout.nodes.values())


def test_there_are_not_too_many_and_the_first_ones_win():
    _, labels = labelled(service_graph(300))
    assert len(labels) == MOST_LABELS
    assert labels[0].words == "p95 0 ms"


def test_a_text_wider_than_the_gap_is_left_out():
    shape = Shape.of([], [("a", "b")])
    drawn = curves(lay_out(shape), shape.edges)
    assert place_labels([Wish("p95 of a very, very long text", drawn["a", "b"])]) == ()


def test_a_self_call_gets_no_label_in_front_of_a_box():
    shape = Shape.of([], [("a", "a")])
    layout = lay_out(shape)
    labels = place_labels([Wish("p95 1 ms", curves(layout, shape.edges)["a", "a"])])
    assert all(label.at.x - 30 > layout.nodes["a"].x + BOX_WIDTH / 2 for label in labels)
