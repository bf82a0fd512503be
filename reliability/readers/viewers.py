"""Many viewers of one stream at different paces, some of whom join late."""

from __future__ import annotations

import random
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from reliability.readers.crowd import Crowd, Format, Rate, Viewer
from reliability.readers.measure import settled_memory
from reliability.readers.story import characters_of
from tests.support.running_server import RunningServer

WARM_UP = 20
"""Viewers of another stream, who read from before the first measurement to after the last.

What a server makes once (threads, caches) is there then, and nothing that they free is used again
by those who are measured.
"""

WARM_UP_CHARACTERS = 100_000

JOINS_PER_SECOND = 400

Formats = tuple[Format, ...]


@dataclass(frozen=True)
class Scene:
    """What is to be shown.

    Attributes:
        viewers: of the one stream, in all.
        late: how many of them join while it runs.
        late_within: seconds in which they do, at times and offsets that the seed decides.
        paces: units per second; dealt out in turn.
        formats: dealt out with the paces, so that each pace has each.
        characters: of the stream.
        per_second: characters that its source makes each second.
        samples: of the memory, a quarter of a second apart, while all of them read.
        seed: decides the text, and when and where the late ones join.

    """

    viewers: int = 500
    late: int = 100
    late_within: float = 2.0
    paces: Sequence[Rate] = (7, 20, 50, 100, "auto")
    formats: Formats = ("char", "chunk")
    characters: int = 1500
    per_second: float = 120
    samples: int = 10
    seed: int = 1


@dataclass(frozen=True)
class Pace:
    """How one pace was kept, in units per second: what the viewers got, median and least."""

    asked: Rate
    median: float
    least: float


@dataclass(frozen=True)
class Shown:
    """What came out.

    Attributes:
        wrong: what is wrong with whom, in words; empty when all were exact.
        generations: how often the source's generator was made.
        per_connection: bytes of the server's memory for each connection that reads nothing.
        per_viewer: bytes of it for each viewer beyond that.
        paces: how each was kept.

    """

    wrong: list[str]
    generations: int
    per_connection: float
    per_viewer: float
    paces: list[Pace]


def show(server: RunningServer, scene: Scene) -> Shown:
    """Let the viewers read to the end.

    Args:
        server: with the source `story`; nobody else uses it.
        scene: what is to be shown.

    """
    with Crowd() as crowd:
        return _Show(server, scene, crowd).run()


class _Show:
    def __init__(self, server: RunningServer, scene: Scene, crowd: Crowd) -> None:
        port = urlsplit(server.url).port
        assert port
        self.server = server
        self.port = port
        self.scene = scene
        self.crowd = crowd
        self.random = random.Random(f"viewers {scene.seed}")
        self.characters = characters_of(scene.seed, scene.characters)

    def run(self) -> Shown:
        crowd, scene, pid = self.crowd, self.scene, self.server.pid
        self._warm_up()
        empty = settled_memory(pid, crowd, scene.samples)
        viewers = crowd.add(self._viewer(number) for number in range(scene.viewers))
        connected = settled_memory(pid, crowd, scene.samples)
        generations = self._generations()
        first, *others = viewers
        stream_id = self._start(first, scene.characters)
        on_time, late = others[: -scene.late or None], others[len(others) - scene.late :]
        for viewer in on_time:
            viewer.join(stream_id)
            crowd.run(1 / JOINS_PER_SECOND)
        self._join_late(stream_id, viewers, late)
        reading = settled_memory(pid, crowd, scene.samples, lambda: _all_read(viewers))
        crowd.run(60 + scene.characters / self._slowest(), lambda: _all_ended(viewers))
        wrong = [
            f"viewer {number} ({viewer.format}, {viewer.rate}): {', '.join(found)}"
            for number, viewer in enumerate(viewers)
            if (found := viewer.verdict(self.characters))
        ]
        return Shown(
            wrong=wrong,
            generations=self._generations() - generations,
            per_connection=(connected - empty) / scene.viewers,
            per_viewer=(reading - connected) / scene.viewers,
            paces=[self._pace(pace, viewers) for pace in scene.paces],
        )

    def _viewer(self, number: int) -> Viewer:
        paces, formats = self.scene.paces, self.scene.formats
        return Viewer(
            self.port,
            rate=paces[number % len(paces)],
            format_=formats[number // len(paces) % len(formats)],
        )

    def _start(self, viewer: Viewer, characters: int) -> str:
        params = {
            "seed": self.scene.seed,
            "characters": characters,
            "per_second": self.scene.per_second,
        }
        viewer.start(source="story", params=params)
        self.crowd.run(20, lambda: viewer.stream)
        if viewer.stream is None:
            raise RuntimeError("the stream did not start")
        return str(viewer.stream["id"])

    def _warm_up(self) -> None:
        first, *others = self.crowd.add(self._viewer(number) for number in range(WARM_UP))
        stream_id = self._start(first, WARM_UP_CHARACTERS)
        for viewer in others:
            viewer.join(stream_id)
        self.crowd.run(20, lambda: all(viewer.next for viewer in self.crowd.viewers))

    def _join_late(self, stream_id: str, viewers: list[Viewer], late: list[Viewer]) -> None:
        """Let half of them read from the start, and half from where the stream is by then."""
        within = self.scene.late_within
        at = 0.0
        for number, moment in enumerate(sorted(self.random.uniform(0, within) for _ in late)):
            self.crowd.run(moment - at)
            at = moment
            furthest = max(viewer.next for viewer in viewers)
            late[number].join(stream_id, furthest if number % 2 else 0)

    def _slowest(self) -> float:
        return min(pace for pace in self.scene.paces if pace != "auto" and pace)

    def _generations(self) -> int:
        return len(re.findall(r"^story \d+ begins$", self.server.log_text(), re.MULTILINE))

    @staticmethod
    def _pace(pace: Rate, viewers: list[Viewer]) -> Pace:
        rates = [viewer.units_per_second for viewer in viewers if viewer.rate == pace]
        return Pace(pace, statistics.median(rates), min(rates))


def _all_read(viewers: list[Viewer]) -> bool:
    return all(viewer.stream and viewer.next and viewer.end is None for viewer in viewers)


def _all_ended(viewers: list[Viewer]) -> bool:
    return all(viewer.end or viewer.problems for viewer in viewers)
