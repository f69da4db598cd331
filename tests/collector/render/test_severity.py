import pytest

from weft_collector.render.severity import THICKEST, Health, health_of, stroke_width


@pytest.mark.parametrize(
    ("rate", "health"),
    [
        (0, Health.OK),
        (0.00499, Health.OK),
        (0.005, Health.WARN),
        (0.0299, Health.WARN),
        (0.03, Health.BAD),
        (1, Health.BAD),
    ],
)
def test_classes_of_error_rates(rate, health):
    assert health_of(rate) is health


def test_each_tenfold_rate_adds_the_same_width():
    assert stroke_width(0) == 0.8
    assert stroke_width(9) == 2.1
    assert stroke_width(99) == 3.4


def test_no_edge_is_thicker_than_the_thickest():
    assert stroke_width(1e12) == THICKEST
