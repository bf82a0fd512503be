"""Storms: all connect, start, leave or come back at the same time."""

from __future__ import annotations

from functools import partial

from benchmarks.crowd.frames import event
from benchmarks.crowd.reader import Reader
from benchmarks.crowd.scene import REST, Scene, Stretch, start_of
from benchmarks.result import Result
from benchmarks.workloads import Workload

START_SECONDS = 1.0
"""In which all start."""

CUT_SECONDS = 1.0
"""Between the cut and the return: a server's work on the ends is no part of the return."""

SLOW = 0.5
"""Characters per second of those that return, until all are back: so that the characters, which
are the same for all servers, are no part of what a return costs."""


def connect(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all connect, 50 at a time."""
    readers = [scene.reader() for _ in range(workload.readers)]
    stretch = Stretch(scene)
    scene.open(readers)
    stretch.end()
    seconds, own = stretch.seconds, stretch.own
    scene.loop.rest(REST)
    stretch.end()
    result.connected = len(readers)
    result.connections_per_second = len(readers) / seconds
    result.add_cost(stretch.server, len(readers), scene.threads())
    result.add_times(scene.seen.ready)
    result.add_generator(own, seconds)
    scene.close(readers)


def leave(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all say goodbye, 50 at a time."""
    readers = [scene.reader() for _ in range(workload.readers)]
    scene.open(readers)
    scene.loop.rest(REST)
    stretch = Stretch(scene)
    scene.close(readers)
    scene.loop.rest(REST)
    stretch.end()
    result.connected = len(readers)
    result.add_cost(stretch.server, len(readers), scene.threads())
    result.add_generator(stretch.own, stretch.seconds)


def start(scene: Scene, workload: Workload, result: Result) -> None:
    """Let all start a short stream within a second, for the second time on their connections."""
    readers = [scene.reader(number, workload.characters) for number in range(workload.readers)]
    scene.open(readers)
    scene.loop.rest(REST)
    _start_all(scene, readers, workload)
    del scene.seen.first[:], scene.seen.gaps[:]
    stretch = Stretch(scene)
    _start_all(scene, readers, workload)
    stretch.end()
    result.connected = len(readers)
    result.add_cost(stretch.server, len(readers), scene.threads())
    result.add_exact([reader.exact for reader in readers])
    result.add_times((), scene.seen.first, scene.seen.gaps)
    result.add_generator(stretch.own, stretch.seconds)
    scene.close(readers)


def _start_all(scene: Scene, readers: list[Reader], workload: Workload) -> None:
    ended = 0

    def end(_: Reader) -> None:
        nonlocal ended
        ended += 1

    messages = {reader: start_of(reader.text.decode(), workload.rate) for reader in readers}
    for reader in readers:
        reader.on_end = end
    times = [number * START_SECONDS / len(readers) for number in range(len(readers))]
    scene.spread(readers, times, lambda reader: reader.ask(messages[reader]))
    scene.wait(lambda: ended == len(readers), "read to the end", START_SECONDS)
    scene.loop.rest(REST)


def reconnect(scene: Scene, workload: Workload, result: Result) -> None:
    """Cut all connections at once; let all connect and resume at once; read on to the end."""
    readers = [scene.reader(number, workload.characters) for number in range(workload.readers)]
    _stream(scene, readers, workload)
    for reader in readers:
        reader.cut()
    scene.loop.rest(CUT_SECONDS)
    back = [_successor(scene, reader) for reader in readers]
    returned = 0

    def first(_: Reader) -> None:
        nonlocal returned
        returned += 1

    for reader in back:
        reader.on_first = first
    del scene.seen.ready[:], scene.seen.first[:]
    stretch = Stretch(scene)
    for reader in back:
        reader.open()
    scene.wait(lambda: returned == len(back), "came back")
    stretch.end()
    result.connected = len(scene.seen.ready)
    result.done_in = stretch.seconds
    result.add_cost(stretch.server, len(back), scene.threads())
    result.add_times(scene.seen.ready, scene.seen.first)
    result.add_generator(stretch.own, stretch.seconds)
    _finish(scene, back)
    result.add_exact(
        [old.got + new.got == old.text for old, new in zip(readers, back, strict=True)]
    )


def _stream(scene: Scene, readers: list[Reader], workload: Workload) -> None:
    """Connect all, and let them stream for a while."""
    scene.open(readers)
    times = [number * START_SECONDS / len(readers) for number in range(len(readers))]
    scene.spread(
        readers, times, lambda reader: reader.ask(start_of(reader.text.decode(), workload.rate))
    )
    scene.wait(lambda: all(len(reader.got) >= workload.rate for reader in readers), "streamed")


def _successor(scene: Scene, reader: Reader) -> Reader:
    """Return the reader that goes on where one was cut."""
    successor = scene.reader()
    successor.text, successor.id = reader.text, reader.id
    request = {"id": reader.id, "offset": len(reader.got), "rate": SLOW}
    successor.on_ready = partial(_ask, message=event("resume_stream", request))
    return successor


def _ask(reader: Reader, message: bytes) -> None:
    reader.ask(message)


def _finish(scene: Scene, readers: list[Reader]) -> None:
    """Read the rest without a pace."""
    ended = 0

    def end(_: Reader) -> None:
        nonlocal ended
        ended += 1

    for reader in readers:
        reader.on_end = end
        reader.send(event("set_rate", {"id": reader.id, "rate": 0}))
    scene.wait(lambda: ended == len(readers), "read to the end")
    scene.close(readers)
