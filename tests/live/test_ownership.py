"""Whose a stream is, and who may stop it: over both transports, on one connection or the next."""

from __future__ import annotations

import uuid

import pytest

from tests.conftest import Connect
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient

pytestmark = [
    pytest.mark.live,
    pytest.mark.parametrize("transport", ["websocket", "polling"]),
]

SLOW = {"text": "x" * 5000, "rate": 20, "format": "chunk"}


def start(client: RecordingClient, **more: object) -> tuple[str, str]:
    answer = client.call("start_stream", {**SLOW, **more})
    assert answer["ok"]
    return answer["stream"]["id"], answer["key"]


def state(client: RecordingClient, stream_id: str) -> str:
    return str(client.call("describe_stream", {"id": stream_id})["stream"]["state"])


def test_a_viewer_and_a_stranger_do_not_stop_it(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    owner, viewer, stranger = (sio(server, (transport,)) for _ in range(3))
    stream_id, _ = start(owner)
    assert viewer.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    for client in (viewer, stranger):
        answer = client.call("stop_stream", {"id": stream_id})
        assert answer["error"]["code"] == "forbidden"
        assert "key" in answer["error"]["message"]
        assert not answer["error"]["retryable"]
        assert client.call("stop_stream") == {"ok": True, "offset": 0, "stopped": {}}
    assert state(owner, stream_id) != "ended"
    assert owner.call("stop_stream", {"id": stream_id})["ok"]
    assert viewer.wait_for_event("stream_end").data["reason"] == "stopped"


def test_no_viewer_inherits_it(server: RunningServer, sio: Connect, transport: str) -> None:
    owner, viewer = (sio(server, (transport,)) for _ in range(2))
    stream_id, _ = start(owner)
    assert viewer.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    owner.close()
    answer = viewer.call("stop_stream", {"id": stream_id})
    assert answer["error"]["code"] == "forbidden"
    late = sio(server, (transport,))
    assert late.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    assert late.call("stop_stream") == {"ok": True, "offset": 0, "stopped": {}}
    assert state(viewer, stream_id) != "ended"


def test_the_key_makes_an_owner(server: RunningServer, sio: Connect, transport: str) -> None:
    first, second, third = (sio(server, (transport,)) for _ in range(3))
    stream_id, key = start(first)
    other_id, other_key = start(third)
    for wrong in (other_key, key.swapcase(), "x"):
        for event, more in (("resume_stream", {"offset": 0}), ("stop_stream", {})):
            answer = second.call(event, {"id": stream_id, "key": wrong, **more})
            assert answer["error"]["code"] == "forbidden", (event, answer)
    assert second.call("resume_stream", {"id": stream_id, "offset": 0, "key": key})["ok"]
    first.close()  # and nothing of it matters any more
    assert list(second.call("stop_stream")["stopped"]) == [stream_id]
    assert second.call("stop_stream", {"id": other_id, "key": other_key})["ok"]
    assert third.wait_for_event("stream_end").data["reason"] == "stopped"


def test_the_key_is_in_no_event(server: RunningServer, sio: Connect, transport: str) -> None:
    owner, viewer = (sio(server, (transport,)) for _ in range(2))
    stream_id, key = start(owner, text="x", rate=0)
    viewer.call("resume_stream", {"id": stream_id, "offset": 0})
    for client in (owner, viewer):
        client.wait_for_event("stream_end")
        assert key not in str(client.events)
    assert key not in str(viewer.call("describe_stream", {"id": stream_id}))
    assert key not in server.log_text()


def test_a_client_owns_what_it_has_started_on_another_connection(
    server: RunningServer, sio: Connect, transport: str
) -> None:
    auth = {"client_key": str(uuid.uuid4())}
    first = sio(server, (transport,), auth=auth)
    stream_id, _ = start(first)
    again = sio(server, (transport,), auth=auth)  # the server may not know yet that the first broke
    assert again.call("stop_stream") == {"ok": True, "offset": 0, "stopped": {}}
    assert again.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    assert list(again.call("stop_stream")["stopped"]) == [stream_id]
    stranger = sio(server, (transport,), auth={"client_key": str(uuid.uuid4())})
    stream_id, _ = start(first)
    assert stranger.call("stop_stream", {"id": stream_id})["error"]["code"] == "forbidden"


@pytest.mark.parametrize("request_id", ["7", "conversation-42-message-0007"])
def test_a_request_id_is_its_clients_own(
    server: RunningServer, sio: Connect, transport: str, request_id: str
) -> None:
    auth = {"client_key": str(uuid.uuid4())}
    mine, again = (sio(server, (transport,), auth=auth) for _ in range(2))
    known, unknown = (
        sio(server, (transport,), auth={"client_key": str(uuid.uuid4())}),
        sio(server, (transport,)),
    )
    asked = {"text": "the secret of one", "request_id": request_id}
    stream_id, key = start(mine, **asked)
    for other in (known, unknown):
        assert start(other, text="what another wants", request_id=request_id)[0] != stream_id
    # The same start once more, and its reader may have been told another pace meanwhile.
    assert start(mine, **asked) == (stream_id, key)
    assert start(again, **asked, rate=50) == (stream_id, key)
    for change in ({"text": "another"}, {"unit": "word"}, {"on_disconnect": "cancel"}):
        answer = again.call("start_stream", {**SLOW, **asked, **change})
        assert answer["error"]["code"] == "invalid_request", change
        assert "request_id" in answer["error"]["message"]
        assert "secret" not in str(answer)
