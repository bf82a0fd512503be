"""Links to a stream: for a time, for reading, and for as long as its owner likes."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest
import socketio.exceptions

from tests.conftest import RANKED_LOCKS, Connect, StartServer
from tests.support.running_server import RunningServer
from tests.support.sio_client import RecordingClient
from tests.support.timing import patient
from tests.support.tokens import SECRET, make_token

pytestmark = [
    pytest.mark.live,
    pytest.mark.parametrize("transport", ["websocket", "polling"]),
]

SLOW = {"text": "x" * 5000, "rate": 50, "format": "chunk"}


@pytest.fixture(scope="module")
def guarded(start_server: StartServer) -> Iterator[RunningServer]:
    env = {"TEXTSTREAM_AUTH_KEYS": SECRET, "PYTHONPATH": str(RANKED_LOCKS)}
    server = start_server(env=env)
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log_text()


def signed_in(
    name: str, connect: Connect, server: RunningServer, transport: str
) -> RecordingClient:
    return connect(server, (transport,), auth={"token": make_token(name)})


def share(client: RecordingClient, stream_id: str, **more: object) -> str:
    answer = client.call("share_stream", {"id": stream_id, **more})
    assert answer["ok"], answer
    return str(answer["grant"])


def code(answer: dict[str, dict[str, str]]) -> str:
    return answer["error"]["code"]


def test_nobody_else_reads_without_a_grant(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    alice, bob = (signed_in(name, sio, guarded, transport) for name in ("alice", "bob"))
    answer = alice.call("start_stream", SLOW)
    stream_id = answer["stream"]["id"]
    for event, more in (("resume_stream", {"offset": 0}), ("describe_stream", {})):
        refused = bob.call(event, {"id": stream_id, **more})
        assert code(refused) == "forbidden"
        assert "link" in refused["error"]["message"]
        assert code(bob.call(event, {"id": "nowhere", **more})) == "unknown_stream"
        for wrong in (make_token("bob"), "x", "y" * 2000):
            asked = {"id": stream_id, "grant": wrong, **more}
            assert code(bob.call(event, asked)) == "forbidden"
    # The key is the owner's word too.
    shown = {"id": stream_id, "offset": 0, "key": answer["key"]}
    assert bob.call("resume_stream", shown)["ok"]
    assert not bob.call("describe_stream", {"id": stream_id})["stream"]["reason"]


def test_a_grant_lets_one_read_that_stream_and_do_nothing_else(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    alice, bob = (signed_in(name, sio, guarded, transport) for name in ("alice", "bob"))
    ids = [alice.call("start_stream", SLOW)["stream"]["id"] for _ in range(2)]
    grant = share(alice, ids[0])
    guest = sio(guarded, (transport,), auth={"grant": grant})
    for reader in (bob, guest):
        shown = {"id": ids[0], "grant": grant}
        assert reader.call("describe_stream", shown)["ok"]
        assert reader.call("resume_stream", {"offset": 0, **shown})["ok"]
        reader.wait_for_event("new_char")
        assert reader.call("describe_stream", {"id": ids[0]})["ok"], "it reads it"
        for event in ("pause_stream", "continue_stream", "leave_stream"):
            assert reader.call(event, {"id": ids[0]})["ok"], event
        for event in ("stop_stream", "share_stream", "unshare_stream"):
            assert code(reader.call(event, {"id": ids[0]})) == "forbidden", event
        other = {"id": ids[1], "offset": 0, "grant": grant}
        assert code(reader.call("resume_stream", other)) == "forbidden"
    assert code(guest.call("start_stream", SLOW)) == "forbidden"
    assert code(guest.call("resume_stream", {"id": ids[0], "offset": 0})) == "forbidden"


def test_what_is_no_grant_does_not_let_one_in(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    claims = {"aud": "textstream grant", "stream": "x", "share": 0, "exp": 4102444800, "jti": "j"}
    for grant in ("x", make_token(), jwt.encode(claims, SECRET)):
        with pytest.raises(socketio.exceptions.ConnectionError):
            sio(guarded, (transport,), auth={"grant": grant})
    # Nor is a grant a token.
    alice = signed_in("alice", sio, guarded, transport)
    grant = share(alice, alice.call("start_stream", SLOW)["stream"]["id"])
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio(guarded, (transport,), auth={"token": grant})


@pytest.mark.parametrize("open_to_all", [False, True], ids=["guarded", "open"])
def test_the_end_of_a_sharing(
    guarded: RunningServer,
    server: RunningServer,
    sio: Connect,
    transport: str,
    *,
    open_to_all: bool,
) -> None:
    at = server if open_to_all else guarded
    alice, again, bob, carol = (
        signed_in(name, sio, at, transport) for name in ("alice", "alice", "bob", "carol")
    )
    started = alice.call("start_stream", SLOW)
    stream_id = started["stream"]["id"]
    own = {"id": stream_id, "offset": 0, "key": started["key"]}
    grants = [share(alice, stream_id) for _ in range(2)]
    for reader, grant in ((bob, grants[0]), (carol, grants[1])):
        shown = {"id": stream_id, "offset": 0, "grant": grant}
        assert reader.call("resume_stream", shown)["ok"]
        reader.wait_for_event("new_char")
    assert alice.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    assert alice.call("unshare_stream", {"id": stream_id}) == {"ok": True, "detached": 2}
    for reader, grant in ((bob, grants[0]), (carol, grants[1])):
        told = reader.wait_for_event("stream_error", timeout=patient(1.0)).data
        assert (told["id"], told["code"]) == (stream_id, "forbidden")
        assert not told["retryable"]
        before = len(reader.named("new_char"))
        shown = {"id": stream_id, "offset": 0}
        assert code(reader.call("resume_stream", shown)) == "forbidden"
        assert code(reader.call("resume_stream", {"grant": grant, **shown})) == "forbidden"
        assert code(reader.call("describe_stream", {"id": stream_id})) == "forbidden"
        assert len(reader.named("new_char")) == before
    assert again.call("resume_stream", own)["ok"], "its owner reads on"
    newer = share(again, stream_id, key=started["key"])
    assert bob.call("resume_stream", {"id": stream_id, "offset": 0, "grant": newer})["ok"]
    for client in (alice, again):
        assert not client.named("stream_error")


def test_a_grant_expires_while_somebody_reads(
    guarded: RunningServer, sio: Connect, transport: str
) -> None:
    alice, bob = (signed_in(name, sio, guarded, transport) for name in ("alice", "bob"))
    stream_id = alice.call("start_stream", SLOW)["stream"]["id"]
    grant = share(alice, stream_id, expires=patient(0.5))
    shown = {"id": stream_id, "offset": 0, "grant": grant}
    assert bob.call("resume_stream", shown)["ok"]
    told = bob.wait_for_event("stream_error").data
    assert (told["id"], told["code"]) == (stream_id, "forbidden")
    assert code(bob.call("resume_stream", shown)) == "forbidden"
    with pytest.raises(socketio.exceptions.ConnectionError):
        sio(guarded, (transport,), auth={"grant": grant})
    assert not alice.named("stream_error")
    # One that is good for longer, shown in mid-stream, counts from then on.
    short, long_ = (share(alice, stream_id, expires=seconds) for seconds in (patient(0.5), 600))
    for grant in (short, long_):
        assert bob.call("resume_stream", {"id": stream_id, "offset": 0, "grant": grant})["ok"]
    carol = signed_in("carol", sio, guarded, transport)
    assert carol.call("resume_stream", {"id": stream_id, "offset": 0, "grant": short})["ok"]
    carol.wait_for_event("stream_error")
    assert len(bob.named("stream_error")) == 1 + 1  # the first end, and the refused resume


def test_who_may_share(guarded: RunningServer, sio: Connect, transport: str) -> None:
    alice, bob = (signed_in(name, sio, guarded, transport) for name in ("alice", "bob"))
    root = sio(guarded, (transport,), auth={"token": make_token("root", scope="admin")})
    limited = sio(guarded, (transport,), auth={"token": make_token(scope="read start")})
    stream_id = alice.call("start_stream", SLOW)["stream"]["id"]
    for client in (bob, limited):
        for event in ("share_stream", "unshare_stream"):
            assert code(client.call(event, {"id": stream_id})) == "forbidden"
    for payload in ({}, {"expires": 0}, {"expires": -1}, {"expires": 604_801}, {"expires": "1"}):
        wrong = {"id": stream_id, **payload} if payload else {}
        assert code(alice.call("share_stream", wrong)) == "invalid_request", payload
    assert code(alice.call("share_stream", {"id": "nowhere"})) == "unknown_stream"
    assert root.call("share_stream", {"id": stream_id})["ok"]
    assert root.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    assert root.call("unshare_stream", {"id": stream_id}) == {"ok": True, "detached": 0}
