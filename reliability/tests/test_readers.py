"""Readers of every kind, on a small scale; ``python -m reliability.readers`` is the large."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reliability.readers import throttled, viewers
from reliability.readers.story import SETTING
from tests.conftest import StartServer
from tests.support.running_server import RunningServer

pytestmark = pytest.mark.live

PER_VIEWER = 16 * 1024
"""Bytes: with so few viewers, most of it is what the server makes once. A queue would be more."""

GROWTH = 1024 * 1024
"""Bytes: less than the long stream would take in a queue."""


@pytest.fixture
def story_server(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that nobody else uses."""
    server = start_server("--sources", SETTING)
    yield server
    server.stop()


def test_many_viewers_of_one_stream(story_server: RunningServer) -> None:
    shown = viewers.show(
        story_server,
        viewers.Scene(
            viewers=100,
            late=20,
            late_within=0.8,
            paces=(40, 50, 75, 100, "auto"),
            characters=360,
            samples=2,
        ),
    )
    assert shown.wrong == []
    assert shown.generations == 1
    assert shown.per_viewer < PER_VIEWER
    for pace in shown.paces:
        if pace.asked != "auto":
            assert pace.median == pytest.approx(pace.asked, rel=0.1)


def test_slow_readers_beside_healthy_ones(story_server: RunningServer) -> None:
    scene = throttled.Scene(
        healthy=20,
        rate=400,
        slow_rate=600,
        throttle=8000,
        characters=3500,
        backlog=20_000,
        window=3,
    )
    shown = throttled.show(story_server, scene)
    assert shown.wrong == []
    assert shown.growth < GROWTH
    assert shown.beside.units_per_second == pytest.approx(shown.alone.units_per_second, rel=0.1)
    char, chunk, _greedy = shown.slow
    assert char.largest == 1
    assert chunk.largest > 2 * max(chunk.first_sizes), "slower than its pace: larger writes"
