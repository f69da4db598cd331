"""How each program of the topology is started: its command line and its environment."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from weft_collector.demo import addresses
from weft_collector.demo.addresses import Addresses
from weft_collector.demo.processes import Command
from weft_collector.demo.topology import Program, Start

COLLECTOR = "collector"
SERVICES = "weft_collector.demo.services"
UVICORN_OPTIONS = ("--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "60")
WEFT = (sys.executable, "-c", "from weft.command import main; raise SystemExit(main())")
"""The `weft` of this very environment, wherever its script may be."""
KEPT_SETTINGS = frozenset({"WEFT_CACHE", "WEFT_RUN_FILE"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every program is told: where the others are, where the collector is, and where to put counters."""

    addresses: Addresses
    collector: str
    folder: Path

    def environment(self) -> dict[str, str]:
        """The environment of the demo's processes."""
        return {
            **without_settings(os.environ),
            addresses.VARIABLE: addresses.to_text(self.addresses),
            "DEMO_FOLDER": str(self.folder),
            "WEFT_COLLECTOR": self.collector,
        }


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the user's own tracing settings: a sampler, say, would spoil the comparison."""
    return {
        name: value
        for name, value in environment.items()
        if name in KEPT_SETTINGS or not name.startswith(("OTEL_", "WEFT_"))
    }


def command(program: Program, surroundings: Surroundings) -> Command:
    """How `program` is started."""
    arguments = _COMMAND_LINES[program.start](program, surroundings)
    return Command(
        program.name, arguments, surroundings.environment() | _stock_settings(program, surroundings)
    )


def collector(port: int, data: Path) -> Command:
    """How the collector is started."""
    arguments = (*WEFT, "serve", "--port", str(port), "--grpc-port", "-1", "--data", str(data))
    return Command(COLLECTOR, arguments, without_settings(os.environ))


def _zero_code(program: Program, surroundings: Surroundings) -> tuple[str, ...]:
    host, port = surroundings.addresses[program.name]
    app = f"{SERVICES}.{program.module}:app"
    uvicorn = (sys.executable, "-m", "uvicorn", app, "--host", host, "--port", str(port), *UVICORN_OPTIONS)
    return (*WEFT, "run", "--service", program.name, "--", *uvicorn)


def _module(program: Program, _surroundings: Surroundings) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{SERVICES}.{program.module}", *program.services)


_COMMAND_LINES: Mapping[Start, Callable[[Program, Surroundings], tuple[str, ...]]] = {
    Start.ZERO_CODE: _zero_code,
    Start.IN_CODE: _module,
    Start.STOCK: _module,
}


def _stock_settings(program: Program, surroundings: Surroundings) -> dict[str, str]:
    """The stock SDK knows nothing of WEFT_COLLECTOR, and by default sends every 5 s only."""
    if program.start is not Start.STOCK:
        return {}
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": surroundings.collector, "OTEL_BSP_SCHEDULE_DELAY": "500"}
