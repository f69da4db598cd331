"""The doors of the ingest surface: path, content types, and how each answers its senders.

OTLP answers in the content type that was sent: a response with `partial_success`, a refusal as google.rpc.Status.
Zipkin answers 202 with nothing in it, and refuses with a problem document.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from starlette.responses import Response

from weft_collector.api.otlp_answers import export_response, rpc_code
from weft_collector.api.problems import JSON, PROTOBUF, answer
from weft_collector.errors import CollectorError
from weft_collector.intake import Accepted
from weft_collector.store.ports import Transport

__all__ = ["TRACES", "ZIPKIN", "Door", "otlp_refusal", "otlp_response"]


class Door(NamedTuple):
    """One way in.

    Attributes:
        path: Where it is.
        transports: Content types that are taken, and by which number the log remembers them.
        success: The answer to a body of a content type that was taken.
        refusal: The answer to one that was not.
    """

    path: str
    transports: Mapping[str, Transport]
    success: Callable[[Accepted, str], Response]
    refusal: Callable[[CollectorError, str], Response]


def otlp_response(rejected: int, message: str, counted: str, content_type: str) -> Response:
    """A success of OTLP.

    Args:
        rejected: How many were refused one by one.
        message: Why.
        counted: The JSON name of their number: rejectedSpans, rejectedDataPoints or rejectedLogRecords.
        content_type: What the sender speaks.
    """
    if content_type != JSON:
        return Response(export_response(rejected, message), 200, media_type=PROTOBUF)
    partial = {"partialSuccess": {counted: str(rejected), "errorMessage": message}} if rejected else {}
    return Response(json.dumps(partial).encode(), 200, media_type=JSON)


def otlp_refusal(error: CollectorError, content_type: str) -> Response:
    """A refusal of OTLP: a google.rpc.Status in the sender's language; a problem to those who speak neither."""
    response = answer(error, content_type)
    if content_type != JSON:
        return response
    status = {"code": rpc_code(error.status), "message": f"{error.title}: {error}"}
    headers = {name: response.headers[name] for name in ("retry-after", "allow") if name in response.headers}
    return Response(json.dumps(status).encode(), error.status, headers, JSON)


def _traces_taken(accepted: Accepted, content_type: str) -> Response:
    reasons = ", ".join(f"{reason}: {count}" for reason, count in accepted.rejected)
    rejected = sum(count for _, count in accepted.rejected)
    return otlp_response(rejected, reasons, "rejectedSpans", content_type)


def _zipkin_taken(_accepted: Accepted, _content_type: str) -> Response:
    return Response(status_code=202)


def _zipkin_refused(error: CollectorError, _content_type: str) -> Response:
    return answer(error)


TRACES: Final = Door(
    "/v1/traces",
    MappingProxyType({PROTOBUF: Transport.HTTP_PROTOBUF, JSON: Transport.HTTP_JSON}),
    _traces_taken,
    otlp_refusal,
)
ZIPKIN: Final = Door(
    "/api/v2/spans", MappingProxyType({JSON: Transport.ZIPKIN_JSON}), _zipkin_taken, _zipkin_refused
)
