import dataclasses

import pytest

from weft_collector.wire.limits import LARGEST_BODY, Limits


def test_a_body_must_fit_into_a_block_of_the_log():
    assert Limits(inflated_bytes=LARGEST_BODY).inflated_bytes == LARGEST_BODY
    with pytest.raises(ValueError, match="can be kept"):
        Limits(inflated_bytes=LARGEST_BODY + 1)


def test_limits_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().strings = 5
