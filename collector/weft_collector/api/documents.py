"""What the OpenAPI document says beyond the routes' own signatures."""

from typing import Any, Final

from weft_collector.api.problems import JSON, MEDIA_TYPE, PROTOBUF
from weft_collector.export.columns import COLUMNS
from weft_collector.query.sql.formats import FORMATS as SQL_FORMATS
from weft_collector.query.sql.runner import MOST_ROWS
from weft_collector.render.pictures import FORMATS

__all__ = [
    "DESCRIPTION",
    "EVENT_STREAM",
    "INGEST",
    "NOT_FOUND",
    "PICTURES",
    "PROBLEMS",
    "QUERY_BODY",
    "QUERY_FILES",
    "TABLES",
    "TAGS",
    "TOO_COSTLY",
    "TRACE",
]

_Responses = dict[int | str, dict[str, Any]]

DESCRIPTION: Final = """\
Calls between services as a live, exact dependency graph. Windows are half open and widened outward to whole
minutes, and to hours and days where no minutes are kept any more; the answer says to what. Durations are
milliseconds (`_ms`), rates calls per second. Errors are problem documents (RFC 9457).
"""
TAGS: Final = [
    {"name": "Graph", "description": "The dependency graph, its layout and its pictures."},
    {"name": "Search", "description": "Which spans, services, operations, attributes and values there are."},
    {"name": "Traces", "description": "Single traces, and calls row by row."},
    {"name": "Ingest", "description": "Where agents and OpenTelemetry exporters send spans."},
    {"name": "Collector", "description": "The collector about itself."},
]


def _problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


PROBLEMS: Final[_Responses] = {
    400: _problem("A parameter cannot be read or is out of range."),
    503: _problem("The collector is starting or stopping; see Retry-After."),
}
NOT_FOUND: Final = _problem("It never came, or newer spans have replaced it.")
EVENT_STREAM: Final[dict[str, Any]] = {
    "description": "Events named `graph`: `data` holds a graph and its layout, `id` is the version.",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": 'id: 42\nevent: graph\ndata: {"graph":{...},"layout":{...}}\n\n',
        }
    },
}


def _files(description: str, media_types: list[str]) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"description": description, "content": dict.fromkeys(media_types, binary)}


PICTURES: Final = _files("The picture.", [row.media_type.partition(";")[0] for row in FORMATS.values()])
_COLUMNS: Final = " ".join(f"`{column.name}`: {column.meaning}" for column in COLUMNS)
TABLES: Final = _files(
    f"One row a call. {_COLUMNS}", ["text/csv", "application/x-ndjson", "application/vnd.apache.parquet"]
)

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_OTLP: Final = {PROTOBUF: _BINARY, JSON: {"schema": {"type": "object"}}}
QUERY_FILES: Final = _files("The rows.", [row.media_type.partition(";")[0] for row in SQL_FORMATS.values()])
TOO_COSTLY: Final = _problem("The query used up its time or memory.")
QUERY_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["sql"],
                    "properties": {
                        "sql": {
                            "type": "string",
                            "examples": ["SELECT ServiceName, count(*) FROM spans GROUP BY 1"],
                        },
                        "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 1000},
                        "format": {"type": "string", "enum": list(SQL_FORMATS), "default": "json"},
                    },
                }
            }
        },
    }
}
TRACE: Final[dict[str, Any]] = {
    "description": "A TracesData message of OTLP; in JSON with ids in hex, times as texts, enums as numbers.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Trace"}},
        PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
    },
}


def _refusal(description: str) -> dict[str, Any]:
    return {"description": f"{description} The body is a google.rpc.Status.", "content": _OTLP}


_REFUSALS: Final = {
    "400": _refusal("The body is malformed."),
    "403": _refusal("A web page of another site sent it."),
    "405": _refusal("Bodies come by POST."),
    "408": _refusal("The body came too slowly."),
    "413": _refusal("The body is too large, as sent or inflated."),
    "415": _refusal("Content type or encoding is not supported."),
    "503": _refusal("Not now; send it again after the time in Retry-After."),
}
INGEST: Final[dict[str, Any]] = {
    "/v1/traces": {
        "post": {
            "tags": ["Ingest"],
            "summary": "Take spans in",
            "operationId": "export_traces",
            "description": "OTLP over HTTP, protobuf or JSON; answered in the same. The answer comes when the spans "
            "are durable and visible. "
            "Bodies may be compressed (content-encoding gzip, deflate or zstd).",
            "requestBody": {
                "required": True,
                "description": "An ExportTraceServiceRequest.",
                "content": _OTLP,
            },
            "responses": {
                "200": {
                    "description": "An ExportTraceServiceResponse; partial_success counts rejected spans.",
                    "content": _OTLP,
                },
                **_REFUSALS,
            },
        }
    },
    "/v1/metrics": {
        "post": {
            "tags": ["Ingest"],
            "summary": "Take edge counts in",
            "operationId": "export_metrics",
            "description": "OTLP over HTTP, as for `/v1/traces`. Points of `weft.edge.duration` are kept; "
            "all other metrics are acknowledged, counted, and not kept.",
            "requestBody": {
                "required": True,
                "description": "An ExportMetricsServiceRequest.",
                "content": _OTLP,
            },
            "responses": {
                "200": {
                    "description": "An ExportMetricsServiceResponse; partial_success counts points that are not kept.",
                    "content": _OTLP,
                },
                **_REFUSALS,
            },
        }
    },
    "/api/v2/spans": {
        "post": {
            "tags": ["Ingest"],
            "summary": "Take Zipkin spans in",
            "operationId": "post_zipkin_spans",
            "description": "A list of Zipkin v2 spans in JSON; compressed as for `/v1/traces`.",
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
            },
            "responses": {
                "202": {"description": "The spans are durable and visible."},
                "400": _problem("The body is malformed, or Zipkin v1."),
                "413": _problem("The body is too large, as sent or inflated."),
                "415": _problem("Content type or encoding is not supported."),
                "503": _problem("Not now; send it again after the time in Retry-After."),
            },
        }
    },
}
