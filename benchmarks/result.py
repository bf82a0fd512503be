"""The figures of one run, and how they follow from what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.load.messages import CATCHING_UP, Connected, Report
from benchmarks.process import Usage
from benchmarks.workloads import RATE, Workload

BURST_SECONDS = 0.001
MICROSECONDS = 1e6


@dataclass
class Result:
    """One server under one workload. None: not measured, or it has no meaning here.

    Attributes:
        failed: why this is no full result, in words; the figures are then of what was left.
        rate: characters per second and reader; 0 is unpaced.
        connected: connections that were made, of `readers`.
        characters_per_second: received, by all readers.
        delivered: the same as a share of what was due.
        server_cpu: CPU-seconds per second: 1 is a core.
        characters_per_cpu_second: received per CPU-second of the server.
        first_p50, first_p99: milliseconds from asking for a stream to its first character.
        gap_p50, gap_p99, gap_p999, gap_max: milliseconds between two characters of a reader.
        quiet_gap_p99: the same before the crowd came.
        in_bursts: share of the characters that came within 1 ms after the one before: several in
            one write, or read late by the generator.
        slowest_share: what the slowest reader got, as a share of the median.
        cost: microseconds of the server's CPU for each of what was done: a connect, a life …
        polls_each: answered polls of each poller: a server that is late answers fewer with more.
        done_in: seconds until all had done it.
        ready_p50, ready_p99: milliseconds from connecting to Socket.IO's answer.
        turns: the figure that is compared, of each turn, where there was more than one.
        threads: of the server and its child processes, at most.
        quiet_threads: the same before the crowd came.
        endings: how connections that said nothing, or half a request, were ended, and how many.
        ended_in: median of the seconds until they were.
        bytes_per_connection: growth of resident memory over the idle server.
        connections_per_second: handshakes, including Socket.IO's.
        pings_answered: share of the WebSocket pings that were answered within a second
            or by the end of the window.
        ping_p99: milliseconds.
        http_answered: share of the plain requests that were answered, in 2 s at most.
        http_p99, http_max: milliseconds.
        generator_cpu: CPU-seconds per second of the busiest generator process: near 1, it is
            the generator that limits the rate (not the characters per CPU-second).
        other_cpu: CPU-seconds per second that neither the server nor the generators took: above
            a few hundredths, the machine was not quiet.
        exact: whether the readers that compare got just the text.
        errors: what went wrong on the way, and how often.

    """

    server: str
    workload: str
    readers: int
    rate: float = RATE
    connected: int = 0
    failed: str | None = None
    seconds: float = 0.0
    characters_per_second: float | None = None
    delivered: float | None = None
    server_cpu: float | None = None
    characters_per_cpu_second: float | None = None
    cost: float | None = None
    polls_each: float | None = None
    done_in: float | None = None
    ready_p50: float | None = None
    ready_p99: float | None = None
    first_p50: float | None = None
    first_p99: float | None = None
    gap_p50: float | None = None
    gap_p99: float | None = None
    gap_p999: float | None = None
    gap_max: float | None = None
    quiet_gap_p99: float | None = None
    in_bursts: float | None = None
    slowest_share: float | None = None
    threads: int | None = None
    quiet_threads: int | None = None
    bytes_per_connection: float | None = None
    connections_per_second: float | None = None
    pings_answered: float | None = None
    ping_p99: float | None = None
    http_answered: float | None = None
    http_p99: float | None = None
    http_max: float | None = None
    endings: dict[str, int] | None = None
    ended_in: float | None = None
    generator_cpu: float | None = None
    other_cpu: float | None = None
    exact: bool | None = None
    errors: dict[str, int] | None = None
    turns: list[float] | None = None

    def add_connected(self, connected: Connected) -> None:
        """Take in how the connecting went."""
        self.connected = connected.count
        if connected.count and connected.seconds:
            self.connections_per_second = connected.count / connected.seconds
        if connected.count < self.readers:
            self.fail(f"{connected.count} of {self.readers} connected")

    def add_usage(self, idle: Usage, before: Usage, after: Usage, threads: int) -> None:
        """Take in what the server used: idle, at the window's beginning and at its end."""
        self.threads = max(threads, after.threads)
        if self.connected:
            self.bytes_per_connection = max(0, after.memory - idle.memory) / self.connected
        if before.pids != after.pids:
            self.fail("a process of the server ended")

    def add_report(self, report: Report, workload: Workload, cpu: float) -> None:
        """Take in what the readers saw; `cpu` is the server's, in seconds per second."""
        self.seconds = report.seconds
        self.server_cpu = cpu
        self.generator_cpu = report.cpu / report.seconds
        self.errors = report.errors or None
        if report.lost:
            self.fail(f"{report.lost} connections lost")
        self.pings_answered = report.pings
        self.ping_p99 = _milliseconds(report.round_trips, 99)
        if workload.kind == "idle":
            return
        self._add_characters(report, cpu)
        if workload.paced:
            assert self.characters_per_second is not None
            self.exact = report.exact
            self.delivered = self.characters_per_second / (self.readers * workload.rate)
            if self.delivered > CATCHING_UP:
                # Owed characters go several to a write, which is cheaper: no figure to compare.
                self.fail(f"still catching up ({self.delivered:.0%} of the pace)")
            self._add_gaps(report.gaps)
            if not report.exact:
                self.fail("the text was not exact")

    def _add_characters(self, report: Report, cpu: float) -> None:
        self.characters_per_second = float(report.counts.sum()) / report.seconds
        if cpu:
            self.characters_per_cpu_second = self.characters_per_second / cpu
        self.first_p50 = _milliseconds(report.first, 50)
        self.first_p99 = _milliseconds(report.first, 99)
        median = float(np.median(report.counts)) if len(report.counts) else 0.0
        if median:
            self.slowest_share = float(report.counts.min()) / median

    @property
    def done_per_cpu_second(self) -> float | None:
        """What a CPU-second of the server does: characters, or else what `cost` is of."""
        if self.characters_per_cpu_second:
            return self.characters_per_cpu_second
        return MICROSECONDS / self.cost if self.cost else None

    def add_cost(self, cpu: float, count: int) -> None:
        """Take in the CPU-seconds of the server for so many of what was done."""
        self.cost = cpu / count * MICROSECONDS

    def add_quiet(self, gaps: Sequence[float]) -> None:
        """Take in the gaps of the time before the crowd came."""
        self.quiet_gap_p99 = _milliseconds(gaps, 99)

    def add_health(self, seconds: Sequence[float], refused: int) -> None:
        """Take in how long ``/healthz`` took each time, and how often it was not answered 200."""
        self.http_p99, self.http_max = _milliseconds(seconds, 99), _milliseconds(seconds, 100)
        self.http_answered = 1 - refused / len(seconds) if seconds else None

    def add_times(
        self, ready: Sequence[float], first: Sequence[float] = (), gaps: Sequence[float] = ()
    ) -> None:
        """Take in seconds: until connected, until the first character, between characters."""
        self.ready_p50, self.ready_p99 = _milliseconds(ready, 50), _milliseconds(ready, 99)
        self.first_p50, self.first_p99 = _milliseconds(first, 50), _milliseconds(first, 99)
        self._add_gaps(np.asarray(gaps))

    def _add_gaps(self, gaps: Any) -> None:
        if len(gaps):
            self.in_bursts = float((gaps < BURST_SECONDS).mean())
        self.gap_p50, self.gap_p99 = _milliseconds(gaps, 50), _milliseconds(gaps, 99)
        self.gap_p999, self.gap_max = _milliseconds(gaps, 99.9), _milliseconds(gaps, 100)

    def add_exact(self, exact: Sequence[bool]) -> None:
        """Take in whether each reader got its text."""
        self.exact = all(exact)
        if not self.exact:
            self.fail(f"{exact.count(False)} of {len(exact)} texts not exact")

    def add_errors(self, errors: Counter[str]) -> None:
        """Take in what went wrong on the way: a crowd is served without any error."""
        if errors:
            self.errors = dict(errors.most_common(5))
            self.fail(", ".join(f"{why} ({often})" for why, often in errors.most_common(3)))

    def add_load(self, seconds: float, generator: float, others: float) -> None:
        """Take in the CPU-seconds of the generator, and of all others, in a time."""
        self.seconds = seconds
        self.generator_cpu = generator / seconds
        self.other_cpu = others / seconds

    def fail(self, reason: str) -> None:
        """Add a reason why this is no full result."""
        self.failed = f"{self.failed}; {reason}" if self.failed else reason


def _milliseconds(seconds: Any, percentile: float) -> float | None:
    return float(np.percentile(seconds, percentile)) * 1000 if len(seconds) else None
