"""Whole lives: connect, start, read to the end, leave; and those beside whom others live."""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import perf_counter

from benchmarks.crowd.scene import REST, Scene, Stretch, Tally
from benchmarks.crowd.session import Seen, Session
from benchmarks.result import Result
from benchmarks.workloads import RATE, Workload

ARRIVALS_SECONDS = 6.0
"""In which all come; few take less, ten a second."""

FEW_A_SECOND = 10
SEED = 14
"""Of the arrivals: they are the same for all servers."""

SETTLE_SECONDS = 2.0
QUIET_SECONDS = 5.0
BUSY_SECONDS = 10.0
A_SECOND = 200
"""Who come in a second while others read."""

SHORT = 10
"""Characters of those."""


def arrivals(count: int, seconds: float) -> list[float]:
    """Return when each of `count` comes: a Poisson process, given that as many come in the time."""
    chance = random.Random(SEED)
    return sorted(chance.uniform(0.0, seconds) for _ in range(count))


def lives(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all live, and take the CPU of a life."""
    readers = scene.readers(workload.readers, workload.characters)
    seconds = min(ARRIVALS_SECONDS, workload.readers / FEW_A_SECOND)
    scene.watch_threads()
    stretch = Stretch(scene)
    gone = _live(scene, readers, seconds)
    scene.wait(gone.full, "lived to their end", seconds + workload.characters / workload.rate)
    scene.loop.rest(REST)
    stretch.end()
    result.connected = len(scene.seen.ready)
    result.threads = scene.most_threads
    result.add_cost(stretch.server, len(readers))
    result.add_exact([reader.exact for reader in readers])
    result.add_times(scene.seen.ready, scene.seen.first, scene.seen.gaps)
    result.add_load(stretch.seconds, stretch.own, stretch.others)


def _live(scene: Scene, readers: Sequence[Session], seconds: float) -> Tally:
    """Let all come within a time, and do what they come for; return who has gone."""
    gone = Tally(len(readers))

    def ready(session: Session) -> None:
        session.start(RATE)

    for reader in readers:
        reader.on_ready, reader.on_end, reader.on_gone = ready, type(reader).leave, gone
    scene.spread(readers, arrivals(len(readers), seconds), type(readers[0]).open)
    return gone


def newcomers(scene: Scene, workload: Workload, result: Result) -> None:
    """Let many read steadily while others come, read a little and go: the pace of the many."""
    others = scene.readers(int(A_SECOND * BUSY_SECONDS), SHORT)
    steady = Seen()
    lasting = 2 * SETTLE_SECONDS + QUIET_SECONDS + BUSY_SECONDS
    readers = scene.readers(workload.readers, int(2 * lasting * RATE), steady)
    scene.open(readers)
    scene.stream(readers, SETTLE_SECONDS)
    scene.loop.rest(2 * SETTLE_SECONDS)
    steady.clear()
    scene.loop.rest(QUIET_SECONDS)
    result.add_quiet(_gaps(steady, readers))
    steady.clear()
    scene.seen.clear()
    scene.watch_threads()
    stretch = Stretch(scene)
    gone = _live(scene, others, BUSY_SECONDS)
    scene.loop.rest(BUSY_SECONDS)
    stretch.end()
    gaps = _gaps(steady, readers)
    scene.wait(gone.full, "came and went")
    result.connected, result.threads = len(readers), scene.most_threads
    result.server_cpu = stretch.server / stretch.seconds
    result.add_times(scene.seen.ready, scene.seen.first, gaps)
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.add_exact([r.exact_so_far for r in readers] + [other.exact for other in others])
    scene.seen.errors.update(steady.errors)
    scene.close(readers)


def _gaps(seen: Seen, readers: Sequence[Session]) -> list[float]:
    """Return the gaps, those that are open too where they are overdue."""
    now = perf_counter()
    return [*seen.gaps, *(waited for r in readers if (waited := now - r.last) > 1 / RATE)]
