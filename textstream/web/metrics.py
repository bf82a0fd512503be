"""What a server counts and has, in Prometheus's format. Read when somebody asks; see `observe`.

Figures are of this process and of this server: two in one process have a registry each. Labels are
names that the server or its operator has given, never what a client has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    make_wsgi_app,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from textstream import __version__
from textstream.observe.figures import Buckets
from textstream.protocol import RESUME_STREAM
from textstream.web.counters import sessions, threads

if TYPE_CHECKING:
    from textstream.store.node import Node
    from textstream.web.server import Server


def metrics_app(server: Server) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that answers any GET with the figures of `server`.

    In the format that the request accepts: Prometheus's text, or OpenMetrics; gzip where it may.
    """
    registry = CollectorRegistry()
    registry.register(ServerCollector(server))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    app: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)
    return app


class ServerCollector:
    """Reads the figures of one server. Any thread; it takes each table's lock for a moment."""

    def __init__(self, server: Server) -> None:
        """Read those of `server`."""
        self._server = server

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield InfoMetricFamily(
            "textstream_build", "The server's version.", {"version": __version__}
        )
        yield from self._connections()
        yield from self._streams()
        yield from self._deliveries()
        yield from self._kept()
        yield from self._queues()
        yield from self._threads()
        if self._server.node is not None:
            yield from self._store(self._server.node)

    def _connections(self) -> Iterator[Metric]:
        server = self._server
        yield _gauges(
            "connections",
            "Engine.IO sessions that there are, by the transport that they are on.",
            ["transport"],
            {(name,): count for name, count in sessions(server).items()},
        )
        yield _counters(
            "connects",
            "Connections to Socket.IO that were let in, by the transport that they began on.",
            ["transport"],
            server.watch.connected.items(),
        )
        yield _counters(
            "refusals",
            "Events, and connections, that were answered with an error, by its code.",
            ["event", "code"],
            server.watch.refused.items(),
        )
        yield _counters(
            "connections_turned_away",
            "Connections closed as soon as they came: for want of descriptors, or of places for "
            "their address.",
            ["lack"],
            server.watch.turned_away.items(),
        )
        yield _counters(
            "http_refusals",
            "Requests answered with an error before the application had them, by status.",
            ["status"],
            server.watch.requests.items(),
        )
        if server.front:
            yield _gauge(
                "http_connections",
                "Connections that have no WebSocket: of requests, of polls, and silent ones.",
                server.front.places.counts()["connections"],
            )
        yield _gauge("draining", "1 from when no more streams are taken.", server.hub.closing)

    def _streams(self) -> Iterator[Metric]:
        hub = self._server.hub
        figures, there = hub.figures, hub.counts()
        yield _counters("streams_started", "Streams started.", ["source"], figures.started.items())
        yield _counters(
            "streams_ended",
            "Streams ended, by the reason that their readers are told.",
            ["source", "reason"],
            figures.ended.items(),
        )
        yield _gauges(
            "streams_running",
            "Streams that have not ended.",
            ["source"],
            {(source,): count for source, count in figures.running().items()},
        )
        yield _gauges(
            "streams",
            "Streams that there are, ended ones that can be read included, by state.",
            ["state"],
            {(state,): count for state, count in there["streams"].items()},
        )
        yield _gauge("readers", "Readers of streams.", there["readers"])
        yield _counter(
            "resumes",
            "Readers attached later than at the start: back, as viewers, or at another place.",
            figures.resumed.items().get((), 0),
        )
        refused = self._server.watch.refused.items().get((RESUME_STREAM, "offset_gone"), 0)
        yield _counters(
            "offset_gone",
            "Readers whose text was trimmed before they had it: when they came, or were reading.",
            ["when"],
            {("resuming",): refused, ("reading",): self._server.dispatcher.deliveries.gone},
        )

    def _deliveries(self) -> Iterator[Metric]:
        deliveries = self._server.dispatcher.deliveries
        yield _counter("units_sent", "Units that readers were sent.", deliveries.units)
        yield _histograms(
            "first_unit_seconds",
            "From a stream's start to its first unit being sent.",
            ["source"],
            {(name,): one.read() for name, one in list(deliveries.first.items())},
        )
        yield _histograms(
            "unit_gap_seconds",
            "Between two writes of units to one reader, to a tick of 5 ms; not over a pause.",
            [],
            {(): deliveries.read_gaps()},
        )
        yield _histograms(
            "delivery_lateness_seconds",
            "From when a reader was due to when it was served, to a tick of 5 ms.",
            [],
            {(): deliveries.read_late()},
        )
        if self._server.transport and self._server.transport.made:
            reactor = self._server.transport.reactor
            yield _histograms(
                "loop_turn_seconds",
                "What turns of the reactor take: nobody else is served meanwhile.",
                [],
                {(): reactor.turn_seconds()},
            )
            yield _histograms(
                "loop_lateness_seconds",
                "By which the reactor comes late to its timers.",
                [],
                {(): reactor.late.read()},
            )

    def _kept(self) -> Iterator[Metric]:
        account = self._server.clients.account
        yield _gauges(
            "kept_bytes",
            "Bytes that are kept for clients, by kind: see docs/operations.md.",
            ["kind"],
            {(kind,): nbytes for kind, nbytes in account.counts().items()},
        )
        yield _gauge("kept_bytes_limit", "Bytes that may be kept for clients.", account.most)

    def _queues(self) -> Iterator[Metric]:
        server = self._server
        pools: dict[str, dict[str, int]] = {**server.hub.pools.counts()}
        if server.transport and server.transport.made:
            pools["workers"] = server.transport.pool.counts()
        if server.front:
            pools["requests"] = server.front.dispatch.counts()
        for name, help_ in (
            ("queue", "Jobs that wait for a thread of a pool."),
            ("busy", "Threads of a pool that work."),
            ("threads", "Threads of a pool that there are."),
            ("limit", "Threads of a pool that there may be."),
        ):
            values = {(pool,): counts[name] for pool, counts in pools.items()}
            yield _gauges(f"pool_{name}", help_, ["pool"], values)
        queues = server.registry.queues()
        yield _gauges(
            "source_waiting",
            "Starts that wait for a slot of a source.",
            ["source"],
            {(name,): queue.waiting for name, queue in queues.items()},
        )
        yield _gauges(
            "source_generating",
            "Slots of a source that are taken.",
            ["source"],
            {(name,): queue.running for name, queue in queues.items()},
        )

    def _threads(self) -> Iterator[Metric]:
        yield _gauges(
            "threads",
            "Threads of the process, by name.",
            ["name"],
            {(name,): count for name, count in threads().items()},
        )

    @staticmethod
    def _store(node: Node) -> Iterator[Metric]:
        from textstream.store.figures import figures_of  # noqa: PLC0415 (where a store is set)

        for kind, name, help_, value in figures_of(node):
            yield (_gauge if kind == "gauge" else _counter)(name, help_, value)


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"textstream_{name}", help_, value=float(value))


def _counter(name: str, help_: str, value: float) -> Metric:
    return CounterMetricFamily(f"textstream_{name}", help_, value=float(value))


def _gauges(name: str, help_: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _labelled(GaugeMetricFamily(f"textstream_{name}", help_, labels=labels), values)


def _counters(name: str, help_: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    return _labelled(CounterMetricFamily(f"textstream_{name}", help_, labels=labels), values)


def _labelled(family: Any, values: Mapping[Any, float]) -> Metric:
    for labels, value in values.items():
        family.add_metric(labels, float(value))
    made: Metric = family
    return made


def _histograms(
    name: str, help_: str, labels: list[str], values: Mapping[Any, tuple[Buckets, float]]
) -> Metric:
    family = HistogramMetricFamily(f"textstream_{name}", help_, labels=labels)
    for names, (buckets, total) in values.items():
        family.add_metric(names, buckets, total)
    return family
