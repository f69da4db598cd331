"""Section 0: what is read of a span."""

from tests.conformance.story import case, expected


@case("R0.1")
def a_number_may_be_a_text_of_digits(t):
    """A port that comes as a text of digits is that port."""
    web = t.server("web")
    t.client("web", web, attributes={"server.address": "mail.example", "server.port": "25"})
    return expected("""
        client -> web: 1 server_only
        web -> external:mail.example:25: 1 client_only
    """)


@case("R0.1")
def a_value_of_another_type_is_absent(t):
    """A name that is a number, and a port that is out of range, are as if they were absent.

    What is absent does not hide the older attribute either.
    """
    web = t.server("web")
    said = {"service.peer.name": 7, "peer.service": "stock", "server.port": 65536}
    t.client("web", web, attributes=said)
    t.client("web", web, attributes={"server.address": "mail.example", "server.port": 65536})
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
        web -> external:mail.example: 1 client_only
    """)


@case("R0.2")
def the_newer_name_of_an_attribute_wins(t):
    """Where a span says a thing by its new and its old name, the new one counts, wherever it stands."""
    web = t.server("web")
    t.client("web", web, attributes={"peer.service": "old", "service.peer.name": "new"})
    t.client("web", web, attributes={"service.peer.name": "new", "peer.service": "old"})
    return expected("""
        client -> web: 1 server_only
        web -> new: 2 client_only
    """)


@case("R0.1")
def an_empty_text_is_absent(t):
    """A name that is empty names nothing: the older attribute counts, and a peer without any name is unknown."""
    web = t.server("web")
    t.client("web", web, attributes={"service.peer.name": "", "peer.service": "stock"})
    t.client("web", web, attributes={"service.peer.name": "", "server.address": ""})
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
        web -> unknown:peer: 1 client_only
    """)


@case("R0.2", "R4.7")
def a_span_that_says_everything_twice(t):
    """Instrumentations in transition write old and new names (`http/dup`, `database/dup`). Here they disagree."""
    web = t.server("web")
    database = {
        "db.system": "mysql",
        "db.system.name": "postgresql",
        "db.name": "old",
        "db.namespace": "orders",
    }
    host = {
        "net.peer.name": "old.example",
        "server.address": "api.example",
        "net.peer.port": 1,
        "server.port": 443,
    }
    reached = {"net.sock.peer.addr": "10.0.0.1", "network.peer.address": "10.0.0.7", "network.peer.port": 7}
    status = {"http.status_code": 500, "http.response.status_code": 200}
    url = {"http.url": "http://old.example/", "url.full": "https://api.example/"}
    queue = {
        "messaging.destination": "old",
        "messaging.destination.name": "orders",
        "messaging.system": "kafka",
    }
    said = (database | host, host | url | status, url, reached | {"net.sock.peer.port": 1}, queue)
    for attributes in said:
        t.client("web", web, attributes=attributes)
    return expected("""
        client -> web: 1 server_only
        web -> database:postgresql/api.example/orders: 1 client_only
        web -> external:api.example:443: 2 client_only; errors 0
        web -> external:10.0.0.7:7: 1 client_only
        web -> channel:kafka/orders: 1 client_only
    """)
