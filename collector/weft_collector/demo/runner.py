"""Runs the demo from the first process to the verdict.

The collector starts first and stops last. Services are stopped before the graph is read, because stopping is
when their agents deliver the last spans and their handlers write the counters.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console

from weft_collector.demo import counters, summary
from weft_collector.demo.compare import Row, compare, edges, touching
from weft_collector.demo.counters import minus
from weft_collector.demo.ending import interrupt, on_end_signal
from weft_collector.demo.processes import Processes
from weft_collector.demo.proof import Proof, figures, prove
from weft_collector.demo.reader import Graph
from weft_collector.demo.show import play
from weft_collector.demo.stage import Options, Stage, set_up
from weft_collector.demo.topology import PYMICRO

SETTLE_SECONDS = 10.0
POLL_SECONDS = 0.2


def run(options: Options, console: Console) -> int:
    """Run the demo; 0 if the graph equals the handlers' counters (and the proof holds), else 1.

    Raises:
        DemoFailed: A process died or something took too long.
        KeyboardInterrupt: An end was asked for before the show or after it.
    """
    folder = Path(tempfile.mkdtemp(prefix="weft-demo-"))
    with (
        on_end_signal(interrupt),
        Processes(folder) as processes,
        set_up(options, console, processes) as stage,
    ):
        proved = _prove(stage)
        asyncio.run(play(stage))
        equal = _curtain(stage)
    return 0 if equal and proved else 1


def _prove(stage: Stage) -> bool:
    """For the classic tree: one request to each entry, each held against the table."""
    if stage.options.topology is not PYMICRO:
        return True
    proofs = [
        prove(PYMICRO, visit.service, lambda entry: _ask(stage, entry), stage.reader)
        for visit in PYMICRO.visits
    ]
    for proof in proofs:
        _say_proof(stage.console, proof)
    stage.console.print(f"The same graph: weft graph --collector {stage.reader.url} --format json")
    return all(proof.holds for proof in proofs)


def _ask(stage: Stage, entry: str) -> str:
    """Send one request to an entry service; the trace id that it answers with."""
    host, port = stage.surroundings.addresses[entry]
    return str(httpx.get(f"http://{host}:{port}/", trust_env=False).raise_for_status().json()["trace"])


def _say_proof(console: Console, proof: Proof) -> None:
    wanted = figures(proof.wanted)
    mark = "[green]as the table says[/]" if proof.holds else f"[red]not as the table says ({wanted})[/]"
    console.print(f"one request to {proof.entry}: {mark}")
    console.print(f"  graph: {figures(proof.graph)}")
    console.print(f"  trace {proof.trace_id}: {figures(proof.trace)}", soft_wrap=True)


def _curtain(stage: Stage) -> bool:
    """Stop the services, read graph and counters, print the table; whether they are equal."""
    with stage.console.status("stopping the services ..."):
        stage.processes.stop(program.name for program in stage.options.topology.programs)
    graph, rows = _settled(stage)
    return summary.show(stage.console, rows, graph)


def _settled(stage: Stage) -> tuple[Graph, list[Row]]:
    """Graph and comparison, as soon as all edges are equal or patience ends: intake may still be at work."""
    counted = counters.read(stage.processes.folder)
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        graph = stage.reader.graph()
        seen = touching(minus(edges(graph), stage.before), stage.options.topology.services)
        rows = compare(seen, counted)
        if all(row.equal for row in rows) or time.monotonic() > deadline:
            return graph, rows
        time.sleep(POLL_SECONDS)
