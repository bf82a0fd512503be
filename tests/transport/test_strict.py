"""What the reference server ends a connection for ends it here: at once, and without a traceback.

The table was compared with socket.io 4.8 on Node, case by case, over both transports. It ends
fewer: ``43`` without a payload, say, is nobody's packet either.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
import requests

from tests.support.timing import patient
from tests.transport.conftest import LocalServer, StartLocal
from tests.transport.raw import RawWebSocket
from textstream.transport.packets import RESERVED_EVENTS

pytestmark = pytest.mark.live

PATIENCE = patient(10.0)


@pytest.fixture(params=["", "quick"])
def any_local(request: pytest.FixtureRequest, local: LocalServer) -> LocalServer:
    """A server whose handlers are all quick, or none: one is as strict as the other."""
    if request.param:
        handlers, quick = local.socketio.server.handlers["/"], local.transport.quick
        quick.add_life(connect=handlers["connect"], disconnect=handlers["disconnect"])
        for event in set(handlers) - RESERVED_EVENTS:
            quick.add(event, handlers[event])
    return local


ONE = '{"_placeholder":true,"num":0}'

BEFORE_CONNECT: dict[str, Sequence[str | bytes]] = {
    "event": ['42["sum"]'],
    "acknowledgement": ["431[1]"],
    "disconnect": ["41"],
    "unknown type": ["4abc"],
    "payload that is a string": ['40"x"'],
    "payload that is a list": ["40[1]"],
    "payload that is null": ["40null"],
    "payload that is cut off": ['40{"a":'],
}

AFTER_CONNECT: dict[str, Sequence[str | bytes]] = {
    "unknown type": ["4abc"],
    "type 7": ["47"],
    "type 8 with a payload": ["48[1]"],
    "no type": ["4"],
    "type in another script": ['4٢["sum"]'],
    "id in another script": ['42٣["sum"]'],
    "type in superscript": ['4²["sum"]'],
    "a second CONNECT": ["40"],
    "CONNECT_ERROR": ["44"],
    "CONNECT_ERROR with a payload": ['44{"message":"x"}'],
    "event of another namespace": ['42/second,["echo",1]'],
    "event of an unknown namespace": ['42/nowhere,["echo",1]'],
    "event without a payload": ["42"],
    "event that is an object": ["42{}"],
    "event that is a string": ['42"sum"'],
    "event that is null": ["42null"],
    "event without a name": ["42[]"],
    "event named null": ["42[null]"],
    "event named true": ["42[true,1]"],
    "event named by a list": ['42[["sum"]]'],
    "reserved name": ['42["connect"]'],
    "another reserved name": ['42["disconnecting",1]'],
    "id that is none": ['42abc["sum"]'],
    "id that is too long": ["42" + "1" * 101 + '["sum"]'],
    "single quotes": ["42['sum']"],
    "trailing comma": ['42["sum",]'],
    "more behind the payload": ['42["sum"] x'],
    "nested too deep": ["42" + "[" * 5000],
    "disconnect with a payload": ['41["x"]'],
    "disconnect twice": ["41", "41"],
    "acknowledgement that is an object": ["431{}"],
    "binary event without attachments": ['45["sum"]'],
    "binary event with no attachments": ['450-["sum"]'],
    "binary event with a fraction": ['451.5-["sum"]'],
    "binary acknowledgement without": ["461[1]"],
    "attachments of another type": ['4251-["sum"]'],
    "more attachments than are allowed": [f'455-["binary",{ONE}]'],
    "text for an attachment": [f'451-["binary",{ONE}]', '42["sum"]'],
    "placeholder of another attachment": ['451-["binary",{"_placeholder":true,"num":5}]', b"x"],
    "negative placeholder": ['451-["binary",{"_placeholder":true,"num":-1}]', b"x"],
    "placeholder that is a string": ['451-["binary",{"_placeholder":true,"num":"0"}]', b"x"],
    "attachment of nobody's": [b"\x01\x02"],
    "MessagePack": [b"\x84\xa4type\x02\xa4data\x91\xa3sum"],
    "JSON in place of a packet": ["4[1]"],
    "a string in place of a packet": ['4"x"'],
    "Engine.IO: a heartbeat from the client": ["2"],
    "Engine.IO: a probe, upgraded": ["2probe"],
    "Engine.IO: type 7": ["7x"],
    "Engine.IO: a letter": ["abc"],
    "Engine.IO: nothing": [""],
    "Engine.IO: type in another script": ['٤2["sum"]'],
    "Engine.IO: base64 of nobody's": ["bAQID"],
}

GOES_ON: dict[str, Sequence[str | bytes]] = {
    "CONNECT to an unknown namespace": ["40/nowhere,"],
    "event that is a number": ["42[1]"],
    "unknown event": ['42["no such event"]'],
    "acknowledgement that nobody waits for": ["4399[1]"],
    "NaN, which Python's clients send": ['42["no such event",NaN]'],
    "an attachment of no bytes": [f'451-["no such event",{ONE}]', b""],
    "Engine.IO: packets that mean nothing": ["0", "5", "6"],
}

CASES = [
    *((f"before: {name}", packets, False) for name, packets in BEFORE_CONNECT.items()),
    *((name, packets, True) for name, packets in AFTER_CONNECT.items()),
]


class Polling:
    """A client that polls with bare requests."""

    def __init__(self, url: str) -> None:
        self._http = requests.Session()
        self.url = f"{url}/socket.io/?EIO=4&transport=polling"
        self.opened = json.loads(self.poll().text[1:])
        self.url += f"&sid={self.opened['sid']}"

    def poll(self) -> requests.Response:
        """Poll once."""
        return self._http.get(self.url, timeout=PATIENCE)

    def post(self, *packets: str | bytes) -> requests.Response:
        """Send packets in one request."""
        encoded = [
            one if isinstance(one, str) else "b" + base64.b64encode(one).decode() for one in packets
        ]
        return self._http.post(self.url, "\x1e".join(encoded).encode(), timeout=PATIENCE)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()


def test_a_websocket_is_closed(
    any_local: LocalServer, subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture
) -> None:
    for name, packets, connected in CASES:
        with subtests.test(name), closing(RawWebSocket(any_local.port)) as ws:
            for packet in ["40"] * connected + list(packets):
                if isinstance(packet, str):
                    ws.send(packet)
                else:
                    ws.send_frame("binary", packet)
            assert ws.close_code() == 1008
    said = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("closed a connection: malformed") for line in said) == len(CASES)
    assert not any(record.exc_info for record in caplog.records)


def test_a_session_that_polls_is_closed(
    any_local: LocalServer, subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture
) -> None:
    for name, packets, connected in CASES:
        with subtests.test(name), closing(Polling(any_local.url)) as client:
            if connected:
                client.post("40")
            assert client.post(*packets).status_code == 400
            assert client.poll().status_code == 400
            assert client.opened["sid"] not in any_local.socketio.server.eio.sockets
    assert not any(record.exc_info for record in caplog.records)


def test_what_is_merely_odd_goes_on(any_local: LocalServer, subtests: pytest.Subtests) -> None:
    for name, packets in GOES_ON.items():
        with (
            subtests.test(name),
            closing(RawWebSocket(any_local.port)) as ws,
            closing(Polling(any_local.url)) as client,
        ):
            for packet in ["40", *packets, '427["sum",1,2]']:
                if isinstance(packet, str):
                    ws.send(packet)
                else:
                    ws.send_frame("binary", packet)
                assert client.post(packet).status_code == 200
            assert any(text == '437[3,"done"]' for text in ws.messages())
            while not (text := client.poll().text).endswith('437[3,"done"]'):
                assert text


def test_what_came_before_a_mistake_is_handled(start_local: StartLocal) -> None:
    local = start_local(async_handlers=False)
    client = Polling(local.url)
    client.post("40", '42["echo_text","a"]', "4abc", '42["echo_text","b"]')
    local.record.wait_for("echoed", 1)
    assert client.poll().status_code == 400
    client.close()


def test_a_client_s_words_are_shown_in_the_log_not_written_to_it(
    local: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    ws = RawWebSocket(local.port)
    ws.send("42/a\n\x1b[2J\u202e" + "x" * 1000 + ',["sum"]')
    assert ws.close_code() == 1008
    ws.close()
    [said] = [record.getMessage() for record in caplog.records if "closed" in record.getMessage()]
    assert said.isprintable()
    assert len(said) < 200


def test_an_unknown_namespace_is_refused_by_its_name(local: LocalServer) -> None:
    ws = RawWebSocket(local.port)
    ws.send("40/nowhere,")
    texts = list(itertools.islice(ws.messages(), 2))
    assert texts[1] == '44/nowhere,{"message":"Invalid namespace"}'
    ws.close()


def test_a_connect_is_answered_before_what_its_handler_emits(any_local: LocalServer) -> None:
    ws = RawWebSocket(any_local.port)
    ws.send("40/room,")
    texts = list(itertools.islice(ws.messages(), 3))
    assert texts[1].startswith('40/room,{"sid":')
    assert texts[2].startswith('42/room,["welcome",')
    ws.close()


# Requests


REFUSED = [
    ("GET", "EIO=4", 0),
    ("GET", "EIO=4&transport=carrier-pigeon", 0),
    ("GET", "EIO=4&transport=polling&sid=nobody", 1),
    ("POST", "EIO=4&transport=polling&sid=nobody", 1),
    ("POST", "EIO=4&transport=polling", 2),
    ("PUT", "EIO=4&transport=polling", 2),
    ("GET", "transport=polling", 5),
    ("GET", "EIO=3&transport=polling", 5),
    ("GET", "EIO=abc&transport=polling", 5),
]


def test_a_refusal_has_a_code_and_can_be_read_by_a_page(
    local: LocalServer, subtests: pytest.Subtests
) -> None:
    page = {"Origin": "https://elsewhere.example"}
    for method, query, code in REFUSED:
        with subtests.test(f"{method} {query}"):
            url = f"{local.url}/socket.io/?{query}"
            answer = requests.request(method, url, headers=page, timeout=PATIENCE)
            assert answer.status_code == 400
            assert answer.json()["code"] == code
            assert answer.headers["Access-Control-Allow-Origin"] == page["Origin"]
    assert not local.socketio.server.eio.sockets


def test_an_upgrade_that_a_proxy_has_dropped_is_named_once(
    local: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        url = f"{local.url}/socket.io/?EIO=4&transport=websocket"
        answer = requests.get(url, timeout=PATIENCE)
        assert (answer.status_code, answer.json()["code"]) == (400, 3)
        assert "proxy_http_version 1.1" in answer.json()["message"]
    assert [record.levelname for record in caplog.records if "Upgrade" in record.message] == [
        "WARNING"
    ]


def test_an_old_client_is_told_the_cure(local: LocalServer) -> None:
    answer = requests.get(f"{local.url}/socket.io/?EIO=3&transport=polling", timeout=PATIENCE)
    assert "socket.io-client" in answer.json()["message"]


@pytest.mark.parametrize("seconds", [0.3, 25, 1.2345])
def test_the_heartbeat_is_told_to_the_millisecond(start_local: StartLocal, seconds: float) -> None:
    client = Polling(start_local(ping_interval=seconds).url)
    assert client.opened["pingInterval"] == round(seconds * 1000)
    client.close()


def test_a_heartbeat_that_is_not_answered_ends_a_poll(start_local: StartLocal) -> None:
    """Not when Engine.IO's monitor comes round, but with the first poll that is too late."""
    server = start_local(ping_interval=0.01, ping_timeout=60)
    client = Polling(server.url)
    session = server.socketio.server.eio.sockets[client.opened["sid"]]
    assert client.poll().text == "2"
    session.ping_due -= 60
    assert client.poll().status_code == 400
    client.close()


def test_a_poll_that_offers_another_protocol_is_a_poll(local: LocalServer) -> None:
    """As ``curl --http2`` does. Engine.IO goes by a part of the header, and so did we."""
    client, other = Polling(local.url), requests.Session()
    session = local.socketio.server.eio.sockets[client.opened["sid"]]
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
    with session._alone("_polling"):  # as long as one waits
        assert other.get(client.url, headers=offer, timeout=PATIENCE).status_code == 400
    assert client.poll().status_code == 400
    client.close()
    other.close()


def test_two_requests_with_packets_at_a_time_end_the_session(local: LocalServer) -> None:
    client, other = Polling(local.url), requests.Session()
    client.post("40")
    session = local.socketio.server.eio.sockets[client.opened["sid"]]
    with session._alone("_posting"):  # as long as a handler is at work
        assert other.post(client.url, b'42["sum"]', timeout=PATIENCE).status_code == 400
    assert client.poll().status_code == 400
    client.close()
    other.close()


def test_the_poll_of_a_client_that_says_goodbye_ends_in_peace(local: LocalServer) -> None:
    client = Polling(local.url)
    assert client.post("1").status_code == 200
    assert client.poll().text == "6", "it was on its way"
    assert client.poll().status_code == 400
    client.close()


def test_a_second_websocket_is_told_why(local: LocalServer) -> None:
    client = Polling(local.url)
    first = RawWebSocket(local.port, sid=client.opened["sid"])
    first.send("2probe")
    first.send("5")
    first.send("40")
    messages = first.messages()
    assert next(messages) == "3probe"
    assert next(messages).startswith("40")
    second = RawWebSocket(local.port, sid=client.opened["sid"])
    assert second.response.startswith("HTTP/1.1 101")
    assert second.close_code() == 1008
    assert client.poll().status_code == 400, "it has a WebSocket"
    first.send('427["sum",1,2]')
    assert next(messages) == '437[3,"done"]', "the first goes on"
    for one in (first, second, client):
        one.close()


def test_engine_io_alone_is_served_too() -> None:
    """What has no packets of Socket.IO, but Engine.IO's server, as ``.eio``."""
    import types  # noqa: PLC0415

    import engineio  # noqa: PLC0415
    from werkzeug.test import Client  # noqa: PLC0415

    import textstream.transport  # noqa: PLC0415

    eio = engineio.Server(async_mode="threading", async_handlers=False, monitor_clients=False)
    manager = types.SimpleNamespace(get_namespaces=list)
    transport = textstream.transport.install(types.SimpleNamespace(eio=eio, manager=manager))
    assert transport
    said: list[Any] = []
    eio.on("message", lambda _sid, data: said.append(data))
    http = Client(engineio.WSGIApp(eio))
    url = "/engine.io/?EIO=4&transport=polling"
    sid = json.loads(http.get(url).get_data()[1:])["sid"]
    answer = http.post(f"{url}&sid={sid}", data="4a\x1e4b")
    assert (answer.status_code, answer.get_data()) == (200, b"ok")
    assert said == ["a", "b"]
    transport.close()
