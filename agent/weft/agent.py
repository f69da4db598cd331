"""The agent: one service's identity and its spans' way out.

Most processes have one agent, the default one made by `weft.init`. Several `weft.Agent` objects share a
process where several services do; each has its own resource, queue and sender thread.
"""

import atexit
import os
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from typing_extensions import Unpack

from weft import forking
from weft.core import Core
from weft.ids import Ids, RandomIds
from weft.provider import TracerProvider
from weft.reply import Transport
from weft.reporter import Pace, Reporter, ThreadReporter
from weft.resource import Resource, describe, forked
from weft.sampling import SAMPLERS, Sampler, always_off
from weft.settings import Options, Settings, read
from weft.targets import Targets
from weft.tracestate import caller_suffix
from weft.values import Limits

if TYPE_CHECKING:
    from weft.hooks.asgi import ASGIApp, Middleware

EXIT_DEADLINE: Final = 2.0
"""Seconds that the end of a process may wait for the last spans."""

_agents: "weakref.WeakSet[Agent]" = weakref.WeakSet()


class Parts(NamedTuple):
    """What an agent is built from; tests give their own clock, ids and reporter."""

    clock: Callable[[], int] = time.time_ns
    """Nanoseconds since the epoch."""
    ids: Callable[[], Ids] = RandomIds
    """Makes the source of ids; called again after a fork."""
    reporter: Callable[[Settings], Reporter] | None = None
    """Makes what takes the finished spans; None for the sender thread."""


DEFAULT_PARTS: Final = Parts()


class Agent:
    """Records the calls of one service and sends them to a collector.

    Args:
        service: the name of the service; else from the environment, see `weft.settings`.
        collector: base address of the collector, such as `http://127.0.0.1:4318`.
        parts: clock, ids and reporter, for tests.
        options: any other setting by its name in `weft.settings.SETTINGS`.

    Raises:
        SettingError: an argument cannot be used.
    """

    def __init__(
        self,
        service: str | None = None,
        *,
        collector: str | None = None,
        parts: Parts = DEFAULT_PARTS,
        **options: Unpack[Options],
    ) -> None:
        self.settings = read(os.environ, {"service": service, "collector": collector, **options})
        self._parts = parts
        self._reporter = (parts.reporter or thread_reporter)(self.settings)
        self.core = self._core(describe(self.settings))
        self.provider = TracerProvider(self.core)
        self._providers = [self.provider]
        self.provider.flush_by(self.flush)
        _agents.add(self)
        forking.told.add(self)
        if not self.settings.disabled:
            atexit.register(self._at_exit)
            _install_hooks(self.settings.hooks)

    def _core(self, resource: Resource) -> Core:
        settings = self.settings
        ids = self._parts.ids()
        return Core(
            resource=resource,
            trace_id=ids.trace_id,
            span_id=ids.span_id,
            clock=self._parts.clock,
            sampler=always_off if settings.disabled else SAMPLERS[settings.sampler],
            limits=_limits(settings),
            report=self._reporter.report,
            caller=caller_suffix(resource.service, resource.instance),
            allows=Targets(settings.propagate_to).allows,
        )

    @property
    def service(self) -> str:
        """The name of the service."""
        return self.core.resource.service

    @property
    def instance(self) -> str:
        """The id of this running instance of the service."""
        return self.core.resource.instance

    @property
    def dropped(self) -> Mapping[str, int]:
        """Spans lost so far, by reason."""
        return self._reporter.dropped

    def asgi(self, app: "ASGIApp") -> "Middleware":
        """Wrap an ASGI application: each request that it serves becomes a span of this agent's service."""
        from weft.hooks.asgi import Middleware  # noqa: PLC0415 - costs nothing where no ASGI app is served

        return Middleware(app, self)

    def flush(self, timeout: float = EXIT_DEADLINE) -> bool:
        """Send what is waiting; whether the collector took all of it within `timeout` seconds."""
        return self._reporter.flush(timeout)

    def shutdown(self, timeout: float = EXIT_DEADLINE) -> bool:
        """Send what is waiting and end; whether nothing was lost. Safe twice; later spans are lost."""
        del self._providers[1:]
        atexit.unregister(self._at_exit)
        return self._reporter.shutdown(timeout)

    def _at_exit(self) -> None:
        self._reporter.shutdown(EXIT_DEADLINE)

    def after_fork(self) -> None:
        """Become another instance of the service, in the child of a fork.

        The parent's spans are the parent's to send: they keep the old core, whose reporter takes nothing
        any more.
        """
        self._reporter.abandon()
        self._reporter = (self._parts.reporter or thread_reporter)(self.settings)
        self._take_identity(self._core(forked(self.core.resource)))

    def serve(self, provider: TracerProvider) -> None:
        """Let a further provider, OpenTelemetry's global one, make its spans for this agent."""
        self._providers.append(provider)
        self._take_identity(self.core)
        provider.flush_by(self.flush)

    def _take_identity(self, core: Core) -> None:
        self.core = core
        for provider in self._providers:
            provider.core = core


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.attribute_count_limit,
        settings.attribute_value_length_limit,
        settings.event_count_limit,
        settings.link_count_limit,
    )


def thread_reporter(settings: Settings) -> Reporter:
    """Return the reporter that sends to the collector of `settings` by a thread of its own."""

    def transport() -> Transport:
        with forking.importing:
            from weft.transport import HttpTransport  # noqa: PLC0415 - imports httpx, in the sender thread

            return HttpTransport(settings.collector, settings.headers)

    pace = Pace(
        settings.queue_spans, settings.queue_bytes, settings.batch_spans, settings.delay, settings.timeout
    )
    return ThreadReporter(transport, pace)


def _install_hooks(names: tuple[str, ...]) -> None:
    from weft.hooks.install import install  # noqa: PLC0415 - the hooks are built on agents

    install(names)


def flush_all(timeout: float = EXIT_DEADLINE) -> bool:
    """Flush every agent of the process, within `timeout` seconds together."""
    deadline = time.monotonic() + timeout
    results = [agent.flush(deadline - time.monotonic()) for agent in list(_agents)]
    return all(results)


def silent(sampler: Sampler) -> Core:
    """Return a core whose spans are sent nowhere."""
    ids = RandomIds()
    resource = describe(read({}, {}))
    return Core(
        resource, ids.trace_id, ids.span_id, time.time_ns, sampler, Limits(), _nowhere,
        caller_suffix(resource.service, resource.instance), Targets(()).allows,
    )  # fmt: skip


def _nowhere(_span: object) -> None:
    """Take a span and forget it."""
