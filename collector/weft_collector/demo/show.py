"""The demo's show: traffic until the end, while the graph is watched as it fills."""

import asyncio
import os
import random
import sys
import time
import webbrowser

from rich.console import Console
from rich.status import Status

from weft_collector.demo.compare import edges
from weft_collector.demo.ending import on_end_signal
from weft_collector.demo.stage import Stage
from weft_collector.demo.traffic import Traffic

POLL_SECONDS = 0.25
SEED = 1


async def play(stage: Stage) -> None:
    """Send visits until the time is over or an end signal; returns when the last visit has been answered.

    Raises:
        ProcessDied: A process of the demo ended meanwhile.
    """
    traffic = Traffic(stage.options.topology, stage.surroundings.addresses, random.Random(SEED))  # noqa: S311 - a mix
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    _invite(stage)
    with on_end_signal(lambda: loop.call_soon_threadsafe(stop.set)), stage.console.status("") as status:
        await asyncio.gather(
            _visits(stage, traffic, stop),
            _watch(stage, traffic, stop, status),
            _time_limit(stage.options.seconds, stop),
        )
    _say_visits(stage.console, traffic)


async def _visits(stage: Stage, traffic: Traffic, stop: asyncio.Event) -> None:
    rate = stage.options.visits_per_second
    if rate:
        await traffic.run(rate, stop)


async def _time_limit(seconds: float | None, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        stop.set()


async def _watch(stage: Stage, traffic: Traffic, stop: asyncio.Event, status: Status) -> None:
    """Say once when every edge of the table is in the graph, and notice a process that died."""
    populated = False
    while not stop.is_set():
        stage.processes.check()
        shown = len(stage.options.topology.edges & edges(await asyncio.to_thread(stage.reader.graph)).keys())
        wanted = len(stage.options.topology.edges)
        status.update(f"{shown} of {wanted} edges, {traffic.ended} visits; Ctrl-C ends and compares")
        if shown == wanted and not populated:
            populated = True
            stage.console.print(
                f"graph populated: {shown} edges, {time.monotonic() - stage.began:.1f} s after the start"
            )
        await _pause(stop)


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), POLL_SECONDS)
    except TimeoutError:
        return


def _invite(stage: Stage) -> None:
    """Say where to look, and open the browser if there is one to open."""
    url = stage.reader.url
    hints = "\n".join(f"  - {hint}" for hint in stage.options.topology.hints)
    another = f"In another terminal: weft graph --collector {url} --format svg > graph.svg"
    stage.console.print(f"\nThe live graph: [bold]{url}/[/]\n{hints}\n{another}\n", soft_wrap=True)
    if stage.options.browser and _has_screen():
        webbrowser.open(f"{url}/")


def _has_screen() -> bool:
    """Without one, the web browser would be a text browser in this very terminal."""
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _say_visits(console: Console, traffic: Traffic) -> None:
    if traffic.ended:
        console.print(f"{traffic.ended} visits, {traffic.unanswered} unanswered, {traffic.skipped} skipped")
