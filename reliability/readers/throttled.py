"""Slow readers beside healthy ones: what they cost the server, and the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from reliability.readers.crowd import Crowd, Viewer
from reliability.readers.measure import (
    SAMPLE_SECONDS,
    Gaps,
    Window,
    memory_samples,
    settled_memory,
)
from reliability.readers.story import characters_of
from tests.chaos.command import RunningChaos, chaos
from tests.support.running_server import RunningServer

REST_SECONDS = 60.0
"""For what is left to read once nothing is throttled."""


@dataclass(frozen=True)
class Scene:
    """What is to be shown.

    There are two streams: one that the healthy read, and two of the slow with them, one in each
    format, at a pace above what their connections carry; and a long one that is all there, which
    the third of the slow asks for without a pace.

    Attributes:
        healthy: readers with a pace that is easily kept.
        rate: theirs, in units per second.
        slow_rate: of two of the slow.
        throttle: bytes per second of each slow reader's connection.
        characters: of the stream that they share.
        backlog: characters of the long one.
        window: seconds to watch the healthy, first alone, then beside the slow.
        seed: decides the texts.

    """

    healthy: int = 100
    rate: float = 50
    slow_rate: float = 200
    throttle: float = 1000
    characters: int = 2500
    backlog: int = 60_000
    window: float = 20.0
    seed: int = 1


@dataclass(frozen=True)
class Slow:
    """One slow reader.

    Attributes:
        asked: its format and pace, in words.
        seconds: it took to read all of it, or None: it was resumed without the throttle.
        first_sizes: units in each of its first ten events.
        largest: units in its largest event.

    """

    asked: str
    seconds: float | None
    first_sizes: Sequence[int]
    largest: int


@dataclass(frozen=True)
class Shown:
    """What came out.

    Attributes:
        wrong: what is wrong with whom, in words; empty when all were exact.
        alone: how the healthy were served without the slow.
        beside: the same with them.
        memory: of the server, in bytes, with the healthy alone: the median.
        growth: of it while the slow read, in bytes: the largest sample, less the median.
        slow: the slow ones.

    """

    wrong: list[str]
    alone: Gaps
    beside: Gaps
    memory: int
    growth: int
    slow: list[Slow]


def show(server: RunningServer, scene: Scene) -> Shown:
    """Let them all read to the end.

    Args:
        server: with the source `story`; nobody else uses it.
        scene: what is to be shown.

    """
    port = urlsplit(server.url).port
    assert port
    with (
        # A process of its own: what it takes of this one's time would look like the server's.
        chaos("--to", f"127.0.0.1:{port}", "--throttle", f"{scene.throttle:g}") as proxy,
        Crowd() as crowd,
    ):
        return _Show(server, scene, crowd, port, proxy).run()


class _Show:
    def __init__(
        self, server: RunningServer, scene: Scene, crowd: Crowd, port: int, proxy: RunningChaos
    ) -> None:
        self.server = server
        self.scene = scene
        self.crowd = crowd
        self.port = port
        self.proxy = proxy
        self.shared = characters_of(scene.seed, scene.characters)
        self.long = characters_of(scene.seed + 1, scene.backlog)

    def run(self) -> Shown:
        scene, crowd, pid = self.scene, self.crowd, self.server.pid
        long = self._start_long()
        # Connected from the beginning: what is measured is reading.
        slow_port, slow_rate = self.proxy.port, scene.slow_rate
        char, chunk, greedy = slow = crowd.add(
            [
                Viewer(slow_port, rate=slow_rate, format_="char"),
                Viewer(slow_port, rate=slow_rate, format_="chunk"),
                Viewer(slow_port, rate=0, format_="char"),
            ]
        )
        healthy = crowd.add(Viewer(self.port, rate=scene.rate) for _ in range(scene.healthy))
        shared = self._start(healthy[0], scene.seed, scene.characters)
        for viewer in healthy[1:]:
            viewer.join(shared)
        crowd.run(REST_SECONDS, lambda: all(viewer.next for viewer in healthy))
        samples = int(scene.window / SAMPLE_SECONDS)
        window = Window(healthy)
        memory = settled_memory(pid, crowd, samples)
        alone = window.close()
        char.join(shared)
        chunk.join(shared)
        greedy.join(long)
        window = Window(healthy)
        beside_memory = memory_samples(pid, crowd, samples)
        beside = window.close()
        crowd.run(
            REST_SECONDS + 40 * scene.characters / scene.throttle,
            lambda: all(viewer.end or viewer.problems for viewer in [*healthy, char, chunk]),
        )
        rest = self._read_on(long, greedy)
        return Shown(
            wrong=[
                *self._wrong([*healthy, char, chunk], self.shared),
                *self._wrong([rest], self.long),
            ],
            alone=alone,
            beside=beside,
            memory=memory,
            growth=max(beside_memory) - memory,
            slow=[_slow(viewer) for viewer in slow],
        )

    def _start_long(self) -> str:
        """Start the long stream, and have all of it produced and kept."""
        (starter,) = self.crowd.add([Viewer(self.port, rate=0, format_="chunk")])
        stream_id = self._start(starter, self.scene.seed + 1, self.scene.backlog)
        self.crowd.run_to_the_end(REST_SECONDS)
        return stream_id

    def _read_on(self, stream_id: str, greedy: Viewer) -> Viewer:
        """Go on where the greedy one is, without the throttle; return a viewer that has it all."""
        (viewer,) = self.crowd.add([Viewer(self.port, rate=0)])
        viewer.join(stream_id, greedy.next)
        read = list(greedy.text)  # it goes on meanwhile
        self.crowd.run(REST_SECONDS, lambda: viewer.end or viewer.problems)
        viewer.problems += greedy.problems
        viewer.text[:0] = read
        viewer.first = 0
        return viewer

    def _start(self, viewer: Viewer, seed: int, characters: int) -> str:
        viewer.start(source="story", params={"seed": seed, "characters": characters})
        self.crowd.run(REST_SECONDS, lambda: viewer.stream)
        if viewer.stream is None:
            raise RuntimeError("the stream did not start")
        return str(viewer.stream["id"])

    @staticmethod
    def _wrong(viewers: list[Viewer], characters: list[str]) -> list[str]:
        return [
            f"{viewer.format} at {viewer.rate}: {', '.join(found)}"
            for viewer in viewers
            if (found := viewer.verdict(characters))
        ]


def _slow(viewer: Viewer) -> Slow:
    return Slow(
        asked=f"{viewer.format} at {viewer.rate or 'no'} units/s",
        seconds=viewer.times[-1] - viewer.times[0] if viewer.end else None,
        first_sizes=viewer.sizes[:10].tolist(),
        largest=max(viewer.sizes),
    )
