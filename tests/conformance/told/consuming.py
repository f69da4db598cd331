"""Section 3, last part: what those do who read from a channel, and batches."""

from tests.conformance.story import case, expected
from tests.conformance.told.messaging import CHANNEL, CREATE, ORDERS, PROCESS, RECEIVE, SEND, SETTLE, edges

# ---- receive, process, settle


@case("R3.11")
def a_receive_span_alone_is_a_call_out_of_the_channel(t):
    """A program that fetches, and makes no span for what it does with the message."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    t.consumer("mail", links=(sent,), attributes=RECEIVE)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.11")
def a_receive_span_of_kind_client_was_called_too(t):
    """Since 1.44 fetching is a CLIENT span. The message still comes out of the channel, it does not go in."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    t.client("mail", links=(sent,), attributes=RECEIVE)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.11")
def processing_below_receiving_is_one_call(t):
    """The message is fetched, and processed in a span below: that span is the call."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    fetched = t.consumer("mail", links=(sent,), attributes=RECEIVE)
    t.consumer("mail", fetched, links=(sent,), attributes=PROCESS)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.11")
def receiving_and_processing_side_by_side_is_one_call(t):
    """Two spans of one instance that link to the same message: fetched with the one, processed with the other."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    t.client("mail", links=(sent,), attributes=RECEIVE)
    t.consumer("mail", links=(sent,), attributes=PROCESS)
    return expected(edges(), derived="web -> mail: 1")


@case("R3.11")
def a_message_that_another_instance_processes_counts_at_both(t):
    """One instance fetched it and handed it on; another links to the same message. Two got it."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    t.consumer("mail#1", links=(sent,), attributes=RECEIVE)
    t.other_trace()
    t.consumer("mail#2", links=(sent,), attributes=PROCESS)
    return expected(edges(got="2 server_only"), derived="web -> mail: 2")


@case("R3.11")
def a_consumer_that_says_no_operation_processes(t):
    """Older instrumentations do not say. Inside a fetch it is the call, by its kind; as CLIENT it has to say so."""
    fetched = t.consumer("mail", attributes=RECEIVE)
    t.consumer("mail", fetched, attributes=ORDERS)
    fetched = t.consumer("audit", attributes=RECEIVE)
    t.client("audit", fetched, attributes=PROCESS)
    return expected(f"""
        {CHANNEL} -> mail: 1 server_only
        {CHANNEL} -> audit: 1 server_only
    """)


@case("R3.11")
def processing_inside_receiving_takes_its_channel(t):
    """Only the receive span knows the channel."""
    fetched = t.consumer("mail", attributes=RECEIVE)
    t.consumer("mail", t.local("mail", fetched), attributes={"messaging.operation.type": "process"})
    return expected(f"{CHANNEL} -> mail: 1 server_only")


@case("R3.11")
def two_instrumentations_of_one_consumer(t):
    """The client library and the framework each make a span for one message: the inner one is the call."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    outer = t.consumer("mail", sent, attributes=PROCESS)
    t.consumer("mail", t.local("mail", outer), attributes=PROCESS)
    return expected(edges())


@case("R3.11")
def fetching_while_processing_is_another_call(t):
    """While a message is processed, the next one is fetched from the same channel: two calls."""
    got = t.consumer("mail", attributes=PROCESS)
    t.client("mail", got, attributes=RECEIVE)
    return expected(f"{CHANNEL} -> mail: 2 server_only")


@case("R3.11")
def processing_from_another_channel_inside_is_another_call(t):
    """A message of one channel lies inside the processing of another's: two calls."""
    got = t.consumer("mail", attributes=PROCESS)
    t.consumer("mail", got, attributes=PROCESS | {"messaging.destination.name": "replies"})
    return expected(f"""
        {CHANNEL} -> mail: 1 server_only
        channel:kafka/replies -> mail: 1 server_only
    """)


@case("R3.11")
def a_local_span_that_processes_replaces_no_fetch(t):
    """Only spans that are calls themselves take the place of the fetch: a local span says `process` as a remark."""
    sent = t.producer("web", attributes=SEND)
    t.other_trace()
    fetched = t.consumer("mail", links=(sent,), attributes=RECEIVE)
    t.local("mail", fetched, attributes=PROCESS)
    t.local("mail", links=(sent,), attributes=PROCESS)
    return expected(f"""
        web -> {CHANNEL}: 1 client_only
        {CHANNEL} -> mail: 1 server_only
    """)


@case("R3.12")
def settling_below_the_producer_is_no_call(t):
    """The acknowledgement has the producer's span as its parent, as the message had."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    t.consumer("mail", sent, attributes=PROCESS)
    t.client("mail", sent, attributes=SETTLE)
    return expected(edges())


@case("R3.12")
def settling_is_no_call(t):
    """An acknowledgement to the broker is part of the delivery, as CLIENT span or as CONSUMER span."""
    sent = t.producer("web", t.server("web"), attributes=SEND)
    got = t.consumer("mail", sent, attributes=PROCESS)
    t.client("mail", got, attributes=SETTLE)
    t.consumer("mail", got, attributes=SETTLE)
    return expected(edges(), derived="web -> mail: 1")


@case("R1.6", "R3.12")
def what_settles_is_no_half_of_a_call(t):
    """An acknowledgement with the id of a client span is not what that called: its parent is the one that it names."""
    out = t.client("web", t.server("web"), attributes={"service.peer.name": "cart"})
    got = t.server("mail")
    settled = t.consumer("mail", got, id=out.id, attributes=SETTLE)
    t.server("mail", settled)
    return expected("""
        client -> web: 1 server_only
        client -> mail: 1 server_only
        web -> cart: 1 client_only
    """)


# ---- batches


@case("R3.13")
def a_batch_that_was_sent_is_one_call_with_many_messages(t):
    """`messaging.batch.message_count` 20, and no spans for single messages."""
    t.producer("web", t.server("web"), attributes=SEND | {"messaging.batch.message_count": 20})
    return expected(f"""
        client -> web: 1 server_only
        web -> {CHANNEL}: 1 client_only; messages 20
    """)


@case("R3.13", "R0.1")
def no_batch_has_more_than_a_million_messages(t):
    """A count that cannot be is cut at 2^20; one that is no number is not there."""
    t.producer("web", attributes=SEND | {"messaging.batch.message_count": 2_000_000_000})
    t.producer("shop", attributes=SEND | {"messaging.batch.message_count": "many"})
    return expected(f"""
        web -> {CHANNEL}: 1 client_only; messages 1048576
        shop -> {CHANNEL}: 1 client_only; messages 1
    """)


@case("R3.13", "R2.13")
def a_batch_that_was_processed_is_one_call_with_many_messages(t):
    """Three messages of two producers, one span that processes them and links to each: one call, three messages.

    The derived edge goes to the producer of the first link: a call has one caller.
    """
    one = t.producer("web", t.server("web"), attributes=SEND)
    two = t.producer("web", t.server("web"), attributes=SEND)
    three = t.producer("shop", t.server("shop"), attributes=SEND)
    t.other_trace()
    t.consumer("mail", links=(one, two, three), attributes=PROCESS | {"messaging.batch.message_count": 3})
    return expected(
        f"""
        client -> web: 2 server_only
        client -> shop: 1 server_only
        web -> {CHANNEL}: 2 client_only; messages 2
        shop -> {CHANNEL}: 1 client_only; messages 1
        {CHANNEL} -> mail: 1 server_only; messages 3
        """,
        derived="web -> mail: 1",
    )


@case("R3.13", "R3.11")
def a_batch_that_is_processed_message_by_message(t):
    """Fetched together, processed one by one: as many calls as messages, and the fetch is none."""
    one = t.producer("web", t.server("web"), attributes=SEND)
    two = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    fetched = t.consumer("mail", links=(one, two), attributes=RECEIVE | {"messaging.batch.message_count": 2})
    t.consumer("mail", fetched, links=(one,), attributes=PROCESS)
    t.consumer("mail", fetched, links=(two,), attributes=PROCESS)
    return expected(
        f"""
        client -> web: 2 server_only
        web -> {CHANNEL}: 2 client_only; messages 2
        {CHANNEL} -> mail: 2 server_only; messages 2
        """,
        derived="web -> mail: 2",
    )


@case("R3.13", "R3.11")
def a_batch_span_around_a_span_for_each_message(t):
    """A framework processes a batch in one span, and each message in a span below: the messages are the calls."""
    one = t.producer("web", t.server("web"), attributes=SEND)
    two = t.producer("web", t.server("web"), attributes=SEND)
    t.other_trace()
    batch = t.consumer("mail", links=(one, two), attributes=PROCESS | {"messaging.batch.message_count": 2})
    t.consumer("mail", batch, links=(one,), attributes=PROCESS)
    t.consumer("mail", batch, links=(two,), attributes=PROCESS)
    return expected(
        f"""
        client -> web: 2 server_only
        web -> {CHANNEL}: 2 client_only; messages 2
        {CHANNEL} -> mail: 2 server_only; messages 2
        """,
        derived="web -> mail: 2",
    )


@case("R3.13")
def an_empty_fetch_is_no_call(t):
    """A poll that came back with nothing: nobody was called, mail is a node all the same."""
    t.client("mail", attributes=RECEIVE | {"messaging.batch.message_count": 0})
    return expected("", nodes=["service:mail"])


@case("R3.14", "R3.5")
def messages_created_below_a_send_span(t):
    """A batch is sent in one span, with a span below it for each message: the messages count, the sending does not."""
    web = t.server("web")
    sent = t.client("web", web, attributes=SEND | {"messaging.batch.message_count": 2})
    for service in ("mail", "audit"):
        t.consumer(service, t.producer("web", sent, attributes=CREATE), attributes=PROCESS)
    return expected(
        edges(f"{CHANNEL} -> audit: 1 server_only", sent="2 client_only; messages 2"),
        derived="""
        web -> mail: 1
        web -> audit: 1
        """,
    )


@case("R3.14")
def messages_created_beforehand_and_linked_to(t):
    """Messages are created when they come up, and sent together later: the send span links to them."""
    web = t.server("web")
    created = [t.producer("web", web, attributes=CREATE) for _ in range(2)]
    t.client("web", web, attributes=SEND | {"messaging.batch.message_count": 2}, links=tuple(created))
    for message in created:
        t.consumer("mail", message, attributes=PROCESS)
    return expected(
        edges(sent="2 client_only; messages 2", got="2 server_only; messages 2"),
        derived="web -> mail: 2",
    )


@case("R3.14")
def a_send_span_that_links_to_something_else_is_a_call(t):
    """To the message that it answers, or to one that another service created: links alone make no wrapper."""
    asked = t.producer("shop", attributes=SEND)
    created = t.producer("shop", attributes=CREATE)
    t.other_trace()
    t.client("web", links=(asked,), attributes=SEND)
    t.client("web", links=(created,), attributes=SEND)
    own = t.producer("web", attributes=SEND)
    t.client("web", links=(own,), attributes=SEND)
    return expected(f"""
        shop -> {CHANNEL}: 2 client_only
        web -> {CHANNEL}: 4 client_only
    """)


@case("R3.15")
def a_derived_edge_is_never_in_a_total(t):
    """Two messages, one of them failed: the totals are those of the edges into the channel and out of it."""
    for failed in (False, True):
        sent = t.producer("web", t.server("web"), attributes=SEND)
        t.consumer("mail", sent, attributes=PROCESS, error=failed)
    return expected(
        f"""
        client -> web: 2 server_only
        web -> {CHANNEL}: 2 client_only
        {CHANNEL} -> mail: 2 server_only; errors 1
        """,
        derived="web -> mail: 2",
        totals=[6, 1],
    )


# ---- Zipkin's brokers


BROKER = {"peer.service": "kafka"}


@case("R4.5", "D10", "Zipkin")
def zipkin_both_sides_name_the_broker(t):
    """Zipkin's producers and consumers name a broker as their remote endpoint: it is a channel, not a service."""
    sent = t.producer("web", t.server("web"), attributes=BROKER)
    t.consumer("mail", sent, attributes=BROKER)
    return expected(
        """
        client -> web: 1 server_only
        web -> channel:kafka: 1 client_only
        channel:kafka -> mail: 1 server_only
        """,
        derived="web -> mail: 1",
    )


@case("R4.5", "Zipkin")
def zipkin_only_the_producer_names_the_broker(t):
    """Zipkin: producer -> kafka. Here the consumer below it was called by kafka as well."""
    t.consumer("mail", t.producer("web", t.server("web"), attributes=BROKER))
    return expected("""
        client -> web: 1 server_only
        web -> channel:kafka: 1 client_only
        channel:kafka -> mail: 1 server_only
    """)


@case("R4.5", "Zipkin")
def zipkin_only_the_consumer_names_the_broker(t):
    """Zipkin: kafka -> consumer. Here the producer's message counts too, towards something unknown."""
    t.consumer("mail", t.producer("web", t.server("web")), attributes=BROKER)
    return expected("""
        client -> web: 1 server_only
        web -> unknown:peer: 1 client_only
        channel:kafka -> mail: 1 server_only
    """)


@case("R4.5", "Zipkin")
def zipkin_the_sides_name_different_brokers(t):
    """Zipkin: producer -> kafka1, kafka2 -> consumer."""
    sent = t.producer("web", t.server("web"), attributes={"service.peer.name": "kafka1"})
    t.consumer("mail", sent, attributes={"peer.service": "kafka2"})
    return expected("""
        client -> web: 1 server_only
        web -> channel:kafka1: 1 client_only
        channel:kafka2 -> mail: 1 server_only
    """)
