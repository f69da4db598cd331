import random

import pytest

from weft_collector.render.layers import Layers
from weft_collector.render.ordering import EFFORTS, LEAST_EFFORT, effort_for, order


def drawn(rows):
    """The edges between the rows, for the crossings that a reader would count."""
    return {vertex: (i, place) for i, row in enumerate(rows) for place, vertex in enumerate(row)}


def crossings(layers):
    place = drawn(layers.rows)
    lines = [(v, w) for v in place for w in layers.right[v]]
    return sum(
        place[a][0] == place[c][0] and (place[a][1] - place[c][1]) * (place[b][1] - place[d][1]) < 0
        for i, (a, b) in enumerate(lines)
        for c, d in lines[:i]
    )


def test_a_tree_has_no_crossings_however_its_nodes_are_numbered():
    dice = random.Random(5)
    names = list(range(15))
    dice.shuffle(names)
    edges = sorted((names[i], names[child]) for i in range(7) for child in (2 * i + 1, 2 * i + 2))
    ranks = [0] * 15
    for i in range(15):
        ranks[names[i]] = (i + 1).bit_length() - 1
    layers = Layers.of(ranks, edges)
    order(layers)
    assert crossings(layers) == 0


def test_each_row_keeps_its_vertices():
    edges = [(a, b) for a in range(4) for b in range(4, 8) if (a * b) % 3]
    layers = Layers.of([0] * 4 + [1] * 4, edges)
    order(layers)
    assert [sorted(row) for row in layers.rows] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_best_order_of_a_small_graph_is_found():
    # three callers and three callees, paired crosswise: 0-5, 1-4, 2-3
    layers = Layers.of([0, 0, 0, 1, 1, 1], [(0, 5), (1, 4), (2, 3)])
    order(layers)
    assert crossings(layers) == 0


@pytest.mark.parametrize(
    ("vertices", "effort"), [(10, EFFORTS[0][1]), (5000, EFFORTS[1][1]), (10**6, LEAST_EFFORT)]
)
def test_effort_falls_with_size(vertices, effort):
    assert effort_for(vertices) == effort
