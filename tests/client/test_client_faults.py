"""The client when the network fails: every unit once, or an error that says so."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.client.reading import until_it_fails
from tests.conftest import StartServer
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream import errors
from textstream.chaos import FOREVER, ChaosProxy, ScriptedPlan
from textstream.client import ReconnectPolicy, StreamClient
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, give_up_after=20)
TEXT = "".join(f"{n:04d} 这是e\u0301👨‍👩‍👧‍👦 " for n in range(250))


def some_bytes_each() -> Iterator[int | None]:
    choose = random.Random(1)
    return (choose.randrange(1_500, 4_000) for _ in itertools.count())


def a_few_answers_each() -> Iterator[int | None]:
    """For polling, where a connection carries some requests: the cut is in one of the answers."""
    choose = random.Random(2)
    return (choose.randrange(800, 3_000) for _ in itertools.count())


@pytest.mark.parametrize(
    ("transports", "text", "cuts"),
    [
        (["websocket"], TEXT, some_bytes_each()),
        (["polling"], TEXT[:1000], a_few_answers_each()),
    ],
    ids=["websocket", "polling"],
)
def test_many_cuts_lose_and_double_nothing(
    text_server: RunningServer, transports: list[str], text: str, cuts: Iterator[int | None]
) -> None:
    states: list[str] = []
    with (
        ChaosProxy(text_server.address, plan=ScriptedPlan(cuts)) as network,
        StreamClient(
            network.url, transports=transports, reconnect=QUICK, on_state=states.append
        ) as client,
    ):
        stream = client.stream(text=text, rate=2000)
        assert "".join(stream) == text
        assert stream.result
        assert stream.result.verified
    assert states.count("reconnecting") > 2
    assert states[-1] == "ended"


@pytest.mark.parametrize("cut", range(1, 700, 50))
def test_a_cut_anywhere_in_the_beginning_starts_the_stream_once(
    text_server: RunningServer, cut: int
) -> None:
    """The handshake, the answer to the start, the first text: each may be lost."""
    text = f"{cut:03d}" * 40
    with (
        ChaosProxy(text_server.address, plan=ScriptedPlan([None, cut])) as network,
        StreamClient(network.url, reconnect=QUICK) as client,
    ):
        client.sources()  # Over the connection that is not cut.
        stream = client.stream(text=text, rate=0)
        assert "".join(stream) == text
        assert stream.result
        assert stream.result.verified

    digest = stream.result.text_sha256

    def ended_once(log: str) -> bool:
        return len(re.findall(f"sha256={digest}", log)) == 1

    text_server.wait_for_log(ended_once)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("cut", [40, 100, 150])
@pytest.mark.parametrize("connection", range(1, 9))
def test_a_poll_that_ends_within_its_head_is_no_empty_answer(
    text_server: RunningServer, connection: int, cut: int
) -> None:
    """In one of its connections is the end, which comes only once."""
    plan = ScriptedPlan([*[None] * (connection - 1), cut], cut="fin")
    with (
        ChaosProxy(text_server.address, plan=plan) as network,
        StreamClient(network.url, transports=["polling"], reconnect=QUICK) as client,
    ):
        stream = client.stream(text="x", rate=0)
        assert "".join(stream) == "x"
        assert stream.result
        assert stream.result.verified


def test_a_connection_that_falls_silent_is_noticed(start_server: StartServer) -> None:
    server = start_server("--ping-interval", "0.3", "--ping-timeout", "0.3")
    try:
        with (
            ChaosProxy(server.address, plan=ScriptedPlan([3000], stall=FOREVER)) as network,
            StreamClient(network.url, reconnect=QUICK) as client,
        ):
            stream = client.stream(text=TEXT, rate=2000)
            assert "".join(stream) == TEXT
            assert network.totals.connections > 1
    finally:
        server.stop()


def test_without_reconnect_the_loss_is_an_error_after_the_text(
    text_server: RunningServer,
) -> None:
    with (
        ChaosProxy(text_server.address) as network,
        StreamClient(network.url, reconnect=False) as client,
    ):
        stream = client.stream(text=TEXT, rate=100)
        got = next(stream)
        network.cut_all()
        more, error = until_it_fails(stream)
        got += more
    assert isinstance(error, errors.ServerUnreachable)
    assert TEXT.startswith(got)
    assert got
    with StreamClient(text_server.url) as client:
        rest = "".join(client.resume(stream.id, stream.offset, rate=0))
    assert got + rest == TEXT


def test_it_gives_up_in_time(text_server: RunningServer) -> None:
    policy = ReconnectPolicy(initial=0.01, maximum=0.02, attempts=5)
    with (
        ChaosProxy(text_server.address) as network,
        StreamClient(network.url, reconnect=policy) as client,
    ):
        stream = client.stream(text=TEXT, rate=100)
        next(stream)
        network.hold()
        network.cut_all()
        with pytest.raises(errors.ServerUnreachable):
            "".join(stream)


def test_a_stop_while_the_connection_is_lost_is_made_good(text_server: RunningServer) -> None:
    with (
        ChaosProxy(text_server.address) as network,
        StreamClient(network.url, reconnect=QUICK) as client,
    ):
        stream = client.stream("x", source="endless", rate=1000)
        network.hold()
        network.cut_all()
        changed, reader = stream._session.changed, stream._reader
        with changed:
            assert changed.wait_for(lambda: not reader.attached, 20)
        assert not stream.stop(timeout=0)
        network.release()
        assert stream.stop(timeout=patient(20))
        assert stream.result
        assert stream.result.reason == "stopped"

    def stopped(log: str) -> bool:
        return re.search(rf"stream={fingerprint(stream.id)} .*reason=stopped", log) is not None

    text_server.wait_for_log(stopped)


def test_a_new_rate_whose_answer_is_lost_holds_on_the_next_connection(
    text_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled, asked = threading.Event(), threading.Event()
    plan = ScriptedPlan([2000], stall=FOREVER)
    with (
        ChaosProxy(text_server.address, plan=plan, log=lambda _line: stalled.set()) as network,
        StreamClient(network.url, transports=["websocket"], reconnect=QUICK) as client,
    ):
        stream = client.stream(text="x" * 5000, rate=100)
        assert stalled.wait(20)
        link = stream._session.link
        assert link
        request = link.request

        def then_tell(*args: Any, **fields: Any) -> None:
            request(*args, **fields)
            asked.set()

        monkeypatch.setattr(link, "request", then_tell)
        with ThreadPoolExecutor(1) as elsewhere:
            setting = elsewhere.submit(stream.set_rate, 0)
            assert asked.wait(20)
            network.cut_all()
            setting.result(20)
        began = time.monotonic()
        assert sum(len(piece) for piece in stream) == 5000
        assert time.monotonic() - began < patient(25)  # at the pace of before it takes 50 s


def test_a_server_that_goes_down_ends_the_stream_as_shutdown(start_server: StartServer) -> None:
    server = start_server()
    with StreamClient(server.url, reconnect=QUICK) as client:
        stream = client.stream(text=TEXT, rate=10)
        next(stream)
        server.stop()
        text = "".join(stream)
        assert stream.result
        assert stream.result.reason == "shutdown"
        assert TEXT.startswith(TEXT[0] + text)
