import dataclasses

import pytest

from weft_collector.wire.limits import Limits


def test_positions_must_fit_32_bits():
    assert Limits(inflated_bytes=2**31 - 1).inflated_bytes == 2**31 - 1
    with pytest.raises(ValueError, match="2 GiB"):
        Limits(inflated_bytes=2**31)


def test_limits_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().strings = 5
