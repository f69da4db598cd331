"""Columns of unsealed spans: what few spans use takes memory once a value has come."""

import numpy as np

from tests.collector.store.batches import decoded, resources, scopes, spans
from weft_collector.store.ports import Position
from weft_collector.store.unsealed import Unsealed
from weft_collector.wire.columns import Decoded

HERE = Position(1, 0, 0)


def with_clusters(*clusters) -> Decoded:
    columns = {"span_id": range(1, len(clusters) + 1), "messaging_cluster": clusters}
    return Decoded(spans(**columns), resources((0, 1)), scopes((0, 0)), ())


def test_a_column_that_is_nearly_always_empty_is_made_when_a_value_comes():
    held = Unsealed(piece_rows=8)
    held.append(decoded(3), HERE)
    piece = held.pieces[0]
    before = piece.rows().columns["messaging_cluster"]
    assert not before.flags.owndata  # a view of zeros that all pieces share
    held.append(with_clusters(0, 7), HERE)
    held.append(decoded(2), HERE)
    assert before.tolist() == [0, 0, 0]
    assert piece.rows().columns["messaging_cluster"].tolist() == [0, 0, 0, 0, 7, 0, 0]
    assert piece.rows().columns["peer_port"].tolist() == [0] * 7


def test_another_piece_does_not_see_the_values_of_the_first():
    held = Unsealed(piece_rows=2)
    held.append(with_clusters(5, 6, 0, 0), HERE)
    found = [piece.rows().columns["messaging_cluster"].tolist() for piece in held.pieces]
    assert found == [[5, 6], [0, 0]]
    assert held.pieces[1].rows().columns["messaging_cluster"].dtype == np.int32
