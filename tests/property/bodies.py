"""Plain spans as bodies that a client would send."""

from tests.collector.wire import otlp_factory as otlp

SPAN_WORDS = {
    "peer_service": "service.peer.name",
    "db_system": "db.system.name",
    "db_namespace": "db.namespace",
    "messaging_system": "messaging.system",
    "destination": "messaging.destination.name",
    "address": "server.address",
    "port": "server.port",
    "http": "http.response.status_code",
    "rpc": "rpc.system.name",
    "error_type": "error.type",
    "operation": "messaging.operation.type",
    "message_count": "messaging.batch.message_count",
    "template": "messaging.destination.template",
    "cluster": "messaging.kafka.cluster.id",
    "peer_namespace": "service.peer.namespace",
    "peer_address": "network.peer.address",
    "peer_port": "network.peer.port",
    "rpc_code": "rpc.response.status_code",
}
_RESOURCE_WORDS = {
    "instance": "service.instance.id",
    "namespace": "service.namespace",
    "environment": "deployment.environment.name",
    "host": "host.name",
    "pid": "process.pid",
}
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")


def body_of(spans):
    """One body with these spans, each with a resource of its own."""
    return otlp.body([otlp.resource_spans([_span(s)], s.service, words(s, _RESOURCE_WORDS)) for s in spans])


def _span(s):
    return otlp.span(
        trace=s.trace,
        id=s.id,
        parent=s.parent,
        kind=_KINDS.index(s.kind),
        start=s.start,
        end=max(s.end, 0),
        attributes=words(s, SPAN_WORDS),
        status=2 if s.error else 0,
        trace_state=f"weft={s.parent:016x};{s.entry}" if s.entry and s.parent else "",
    )


def words(s, names):
    """Attributes by the names of a span's fields, those that are empty left out; a count below 0 means one of 0."""
    return {
        key: max(0, v) if word == "message_count" else v
        for word, key in names.items()
        if (v := getattr(s, word))
    }
