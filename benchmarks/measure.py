"""One server under one workload, from its start to its end."""

from __future__ import annotations

import dataclasses
import http.client
import time
from dataclasses import dataclass, field

from benchmarks.cpu import busy_seconds
from benchmarks.crowd import run as crowd
from benchmarks.load.client import LoadGenerators
from benchmarks.load.messages import Job
from benchmarks.process import ServerProcess, Usage
from benchmarks.result import Result
from benchmarks.servers import Server
from benchmarks.workloads import Workload

SETTLE_SECONDS = 2.0
"""Between the first characters and the window."""

HTTP_TIMEOUT = 2.0

PRIMER = Workload("primer", "stream", 10)
"""A little work before anything is measured: lazy imports and first allocations are no part of
the memory of a connection."""

SATURATED = 0.9
"""Cores' worth of CPU from which a server counts as saturated."""

MAX_SATURATING = 4500
"""Readers tried to saturate a server: twice as many are below our limit of 10,000 streams."""


@dataclass(frozen=True)
class Options:
    """How to measure: length of the window in seconds, generator processes, turns of each."""

    seconds: float = 10.0
    generators: int = 1
    rounds: int = 1


@dataclass
class _Watch:
    """What is looked at every second of the window, and beside the server."""

    threads: int = 0
    asked: int = 0
    latencies: list[float] = field(default_factory=list)


def can(server: Server, workload: Workload) -> bool:
    """Return whether a server is able to do the work at all, and is to."""
    if server.secret:
        return workload.kind in {"connect", "start"}  # the rest costs what it does without tokens
    if workload.kind == "broadcast":
        return server.broadcasts
    if workload.kind == "reconnect":
        return server.dialect == "textstream"  # no other can resume
    return server.crowds or not workload.is_crowd


def measure(server: Server, workload: Workload, options: Options) -> list[Result]:
    """Run it; never hangs, never raises for what a server does.

    Returns:
        one result; for an overload two: just saturated, and with twice the readers.

    """
    if workload.kind != "overload":
        return [_run(server, workload, options)]
    saturating = _find_saturation(server, workload, options)
    return [
        _run(server, dataclasses.replace(saturating, name="saturation"), options),
        _run(
            server,
            dataclasses.replace(saturating, name="overload", readers=2 * saturating.readers),
            options,
        ),
    ]


def _find_saturation(server: Server, workload: Workload, options: Options) -> Workload:
    """Find about how many readers take a core, in three short runs."""
    probe = dataclasses.replace(workload, kind="stream")
    short = dataclasses.replace(options, seconds=min(3.0, options.seconds))
    for _ in range(3):
        result = _run(server, probe, short)
        per_second = result.characters_per_cpu_second or 0.0
        if (result.server_cpu or 0.0) >= SATURATED and (result.delivered or 0.0) >= SATURATED:
            break
        readers = max(10, min(MAX_SATURATING, int(per_second / workload.rate)))
        # A server that could serve more readers than are tried gets faster ones.
        rate = max(workload.rate, per_second / readers)
        probe = dataclasses.replace(probe, readers=readers, rate=rate)
    return probe


def _run(server: Server, workload: Workload, options: Options) -> Result:
    result = Result(server.name, workload.name, workload.readers, rate=workload.rate)
    try:
        with ServerProcess(server) as process:
            if workload.is_crowd:
                return crowd.run(workload, process.port, process.pid, result, server.secret)
            _prime(server, process)
            _run_on(server, process, workload, options, result)
    except (RuntimeError, OSError) as error:  # a TimeoutError is an OSError
        result.fail(str(error) or type(error).__name__)
    return result


def _job(server: Server, process: ServerProcess, workload: Workload, seconds: float) -> Job:
    assert workload.kind in {"stream", "idle", "broadcast"}
    start_seconds = max(1.0, workload.readers / 2000)
    return Job(
        port=process.port,
        readers=workload.readers,
        rate=workload.rate,
        # Beside the window: waiting for first characters and for the pace, settling.
        text=workload.text(seconds + start_seconds + SETTLE_SECONDS + 40),
        kind=workload.kind,
        dialect=server.dialect,
        connect_seconds=20 + workload.readers / 200,
        start_seconds=start_seconds,
    )


def _prime(server: Server, process: ServerProcess) -> None:
    with LoadGenerators(_job(server, process, PRIMER, 1.0), 1) as load:
        load.connect()
        load.start()
    time.sleep(0.5)  # for the server to see that they have gone


def _run_on(
    server: Server, process: ServerProcess, workload: Workload, options: Options, result: Result
) -> None:
    idle = process.usage()
    job = _job(server, process, workload, options.seconds)
    with LoadGenerators(job, options.generators) as load:
        result.add_connected(load.connect())
        if not result.connected:
            return
        streaming = load.start().streaming
        if workload.kind != "idle" and streaming < result.connected:
            result.fail(f"{result.connected - streaming} readers without a character")
        time.sleep(SETTLE_SECONDS)
        before, busy, began = process.usage(), busy_seconds(), time.monotonic()
        load.open_window()
        watch = _watch(server, process, began + options.seconds)
        after, busy, ended = process.usage(), busy_seconds() - busy, time.monotonic()
        report = load.close_window()
    result.add_usage(idle, before, after, watch.threads)
    result.add_report(report, workload, (after.cpu - before.cpu) / (ended - began))
    others = busy - (after.cpu - before.cpu) - report.cpu_of_all
    result.other_cpu = max(0.0, others / (ended - began))
    if watch.asked:
        result.http_answered = len(watch.latencies) / watch.asked
        result.http_max = max(watch.latencies, default=HTTP_TIMEOUT) * 1000


def _watch(server: Server, process: ServerProcess, until: float) -> _Watch:
    """Every second count the threads, and ask for a page."""
    watch = _Watch()
    while (left := until - time.monotonic()) > 0:
        usage: Usage = process.usage()
        watch.threads = max(watch.threads, usage.threads)
        if server.http and left > HTTP_TIMEOUT:
            watch.asked += 1
            latency = _ask(process.port)
            if latency is not None:
                watch.latencies.append(latency)
        time.sleep(max(0.0, min(1.0, until - time.monotonic())))
    return watch


def _ask(port: int) -> float | None:
    """Return how long a plain request took, in seconds; None: no answer in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HTTP_TIMEOUT)
    started = time.monotonic()
    try:
        connection.request("GET", "/healthz")
        if connection.getresponse().status == http.HTTPStatus.OK:
            return time.monotonic() - started
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    return None
