"""Section 3, second part: channels between those who publish and those who read."""

from tests.conformance.story import HTTP, case, expected

ORDERS = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
SEND, RECEIVE, PROCESS, SETTLE, CREATE = (
    ORDERS | {"messaging.operation.type": operation}
    for operation in ("send", "receive", "process", "settle", "create")
)
CHANNEL = "channel:kafka/orders"


def edges(*more, sent="1 client_only", got="1 server_only"):
    """web publishes to the channel, mail reads from it."""
    lines = ["client -> web: 1 server_only", f"web -> {CHANNEL}: {sent}", f"{CHANNEL} -> mail: {got}", *more]
    return "\n".join(lines)


@case("R3.9", "R3.10", "R3.15", "D10")
def a_channel_stands_between_producer_and_consumer(t):
    """The broker's channel is a node. The direct edge is derived from the same calls, and in no total."""
    sent = t.producer("web", t.server("web"), at=10, attributes=SEND)
    t.consumer("mail", sent, at=60, attributes=PROCESS)
    return expected(edges(got="1 server_only; queueing 50"), derived="web -> mail: 1", totals=[3, 0])


@case("R3.9", "R3.10", "R3.15", "R2.13", "D10")
def producer_and_consumer_in_two_traces(t):
    """The consumer starts a trace of its own and links to the producer: the same edges, and the same derived one."""
    sent = t.producer("web", t.server("web"), at=10, attributes=SEND)
    t.other_trace()
    t.consumer("mail", at=60, links=(sent,), attributes=PROCESS)
    return expected(edges(got="1 server_only; queueing 50"), derived="web -> mail: 1")


@case("R3.9")
def a_client_span_that_sends_publishes(t):
    """Brokers that are asked over a plain client (SQS, Pub/Sub) have CLIENT spans for sending."""
    sent = t.client("web", t.server("web"), attributes=SEND)
    t.consumer("mail", sent, attributes=PROCESS)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.9", "R3.11", "R0.2")
def older_messaging_names_mean_the_same(t):
    """`messaging.operation` publish, deliver and receive, `messaging.destination`: names before 1.24 and 1.27."""
    old = {"messaging.system": "kafka", "messaging.destination": "orders"}
    sent = t.client("web", t.server("web"), attributes=old | {"messaging.operation": "publish"})
    t.consumer("mail", sent, attributes=old | {"messaging.operation": "deliver"})
    t.client("audit", sent, attributes=old | {"messaging.operation": "receive"})
    t.client("audit", sent, attributes=SEND | {"messaging.operation": "receive"})
    return expected(
        edges(f"{CHANNEL} -> audit: 1 server_only", f"audit -> {CHANNEL}: 1 client_only"),
        derived="""
        web -> mail: 1
        web -> audit: 1
        """,
    )


@case("R3.9")
def a_client_span_with_a_destination_and_no_operation_publishes(t):
    """Nothing says that it reads, and whoever calls a queue without saying more puts something in."""
    t.client("web", t.server("web"), attributes=ORDERS)
    return expected(f"""
        client -> web: 1 server_only
        web -> {CHANNEL}: 1 client_only
    """)


@case("R3.9")
def a_server_below_a_producer_was_called_by_the_channel(t):
    """A push queue delivers to an HTTP server: between the two stands the channel."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.server("mail", sent, attributes=HTTP)
    return expected(edges(got="1 server_only; connections messaging 1; queueing"), derived="web -> mail: 1")


@case("R3.9", "Zipkin")
def a_producer_without_channel_above_a_server_is_a_call(t):
    """Zipkin's `producer -> SERVER child`: with no channel named, the producer is the caller's side."""
    t.server("mail", t.producer("web", t.server("web")))
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R3.9", "R1.6", "Zipkin")
def a_producer_and_a_server_that_share_an_id(t):
    """Zipkin's `producer -> shared server`."""
    sent = t.producer("web", t.server("web"))
    t.server("mail", id=sent.id)
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R3.9", "Zipkin")
def a_client_span_without_channel_above_a_consumer_is_a_call(t):
    """CLIENT above CONSUMER, no channel: whoever made these spans called and was called. Zipkin draws nothing."""
    t.consumer("mail", t.client("web", t.server("web")))
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R3.9", "Zipkin")
def neither_side_names_the_channel(t):
    """Producer and consumer, no channel: the call is there all the same, and direct. Zipkin draws nothing."""
    sent = t.producer("web", t.server("web"))
    t.consumer("mail", sent)
    return expected("""
        client -> web: 1 server_only
        web -> mail: 1 both
    """)


@case("R3.10", "D10")
def the_producer_alone_names_the_channel(t):
    """The consumer's walk comes to a span that publishes: the channel called it."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.consumer("mail", sent)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.10", "D10")
def the_consumer_alone_names_the_channel(t):
    """What the producer published to is not known; what the consumer read from is."""
    sent = t.producer("web", t.server("web"))
    t.consumer("mail", sent, attributes=PROCESS)
    return expected(
        f"""
        client -> web: 1 server_only
        web -> unknown:peer: 1 client_only
        {CHANNEL} -> mail: 1 server_only
        """,
        derived="web -> mail: 1",
    )


@case("R3.10")
def a_consumer_with_a_channel_needs_no_producer(t):
    """Its parent never came: the channel called it, as it says."""
    t.consumer("mail", t.missing(), attributes=PROCESS)
    t.consumer("mail", attributes=PROCESS)
    return expected(f"{CHANNEL} -> mail: 2 server_only")


@case("R3.10", "R3.1", "D1", "D10")
def every_reader_of_a_message_counts(t):
    """Three groups read the same message: one call to the channel, three out of it."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    for service in ("mail", "audit", "search"):
        t.consumer(service, sent, attributes=PROCESS)
    return expected(
        edges(f"{CHANNEL} -> audit: 1 server_only", f"{CHANNEL} -> search: 1 server_only"),
        derived="""
        web -> mail: 1
        web -> audit: 1
        web -> search: 1
        """,
    )


@case("R3.10", "R3.1", "D10")
def a_message_redelivered_by_a_broker(t):
    """The first delivery failed, the second worked: two calls out of the channel, one into it."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.consumer("mail#1", sent, attributes=PROCESS, error=True)
    t.consumer("mail#2", sent, attributes=PROCESS)
    return expected(edges(got="2 server_only; errors 1"), derived="web -> mail: 2")


@case("R3.10", "D10", "Zipkin")
def a_message_that_passes_two_brokers(t):
    """Kafka to RabbitMQ over a bridge, which is a service like any other (Zipkin: `different brokers`)."""
    rabbit = {"messaging.system": "rabbitmq", "messaging.destination.name": "post"}
    sent = t.producer("web", t.server("web"), attributes=SEND)
    got = t.consumer("bridge", sent, attributes=PROCESS)
    t.consumer("mail", t.producer("bridge", got, attributes=rabbit), attributes=rabbit)
    return expected(
        f"""
        client -> web: 1 server_only
        web -> {CHANNEL}: 1 client_only
        {CHANNEL} -> bridge: 1 server_only
        bridge -> channel:rabbitmq/post: 1 client_only
        channel:rabbitmq/post -> mail: 1 server_only
        """,
        derived="""
        web -> bridge: 1
        bridge -> mail: 1
        """,
    )


@case("R3.10", "Zipkin")
def the_two_sides_name_different_channels(t):
    """Mirrored topics: what was written to one was read from the other. Each side is taken at its word."""
    sent = t.producer("web", t.server("web"), attributes=ORDERS)
    t.consumer("mail", sent, attributes=ORDERS | {"messaging.destination.name": "orders.mirror"})
    return expected(
        f"""
        client -> web: 1 server_only
        web -> {CHANNEL}: 1 client_only
        channel:kafka/orders.mirror -> mail: 1 server_only
        """,
        derived="web -> mail: 1",
    )
