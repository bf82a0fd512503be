"""Those who wait: pollers, and connections on which nothing comes, or only half a request."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from statistics import median
from time import perf_counter

from benchmarks.crowd.http import Health
from benchmarks.crowd.loop import Loop
from benchmarks.crowd.reader import connecting
from benchmarks.crowd.scene import REST, Scene, Stretch
from benchmarks.result import Result
from benchmarks.workloads import RATE, Workload

START_SECONDS = 1.0
SETTLE_SECONDS = 2.0
QUIET_SECONDS = 5.0
HALF_SECONDS = 15.0
"""For which those who say nothing, or half of it, are watched: longer than 10 s, after which they
should be answered and closed."""

GOOD = 100
"""Readers beside those."""

HALVES = 0.3
"""Half requests for each silent connection."""

HALF = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgra"
RECEIVE = 4096
OPEN, CLOSED = "open", "closed"


def polling(scene: Scene, workload: Workload, result: Result) -> None:
    """Let pollers read a stream each, to its end, while somebody asks for the server's health."""
    pollers = scene.pollers(workload.readers, workload.characters)
    scene.watch_threads()
    stretch = Stretch(scene)
    health = Health(scene.loop, scene.port)
    scene.open(pollers)
    ended = scene.stream(pollers, START_SECONDS, workload.rate)
    scene.wait(ended.full, "read to the end", workload.characters / workload.rate)
    health.end()
    scene.close(pollers)
    scene.loop.rest(REST)
    stretch.end()
    result.connected, result.threads = len(scene.seen.ready), scene.most_threads
    result.add_cost(stretch.server, len(pollers))
    result.add_times(scene.seen.ready, scene.seen.first)
    result.add_health(health.seconds, health.refused)
    result.polls_each = scene.seen.polls / len(pollers)
    result.add_exact([poller.exact for poller in pollers])
    result.add_load(stretch.seconds, stretch.own, stretch.others)


def idle_polling(scene: Scene, workload: Workload, result: Result) -> None:
    """Let pollers wait, while somebody asks for the server's health."""
    pollers = scene.pollers(workload.readers)
    before = scene.memory()
    stretch = Stretch(scene)
    scene.open(pollers)
    scene.loop.rest(REST)
    stretch.end()
    result.add_cost(stretch.server, len(pollers))
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.add_times(scene.seen.ready)
    scene.watch_threads()
    health = Health(scene.loop, scene.port)
    scene.loop.rest(QUIET_SECONDS)
    health.end()
    result.connected, result.threads = len(scene.seen.ready), scene.most_threads
    result.bytes_per_connection = max(0, scene.memory() - before) / len(pollers)
    result.add_health(health.seconds, health.refused)
    scene.close(pollers)


def silent(scene: Scene, workload: Workload, result: Result) -> None:
    """Let connections wait that say nothing, or half a request, beside good readers."""
    lasting = SETTLE_SECONDS + QUIET_SECONDS + HALF_SECONDS
    readers = scene.readers(GOOD, int(2 * lasting * RATE))
    scene.open(readers)
    scene.stream(readers, START_SECONDS)
    scene.loop.rest(SETTLE_SECONDS)
    scene.seen.clear()
    scene.loop.rest(QUIET_SECONDS)
    result.add_quiet(scene.seen.gaps)
    result.quiet_threads = scene.threads()
    scene.seen.clear()
    scene.watch_threads()
    stretch = Stretch(scene)
    halves = int(workload.readers * HALVES)
    bad = [Bad(scene.loop, scene.port) for _ in range(workload.readers)]
    bad += [Bad(scene.loop, scene.port, HALF) for _ in range(halves)]
    scene.loop.rest(HALF_SECONDS)
    stretch.end()
    result.readers, result.connected = len(bad), sum(one.connected for one in bad)
    result.threads = scene.most_threads
    result.server_cpu = stretch.server / stretch.seconds
    result.add_times((), (), scene.seen.gaps)
    result.add_exact([reader.exact_so_far for reader in readers])
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.endings = _endings(bad, workload.readers)
    result.ended_in = median(after) if (after := [b.after for b in bad if b.after]) else None
    for one in bad:
        one.close()
    scene.close(readers)


def _endings(bad: list[Bad], silent_ones: int) -> dict[str, int]:
    """Return how the silent ended, and how the halves."""
    named = [
        *(f"silent {one.ending}" for one in bad[:silent_ones]),
        *(f"half {one.ending}" for one in bad[silent_ones:]),
    ]
    return dict(Counter(named))


class Bad:
    """A connection that says `said` and no more.

    Attributes:
        ending: ``open``, ``closed`` without a word, or the status of the answer.
        after: how many seconds it took to end; None: it has not.

    """

    def __init__(self, loop: Loop, port: int, said: bytes = b"") -> None:
        """Connect."""
        self.connected = False
        self.ending = OPEN
        self.after: float | None = None
        self._loop = loop
        self._said = said
        self._began = perf_counter()
        self._sock = connecting(port)
        self._watch(self._connected, writable=True)

    def close(self) -> None:
        """Close. Doing it again does nothing."""
        if self._sock.fileno() >= 0:
            self._loop.forget(self._sock.fileno())
            self._sock.close()

    def _watch(self, handler: Callable[[], None], *, writable: bool = False) -> None:
        self._loop.watch(self._sock.fileno(), handler, writable=writable)

    def _connected(self) -> None:
        self.connected = True
        self._watch(self._read)
        with contextlib.suppress(OSError):
            self._sock.send(self._said)

    def _read(self) -> None:
        try:
            data = self._sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if self.ending == OPEN:
            self.ending = data[9:12].decode("latin-1") or CLOSED
            self.after = perf_counter() - self._began
        if not data:
            self.close()
