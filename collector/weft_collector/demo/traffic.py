"""Steady visits from outside, by a plain client: no agent in this process, no trace header on the way.

Open loop: a visit starts on its tick whether or not earlier ones have been answered, as visitors do. Visits
in flight are bounded; a tick that finds no room is skipped and counted.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import httpx

from weft_collector.demo.addresses import Addresses
from weft_collector.demo.topology import Topology, Visit

IN_FLIGHT = 100
REMEMBERED = 20_000
TIMEOUT_SECONDS = 60.0


class Answer(NamedTuple):
    """One visit that ended.

    Attributes:
        at: When it started, on the monotonic clock, in seconds.
        seconds: How long it took.
        status: HTTP status; 0 if there was no answer.
        path: What was asked for.
    """

    at: float
    seconds: float
    status: int
    path: str


class Traffic:
    """Visits to a topology's entry services.

    Args:
        topology: Its table of visits is the mix.
        addresses: Where the services listen.
        dice: Draws from the mix; seeded by the caller.
        clock: Monotonic seconds.

    Attributes:
        answers: The newest visits that ended (bounded).
        ended: How many visits ended, over all time.
        unanswered: How many of them got no HTTP answer.
        skipped: Ticks without a visit because too many were in flight.
    """

    def __init__(
        self,
        topology: Topology,
        addresses: Addresses,
        dice: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.answers: deque[Answer] = deque(maxlen=REMEMBERED)
        self.ended = self.unanswered = self.skipped = 0
        self._topology = topology
        self._addresses = addresses
        self._dice = dice
        self._clock = clock
        self._flying: set[asyncio.Task[None]] = set()

    async def run(self, rate: float, stop: asyncio.Event) -> None:
        """Send `rate` visits per second until `stop`, then wait for those in flight."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            ticks = 0
            begin = self._clock()
            while not await _waited(stop, begin + ticks / rate - self._clock()):
                ticks += 1
                self._launch(client)
            await asyncio.gather(*self._flying)

    def _launch(self, client: httpx.AsyncClient) -> None:
        if len(self._flying) >= IN_FLIGHT:
            self.skipped += 1
            return
        visits = self._topology.visits
        (visit,) = self._dice.choices(visits, [v.weight for v in visits])
        task = asyncio.create_task(self._visit(client, visit))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)

    async def _visit(self, client: httpx.AsyncClient, visit: Visit) -> None:
        at = self._clock()
        status = 0
        try:
            status = (await client.request(visit.method, url(self._addresses, visit))).status_code
        except httpx.HTTPError:
            self.unanswered += 1
        self.ended += 1
        self.answers.append(Answer(at, self._clock() - at, status, visit.path))


def url(addresses: Addresses, visit: Visit) -> str:
    """The address of a visit."""
    host, port = addresses[visit.service]
    return f"http://{host}:{port}{visit.path}"


async def _waited(stop: asyncio.Event, seconds: float) -> bool:
    """Wait for `stop`, at most `seconds`; whether it is set."""
    if stop.is_set():  # asked first: `wait_for` without time to wait times out even then
        return True
    try:
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))
    except TimeoutError:
        return False
    return True
