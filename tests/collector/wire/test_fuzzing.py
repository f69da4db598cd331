"""A short, seeded run of the fuzz entry points; the campaign calls the same ones for longer."""

import json
from random import Random

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.api.test_other_signals import logs, metrics
from tests.collector.cli.test_import_files import JAEGER, ZIPKIN
from tests.collector.wire import json_oracle, otlp_factory
from tests.collector.wire.fuzzing import ENTRIES, mutated

SHOP = ExportTraceServiceRequest.FromString(next(otlp_factory.realistic(1, 6)))
VALUES = otlp_factory.request(
    [otlp_factory.span(attributes={"l": [1, "a", b"\xff", 0.5], "m": {"k": [True, {}]}})]
)
SEEDS = {
    "otlp_json": [
        json_oracle.to_json(SHOP),
        json_oracle.to_json(ExportTraceServiceRequest.FromString(VALUES), snake=True),
    ],
    "zipkin_json": [json.dumps([{**ZIPKIN[0], "kind": "CLIENT", "timestamp": 5, "shared": True, "annotations": [
        {"timestamp": 1, "value": "x"}], "localEndpoint": {"serviceName": "a", "ipv4": "1.2.3.4", "port": 1}}]).encode()],
    "jaeger_json": [json.dumps({"data": JAEGER["data"][:2]}).encode()],
    "metrics_json": [json_format.MessageToJson(metrics()).encode()],
    "logs_json": [json_format.MessageToJson(logs()).encode()],
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_sound_bodies_are_taken(name):
    assert all(ENTRIES[name](body) for body in SEEDS[name])


def fuzz(name, rounds, seed):
    dice = Random(seed)
    return [ENTRIES[name](mutated(dice.choice(SEEDS[name]), dice)) for _ in range(rounds)]


@pytest.mark.parametrize("name", ENTRIES)
def test_mutated_bodies_are_taken_or_refused_and_nothing_else(name):
    taken = fuzz(name, 1500, 7)
    assert 0 < sum(taken) < len(taken)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_truncation_is_refused(name):
    for body in SEEDS[name]:
        whole = body.rstrip()
        assert not any(ENTRIES[name](whole[:size]) for size in range(1, len(whole), 1 + len(whole) // 400))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ENTRIES)
def test_mutated_bodies_at_length(name):
    fuzz(name, 200_000, 11)
