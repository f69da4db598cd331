"""Bodies of metrics: edge counts are sorted out of them, the same from JSON as from protobuf."""

import json

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.collector.wire import count_factory
from tests.collector.wire.count_factory import TO_CART, body, group, point, request
from weft_collector.errors import BodyTooLarge, MalformedBody
from weft_collector.wire import metrics, metrics_json
from weft_collector.wire.metrics import MOST_POINTS

UINT64 = st.integers(0, 2**64 - 1)
DOUBLE = st.floats(width=64).filter(lambda number: number == number)  # noqa: PLR0124 - a NaN has many bit patterns


def in_json(message, **how):
    return json_format.MessageToJson(message, **how).encode()


def both(message, **how):
    """What is sorted out of a message, which is the same for both its forms."""
    found = metrics.sort_out(message.SerializeToString())
    assert metrics_json.sort_out(in_json(message, **how)) == found
    return found


@pytest.mark.parametrize("snake", [False, True])
@pytest.mark.parametrize("numbers", [False, True])
def test_edge_counts_stay_and_everything_else_is_counted(snake, numbers):
    message = count_factory.everything()
    found = both(message, preserving_proto_field_name=snake, use_integers_for_enums=numbers)
    assert found.others == 6
    kept = ExportMetricsServiceRequest.FromString(found.edge_counts)
    for own, sent in zip(kept.resource_metrics, message.resource_metrics, strict=True):
        assert own.resource.attributes == sent.resource.attributes
        (metric,) = own.scope_metrics[0].metrics
        first = sent.scope_metrics[0].metrics[0]
        for one in first.exponential_histogram.data_points:
            one.ClearField("exemplars")
        assert metric.exponential_histogram == first.exponential_histogram
        assert (metric.unit, metric.description) == (first.unit, "")


@settings(max_examples=150, deadline=None)
@given(
    start=UINT64, time=UINT64, count=UINT64, zero_count=UINT64, scale=st.integers(-(2**31), 2**31 - 1),
    zero_threshold=DOUBLE, flags=st.integers(0, 2**32 - 1),
    given=st.fixed_dictionaries({}, optional=dict.fromkeys(("sum", "min", "max"), DOUBLE)),
    offset=st.integers(-(2**31), 2**31 - 1), buckets=st.lists(UINT64, max_size=4),
    temporality=st.integers(0, 2),
)  # fmt: skip
def test_every_field_of_a_point_is_the_same_in_both_forms(offset, buckets, temporality, given, **fields):
    one = point(**fields, **given)
    one.positive.offset, one.negative.offset = offset, -1 - offset
    one.negative.bucket_counts.extend(buckets)
    both(request(group([one], temporality=temporality)))


def test_nothing_is_kept_where_there_are_no_points():
    assert both(request(group([]))) == (b"", 0)
    assert metrics_json.sort_out(b"{}") == metrics.sort_out(b"") == (b"", 0)


def test_a_histogram_of_another_kind_or_name_is_another_metric():
    other = request(group([point(), point()], name="weft.edge.durations"))
    other.resource_metrics[0].scope_metrics[0].metrics.add(
        name="weft.edge.duration"
    ).histogram.data_points.add()
    assert both(other) == (b"", 3)


def test_what_is_kept_is_kept_as_it_is_when_it_is_sorted_again():
    found = both(count_factory.everything())
    assert metrics.sort_out(found.edge_counts) == (found.edge_counts, 0)


@pytest.mark.parametrize("convert", [lambda message: message.SerializeToString(), in_json])
def test_more_points_than_are_read_at_once_are_refused(convert):
    sort_out = metrics_json.sort_out if convert is in_json else metrics.sort_out
    few = request(group([point()] * MOST_POINTS))
    assert sort_out(convert(few)).others == 0
    few.resource_metrics.append(group([point()]))
    with pytest.raises(BodyTooLarge, match="4096 points"):
        sort_out(convert(few))


@pytest.mark.parametrize("convert", [lambda message: message.SerializeToString(), in_json])
def test_more_buckets_than_are_read_at_once_are_refused(convert):
    sort_out = metrics_json.sort_out if convert is in_json else metrics.sort_out
    wide = point([])
    wide.positive.bucket_counts.extend([1] * 1_024)
    assert sort_out(convert(request(group([wide] * 256)))).edge_counts
    one_more = point([])
    one_more.negative.bucket_counts.append(0)
    with pytest.raises(BodyTooLarge, match="262144 buckets"):
        sort_out(convert(request(group([wide] * 256), group([one_more]))))


def test_a_point_in_json_has_a_length():
    long = point(attributes=TO_CART | {"pad": "x" * (1 << 20)})
    with pytest.raises(BodyTooLarge, match="1048576 bytes"):
        metrics_json.sort_out(in_json(request(group([long]))))


def changed(change):
    plain = json.loads(in_json(request(group([point()]))))
    histogram = plain["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["exponentialHistogram"]
    change(histogram["dataPoints"][0], histogram, plain["resourceMetrics"][0])
    return json.dumps(plain).encode()


WHERE = r"\$\.resourceMetrics\[0\]"
POINT = WHERE + r"\.scopeMetrics\[0\]\.metrics\[0\]\.exponentialHistogram\.dataPoints\[0\]"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda p, h, r: p.update(count="-1"), POINT + r"\.count"),
        (lambda p, h, r: p.update(timeUnixNano=2**64), POINT + r"\.timeUnixNano"),
        (lambda p, h, r: p.update(scale=2**31), POINT + r"\.scale"),
        (lambda p, h, r: p.update(sum="much"), POINT + r"\.sum"),
        (lambda p, h, r: p["positive"].update(bucketCounts=["1", "x"]), POINT + r"\.positive\.bucketCounts\[1\]"),
        (lambda p, h, r: p["positive"].update(bucketCounts=[None]), POINT + r"\.positive\.bucketCounts\[0\]"),
        (lambda p, h, r: p["positive"].update(bucketCounts="1"), POINT + r"\.positive\.bucketCounts"),
        (lambda p, h, r: p["attributes"].append(5), POINT + r"\.attributes\[\d+\]"),
        (lambda p, h, r: p["attributes"][0].update(value={"intValue": "x"}), POINT + r"\.attributes\[0\]\.value"),
        (lambda p, h, r: h.update(aggregationTemporality="DELTA"), r"\.aggregationTemporality"),
        (lambda p, h, r: r["resource"]["attributes"].insert(0, []), WHERE + r"\.resource\.attributes\[0\]"),
        (lambda p, h, r: r.update(scopeMetrics={}), WHERE + r"\.scopeMetrics"),
    ],
)  # fmt: skip
def test_a_wrong_value_refuses_the_body_and_says_where_it_stands(change, path):
    with pytest.raises(MalformedBody, match=path):
        metrics_json.sort_out(changed(change))


@pytest.mark.parametrize(
    "content", [b"", b"[", b'{"resourceMetrics": 5}', b'{"a":"\xff"}', b'{"a":"\\ud800"}'[:-2]]
)
def test_what_is_no_json_is_malformed(content):
    with pytest.raises(MalformedBody):
        metrics_json.sort_out(content)


def test_bad_utf8_anywhere_in_protobuf_is_malformed():
    other = request(group([point()]), group([point(attributes=TO_CART)], name="other")).SerializeToString()
    for content in (body(point()), other):
        with pytest.raises(MalformedBody):
            metrics.sort_out(content.replace(b"GET /cart", b"GET /\xffart"))
