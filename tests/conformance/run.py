"""Holds a server against the conformance pack.

    python -m tests.conformance.run --target http://127.0.0.1:4318
    python -m tests.conformance.run --target http://127.0.0.1:4318 --query http://127.0.0.1:16686 --dialect jaeger

Needs Python and this checkout, nothing else: whoever works on another server should not have to install Weft to hold
it against the pack, and two hundred folders have no place in a wheel.

All first requests of all cases are sent, then, after a pause that is longer than servers wait for the other half of a
call, all second ones, and so on. Then the graph is asked for again and again until it is right, or time is over.
"""

import argparse
import secrets
import sys
import time
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import zip_longest

from tests.conformance.dialects import DIALECTS, Http, RefusedError, UnreachableError
from tests.conformance.pack import cases, differences
from tests.conformance.renaming import Renaming

BASE = 1_767_614_400_000_000_000
"""The time at which every case begins."""
MINUTE = 60_000_000_000
EARLIER, LATER = 3 * 60 * MINUTE, 60 * MINUTE  # within which the times of a case lie, around its beginning


@dataclass
class Attempt:
    """One case in one run, and what came of it."""

    case: object
    renaming: Renaming
    wanted: dict | None
    wrong: list = field(default_factory=lambda: ["not asked yet"])
    refused: str = ""  # what the server said to a request of it

    @property
    def skipped(self):
        """Why it is not asked for; empty if it is."""
        if self.case.leases or self.case.counts:
            return "needs leases or counts of agents"
        return "" if self.wanted else "nothing in it that this dialect can say"


class Run:
    """The pack against one server.

    Args:
        target: Where OTLP is taken, without the path.
        query: Where the graph is asked for.
        dialect: How.
        http: Sends and asks.
    """

    def __init__(self, target, query, dialect, http):
        self._target, self._query, self._dialect, self._http = target, query, dialect, http
        now = time.time_ns()
        self._begin = now // MINUTE * MINUTE - 3 * MINUTE if dialect.whole_minutes else now

    def attempts(self, chosen):
        """The cases under names of this run."""
        run, mask = secrets.token_hex(3), secrets.randbits(63)
        found = []
        for number, case in enumerate(chosen):
            renaming = Renaming(f"r{run}.{number:03d}.", mask, self._begin - BASE)
            found.append(Attempt(case, renaming, self._dialect.expected(renaming, case.expected)))
        return found

    def send(self, attempts, pause=0.0):
        """Send all requests, those of a case in their order."""
        asked = [attempt for attempt in attempts if not attempt.skipped]
        rounds = zip_longest(*([(a, body) for body in a.case.bodies] for a in asked))
        for number, of_round in enumerate(rounds):
            time.sleep(pause if number else 0)
            for attempt, body in filter(None, of_round):
                self._post(attempt, body)

    def _post(self, attempt, body):
        try:
            self._http.post(f"{self._target}/v1/traces", attempt.renaming.body(body))
        except RefusedError as error:
            attempt.refused = str(error)

    def look(self, attempts):
        """Ask once, and compare; whether all is right."""
        start, end = self._begin - EARLIER, self._begin + LATER
        edges, nodes = self._dialect.ask(self._http, self._query, start, end)
        asked = [attempt for attempt in attempts if not attempt.skipped]
        for attempt in asked:
            attempt.wrong = [attempt.refused] if attempt.refused else self._compare(attempt, edges, nodes)
        return not any(attempt.wrong for attempt in asked)

    def _compare(self, attempt, edges, nodes):
        """What is wrong with those of the edges and nodes that are the case's own."""
        renaming = attempt.renaming
        mine = {ends: figures for ends, figures in edges.items() if self._dialect.is_of(renaming, ends)}
        own = sorted(node for node in nodes if renaming.prefix in node)
        return differences(attempt.wanted, {"edges": mine, "nodes": own})

    def wait(self, attempts, seconds, every=1.0):
        """Ask until all is right or time is over."""
        deadline = time.monotonic() + seconds
        while not self.look(attempts) and time.monotonic() < deadline:
            time.sleep(every)


def report(attempts):
    """A line for each case and, below those that failed, what is wrong; the score at the end."""
    for attempt in attempts:
        verdict = "skip" if attempt.skipped else "FAIL" if attempt.wrong else "ok  "
        rules = " ".join(attempt.case.expected["rules"])
        yield f"{verdict}  {attempt.case.name}  ({attempt.skipped or rules})"
        if not attempt.skipped:
            yield from (f"        {line.replace(attempt.renaming.prefix, '')}" for line in attempt.wrong)
    asked = [attempt for attempt in attempts if not attempt.skipped]
    right = sum(not attempt.wrong for attempt in asked)
    yield f"{right} of {len(asked)} cases right, {len(attempts) - len(asked)} skipped"


def options(words):
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.run", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--target", required=True, metavar="URL", help="where OTLP/HTTP is taken, without /v1/traces"
    )
    parser.add_argument("--query", metavar="URL", help="where the graph is asked for, if elsewhere")
    parser.add_argument("--dialect", choices=DIALECTS, default="weft", help="how it is asked for (weft)")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="names of cases, such as 'a_late_*'")
    parser.add_argument(
        "--pause", type=float, default=15.0, metavar="S", help="seconds between two requests of a case (15)"
    )
    parser.add_argument(
        "--wait", type=float, default=45.0, metavar="S", help="seconds until all must be right (45)"
    )
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="sent with every request"
    )
    return parser.parse_args(words)


def main(words=None):
    """Run the pack; 0 if all is right, 1 if not, 2 if the server could not be asked."""
    given = options(words)
    headers = {name.strip(): value.strip() for name, _, value in (h.partition(":") for h in given.header)}
    target = given.target.rstrip("/")
    run = Run(target, (given.query or target).rstrip("/"), DIALECTS[given.dialect], Http(headers))
    attempts = run.attempts([case for case in cases() if fnmatch(case.name, given.only)])
    try:
        run.send(attempts, given.pause)
        run.wait(attempts, given.wait)
    except (RefusedError, UnreachableError) as error:
        print(error, file=sys.stderr)
        return 2
    print(*report(attempts), sep="\n")
    return int(any(attempt.wrong and not attempt.skipped for attempt in attempts))


if __name__ == "__main__":
    sys.exit(main())
