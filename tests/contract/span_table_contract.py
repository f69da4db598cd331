"""What every span table promises; a test class inherits `SpanTableContract` and says how to make one.

Bodies are those of `otlp_factory`. The expected rows are those of the table in memory, which is plain Python.
"""

import numpy as np
import pyarrow as pa
import pytest

from tests.collector.wire import otlp_factory as otlp
from tests.contract.memory_tables import MemoryStore, parse
from weft_collector.store.ports import Position
from weft_collector.store.span_schema import SCHEMA

PLACE = ("Block", "Body", "Offset", "Length", "ResourceId", "ScopeId")


def bodies():
    """Three bodies: traces scattered over them, odd widths of ids, duplicates, all kinds of attributes."""
    shop = [
        otlp.span(
            "GET /", trace=n % 4 + 1, id=n + 1, parent=n // 2, start=otlp.NOW + n, end=otlp.NOW + 10 * n
        )
        for n in range(40)
    ]
    attributes = {
        "http.response.status_code": 503, "server.port": "8080", "db.name": "carts", "error.type": "timeout",
        "peer.service": "pay", "list": ["a", 2], "half": 0.5, "yes": True,
    }  # fmt: skip
    rich = otlp.span(
        "pay", kind=otlp.CLIENT, trace=2**64 + 1, id=77, attributes=attributes, status=otlp.ERROR
    )
    one = otlp.resource_spans([shop[0], rich], "cart", {"service.instance.id": "cart-1", "process.pid": 7})
    one.schema_url = "https://example.com/resource"
    one.scope_spans[0].schema_url = "https://example.com/scope"
    return [otlp.request(shop[:25], "web"), otlp.body([one]), otlp.request(shop[20:], "web")]


def identity(row):
    return row["TraceId"], row["SpanId"], row["SpanKind"], row["ServiceName"]


def rows_of(table, columns):
    plain = table.read([name for name in columns if name != "Timestamp"]).to_pylist()
    starts = table.read(["Timestamp"]).column("Timestamp").cast(pa.int64()).to_pylist()
    return [row | {"Timestamp": start} for row, start in zip(plain, starts, strict=True)]


class SpanTableContract:
    """Inherit, and give a fixture `make`: bodies to (table, log), all in one log file."""

    @pytest.fixture
    def made(self, make):
        return make(bodies())

    @pytest.fixture
    def expected(self):
        store = MemoryStore()
        return store.add(bodies())

    def test_its_columns_are_those_of_the_schema(self, made):
        table, _ = made
        assert table.read(SCHEMA.names).schema.equals(SCHEMA)

    def test_each_distinct_span_is_one_row_with_what_was_sent(self, made, expected):
        table, _ = made
        columns = [name for name in SCHEMA.names if name not in PLACE]
        assert table.rows == expected.rows == 42
        assert sorted(rows_of(table, columns), key=identity) == sorted(
            rows_of(expected, columns), key=identity
        )

    def test_rows_are_sorted_by_the_low_half_of_the_trace_id_and_by_the_log(self, made):
        table, _ = made
        rows = table.read(["TraceId", *PLACE[:3]]).to_pylist()
        keys = [(row["TraceId"][8:], *(row[name] for name in PLACE[:3])) for row in rows]
        assert keys == sorted(keys)

    def test_the_rows_of_a_trace_are_a_range(self, made):
        table, _ = made
        lows = [trace[8:] for trace in table.read(["TraceId"]).column("TraceId").to_pylist()]
        for low in set(lows):
            found = table.trace_rows(int.from_bytes(low, "big"))
            assert list(found) == [row for row, other in enumerate(lows) if other == low]

    def test_a_trace_that_is_not_there_has_no_rows(self, made):
        table, _ = made
        assert not [n for n in range(1000, 2000) if len(table.trace_rows(n))]

    def test_a_range_of_rows_is_read_alone(self, made):
        table, _ = made
        whole = table.read(["SpanId", "SpanName"])
        assert table.read(["SpanId", "SpanName"], range(5, 9)).equals(whole.slice(5, 4))
        assert table.read(["SpanName"], range(3, 3)).num_rows == 0

    @pytest.mark.parametrize("rows", [[], [0], [3, 4, 41], range(42)])
    def test_rows_are_taken_one_by_one(self, made, rows):
        table, _ = made
        columns = ["SpanName", "TraceId", "Timestamp"]
        chosen = np.array(rows, np.intp)
        assert table.take(columns, chosen).equals(table.read(columns).take(chosen))

    def test_the_times_are_those_of_the_rows(self, made):
        table, _ = made
        starts = table.read(["Timestamp"]).column("Timestamp").cast(pa.int64()).to_pylist()
        assert (table.earliest_ns, table.latest_ns) == (min(starts), max(starts))

    def test_pointers_lead_to_the_exact_bytes(self, made):
        table, log = made
        sent = {parsed.raw for body in bodies() for parsed in parse(body)}
        for row in table.read(PLACE).to_pylist():
            position = Position(table.number, row["Block"], row["Body"])
            assert log.read(position, row["Offset"], row["Length"]) in sent

    def test_resources_and_scopes_come_with_their_schema_urls(self, made):
        table, _ = made
        sent = {(p.resource, p.resource_schema, p.scope, p.scope_schema) for b in bodies() for p in parse(b)}
        rows = table.read(["ResourceId", "ScopeId"]).to_pylist()
        found = {(*table.resource(row["ResourceId"]), *table.scope(row["ScopeId"])) for row in rows}
        assert found == sent

    def test_the_summary_is_that_of_the_rows(self, made, expected):
        table, _ = made
        key = ["ServiceName", "SpanName", "SpanKind"]
        names = [*key, "Spans", "Errors", "LongestNs", "EarliestNs", "LatestNs"]

        def rows(summary):
            plain = [
                [int(v) if isinstance(v, int) else v for v in map(row.get, names)]
                for row in summary.to_pylist()
            ]
            return sorted(plain)

        assert rows(table.summary()) == rows(expected.summary())

    def test_the_blocks_that_may_have_anything_have_all_its_rows(self, made):
        table, _ = made
        blocks = set(table.read(["Block"]).column("Block").to_pylist())
        found = table.blocks_with([])
        assert blocks <= set(found.tolist())
        assert sorted(found.tolist()) == found.tolist()

    @pytest.mark.parametrize(
        ("keys", "met"),
        [
            ((("list",), ("half",)), True),
            ((("half",), ("process.pid",)), True),
            ((("db.system", "db.name"), ("yes",)), True),
            ((("process.pid",), ("service.instance.id",)), True),
            ((("half",), ("nothing",)), False),
            ((("nothing", "never"), ("yes",), ("list",)), False),
        ],
    )
    def test_it_knows_which_keys_met(self, made, keys, met):
        table, _ = made
        assert table.may_meet(keys) is met
        assert table.may_meet(()) is True

    @pytest.mark.parametrize(("key", "held"), [("list", True), ("process.pid", False), ("nothing", False)])
    def test_it_knows_which_keys_spans_have_themselves(self, made, key, held):
        table, _ = made
        assert table.spans_have(key) is held
