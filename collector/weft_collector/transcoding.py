"""What each door's bodies are turned into OTLP protobuf by: the log and the decoder know no other language.

A body is transcoded between inflating and decoding, by the thread that does both: never on the event loop. What
goes in is bounded by the limit for inflated bodies, and so is what comes out, by the decoder.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from weft_collector.store.ports import Transport
from weft_collector.wire import otlp_json, zipkin_json

__all__ = ["TRANSCODERS", "to_protobuf"]

TRANSCODERS: Final[Mapping[Transport, Callable[[bytes], bytes]]] = MappingProxyType(
    {Transport.HTTP_JSON: otlp_json.transcode, Transport.ZIPKIN_JSON: zipkin_json.transcode}
)
"""By door; bodies of the others are OTLP protobuf as they come."""


def to_protobuf(body: bytes, transport: Transport) -> bytes:
    """An inflated body as an ExportTraceServiceRequest in protobuf.

    Raises:
        MalformedBody: It is not what comes through that door.
    """
    transcode = TRANSCODERS.get(transport)
    return transcode(body) if transcode else body
