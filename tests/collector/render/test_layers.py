from weft_collector.render import geometry
from weft_collector.render.layers import Layers


def test_a_long_edge_gets_a_dummy_in_each_rank_between():
    layers = Layers.of([0, 1, 3], [(0, 1), (0, 2)])
    first, second = layers.chains[0, 2]
    assert layers.rows == [[0], [1, first], [second], [2]]
    assert (layers.right[0], layers.right[first], layers.right[second]) == ([1, first], [second], [2])
    assert (layers.left[2], layers.left[first]) == ([second], [0])
    assert not layers.is_box(first)
    assert layers.is_box(2)


def test_a_short_edge_joins_its_ends():
    layers = Layers.of([0, 1], [(0, 1)])
    assert (layers.right[0], layers.left[1], layers.chains[0, 1]) == ([1], [0], [])


def test_the_longest_edges_get_no_dummies_beyond_the_bound(monkeypatch):
    monkeypatch.setattr(geometry, "MOST_WAY_POINTS", 3)
    layers = Layers.of([0, 1, 2, 3, 4], [(0, 2), (1, 3), (0, 4)])
    assert {edge: len(chain) for edge, chain in layers.chains.items()} == {(0, 2): 1, (1, 3): 1, (0, 4): 0}
    assert layers.left[4] == []
