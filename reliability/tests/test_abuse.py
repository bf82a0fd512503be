"""The most telling of the hostile clients, in small; ``python -m benchmarks.abuse`` has them all.

The good readers' gaps are not judged here: a machine that runs tests has no quiet moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from benchmarks.abuse import (
    flood,
    forwarded,
    holding,
    logs,
    memory,
    requests,
    shares,
    unpolled,
)
from benchmarks.abuse.newcomers import Newcomers
from benchmarks.abuse.outcome import MEGABYTE, Outcome
from benchmarks.abuse.target import Target
from tests.conftest import StartServer
from tests.support.running_server import RunningServer
from tests.support.timing import patient

pytestmark = pytest.mark.live

MOST_GROWTH = 30 * MEGABYTE

NEWCOMER_SECONDS = patient(2.0)
"""To a newcomer's first character. On a quiet machine it is 0.05 s, and 1 s is allowed."""

SETTINGS = {
    "TEXTSTREAM_MAX_STREAMS": "400",
    "TEXTSTREAM_MAX_TOTAL_BYTES": str(64 * 2**20),
    "TEXTSTREAM_PRODUCERS": "32",
    "TEXTSTREAM_GRACE": "1",
    "TEXTSTREAM_SOURCES": ",".join(
        f"{name}=benchmarks.abuse.user_sources:{name}" for name in ("endless", "deaf", "failing")
    ),
    **forwarded.TRUSTED,
    **logs.ORIGINS,
}


@pytest.fixture(scope="module")
def attacked(start_server: StartServer) -> Iterator[RunningServer]:
    """A server that only the attackers use."""
    server = start_server(env=SETTINGS)
    yield server
    assert server.stop() == 0


@pytest.fixture
def target(attacked: RunningServer) -> Target:
    """What the attacks know of it."""
    return Target(attacked.address[1], frozenset({attacked.pid}))


def attack(target: Target, attacking: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Let it happen while others come; judge what it saw, memory, and how those fared."""
    target.forget_peak()
    before = target.memory()
    with Newcomers(target.port) as newcomers:
        outcome = asyncio.run(attacking)
    assert outcome.failures == []
    assert newcomers.welcomed.turned_away == []
    assert newcomers.welcomed.worst < NEWCOMER_SECONDS
    assert target.peak_memory() - before < MOST_GROWTH
    assert not [ending for ending in outcome.endings if ending.endswith("characters")]
    return outcome


def test_texts_that_wait(target: Target) -> None:
    attack(
        target, memory.waiting_texts(target, kinds=1000, connections=2, unit="token", streams=24)
    )


def test_sessions_that_never_poll(target: Target) -> None:
    attack(target, unpolled.resumed(target, sessions=16, rest=0.0))


def test_answers_that_nobody_fetches(target: Target) -> None:
    attack(target, unpolled.answers(target, sessions=2, posts=1))


def test_keys_that_are_unknown(target: Target) -> None:
    outcome = attack(target, requests.at_once(target, requests.unknown_keys, connections=3))
    assert outcome.endings["invalid_request"] == 3


@pytest.mark.parametrize(
    "frames", [flood.small_fragments(2), flood.pings(0)], ids=["fragments", "pings"]
)
def test_frames_that_are_no_messages(target: Target, frames: flood.Frames) -> None:
    attack(target, flood.flood(target, frames, seconds=1.5))


def test_one_address_that_asks_for_everything(target: Target) -> None:
    outcome = attack(target, shares.orphans(target, seconds=2.0))
    assert outcome.endings["too_many_streams"]


def test_a_source_that_blocks(target: Target) -> None:
    attack(target, holding.blocking(target, connections=2))


def test_addresses_behind_a_proxy(target: Target) -> None:
    attack(target, forwarded.trusted(target))


def test_what_gets_into_the_log(attacked: RunningServer, target: Target) -> None:
    outcome = Outcome()
    before = len(attacked.log_text())
    ids = asyncio.run(logs.provoke(target, outcome))
    assert ids
    attacked.wait_for_log(lambda log: "failed" in log[before:])
    assert logs.judge(attacked.log_text()[before:], ids) == []
