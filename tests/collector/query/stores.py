"""Stores of random spans, and the naive answers over them."""

import math

from hypothesis import strategies as st

from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import parse
from weft_collector.query.catalog import Budget
from weft_collector.store.span_schema import KINDS, STATUSES

VALUES = st.sampled_from(
    ["1", "0.5", "true", "x", "", 1, 0.5, 1.0, True, False, -3, math.nan, b"x", [1, "x"], {"a": 1}, None]
)
KEYS = st.sampled_from(["k", "other", "db.name", "http.status_code"])
RESOURCES = st.fixed_dictionaries(
    {},
    optional={"k": VALUES, "service.instance.id": st.sampled_from(["i1", "i2"]), "host.name": st.just("h")},
)


@st.composite
def spans(draw):
    start = otlp.NOW + draw(st.integers(0, 6))
    return otlp.span(
        draw(st.sampled_from(["a", "b"])),
        kind=draw(st.integers(0, 5)),
        trace=draw(st.integers(1, 5)) | draw(st.sampled_from([0, 1 << 64])),
        id=draw(st.integers(1, 6)),
        parent=draw(st.integers(0, 2)),
        start=start,
        end=start + draw(st.integers(-1, 3)),
        attributes=draw(st.lists(st.tuples(KEYS, VALUES), max_size=3)),
        status=draw(st.integers(0, 2)),
    )


@st.composite
def bodies(draw):
    groups = draw(
        st.lists(
            st.tuples(st.lists(spans(), min_size=1, max_size=5), st.sampled_from(["web", "cart"]), RESOURCES),
            min_size=1, max_size=2,
        )
    )  # fmt: skip
    return otlp.body([otlp.resource_spans(*group) for group in groups])


TABLES = st.lists(st.lists(bodies(), min_size=1, max_size=3), min_size=1, max_size=5)


class StepClock:
    """A clock that moves by a step each time somebody looks."""

    def __init__(self, step=0.0):
        self.step = step
        self.now = 0.0

    def __call__(self):
        self.now += self.step
        return self.now


def budget(step=0.0):
    return Budget(StepClock(step), 1.0)


# ---- the naive answers


def all_spans(tables):
    """The distinct spans in the order of the log."""
    seen = {}
    for body in (body for table in tables for body in table):
        for parsed in parse(body):
            seen.setdefault(parsed.identity, parsed)
    return list(seen.values())


def is_value(value, text):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return any(
            is_value(item, text) for item in value.array_value.values if not item.HasField("array_value")
        )
    if kind == "double_value":
        try:
            return value.double_value == float(text) or (math.isnan(value.double_value) and text == "NaN")
        except ValueError:
            return False
    plain = {"string_value": str, "int_value": str, "bool_value": lambda v: str(v).lower()}.get(kind)
    return plain is not None and plain(getattr(value, kind)) == text


def has(parsed, key, text):
    columns = {"db.name": "DbNamespace", "http.status_code": "HttpStatusCode", "host.name": "HostName"}
    if key in columns:
        value = parsed.columns[columns[key]]
        return bool(value) and str(value) == text
    resource = otlp.Resource.FromString(parsed.resource)
    return any(
        is_value({pair.key: pair.value for pair in pairs}[key], text)
        for pairs in (parsed.span.attributes, resource.attributes)
        if key in {pair.key for pair in pairs}
    )


def matches(question, parsed):
    span = parsed.span
    start, duration = span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano
    return (
        (question.service is None or parsed.columns["ServiceName"] == question.service)
        and (question.operation is None or span.name == question.operation)
        and (question.kind is None or KINDS[span.kind] == question.kind)
        and (question.status is None or STATUSES[span.status.code] == question.status)
        and (question.least_ns is None or duration >= question.least_ns)
        and (question.most_ns is None or duration <= question.most_ns)
        and question.start_ns <= start < question.end_ns
        and all(has(parsed, *condition) for condition in question.conditions)
    )


def value(question, parsed):
    span = parsed.span
    start = span.start_time_unix_nano
    return start if question.sort == "start" else span.end_time_unix_nano - start


def naive(question, tables):
    """The matching spans, largest first; of equals those that came last."""
    fitting = [parsed for parsed in all_spans(tables) if matches(question, parsed)]
    fitting.reverse()
    return sorted(fitting, key=lambda parsed: -value(question, parsed))
