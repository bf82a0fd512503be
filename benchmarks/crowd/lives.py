"""Whole lives: connect, start, read to the end, leave."""

from __future__ import annotations

import random

from benchmarks.crowd.reader import Reader
from benchmarks.crowd.scene import REST, Scene, Stretch, start_of
from benchmarks.result import Result
from benchmarks.workloads import Workload

ARRIVALS_SECONDS = 6.0
SEED = 14
"""Of the arrivals: they are the same for all servers."""


def arrivals(count: int, seconds: float = ARRIVALS_SECONDS) -> list[float]:
    """Return when each of `count` comes: a Poisson process, given that as many come in the time."""
    chance = random.Random(SEED)
    return sorted(chance.uniform(0.0, seconds) for _ in range(count))


def lives(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all live, and take the CPU of a life."""
    count, gone = workload.readers, 0
    readers = [scene.reader(number, workload.characters) for number in range(count)]
    messages = {reader: start_of(reader.text.decode()) for reader in readers}

    def ready(reader: Reader) -> None:
        reader.ask(messages[reader])

    def finished(_: Reader) -> None:
        nonlocal gone
        gone += 1

    for reader in readers:
        reader.on_ready, reader.on_end, reader.on_gone = ready, Reader.leave, finished
    stretch = Stretch(scene)
    scene.spread(readers, arrivals(count), Reader.open)
    lasting = ARRIVALS_SECONDS + workload.characters / workload.rate
    scene.wait(lambda: gone == count, "lived to their end", lasting)
    threads = scene.threads()
    scene.loop.rest(REST)
    stretch.end()
    result.connected = len(scene.seen.ready)
    result.add_cost(stretch.server, count, threads)
    result.add_exact([reader.exact for reader in readers])
    result.add_times(scene.seen.ready, scene.seen.first, scene.seen.gaps)
    result.add_generator(stretch.own, stretch.seconds)
