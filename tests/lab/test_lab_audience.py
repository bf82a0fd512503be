"""Who may use the lab, and who hears whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.conftest import Connect
from tests.lab.conftest import LabServer, StartLab
from tests.lab.responding import wait_for_responses
from tests.transport.raw import RawWebSocket
from textstream.lab.audience import Audience

LOOPBACK = {"REMOTE_ADDR": "127.0.0.1"}
REMOTE = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.mark.parametrize(
    ("mode", "host", "loopback", "remote"),
    [
        ("auto", "127.0.0.1", True, True),  # whoever gets through to it: a proxy on this machine
        ("auto", "127.8.9.10", True, True),
        ("auto", "localhost", True, True),
        ("auto", "LOCALHOST.", True, True),
        ("auto", "::1", True, True),
        ("auto", "[::1]", True, True),
        ("auto", "::ffff:127.0.0.1", True, True),
        ("auto", "0.0.0.0", False, False),
        ("auto", "::", False, False),
        ("auto", "", False, False),
        ("auto", "192.0.2.1", False, False),
        ("auto", "localhost.example.org", False, False),
        ("auto", None, True, False),
        ("on", None, True, True),
        ("on", "0.0.0.0", True, True),
        ("public", "0.0.0.0", True, True),
        ("off", "127.0.0.1", False, False),
        ("off", None, False, False),
    ],
)
def test_whom_the_lab_is_for(mode: str, host: str | None, *, loopback: bool, remote: bool) -> None:
    audience = Audience(mode, host)
    assert (audience.admits(LOOPBACK), audience.admits(REMOTE)) == (loopback, remote)
    assert audience.anybody == (loopback or remote)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_a_peer_on_this_machine(address: str) -> None:
    assert Audience("auto").admits({"REMOTE_ADDR": address})
    # A proxy is on this machine too, and whom it asks for is not.
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"):
        assert not Audience("auto").admits({"REMOTE_ADDR": address, header: "127.0.0.1"})


@pytest.mark.parametrize("address", ["", "unix", "203.0.113.7", "::2", "::ffff:203.0.113.7"])
def test_any_other_peer(address: str) -> None:
    assert not Audience("auto").admits({"REMOTE_ADDR": address})


def test_who_hears_whom() -> None:
    assert Audience("on").group(LOOPBACK) != Audience("on").group(REMOTE)
    assert Audience("public").group(LOOPBACK) == Audience("public").group(REMOTE)


# On a server


class Visitor:
    """A client of ``/test`` that comes from an address of its own."""

    def __init__(self, port: int, source: str) -> None:
        self.ws = RawWebSocket(port, source=source)
        self._messages = self.ws.messages()
        self._number = 0
        self.ws.send("40/test,")
        self.sid = json.loads(self._until("40/test,"))["sid"]
        self._until("42/test,")  # says hello

    def call(self, event: str, payload: Any) -> tuple[dict[str, Any], list[Any]]:
        """Send an event; return the acknowledgement, and what was heard before it."""
        self._number += 1
        self.ws.send(f"42/test,{self._number}{json.dumps([event, payload])}")
        heard: list[Any] = []
        answer = self._until(f"43/test,{self._number}", heard)
        return json.loads(answer)[0], heard

    def heard(self) -> list[Any]:
        """Return what it has been sent by others: an echo marks the end."""
        return [said for said in self.call("my_event", {"data": "mark"})[1] if said != "mark"]

    def _until(self, head: str, heard: list[Any] | None = None) -> str:
        for message in self._messages:
            if message.startswith(head):
                return message.removeprefix(head)
            if heard is not None and message.startswith("42/test,"):
                heard.append(json.loads(message.removeprefix("42/test,"))[1]["data"])
        raise AssertionError("the connection ended")


Visit = Callable[[LabServer, str], Visitor]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Make visitors; they are gone after the test."""
    visitors: list[Visitor] = []

    def make(server: LabServer, source: str) -> Visitor:
        visitors.append(Visitor(int(server.url.rpartition(":")[2]), source))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.ws.close()


@pytest.mark.live
@pytest.mark.parametrize("mode", ["auto", "on", "public"])
def test_what_one_address_sends_reaches_another_in_public_only(
    start_lab: StartLab, visit: Visit, mode: str
) -> None:
    server = start_lab(mode=mode)
    one, same, other = (visit(server, f"127.0.0.{n}") for n in (1, 1, 2))
    for visitor in (one, same, other):
        assert visitor.call("join", {"room": "r"})[1] == [f"In rooms: {visitor.sid}, r"]
    assert one.call("my_broadcast_event", {"data": "all"})[0]["ok"]
    assert one.call("my_room_event", {"room": "r", "data": "room"})[0]["ok"]
    for visitor in (same, other):
        assert one.call("my_room_event", {"room": visitor.sid, "data": "you"})[0]["ok"]
    assert one.call("close_room", {"room": "r"})[0]["ok"]
    everything = ["all", "room", "you", "Room r is closing."]
    assert same.heard() == everything
    assert other.heard() == (everything if mode == "public" else [])
    answer, _ = other.call("close_room", {"room": "r"})
    assert answer["ok"] is (mode != "public"), "a room of its own, and it is still there"


@pytest.mark.live
def test_an_event_to_others_is_short(lab: LabServer, visit: Visit) -> None:
    one, other = visit(lab, "127.0.0.1"), visit(lab, "127.0.0.1")
    long = "x" * 2000
    for event, payload in (
        ("my_broadcast_event", {"data": long}),
        ("my_room_event", {"room": other.sid, "data": long}),
    ):
        answer, _ = one.call(event, payload)
        assert answer["error"]["code"] == "invalid_request"
        assert "at most 1024" in answer["error"]["message"]
    assert one.call("my_event", {"data": long})[0]["ok"], "an echo may be longer"
    assert other.heard() == []


@pytest.mark.live
def test_a_lab_that_is_not_for_whoever_asks(start_lab: StartLab, sio: Connect) -> None:
    server = start_lab()
    client = sio(server.url, ("polling",), "/test")
    assert wait_for_responses(client, 1) == [{"data": "Connected", "count": 0}]
    through_a_proxy = {"X-Forwarded-For": "203.0.113.7"}
    for path, headers, status in (("/lab/", {}, 200), ("/lab/", through_a_proxy, 404)):
        assert requests.get(server.url + path, headers=headers, timeout=10).status_code == status
    about = f"{server.url}/api/connection"
    assert requests.get(about, timeout=10).json()["lab"] is True
    assert requests.get(about, headers=through_a_proxy, timeout=10).json()["lab"] is False
    ws = RawWebSocket(
        int(server.url.rpartition(":")[2]), headers="X-Forwarded-For: 203.0.113.7\r\n"
    )
    try:
        messages = ws.messages()
        assert next(messages).startswith("0{")
        for namespace in ("/test", "/testnamespace"):
            ws.send(f"40{namespace},")
            assert next(messages) == f'44{namespace},{{"message":"Invalid namespace"}}'
    finally:
        ws.close()
