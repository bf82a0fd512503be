"""Storms: all connect, start, leave or come back at the same time."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.crowd.frames import packet
from benchmarks.crowd.reader import Reader
from benchmarks.crowd.scene import REST, Scene, Stretch, Tally
from benchmarks.crowd.session import Session
from benchmarks.result import Result
from benchmarks.workloads import Workload

START_SECONDS = 1.0
"""In which all start."""

STREAM_SECONDS = 2.0
"""Between the start and the cut."""

CUT_SECONDS = 1.0
"""Between the cut and the return: a server's work on the ends is no part of the return."""

SLOW = 0.5
"""Characters per second of those that return, until all are back: so that the characters, which
are measured elsewhere, are no part of what a return costs."""


def connect(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all connect, 50 at a time."""
    readers = scene.readers(workload.readers)
    stretch = Stretch(scene)
    scene.open(readers)
    stretch.end()
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.connected = len(readers)
    result.connections_per_second = len(readers) / stretch.seconds
    _cost(scene, stretch, readers, result)
    result.add_times(scene.seen.ready)
    scene.close(readers)


def leave(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all say goodbye, 50 at a time."""
    readers = scene.readers(workload.readers)
    scene.open(readers)
    scene.loop.rest(REST)
    stretch = Stretch(scene)
    scene.close(readers)
    stretch.end()
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.connected = len(readers)
    _cost(scene, stretch, readers, result)


def start(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all start a short stream within a second, for the second time on their connections."""
    readers = scene.readers(workload.readers, workload.characters)
    scene.open(readers)
    for _ in range(2):
        scene.loop.rest(REST)
        scene.seen.clear()
        stretch = Stretch(scene)
        ended = scene.stream(readers, START_SECONDS, workload.rate)
        scene.wait(ended.full, "read to the end", START_SECONDS)
        stretch.end()
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    result.connected = len(readers)
    _cost(scene, stretch, readers, result)
    result.add_exact([reader.exact for reader in readers])
    result.add_times((), scene.seen.first, scene.seen.gaps)
    scene.close(readers)


def _cost(scene: Scene, stretch: Stretch, sessions: Sequence[Session], result: Result) -> None:
    """Give the server a rest, then take what it has taken."""
    result.threads = scene.threads()
    scene.loop.rest(REST)
    stretch.end()
    result.add_cost(stretch.server, len(sessions))


def reconnect(scene: Scene, workload: Workload, result: Result) -> None:
    """Cut all connections at once; let all connect and resume at once; read on to the end."""
    readers = scene.readers(workload.readers, workload.characters)
    scene.open(readers)
    scene.stream(readers, START_SECONDS, workload.rate)
    scene.loop.rest(START_SECONDS + STREAM_SECONDS)
    for reader in readers:
        reader.cut()
    scene.loop.rest(CUT_SECONDS)
    returned = Tally(len(readers))
    back = [_successor(scene, reader, returned) for reader in readers]
    scene.seen.clear()
    scene.watch_threads()
    stretch = Stretch(scene)
    for successor in back:
        successor.open()
    scene.wait(returned.full, "came back")
    stretch.end()
    result.connected, result.threads = len(scene.seen.ready), scene.most_threads
    result.done_in = stretch.seconds
    result.add_cost(stretch.server, len(back))
    result.add_times(scene.seen.ready, scene.seen.first)
    result.add_load(stretch.seconds, stretch.own, stretch.others)
    _read_on(scene, back)
    result.add_exact(
        [old.got + new.got == old.text for old, new in zip(readers, back, strict=True)]
    )


def _successor(scene: Scene, reader: Reader, returned: Tally) -> Reader:
    """Return the reader that goes on where one was cut."""
    (successor,) = scene.readers(1)
    successor.on_first = returned
    request = {"id": reader.id, "offset": len(reader.got), "rate": SLOW}
    successor.on_ready = lambda session: session.ask(packet("resume_stream", request))
    return successor


def _read_on(scene: Scene, readers: Sequence[Session]) -> None:
    """Read the rest without a pace."""
    ended = Tally(len(readers))
    for reader in readers:
        reader.on_end = ended
        reader.post(packet("set_rate", {"id": reader.id, "rate": 0}))
    scene.wait(ended.full, "read to the end")
    scene.close(readers)
