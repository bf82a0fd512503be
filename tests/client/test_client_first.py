"""A first connection to a server that is not there yet: it is tried again, within bounds."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.client.asking import Ask
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream import errors
from textstream.chaos import ChaosProxy
from textstream.client import ReconnectPolicy, StreamClient
from textstream.client.address import parse_address
from textstream.client.api import Api
from textstream.client.auth import Tokens
from textstream.client.failures import (
    CannotConnect,
)

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, first_give_up_after=20)
AT_ONCE = ReconnectPolicy(first_give_up_after=0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.live
def test_a_server_that_comes_up_is_waited_for(text_server: RunningServer, ask: Ask) -> None:
    """As in a rolling restart: the address refuses connections, and a moment later takes them."""
    states: list[str] = []
    with (
        ChaosProxy(text_server.address) as network,
        StreamClient(network.url, reconnect=QUICK, on_state=states.append) as client,
    ):
        network.hold()
        back = threading.Timer(0.2, network.release)
        back.start()
        assert ask(client)
        back.join()
    assert "reconnecting" not in states, "it was not there before"


@pytest.mark.live
@pytest.mark.parametrize("status", [502, 503])
def test_a_proxy_whose_server_restarts_is_asked_again(
    text_server: RunningServer, ask: Ask, status: int
) -> None:
    with ReverseProxy(text_server.address) as proxy:
        proxy.unavailable = status
        back = threading.Timer(0.2, setattr, (proxy, "unavailable", None))
        back.start()
        with StreamClient(proxy.url, reconnect=QUICK) as client:
            assert ask(client)
        back.join()


@pytest.mark.parametrize("policy", [AT_ONCE, False], ids=["0 s", "no reconnect"])
def test_a_server_that_is_not_there_is_refused(ask: Ask, policy: ReconnectPolicy | bool) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with (
        StreamClient(url, reconnect=policy) as client,
        pytest.raises(errors.ServerUnreachable, match=r"\(connection refused\).*make run") as no,
    ):
        ask(client)
    assert no.value.retryable
    assert url in no.value.message


def test_how_long_a_first_connection_is_tried() -> None:
    now, slept = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    address = parse_address(f"http://127.0.0.1:{free_port()}")
    policy = ReconnectPolicy()
    api = Api(
        address, timeout=1, policy=policy, tokens=Tokens(None), sleep=sleep, clock=lambda: now
    )
    with pytest.raises(CannotConnect, match="connection refused"):
        api.get("/api/sources")
    assert policy.first_give_up_after <= now < 2 * policy.first_give_up_after
    assert len(slept) > 3
    policy = ReconnectPolicy(attempts=1)
    once = Api(address, timeout=1, policy=policy, tokens=Tokens(None), sleep=sleep)
    tried = len(slept)
    with pytest.raises(CannotConnect):
        once.get("/api/sources")
    assert len(slept) == tried


def test_a_first_connection_has_its_own_patience() -> None:
    policy = ReconnectPolicy(first_give_up_after=5, give_up_after=60)
    assert policy.exhausted(1, 5, first=True)
    assert not policy.exhausted(1, 5)
    with pytest.raises(ValueError, match="0 or more"):
        ReconnectPolicy(first_give_up_after=-1)


@pytest.mark.live
def test_who_gives_up_is_told_in_time() -> None:
    began = time.monotonic()
    policy = ReconnectPolicy(initial=0.01, maximum=0.02, first_give_up_after=0.1)
    with (
        StreamClient(f"http://127.0.0.1:{free_port()}", reconnect=policy) as client,
        pytest.raises(errors.ServerUnreachable, match="connection refused"),
    ):
        client.stream("x")
    assert 0.1 <= time.monotonic() - began < patient(5)
