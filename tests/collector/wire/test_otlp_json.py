"""OTLP JSON means what the reference library says, byte for byte where the reference writes canonical bytes."""

import json
from random import Random

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.wire import json_oracle, odd_requests, otlp_factory, upb_oracle
from tests.collector.wire.otlp_factory import NOW, request, span
from tests.collector.wire.test_equal_to_upb import CAMPAIGN, DAY, SAMPLE
from weft_collector.errors import MalformedBody
from weft_collector.wire.otlp_json import transcode
from weft_collector.wire.otlp_protobuf import Decoder

SHARED = Decoder()
IDS = {"traceId": "01" * 16, "spanId": "02" * 8}


def parsed(body: bytes) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(transcode(body))


def one_span(**fields: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{**IDS, **fields}]}]}]}).encode()


def span_of(body: bytes):
    return parsed(body).resource_spans[0].scope_spans[0].spans[0]


def value_of(value: object):
    return span_of(one_span(attributes=[{"key": "k", "value": value}])).attributes[0].value


def refusal(body: bytes) -> str:
    with pytest.raises(MalformedBody) as raised:
        transcode(body)
    return str(raised.value)


def assert_equal(message: ExportTraceServiceRequest, body: bytes) -> None:
    assert parsed(body) == message
    assert transcode(body) == message.SerializeToString()
    ours, theirs = (
        SHARED.decode(transcode(body), NOW + DAY),
        SHARED.decode(message.SerializeToString(), NOW + DAY),
    )
    assert ours.rejected == theirs.rejected
    for mine, other in zip(ours[:3], theirs[:3], strict=True):
        assert all((a == b).all() for a, b in zip(mine, other, strict=True))


@pytest.mark.parametrize("spans", [1, 17, 512])
def test_realistic_requests(spans):
    for body in otlp_factory.realistic(2, spans, seed=spans):
        message = ExportTraceServiceRequest.FromString(body)
        assert_equal(message, json_oracle.to_json(message))


ways = st.fixed_dictionaries({"snake": st.booleans(), "names": st.booleans()})


@SAMPLE
@given(odd_requests.requests(), ways)
def test_generated_requests(message, how):
    assert_equal(message, json_oracle.to_json(message, **how))


@pytest.mark.long
@pytest.mark.timeout(3600)
@CAMPAIGN
@given(odd_requests.requests(), ways)
def test_generated_requests_at_length(message, how):
    assert_equal(message, json_oracle.to_json(message, **how))


@SAMPLE
@given(odd_requests.requests(), st.integers(0, 2**32))
def test_both_ways_lead_to_the_same_message(message, seed):
    """Shuffled names, unknown fields, nulls and spaces: the reference and Weft read the same."""
    body = json.dumps(disturbed(json_oracle.to_dict(message), Random(seed)), indent=seed % 3 or None).encode()
    assert parsed(body) == json_oracle.from_json(body) == message


def disturbed(value, random):
    if isinstance(value, list):
        return [disturbed(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    items = [(name, disturbed(item, random)) for name, item in value.items()]
    items += [(f"unknown{random.randrange(9)}", random.choice([None, 1, "x", [{}], {"a": [1]}]))]
    random.shuffle(items)
    return dict(items)


class TestValues:
    @pytest.mark.parametrize("number", [5, "5", 5.0, "-0"])
    def test_whole_numbers_come_as_numbers_or_texts(self, number):
        assert value_of({"intValue": number}).int_value == int(float(number))

    @pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, str(-(2**63)), str(2**63 - 1)])
    def test_the_whole_range_is_kept(self, number):
        assert value_of({"intValue": number}).int_value == int(number)

    @pytest.mark.parametrize(
        "number", [2**63, "9223372036854775808", 1.5, "1.5", " 1", "1_0", "٣", "", "0x1", "+1", 1e30]
    )
    def test_other_numbers_are_refused(self, number):
        assert ".attributes[0].value.intValue" in refusal(
            one_span(attributes=[{"key": "k", "value": {"intValue": number}}])
        )

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("NaN", "nan"),
            ("Infinity", "inf"),
            ("-Infinity", "-inf"),
            ("1e3", "1000.0"),
            (2, "2.0"),
            (1.5, "1.5"),
            ("-2.5", "-2.5"),
        ],
    )
    def test_doubles(self, text, number):
        assert str(value_of({"doubleValue": text}).double_value) == number

    @pytest.mark.parametrize("text", ["nan", "inf", "", "1,5", "0x1p3", "1_0.0", 10**400])
    def test_other_doubles_are_refused(self, text):
        assert "doubleValue" in refusal(one_span(attributes=[{"key": "k", "value": {"doubleValue": text}}]))

    @pytest.mark.parametrize("text", ["+/+/", "-_-_", "+/8=", "+/8", "-_8"])
    def test_bytes_come_in_either_base64(self, text):
        assert value_of({"bytesValue": text}).bytes_value in {b"\xfb\xff\xbf", b"\xfb\xff"}

    @pytest.mark.parametrize("text", ["a", "a*==", "====", "ab cd", "=ab="])
    def test_what_is_no_base64_is_refused(self, text):
        assert "base64" in refusal(one_span(attributes=[{"key": "k", "value": {"bytesValue": text}}]))

    def test_an_empty_value_is_kept_as_one(self):
        assert value_of({"stringValue": ""}).WhichOneof("value") == "string_value"
        assert value_of({"intValue": "0"}).WhichOneof("value") == "int_value"
        assert value_of({"boolValue": False}).WhichOneof("value") == "bool_value"
        assert value_of({"boolValue": None}).WhichOneof("value") is None
        assert value_of({"stringValueStrindex": 0}).WhichOneof("value") == "string_value_strindex"

    def test_two_values_at_a_time_are_refused(self):
        for other in ({"intValue": 1}, {"string_value": "a"}):
            assert "one value" in refusal(
                one_span(attributes=[{"key": "k", "value": {"stringValue": "a", **other}}])
            )

    @pytest.mark.parametrize("kind", ["SPAN_KIND_SERVER", 2, "2", 2.0])
    def test_enums_come_by_number_or_name(self, kind):
        assert span_of(one_span(kind=kind)).kind == 2

    def test_unknown_enum_numbers_are_kept(self):
        assert span_of(one_span(kind=-7, status={"code": 99})).kind == -7
        assert span_of(one_span(kind=-7, status={"code": 99})).status.code == 99

    def test_ids_are_hexadecimal_of_either_case(self):
        assert span_of(one_span(traceId="aB" * 16)).trace_id == b"\xab" * 16

    @pytest.mark.parametrize("size", [0, 1, 15, 17])
    def test_ids_of_a_wrong_length_reach_the_decoder(self, size):
        body = transcode(one_span(traceId="ab" * size))
        assert (
            len(ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0].trace_id)
            == size
        )
        assert sum(dict(SHARED.decode(body, NOW).rejected).values()) == 1

    def test_entities_of_a_resource_are_kept(self):
        refs = [{"schemaUrl": "u", "type": "t", "idKeys": ["a"], "descriptionKeys": ["b", "c"]}]
        body = json.dumps({"resourceSpans": [{"resource": {"entityRefs": refs}}]}).encode()
        assert parsed(body) == json_oracle.from_json(body)


class TestRefusals:
    @pytest.mark.parametrize(
        "value",
        ['"intValue":007', '"intValue":-', '"stringValue":"a\nb"', '"intValue":1e', '"stringValue":nul'],
    )
    def test_an_attribute_that_is_no_json_is_refused_however_plain_it_looks(self, value):
        attribute = f'{{"key":"a","value":{{{value}}}}}'
        text = refusal(b'{"resourceSpans":[{"resource":{"attributes":[' + attribute.encode() + b"]}}]}")
        assert "JSON is malformed" in text

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"", "JSON"),
            (b"[]", "expected `object`, got `array`"),
            (b'{"resourceSpans": 1}', "$.resourceSpans"),
            (b'{"resourceSpans": [{"resource": []}]}', "$.resourceSpans[0].resource"),
            (b'{"resourceSpans": [', "truncated"),
            (b'{"resourceSpans": []} x', "trailing"),
            (b"\xff\xfe{", "UTF-8"),
            (b'{"unknown": "\xff"}', "UTF-8"),
            (b'{"unknown": "\xed\xa0\x80"}', "UTF-8"),
            (b'{"unknown": [' * 100_000, "nested"),
        ],
    )
    def test_what_is_no_otlp_json_is_refused_with_what_is_wrong(self, body, says):
        assert says in refusal(body)

    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({"traceId": "xy" * 16}, ".traceId"),
            ({"spanId": "0"}, ".spanId"),
            ({"spanId": "ab cd ef 01 02 03"}, ".spanId"),
            ({"parentSpanId": "é" * 16}, ".parentSpanId"),
            ({"kind": "SERVER"}, ".kind"),
            ({"startTimeUnixNano": -1}, ".startTimeUnixNano"),
            ({"endTimeUnixNano": 2**64}, ".endTimeUnixNano"),
            ({"droppedAttributesCount": -1}, ".droppedAttributesCount"),
            ({"droppedEventsCount": 2**32}, ".droppedEventsCount"),
            ({"droppedLinksCount": "x"}, ".droppedLinksCount"),
            ({"flags": 2**32}, ".flags"),
            ({"status": {"code": "BAD"}}, ".status.code"),
            ({"events": [{}, {"timeUnixNano": "x"}]}, ".events[1].timeUnixNano"),
            ({"links": [{"traceId": "x"}]}, ".links[0].traceId"),
            ({"attributes": [{"key": "a"}, {"key": 1}]}, ".attributes[1].key"),
            ({"attributes": [None]}, ".attributes[0]"),
            ({"attributes": [{"key": "a", "value": {"arrayValue": {"values": [{}, {"intValue": "x"}]}}}]},
             ".attributes[0].value.arrayValue.values[1].intValue"),
            ({"attributes": [{"key": "a", "value": {"kvlistValue": {"values": [
                {"key": "b", "value": {"bytesValue": "*"}}]}}}]},
             ".attributes[0].value.kvlistValue.values[0].value.bytesValue"),
        ],
    )  # fmt: skip
    def test_a_wrong_value_is_refused_with_the_path_to_it(self, fields, path):
        body = json.dumps(
            {"resourceSpans": [{"scopeSpans": [{"spans": []}, {"spans": [IDS, {**IDS, **fields}]}]}]}
        ).encode()
        assert f"$.resourceSpans[0].scopeSpans[1].spans[1]{path}" in refusal(body)

    @pytest.mark.parametrize("text", [r"\ud800", r"\ud800x", r"\udc00", r"\ud800A"])
    @pytest.mark.parametrize("where", ["name", "key", "unknown"])
    def test_lone_surrogates_are_refused(self, text, where):
        bodies = {
            "name": '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"%s"}]}]}]}',
            "key": '{"resourceSpans":[{"resource":{"attributes":[{"key":"%s"}]}}]}',
            "unknown": '{"resourceSpans":[{"resource":{"attributes":[{"key":"a","x":"%s"}]}}]}',
        }
        refusal((bodies[where] % text).encode())


def nested(levels: int, place: str) -> ExportTraceServiceRequest:
    """A request with lists in lists."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    scoped = group.scope_spans.add()
    made = scoped.spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    holder = {
        "resource": group.resource,
        "span": made,
        "event": made.events.add(),
        "link": made.links.add(),
        "scope": scoped.scope,
    }
    value = holder[place].attributes.add(key="k").value
    for level in range(levels):
        pairs = value.kvlist_value.values if level % 2 else None
        value = value.array_value.values.add() if pairs is None else pairs.add(key="x").value
    value.string_value = "deep"
    return message


@pytest.mark.parametrize("place", ["resource", "span", "event", "link", "scope"])
@pytest.mark.parametrize("levels", [1, 2, 36, 37, 38, 39, 40, 41, 60])
def test_nesting_is_limited_as_in_protobuf(place, levels):
    message = nested(levels, place)
    plain = json_format.MessageToDict(message)  # ids are fine as they are: none is looked at here
    del plain["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"]
    del plain["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"]
    accepted = []
    for decode in (
        lambda: SHARED.decode(message.SerializeToString(), NOW),
        lambda: transcode(json.dumps(plain).encode()),
    ):
        try:
            decode()
            accepted.append(True)
        except MalformedBody:
            accepted.append(False)
    assert accepted[0] == accepted[1]


def test_deep_nesting_costs_no_more_than_a_refusal():
    deep = '{"arrayValue":{"values":[' * 3000
    assert "nested" in refusal(
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":' + deep.encode()
    )


def test_the_same_attribute_many_times_is_the_same_bytes():
    spans = [span(attributes={"a": "b", "n": 5, "x": 1.5})] * 50
    message = ExportTraceServiceRequest.FromString(request(spans))
    assert transcode(json_oracle.to_json(message)) == message.SerializeToString()


def test_the_oracle_reads_what_it_writes():
    message = ExportTraceServiceRequest.FromString(next(otlp_factory.realistic(1, 20)))
    assert json_oracle.from_json(json_oracle.to_json(message)) == message
    assert upb_oracle.parse(message.SerializeToString()) == message
