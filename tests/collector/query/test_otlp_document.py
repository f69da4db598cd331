"""OTLP JSON against protobuf's own, but for ids."""

from base64 import b64decode

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.collector.wire import odd_requests
from weft_collector.query.otlp_document import plain

IDS = {"traceId", "spanId", "parentSpanId"}


def by_protobuf(value, name=""):
    """What protobuf makes, with ids in hex."""
    if isinstance(value, dict):
        return {key: by_protobuf(held, key) for key, held in value.items()}
    if isinstance(value, list):
        return [by_protobuf(held) for held in value]
    return b64decode(value).hex() if name in IDS else value


def expected(message):
    return by_protobuf(MessageToDict(message, use_integers_for_enums=True))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(odd_requests.requests())
def test_a_message_is_what_protobuf_makes_of_it(request_):
    message = TracesData.FromString(request_.SerializeToString())
    assert plain(message) == expected(message)


def attribute(**value):
    return KeyValue(key="k", value=AnyValue(**value))


@pytest.mark.parametrize(
    "pair",
    [
        KeyValue(),
        KeyValue(key="k"),
        KeyValue(value=AnyValue()),
        KeyValue(key="k", value=AnyValue()),
        KeyValue(value=AnyValue(string_value="v")),
        KeyValue(key="k", key_strindex=3, value=AnyValue(string_value_strindex=4)),
        *(attribute(string_value=text) for text in ("", "v")),
        *(attribute(bool_value=value) for value in (True, False)),
        *(attribute(int_value=value) for value in (0, -1, 2**63 - 1)),
        *(
            attribute(double_value=value)
            for value in (0.0, -0.0, 1.0, 1e300, 5e-324, float("inf"), float("-inf"))
        ),
        attribute(double_value=float("nan")),
        attribute(bytes_value=b"\xff\0"),
        attribute(array_value={"values": [AnyValue(), AnyValue(array_value={}), AnyValue(int_value=1)]}),
        attribute(kvlist_value={"values": [KeyValue(key="a", value=AnyValue(bytes_value=b""))]}),
    ],
)
def test_odd_attributes_are_what_protobuf_makes_of_them(pair):
    message = TracesData()
    message.resource_spans.add().resource.attributes.append(pair)
    assert repr(plain(message)) == repr(expected(message))
