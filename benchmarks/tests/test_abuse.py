"""The hostile clients: what they send, what they make of the answers, and a few for real."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import zlib
from collections import Counter
from collections.abc import Iterator

import pytest
from wsproto.frame_protocol import FrameProtocol, Opcode

from benchmarks.abuse import attacks, churn, polling, wire
from benchmarks.abuse.__main__ import table
from benchmarks.abuse.catalogue import all_attacks
from benchmarks.abuse.good import Served
from benchmarks.abuse.outcome import MEGABYTE, Outcome
from benchmarks.abuse.run import Verdict, run
from benchmarks.abuse.target import Target
from benchmarks.process import ServerProcess
from benchmarks.servers import find

ATTACKS = {attack.name: attack for attack in all_attacks(count=1)}
WELL = Served(gap_p50=50.0, gap_p99=52.0, gap_max=60.0, exact=True, lost=0, least=1.0)


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with ServerProcess(find("ours")) as process:
        yield Target(process.port, process.usage().pids)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_server_understands_the_frames(size: int) -> None:
    protocol = FrameProtocol(client=False, extensions=[])
    protocol.receive_bytes(wire.frame(b"a" * size))
    frames = list(protocol.received_frames())
    assert {part.opcode for part in frames} == {Opcode.TEXT}
    assert "".join(str(part.payload) for part in frames) == "a" * size
    assert frames[-1].message_finished


def test_the_bomb_is_small_and_becomes_large() -> None:
    bomb = attacks._bomb()
    assert len(bomb) < MEGABYTE
    inflate = zlib.decompressobj(-15)
    size = 0
    while bomb:
        size += len(inflate.decompress(bomb, MEGABYTE))
        bomb = inflate.unconsumed_tail
    assert size == attacks.BOMB


def test_an_answer_in_chunks_is_joined() -> None:
    assert wire._join_chunks(b"3\r\nabc\r\nb\r\n0123456789\n\r\n0\r\n\r\n") == b"abc0123456789\n"


def test_offenders_that_end_otherwise_are_a_failure() -> None:
    outcome = Outcome(Counter({"1008": 3, "EOF": 2}))
    outcome.expect("1008")
    assert outcome.failures == ["2 offenders ended with EOF, not 1008"]
    nobody = Outcome()
    nobody.expect("1008")
    assert nobody.failures


@pytest.mark.parametrize(
    "change", [{"lost": 1}, {"exact": False}, {"least": 0.9}], ids=lambda change: str(*change)
)
def test_good_readers_that_fare_badly_are_a_failure(change: dict[str, object]) -> None:
    assert WELL.failure is None
    assert dataclasses.replace(WELL, **change).failure  # type: ignore[arg-type]


def test_the_table_says_what_failed() -> None:
    text = table(
        [
            Verdict("silent", 5.84, 12, Counter({"1008": 500}), WELL, ("closed after 10 s",)),
            Verdict("events", failures=("the server ended",)),
        ]
    )
    assert "| silent | 5.8       | 12      | 1008: 500 | 50 / 52 / 60           | passed  |" in text
    assert "- silent: closed after 10 s" in text
    assert "- ✗ events: the server ended" in text


@pytest.mark.parametrize("name", ["fragments", "deflate-bomb", "events"])
def test_our_server_bears_it(name: str) -> None:
    verdict = run(find("ours"), ATTACKS[name])
    assert verdict.served
    # Not the good readers' gaps: they are for a machine that does nothing else.
    assert [f for f in verdict.failures if not f.startswith("gap")] == []
    assert verdict.endings.total()
    assert verdict.threads


def test_a_server_that_ends_is_a_failed_verdict() -> None:
    broken = dataclasses.replace(find("ours"), command=(sys.executable, "-c", "exit('no luck')"))
    assert run(broken, ATTACKS["events"]).failures == ("ours did not start: no luck",)


@pytest.mark.parametrize("way", churn.WAYS, ids=lambda way: str(way.__name__))
def test_our_server_answers_every_way_of_going(target: Target, way: churn.Way) -> None:
    asyncio.run(way(churn.Visitors(target)))


def test_a_session_is_seen_until_it_has_gone(target: Target) -> None:
    async def look() -> None:
        sid = await polling.poll_open(target.port)
        assert await target.sessions([sid, "never"]) == {sid}
        await polling.http(target.port, "POST", f"{polling.POLLING}&sid={sid}", b"1")
        await target.sessions([sid])  # Engine.IO forgets an ended one when somebody asks for it
        assert await target.sessions([sid]) == set()

    asyncio.run(look())


def test_the_peak_of_memory_is_forgotten(target: Target) -> None:
    target.forget_peak()
    assert 0 < target.memory() <= target.peak_memory() < 1.2 * target.memory()
    assert target.threads()
    assert target.descriptors()
