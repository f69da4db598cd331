"""Sets the demo's stage: the collector and the services, started and ready, with a line for each step."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from weft_collector.demo import addresses, database, programs
from weft_collector.demo.compare import edges
from weft_collector.demo.counters import Count, Edge
from weft_collector.demo.processes import Processes
from weft_collector.demo.programs import COLLECTOR, Surroundings
from weft_collector.demo.reader import Reader
from weft_collector.demo.topology import Topology

USUAL_PORT = 4318
COLLECTOR_SECONDS = 180.0
"""The very first start compiles the collector's kernels."""
SERVICES_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for.

    Attributes:
        topology: What to start.
        seconds: How long the demo runs; None for until Ctrl-C.
        rate: Visits per second; None for the topology's own.
        port: The collector's port; None for 4318, or a free one if that is taken.
        data: The collector's data folder; None for one that is removed at the end.
        browser: Whether to open the browser.
    """

    topology: Topology
    seconds: float | None = None
    rate: float | None = None
    port: int | None = None
    data: Path | None = None
    browser: bool = True

    @property
    def visits_per_second(self) -> float:
        """The rate to use."""
        return self.topology.rate if self.rate is None else self.rate


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that is ready.

    Attributes:
        options: What was asked for.
        console: Where to print.
        processes: The collector and the services.
        surroundings: Where they are.
        reader: Reads the collector's API.
        before: What the graph held before the first visit (an old data folder).
        began: When the start began, on the monotonic clock.
    """

    options: Options
    console: Console
    processes: Processes
    surroundings: Surroundings
    reader: Reader
    before: dict[Edge, Count]
    began: float


@contextmanager
def set_up(options: Options, console: Console, processes: Processes) -> Generator[Stage]:
    """Start everything, wait until all are ready; inside, the stage stands.

    Raises:
        DemoFailed: A process died or was not ready in time.
    """
    began = time.monotonic()
    programs_text = f"{len(options.topology.services)} services in {len(options.topology.programs)} processes"
    console.print(f"starting the collector and {programs_text} ...")
    surroundings = _start(options, console, processes)
    reader = Reader(surroundings.collector)
    try:
        _await_services(console, processes, surroundings)
        _await_collector(console, processes, reader)
        yield Stage(options, console, processes, surroundings, reader, edges(reader.graph()), began)
    finally:
        reader.close()


def _start(options: Options, console: Console, processes: Processes) -> Surroundings:
    """Start all processes at once: the collector takes longest, and agents wait for it without harm."""
    port = _port(options, console)
    where = addresses.choose(options.topology.services)
    surroundings = Surroundings(where, f"http://{addresses.LOOPBACK}:{port}", processes.folder)
    processes.start(programs.collector(port, options.data or processes.folder / "data"))
    database.create(processes.folder)
    for program in options.topology.programs:
        processes.start(programs.command(program, surroundings))
    return surroundings


def _port(options: Options, console: Console) -> int:
    """The collector's port; says so when it is not the usual one because that is taken."""
    if options.port is not None:
        return options.port
    if addresses.is_free(USUAL_PORT):
        return USUAL_PORT
    _, port = addresses.choose([COLLECTOR])[COLLECTOR]
    console.print(f"Port {USUAL_PORT} is taken: the collector listens on port {port} instead.")
    return port


def _await_services(console: Console, processes: Processes, surroundings: Surroundings) -> None:
    with _step(console, f"{len(surroundings.addresses)} services"):
        for service, address in surroundings.addresses.items():
            processes.wait_until(service, partial(addresses.answers, address), SERVICES_SECONDS)


def _await_collector(console: Console, processes: Processes, reader: Reader) -> None:
    with _step(console, f"collector on {reader.url}") as status:

        def ready() -> bool:
            status.update(f"collector: {escape(processes.tail(COLLECTOR, lines=1))}")
            return reader.ready()

        processes.wait_until(COLLECTOR, ready, COLLECTOR_SECONDS)


@contextmanager
def _step(console: Console, what: str) -> Generator[Status]:
    """Show that something is under way, then that it is done and how long it took."""
    began = time.monotonic()
    with console.status(f"starting: {what} ...") as status:
        yield status
    console.print(f"ready: {what} ({time.monotonic() - began:.1f} s)")
