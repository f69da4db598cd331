"""Section 4: what stands at the ends of an edge."""

from tests.conformance.story import HTTP, case, expected

POSTGRES = {"db.system.name": "postgresql", "db.namespace": "orders"}


def calls_to(*peers):
    """web makes a client span for each of the peers; the expected edges go to the given nodes."""

    def story(t):
        web = t.server("web")
        for attributes, _ in peers:
            t.client("web", web, attributes=attributes)
        ends = {}
        for _, callee in peers:
            ends[callee] = ends.get(callee, 0) + 1
        lines = [f"web -> {callee}: {calls} client_only" for callee, calls in ends.items()]
        return expected("\n".join(["client -> web: 1 server_only", *lines]))

    return story


@case("R4.1")
def a_service_is_environment_namespace_and_name(t):
    """Two services of one name, in two namespaces: two nodes, and a call between them is no call to itself."""
    shop, bank = (
        {"service.namespace": name, "deployment.environment.name": "prod"} for name in ("shop", "bank")
    )
    web = t.server("api", resource=shop)
    t.server("api", t.client("api", web, resource=shop), resource=bank)
    return expected("""
        client -> service:prod/shop/api: 1 server_only
        service:prod/shop/api -> service:prod/bank/api: 1 both
    """)


@case("R4.1", "R0.2")
def the_older_name_of_the_environment_counts(t):
    """`deployment.environment`, the name before 1.27."""
    web = t.server("web", resource={"deployment.environment": "prod"})
    t.server(
        "cart",
        t.client("web", web, resource={"deployment.environment.name": "prod"}),
        resource={"deployment.environment": "prod"},
    )
    return expected("""
        client -> service:prod//web: 1 server_only
        service:prod//web -> service:prod//cart: 1 both
    """)


@case("R4.1", "D21", "Zipkin")
def a_service_without_a_name_is_a_service(t):
    """No `service.name`: OpenTelemetry's `unknown_service`. A link is not lost because a name is lacking."""
    web = t.server("web")
    t.server("", t.client("web", web))
    return expected("""
        client -> web: 1 server_only
        web -> unknown_service: 1 both
    """)


@case("R4.1", "D21")
def a_call_between_environments_is_an_edge(t):
    """One side says its environment, the other does not: two different services, and the call between them is there."""
    web = t.server("web", resource={"deployment.environment.name": "prod"})
    t.server("cart", t.client("web", web, resource={"deployment.environment.name": "prod"}))
    return expected("""
        client -> service:prod//web: 1 server_only
        service:prod//web -> cart: 1 both
    """)


@case("R4.2")
def a_bare_peer_name_means_a_service_of_ones_own_home(t):
    """`service.peer.name` alone means the namespace and the environment of the span that says it."""
    home = {"service.namespace": "shop", "deployment.environment.name": "prod"}
    t.client("web", t.server("web", resource=home), resource=home, attributes={"service.peer.name": "cart"})
    return expected("""
        client -> service:prod/shop/web: 1 server_only
        service:prod/shop/web -> service:prod/shop/cart: 1 client_only
    """)


@case("R4.2")
def a_peer_name_may_come_with_its_namespace(t):
    """`service.peer.namespace` says which namespace is meant; the environment stays the caller's."""
    home = {"service.namespace": "shop", "deployment.environment.name": "prod"}
    said = {"service.peer.name": "ledger", "service.peer.namespace": "bank"}
    t.client("web", t.server("web", resource=home), resource=home, attributes=said)
    return expected("""
        client -> service:prod/shop/web: 1 server_only
        service:prod/shop/web -> service:prod/bank/ledger: 1 client_only
    """)


@case("R4.2")
def an_explicit_peer_wins_over_database_and_host(t):
    """The instrumentation was told what stands behind the address: that is what a reader looks for."""
    t.client(
        "web",
        t.server("web"),
        attributes=POSTGRES | {"peer.service": "orders-db", "server.address": "10.0.0.7"},
    )
    return expected("""
        client -> web: 1 server_only
        web -> orders-db: 1 client_only
    """)


@case("R4.2", "D10")
def a_channel_wins_over_an_explicit_peer(t):
    """A producer that names a channel and a peer: the peer is the broker, or who reads. The channel is the node.

    Otherwise the consumers, which know the channel only, would hang on another node than the producers.
    """
    said = {"messaging.system": "kafka", "messaging.destination.name": "orders", "peer.service": "kafka-main"}
    sent = t.producer("web", t.server("web"), attributes=said)
    t.consumer("mail", sent, attributes={k: v for k, v in said.items() if k != "peer.service"})
    return expected("""
        client -> web: 1 server_only
        web -> channel:kafka/orders: 1 client_only
        channel:kafka/orders -> mail: 1 server_only
    """)


@case("R4.2")
def a_database_wins_over_a_channel(t):
    """Redis is asked to publish: the span names a database and a destination. It is a call to the database."""
    for system in ("db.system.name", "db.system"):
        t.client("web", attributes={system: "redis", "messaging.destination.name": "news"})
    return expected("web -> database:redis/redis: 2 client_only")


@case("R4.3", "D9")
def one_database_name_on_two_hosts_is_two_databases(t):
    """`orders` in Europe and `orders` in America: elsewhere these collapse to one node."""
    return calls_to(
        (POSTGRES | {"server.address": "eu.example"}, "database:postgresql/eu.example/orders"),
        (POSTGRES | {"server.address": "us.example"}, "database:postgresql/us.example/orders"),
    )(t)


@case("R4.3", "D9")
def one_host_with_two_databases_is_two_databases(t):
    """A database is what its name says, not the machine that it lives on."""
    return calls_to(
        (POSTGRES | {"server.address": "eu.example"}, "database:postgresql/eu.example/orders"),
        (
            POSTGRES | {"server.address": "eu.example", "db.namespace": "users"},
            "database:postgresql/eu.example/users",
        ),
    )(t)


@case("R4.3", "D9")
def a_database_behind_addresses_is_one(t):
    """A host that is only an IP address tells nothing lasting: pods come and go, the database stays."""
    return calls_to(
        (POSTGRES | {"server.address": "10.0.0.7"}, "database:postgresql/orders"),
        (POSTGRES | {"server.address": "10.0.0.8"}, "database:postgresql/orders"),
        (POSTGRES | {"server.address": "fd00::1"}, "database:postgresql/orders"),
    )(t)


@case("R4.3")
def a_database_without_a_name_bears_its_hosts_or_its_products(t):
    """Redis has no database name in most instrumentations; a file database has no host."""
    return calls_to(
        (
            {"db.system.name": "redis", "server.address": "cache.example"},
            "database:redis/cache.example/cache.example",
        ),
        ({"db.system.name": "redis"}, "database:redis/redis"),
        ({"db.system.name": "sqlite", "db.namespace": "orders.db"}, "database:sqlite/orders.db"),
    )(t)


@case("R4.3", "R0.2")
def old_and_new_database_names_are_one_node(t):
    """`db.system`, `db.name`, `net.peer.name` of the old conventions, and the new ones: one database."""
    old = {
        "db.system": "postgresql",
        "db.name": "orders",
        "net.peer.name": "eu.example",
        "net.peer.port": 5432,
    }
    new = POSTGRES | {"server.address": "eu.example", "server.port": 5432}
    node = "database:postgresql/eu.example/orders"
    return calls_to((old, node), (new, node))(t)


@case("R4.10")
def a_product_that_was_renamed_is_one_node(t):
    """`mssql` became `microsoft.sql_server`: old and new instrumentations reach the same database."""
    node = "database:microsoft.sql_server/orders"
    return calls_to(
        ({"db.system": "mssql", "db.name": "orders"}, node),
        ({"db.system.name": "microsoft.sql_server", "db.namespace": "orders"}, node),
    )(t)


@case("R4.3", "R4.10")
def the_number_of_a_redis_database_is_its_name(t):
    """`db.redis.database_index` 3 of old, `db.namespace` "3" of today."""
    node = "database:redis/cache.example/3"
    return calls_to(
        ({"db.system": "redis", "db.redis.database_index": 3, "net.peer.name": "cache.example"}, node),
        ({"db.system.name": "redis", "db.namespace": "3", "server.address": "cache.example"}, node),
    )(t)


# ---- channels


@case("R4.4")
def a_channel_is_system_and_destination(t):
    """One name in two systems is two channels; a system that is not named leaves the name alone."""
    topic = {"messaging.destination.name": "orders"}
    t.producer("web", attributes=topic | {"messaging.system": "kafka"})
    t.producer("web", attributes=topic | {"messaging.system": "rabbitmq"})
    t.producer("web", attributes=topic)
    return expected("""
        web -> channel:kafka/orders: 1 client_only
        web -> channel:rabbitmq/orders: 1 client_only
        web -> channel:orders: 1 client_only
    """)


@case("R4.4")
def a_channel_of_a_known_cluster(t):
    """`messaging.kafka.cluster.id` tells two topics of one name apart."""
    topic = {"messaging.system": "kafka", "messaging.destination.name": "orders"}
    for cluster in ("east", "west"):
        sent = t.producer("web", attributes=topic | {"messaging.kafka.cluster.id": cluster})
        t.consumer("mail", sent, attributes=topic | {"messaging.kafka.cluster.id": cluster})
    return expected("""
        web -> channel:kafka/east/orders: 1 client_only
        web -> channel:kafka/west/orders: 1 client_only
        channel:kafka/east/orders -> mail: 1 server_only
        channel:kafka/west/orders -> mail: 1 server_only
    """)


@case("R4.4")
def a_template_stands_for_the_destinations_made_from_it(t):
    """One queue for each customer would be a node for each customer; the template is one, temporary or not."""
    for customer in (17, 18):
        said = {"messaging.system": "rabbitmq", "messaging.destination.name": f"customer.{customer}"}
        said["messaging.destination.temporary"] = customer == 18
        t.producer("web", attributes=said | {"messaging.destination.template": "customer.{id}"})
    return expected("web -> channel:rabbitmq/customer.%7Bid%7D: 2 client_only")


@case("R4.4")
def temporary_destinations_are_one_channel(t):
    """Reply queues have random names and live for a request. Together they are one node."""
    for name, word in (
        ("amq.gen-Xa1", "messaging.destination.temporary"),
        ("amq.gen-Zz9", "messaging.destination.anonymous"),
        ("amq.gen-Yy3", "messaging.temp_destination"),
    ):
        said = {"messaging.system": "rabbitmq", "messaging.destination.name": name}
        t.producer("web", attributes=said | {word: True})
    return expected("web -> channel:rabbitmq/%28temporary%29: 3 client_only")


# ---- leases

CART = {"server.address": "10.0.0.7", "server.port": 8080}


@case("R4.6")
def an_address_is_the_instance_that_holds_it(t):
    """cart makes no spans, but it has registered: the address that web called is its instance 2."""
    t.lease("cart#2", "10.0.0.7", 8080)
    t.client("web", t.server("web"), attributes=CART)
    return expected(
        """
        client -> web: 1 server_only
        web -> cart: 1 client_only
        """,
        instances="""
        client -> web |  | web-1: 1
        web -> cart | web-1 | cart-2: 1
        """,
    )


@case("R4.6")
def a_lease_counts_at_the_time_of_the_call(t):
    """The address changed hands: each call went to whoever held it then, and one to nobody. Ends do not count."""
    t.lease("cart", "10.0.0.7", 8080, since=0, until=1000)
    t.lease("stock", "10.0.0.7", 8080, since=2000, until=3000)
    t.lease("mail", "10.0.0.8", 8080, since=0, until=3000)
    web = t.server("web")
    for at in (0, 999, 1000, 2000):
        t.client("web", web, at=at, lasts=1, attributes=CART)
    return expected("""
        client -> web: 1 server_only
        web -> cart: 2 client_only
        web -> external:10.0.0.7:8080: 1 client_only
        web -> stock: 1 client_only
    """)


@case("R4.6")
def of_two_leases_the_later_one_counts(t):
    """A killed instance's lease has not run out when another takes the address."""
    t.lease("cart", "10.0.0.7", 8080, since=0)
    t.lease("stock", "10.0.0.7", 8080, since=500)
    t.client("web", t.server("web"), at=600, attributes=CART)
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
    """)


@case("R4.6")
def the_address_that_was_reached_wins_over_the_one_that_was_asked_for(t):
    """`server.address` is a name that balances; `network.peer.address` is who answered."""
    t.lease("cart", "10.0.0.7", 8080)
    reached = {"network.peer.address": "10.0.0.7", "network.peer.port": 8080}
    t.client(
        "web",
        t.server("web"),
        attributes=HTTP | reached | {"server.address": "cart.example", "server.port": 80},
    )
    return expected("""
        client -> web: 1 server_only
        web -> cart: 1 client_only
    """)


@case("R4.6", "R3.4")
def a_span_of_the_callee_wins_over_a_lease(t):
    """Whoever really answered says so: another service took the address without registering."""
    t.lease("cart", "10.0.0.7", 8080)
    web = t.server("web")
    out = t.client("web", web, attributes=CART)
    t.later()
    t.server("stock", out)
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 both
    """)


@case("R4.6", "R4.2")
def a_name_wins_over_a_lease(t):
    """What a span names outright needs no address."""
    t.lease("cart", "10.0.0.7", 8080)
    t.client("web", t.server("web"), attributes=CART | {"peer.service": "stock"})
    return expected("""
        client -> web: 1 server_only
        web -> stock: 1 client_only
    """)


# ---- hosts


@case("R4.7")
def a_host_with_its_port_is_an_external_node(t):
    """Names and addresses alike; an IPv6 address stands in brackets."""
    return calls_to(
        ({"server.address": "api.example", "server.port": 443}, "external:api.example:443"),
        ({"server.address": "api.example"}, "external:api.example"),
        ({"server.address": "10.0.0.7", "server.port": 80}, "external:10.0.0.7:80"),
        ({"server.address": "fd00::1", "server.port": 80}, "external:%5Bfd00::1%5D:80"),
    )(t)


@case("R4.7", "R0.2")
def older_names_of_a_host(t):
    """What instrumentations wrote before 1.21: the same host, by four names."""
    node = "external:api.example:8080"
    return calls_to(
        ({"server.address": "api.example", "server.port": 8080}, node),
        ({"net.peer.name": "api.example", "net.peer.port": 8080}, node),
        ({"http.host": "api.example:8080", "http.method": "GET"}, node),
        ({"net.sock.peer.addr": "10.0.0.7", "net.sock.peer.port": 8080}, "external:10.0.0.7:8080"),
        ({"net.peer.ip": "10.0.0.7", "net.peer.port": 8080}, "external:10.0.0.7:8080"),
    )(t)


@case("R4.7", "R0.2")
def a_url_names_its_host(t):
    """Some clients write nothing but the URL. Its port is its scheme's if it names none; a password is not shown."""
    return calls_to(
        ({"http.url": "https://api.example/v1/pay", "http.method": "POST"}, "external:api.example:443"),
        ({"url.full": "https://me:secret@api.example/v1/pay"}, "external:api.example:443"),
        ({"http.url": "http://api.example:8080/"}, "external:api.example:8080"),
        ({"http.url": "http://api.example/"}, "external:api.example:80"),
        ({"http.url": "http://[broken/"}, "unknown:peer"),
    )(t)


@case("R4.7", "R0.2")
def a_url_that_cannot_be_read_is_absent(t):
    """What is next best counts then: another URL, the port that is given for itself, the address that was reached."""
    return calls_to(
        ({"url.full": "http://a b/", "http.url": "HTTPS://Api.example"}, "external:api.example:443"),
        ({"http.host": "api.example:x", "url.full": "ws://h?@", "server.port": 9}, "external:h:9"),
        ({"http.url": "//h/", "net.peer.ip": "10.0.0.7", "net.peer.port": "80"}, "external:10.0.0.7:80"),
        ({"http.url": "https://h:65536/", "network.peer.address": "::1"}, "external:%5B::1%5D"),
    )(t)


@case("R4.7")
def only_the_address_that_was_reached(t):
    """`network.peer.address` alone is better than nothing."""
    t.client(
        "web", t.server("web"), attributes={"network.peer.address": "10.0.0.7", "network.peer.port": 9042}
    )
    return expected("""
        client -> web: 1 server_only
        web -> external:10.0.0.7:9042: 1 client_only
    """)


@case("R4.9")
def odd_names_make_clean_ids(t):
    """Blanks, slashes, arrows and letters beyond ASCII in names are percent-encoded in ids."""
    web = t.server("the web -> /shop")
    t.client("the web -> /shop", web, attributes={"peer.service": "büro/2"})
    return expected("""
        client -> service:the%20web%20-%3E%20%2Fshop: 1 server_only
        service:the%20web%20-%3E%20%2Fshop -> service:b%C3%BCro%2F2: 1 client_only
    """)


@case("R4.11", "D14")
def a_service_without_calls_is_a_node(t):
    """One lone service, a single local span: the map is not empty."""
    t.local("cron")
    return expected("", nodes=["service:cron"])


@case("R4.11", "D14")
def nodes_are_callers_callees_and_who_had_spans(t):
    """All nodes of a graph: the services that had spans, and everything at the end of an edge."""
    t.local("cron")
    t.other_trace()
    t.client("web", t.server("web"), attributes=POSTGRES)
    return expected(
        """
        client -> web: 1 server_only
        web -> database:postgresql/orders: 1 client_only
        """,
        nodes=["client:", "database:postgresql/orders", "service:cron", "service:web"],
    )
