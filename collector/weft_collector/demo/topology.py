"""Who is in the demo and who calls whom: the two topologies as tables.

The runner starts processes from these tables and the summary reads expectations from them. What the services
do stands in `services/`, one file per service; a test holds the tables against the edges that really occur.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

CLIENT = "client"
"""Whoever calls from outside: here the traffic generator."""


class Start(StrEnum):
    """How a program comes by its instrumentation."""

    ZERO_CODE = "weft run"
    IN_CODE = "weft.init"
    STOCK = "OpenTelemetry SDK"


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the demo.

    Attributes:
        module: Module in `weft_collector.demo.services`.
        services: The services that live in this process, each on a port of its own.
        start: How it is instrumented.
    """

    module: str
    services: tuple[str, ...]
    start: Start = Start.ZERO_CODE

    @property
    def name(self) -> str:
        """What the process is called in progress lines and log files."""
        return self.services[0]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that traffic sends to an entry service, `weight` times as often as one of weight 1."""

    service: str
    path: str
    method: str = "GET"
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole system.

    Attributes:
        name: Its name on the command line.
        programs: The processes.
        calls: Caller to callees; a callee with a slash is a database (`system/name`).
        visits: The traffic's mix.
        rate: Default visits per second; 0 for no steady traffic.
        hints: What to look at, one line each.
    """

    name: str
    programs: tuple[Program, ...]
    calls: Mapping[str, tuple[str, ...]]
    visits: tuple[Visit, ...]
    rate: float
    hints: tuple[str, ...]

    @property
    def services(self) -> tuple[str, ...]:
        """All services, in the order of their programs."""
        return tuple(service for program in self.programs for service in program.services)

    @property
    def edges(self) -> frozenset[tuple[str, str]]:
        """All (caller, callee) pairs, those of the client included."""
        inner = {(caller, callee) for caller, callees in self.calls.items() for callee in callees}
        return frozenset(inner | {(CLIENT, visit.service) for visit in self.visits})


SHOP_DATABASE = "sqlite/shop.db"

SHOP = Topology(
    name="shop",
    programs=(
        Program("gateway", ("gateway",), Start.IN_CODE),
        Program("web", ("web",)),
        Program("search", ("search",)),
        Program("catalog", ("catalog",)),
        Program("recommendations", ("recommendations",)),
        Program("cart", ("cart",)),
        Program("checkout", ("checkout",), Start.IN_CODE),
        Program("inventory", ("inventory",)),
        Program("payment", ("payment",)),
        Program("shipping", ("shipping",), Start.STOCK),
        Program("couriers", ("couriers",)),
        Program("messages", ("notifications", "mailer"), Start.IN_CODE),
    ),
    calls={
        "gateway": ("web", "search", "checkout"),
        "web": ("catalog", "recommendations", "cart"),
        "search": ("catalog",),
        "recommendations": ("catalog",),
        "catalog": (SHOP_DATABASE,),
        "checkout": ("cart", "inventory", "payment", "shipping", "notifications"),
        "inventory": (SHOP_DATABASE,),
        "shipping": ("couriers",),
        "notifications": ("mailer",),
    },
    visits=(
        Visit("gateway", "/", weight=5),
        Visit("gateway", "/search?q=lamp", weight=3),
        Visit("gateway", "/checkout", method="POST", weight=2),
    ),
    rate=20.0,
    hints=(
        "the failing edge: checkout -> payment answers 500 one time in five",
        "the slow edge: web -> recommendations has a long tail",
        "shipping runs the stock OpenTelemetry SDK, everything else Weft's agent: one graph",
        "notifications and mailer share one process; catalog and inventory share one database",
    ),
)

BRANCHES = ("A", "B", "C")
LEAVES = ("1", "2", "3")


def _branch(letter: str) -> tuple[str, ...]:
    """The leaves under one branch: `serviceA1`, `serviceA2`, `serviceA3`."""
    return tuple(f"service{letter}{leaf}" for leaf in LEAVES)


PYMICRO = Topology(
    name="pymicro",
    programs=(
        Program("pymicro", ("view", "auth"), Start.IN_CODE),
        *(Program("pymicro", (f"service{letter}", *_branch(letter)), Start.IN_CODE) for letter in BRANCHES),
        Program("pymicro", ("serviceD", *_branch("D"), *_branch("DB")), Start.IN_CODE),
    ),
    calls={
        "view": tuple(f"service{letter}" for letter in BRANCHES),
        **{f"service{letter}": _branch(letter) for letter in (*BRANCHES, "D")},
        **{f"service{letter}{leaf}": (f"serviceDB{leaf}",) for letter in BRANCHES for leaf in LEAVES},
        "auth": ("serviceD",),
    },
    visits=(Visit("view", "/", weight=4), Visit("auth", "/")),
    rate=0.0,
    hints=(
        "one request to view: 16 services, 21 edges, 21 calls in one trace",
        "one request to auth: 5 services, 4 edges",
    ),
)

TOPOLOGIES: Mapping[str, Topology] = {topology.name: topology for topology in (SHOP, PYMICRO)}
