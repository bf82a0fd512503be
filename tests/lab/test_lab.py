"""The connection lab, with python-socketio's client over each transport."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from socketio.packet import ACK

from tests.conftest import Connect
from tests.lab.conftest import LabServer, StartLab
from tests.lab.responding import TRANSPORTS, UNHEARD, heard, responses, wait_for_responses
from tests.support.node import run_script
from tests.support.sio_client import RecordingClient

pytestmark = pytest.mark.live


def test_what_the_example_page_does(test_client: RecordingClient) -> None:
    for event, payload in [
        ("my_event", {"data": "I'm connected!"}),
        ("my_broadcast_event", {"data": {"any": ["JSON"]}}),
        ("join", {"room": "a"}),
        ("join", {"room": "b"}),
        ("my_room_event", {"room": "a", "data": 5}),
        ("my_room_event", {"room": "nobody", "data": 5}),
        ("leave", {"room": "a"}),
        ("close_room", {"room": "b"}),
        ("my_event", {"data": None, "other keys": "do no harm"}),
    ]:
        assert test_client.call(event, payload) == {"ok": True}, event
    own = f"In rooms: {test_client.sid}"
    assert wait_for_responses(test_client, 9) == [
        {"data": "Connected", "count": 0},
        {"data": "I'm connected!", "count": 1},
        {"data": {"any": ["JSON"]}, "count": 2},
        {"data": f"{own}, a", "count": 3},
        {"data": f"{own}, a, b", "count": 4},
        {"data": 5, "count": 5},
        {"data": f"{own}, b", "count": 7},
        {"data": "Room b is closing.", "count": 8},
        {"data": None, "count": 9},
    ]


def test_round_trip(test_client: RecordingClient) -> None:
    for count in range(1, 4):
        test_client.emit("my_ping")
        assert test_client.wait_for_event("my_pong", count).arguments == ()


@pytest.mark.parametrize("event", ["message", "json"])
def test_unnamed_events_are_echoed(test_client: RecordingClient, event: str) -> None:
    assert test_client.call(event, "one") == "one"
    assert test_client.call(event, ("two", {"a": [1]}, None)) == ("two", {"a": [1]}, None)
    test_client.emit(event)
    test_client.wait_for_event(event, 3)
    assert [e.arguments for e in test_client.named(event)] == [
        ("one",),
        ("two", {"a": [1]}, None),
        (),
    ]


@pytest.mark.parametrize("transports", TRANSPORTS, ids="+".join)
def test_how_a_client_is_connected(
    lab: LabServer, sio: Connect, transports: tuple[str, ...]
) -> None:
    client = sio(lab.url, transports, "/test")
    seen = client.call("my_connection")
    assert seen["ok"]
    assert seen["sid"] == client.sid
    assert seen["transport"] == transports[-1]
    assert seen["upgraded"] is (len(transports) == 2)
    assert (seen["engineio"], seen["socketio"]) == (4, 5)
    assert seen["host"] == lab.url.removeprefix("http://")
    assert seen["scheme"] == "http"
    assert seen["forwarded"] == {"for": None, "proto": None, "host": None}


def test_disconnect_with_acknowledgement(lab: LabServer, test_client: RecordingClient) -> None:
    assert test_client.call("disconnect_request") == {"ok": True}
    test_client.wait_for_event("disconnect")
    assert responses(test_client)[-1] == {"data": "Disconnected!", "count": 1}


def test_disconnect_of_a_client_that_does_not_acknowledge(
    start_lab: StartLab, sio: Connect
) -> None:
    client = sio(start_lab(farewell=0.05).url, namespace="/test")
    send = client.client._send_packet

    def send_all_but_acknowledgements(packet: Any) -> None:
        if packet.packet_type != ACK:
            send(packet)

    client.client._send_packet = send_all_but_acknowledgements
    for _ in range(3):  # asking again changes nothing
        client.emit("disconnect_request")
    client.wait_for_event("disconnect")
    assert len(responses(client)) == 2


def test_rooms_and_broadcast_over_both_transports(lab: LabServer, sio: Connect) -> None:
    clients = [sio(lab.url, transports, "/test") for transports in TRANSPORTS * 2]
    inside, outside = clients[:3], clients[3:]
    for client in inside:
        assert client.call("join", {"room": "here"})["ok"]
    for number, client in enumerate(clients):
        assert client.call("my_room_event", {"room": "here", "data": f"room {number}"})["ok"]
        assert client.call("my_broadcast_event", {"data": f"all {number}"})["ok"]
    for client in inside:
        said = [response["data"] for response in wait_for_responses(client, 14)[2:]]
        assert sorted(said) == sorted(
            f"{kind} {number}" for kind in ("room", "all") for number in range(6)
        )
    for client in outside:
        said = [response["data"] for response in wait_for_responses(client, 7)[1:]]
        assert sorted(said) == [f"all {number}" for number in range(6)]

    refused = outside[0].call("close_room", {"room": "here"})
    assert refused["error"]["code"] == "forbidden"
    assert inside[0].call("close_room", {"room": "here"})["ok"]
    for client in inside:
        assert wait_for_responses(client, 15)[14]["data"] == "Room here is closing."
    assert outside[1].call("my_room_event", {"room": "here", "data": "nobody"})["ok"]
    own = clients[2].call("join", {"room": "new"})
    assert own["ok"]
    assert wait_for_responses(inside[2], 16)[15]["data"] == f"In rooms: {inside[2].sid}, new"


def test_many_clients_in_one_room_at_once(lab: LabServer, sio: Connect) -> None:
    clients = [sio(lab.url, namespace="/test") for _ in range(8)]

    def come_and_go(client: RecordingClient) -> None:
        for _ in range(50):
            client.emit("join", {"room": "busy"})
            client.emit("leave", {"room": "busy"})
        client.emit("join", {"room": "busy"})

    threads = [threading.Thread(target=come_and_go, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        wait_for_responses(client, 102)
    assert clients[0].call("my_room_event", {"room": "busy", "data": "all here"})["ok"]
    for client in clients:
        client.wait_for(lambda events: heard(events)[-1].data["data"] == "all here")


def test_the_server_counts_while_anybody_is_there(start_lab: StartLab, sio: Connect) -> None:
    server = start_lab(interval=0.05)
    first, second = sio(server.url, namespace="/test"), sio(server.url, ("polling",), "/test")

    def counted(client: RecordingClient) -> list[int]:
        return [e.data["count"] for e in client.named("my_response") if e.data["data"] == UNHEARD]

    for client in (first, second):
        client.wait_for(lambda events: sum(e.data["data"] == UNHEARD for e in events) >= 3)
        seen = counted(client)
        assert seen == list(range(seen[0], seen[0] + len(seen)))  # one task, not one each
    assert len(counting_threads()) == 1
    first.close()
    assert len(counting_threads()) == 1
    second.close()
    for thread in counting_threads():
        thread.join(10)
    assert counting_threads() == []
    third = sio(server.url, namespace="/test")
    third.wait_for(lambda _events: counted(third))
    assert counted(third)[0] > seen[-1]  # and the server is closed while it counts


def counting_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if "(_run)" in t.name]


def test_request_for_response(start_lab: StartLab, sio: Connect) -> None:
    server = start_lab(works=3, work=0.3)
    for transports in TRANSPORTS:
        client = sio(server.url, transports, "/testnamespace")
        assert client.call("request_for_response", {"param": "value"}) == {"ok": True}
        client.wait_for_event("response", 2)
        assert [event.data for event in client.named("response")] == [
            {"code": "200", "msg": "The work has begun."},
            {"code": "200", "msg": "The work is done."},
        ]
        answer = client.call("request_for_response", {"parm": "value"})
        assert answer["error"]["code"] == "invalid_request"
        bad = client.wait_for_event("response", 3).data
        assert bad == {"code": "400", "msg": answer["error"]["message"]}


@pytest.mark.parametrize("mode", ["websocket", "polling", "upgrade"])
def test_the_javascript_client(start_lab: StartLab, mode: str) -> None:
    seen = run_script("lab.mjs", start_lab(interval=0.1).url, mode)
    own = f"In rooms: {seen['sid']}"
    assert seen["connected"] == {"data": "Connected", "count": 0}
    assert seen["echoed"] == {"data": "I'm connected!", "count": 1}
    assert seen["broadcast"] == {"data": "to all 👨‍👩‍👧‍👦", "count": 2}
    assert seen["joined"] == {"data": f"{own}, a room", "count": 3}
    assert seen["roomed"] == {"data": "to the room", "count": 4}
    assert seen["left"] == {"data": own, "count": 5}
    assert seen["closing"] == {"data": "Room another is closing.", "count": 7}
    assert seen["refused"]["error"]["code"] == "invalid_request"
    assert len(seen["roundTrips"]) == 30
    assert min(seen["roundTrips"]) > 0
    assert seen["message"] == seen["messageAnswer"] == ["one", {"two": 2}, [3]]
    assert seen["json"] == seen["jsonAnswer"] == [{"a": [1]}, None]
    assert seen["connection"]["transport"] == seen["transport"]
    assert seen["connection"]["upgraded"] is (mode == "upgrade")
    assert [response["code"] for response in seen["responses"]] == ["200", "200"]
    assert seen["counted"]["count"] >= 1
    assert seen["goodbye"]["data"] == "Disconnected!"
    assert seen["requested"] == {"ok": True}
    assert seen["reason"] == "io server disconnect"
