"""The hostile clients: what they send, what they make of the answers, and a few for real."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from wsproto.frame_protocol import FrameProtocol, Opcode

from benchmarks.abuse import attacks, churn, flood, logs, polling, requests, wire
from benchmarks.abuse.__main__ import main
from benchmarks.abuse.catalogue import all_attacks
from benchmarks.abuse.good import Served
from benchmarks.abuse.newcomers import MOST_SECONDS, Newcomers, Welcomed
from benchmarks.abuse.outcome import MEGABYTE, Outcome
from benchmarks.abuse.run import Verdict, run
from benchmarks.abuse.show import BEGIN, DOCUMENT, END, publish, table
from benchmarks.abuse.talker import LONGEST_MESSAGE, PollingTalker, Talker, code_of, packet
from benchmarks.abuse.target import Target
from benchmarks.crowd.http import joined
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
    assert joined(b"3\r\nabc\r\nb\r\n0123456789\n\r\n0\r\n\r\n") == b"abc0123456789\n"


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
    silent = next(line for line in text.splitlines() if line.startswith("| silent "))
    assert [cell.strip() for cell in silent.split("|")[2:7]] == ["0.0", "5.8", "0.0", "0.0", "12"]
    assert "| 52 / 60 |" in " ".join(silent.split())
    assert "- silent: closed after 10 s" in text
    assert "- ✗ events: the server ended" in text


def test_a_run_of_a_few_publishes_their_rows_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    what = {"first": "one", "second": "two", "third": "three"}
    former = [
        Verdict("second", 2.0, failures=("it ended",)),
        Verdict("third", 3.0),
        Verdict("gone"),
    ]
    publish(former, {**what, "gone": "no more"}, "2026-01-01", page)
    publish([Verdict("third", 4.0), Verdict("first", 1.0)], what, "2026-01-02", page)
    lines = page.read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:5]] for line in lines[5:8]]
    assert rows == [
        ["`first`", "one", "2026-01-02", "0.0"],
        ["`second` ✗", "two", "2026-01-01", "0.0"],
        ["`third`", "three", "2026-01-02", "0.0"],
    ]
    assert [lines[0], lines[-1]] == ["before", "after"]
    assert [line.split("|")[5].strip() for line in lines[5:8]] == ["1.0", "2.0", "4.0"]


def test_all_attacks_can_be_listed_and_sent_to_a_process() -> None:
    assert len(ATTACKS) == len(all_attacks(count=1))
    listed = CliRunner().invoke(main, ["--list"]).output.splitlines()
    assert [line.split()[0] for line in listed] == list(ATTACKS)
    for attack in ATTACKS.values():
        assert attack.what
        pickle.dumps(attack.run)


def test_the_documentation_has_every_attack_and_no_other() -> None:
    published = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = [line for line in published.splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(ATTACKS)


def test_an_attack_that_there_is_not_is_refused() -> None:
    answer = CliRunner().invoke(main, ["--only", "nothing"])
    assert answer.exit_code == 2
    assert "no attack 'nothing'" in answer.output


@pytest.mark.parametrize(
    ("welcomed", "said"),
    [
        (Welcomed([0.1, 0.2]), None),
        (Welcomed([0.1, 2 * MOST_SECONDS]), "1 of 2 newcomers had to wait, up to 2.0 s"),
        (Welcomed([0.1], ["HTTP 429"]), "1 of 2 newcomers were not served: HTTP 429"),
    ],
)
def test_newcomers_that_fare_badly_are_a_failure(welcomed: Welcomed, said: str | None) -> None:
    assert welcomed.failure == said


def test_an_error_that_is_too_long_is_told() -> None:
    assert code_of({"ok": True}) == "ok"
    error = {"code": "invalid_request", "message": "m" * LONGEST_MESSAGE}
    assert code_of({"ok": False, "error": error}) == "invalid_request"
    error["message"] += "!"
    assert code_of({"ok": False, "error": error}) == "invalid_request in 301 characters"


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (requests.unknown_keys, 3),
        (requests.deep, 4),
        (requests.long_names, 6),
        (requests.large_lists, 4),
        (requests.large_params, 40),
    ],
)
def test_the_requests_are_as_large_as_a_message_may_be(
    made: Callable[[], list[bytes]], count: int
) -> None:
    made_of_it = made()
    assert len(made_of_it) == count
    assert max(map(len, made_of_it)) <= 2 * 2**20


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


def test_newcomers_come_until_they_are_told(target: Target) -> None:
    with Newcomers(target.port) as newcomers:
        pass
    assert newcomers.welcomed.turned_away == []
    assert len(newcomers.welcomed.seconds) <= 1


def test_a_flood_is_counted_and_ends_in_time(target: Target) -> None:
    asked = flood.events("describe_stream", {"id": "nobody"})
    before = wire.Client.sent
    outcome = asyncio.run(flood.flood(target, asked, seconds=0.5, connections=2))
    assert outcome.endings["held back"] == 2
    assert outcome.endings["unknown_stream"] > 100
    assert wire.Client.sent - before >= flood.BLOCK


def test_a_talker_reads_what_has_overtaken_its_answer(target: Target) -> None:
    async def read() -> None:
        client = await Talker.open(target.port, source=wire.OTHER)
        try:
            asked = {"text": "abc" * 50, "rate": 0, "format": "chunk"}
            answer = await client.ask("start_stream", asked)
            got = await client.read(answer["stream"]["id"])
        finally:
            client.close()
        assert (got.units, got.exact, got.reason) == (150, True, "completed")

    asyncio.run(read())


def test_a_polling_talker_polls_when_it_is_told_to(target: Target) -> None:
    async def talk() -> None:
        session = await PollingTalker.open(target.port)
        assert (await session.poll())[0].startswith(b"40")
        assert await session.post(packet("describe_stream", {"id": "no"}, ack=7)) == 200
        assert (await session.poll())[0].startswith(b"437[")
        assert await session.post(b"1") == 200

    asyncio.run(talk())


def test_a_server_says_what_it_was_set_to_and_what_it_has_used(target: Target) -> None:
    assert target.setting("TEXTSTREAM_LOG_LEVEL") == "warning"
    assert target.setting("TEXTSTREAM_NOTHING") == ""
    assert b"listening" in target.log()
    assert 0 < target.cpu() < 60


def test_the_megaphone_is_heard_at_its_own_address_only(target: Target) -> None:
    outcome = asyncio.run(logs.megaphone(target))
    assert outcome.failures == []
    assert outcome.endings["a neighbour"] > 0


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
