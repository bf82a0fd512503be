"""Which events are handled in the reactor's thread, and which never."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Connect
from tests.support.local_app import local_app
from tests.support.sio_client import RecordingClient
from tests.transport.feature_app import Record
from tests.web.telltale_source import SEEN, SETTINGS
from textstream.settings import Settings
from textstream.web.server import Server

REACTOR, WORKER = "reactor", "worker"

CALLED = ("start", "resume", "stop", "stop_own", "leave", "describe", "connect", "disconnect")


class Ran(Record):
    """In which threads the hub was asked for what."""

    def __init__(self, parts: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        for name in CALLED:
            monkeypatch.setattr(parts.hub, name, self._noting(name, getattr(parts.hub, name)))

    def _noting(self, name: str, method: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.add(name, threading.current_thread().name)
            return method(*args, **kwargs)

        return call


@pytest.fixture
def app() -> Iterator[tuple[str, Server]]:
    with local_app(Settings(sources=SETTINGS)) as running:
        yield running


@pytest.fixture
def ran(app: tuple[str, Server], monkeypatch: pytest.MonkeyPatch) -> Ran:
    return Ran(app[1], monkeypatch)


@pytest.fixture
def client(app: tuple[str, Server], ran: Ran, sio: Connect) -> RecordingClient:
    return sio(app[0])


def start(client: RecordingClient, **payload: Any) -> str:
    answer = client.call("start_stream", payload)
    assert answer["ok"], answer
    return str(answer["stream"]["id"])


def test_a_text_from_its_connection_to_its_end(ran: Ran, client: RecordingClient) -> None:
    stream_id = start(client, text="a" * 1000, rate=1)
    assert client.call("describe_stream", {"id": stream_id})["ok"]
    assert client.call("leave_stream", {"id": stream_id})["ok"]
    assert client.call("resume_stream", {"id": stream_id, "offset": 0})["ok"]
    assert client.call("stop_stream", {"id": stream_id})["ok"]
    start(client, text="b" * 1000, rate=1)
    assert client.call("stop_stream")["ok"]
    client.close()
    ran.wait_for("disconnect", REACTOR)
    assert {thread for _, thread in ran.seen} == {REACTOR}
    assert {name for name, _ in ran.seen} == set(CALLED)


@pytest.mark.parametrize("source", ["telltale", "boastful"])
def test_no_user_s_code_runs_there(ran: Ran, client: RecordingClient, source: str) -> None:
    def begin(how: str) -> str:
        stream_id = start(client, source=source, prompt=f"{source} {how}")
        SEEN.wait_for(f"registered {source} {how}")
        return stream_id

    text = start(client, text="to come back to")
    assert client.call("stop_stream", {"id": begin("stopped by its id")})["ok"]
    begin("stopped as the only one")
    assert client.call("stop_stream")["ok"]
    begin("replaced by a start")
    start(client, text="in its place")
    begin("replaced by a resume")
    assert client.call("resume_stream", {"id": text, "offset": 0})["ok"]
    for how in ("stopped by its id", "stopped as the only one", "replaced by a start"):
        SEEN.wait_for(f"cancelled {source} {how}", WORKER)
    SEEN.wait_for(f"cancelled {source} replaced by a resume", WORKER)
    assert not [one for one in SEEN.seen if REACTOR in one]


def test_params_of_a_user_s_source_are_checked_elsewhere(ran: Ran, client: RecordingClient) -> None:
    start(client, source="telltale", prompt="one", params={"size": 2})
    assert ("params", WORKER) in SEEN.seen
    assert ("params", REACTOR) not in SEEN.seen
    client.call("stop_stream")


def test_the_answers_come_in_the_order_of_the_questions(ran: Ran, client: RecordingClient) -> None:
    answers: list[str] = []
    done = threading.Event()

    def noting(name: str) -> Any:
        def note(answer: Any) -> None:
            answers.append(name)
            if len(answers) == 6:
                done.set()

        return note

    for n in range(3):
        payload = {"source": "telltale", "prompt": f"{n}", "format": "chunk"}
        client.client.emit("start_stream", payload, callback=noting(f"slow {n}"))
        client.client.emit("start_stream", {"text": f"{n}"}, callback=noting(f"quick {n}"))
    assert done.wait(10)
    assert answers == ["slow 0", "quick 0", "slow 1", "quick 1", "slow 2", "quick 2"]
    client.call("stop_stream")


def test_what_is_wrong_is_refused_as_ever(ran: Ran, client: RecordingClient) -> None:
    wrong: list[Any] = [{"text": "a", "rate": -1}, {"source": {}}, {"source": "nobody"}, [], "\0"]
    for payload in wrong:
        answer = client.call("start_stream", payload)
        assert not answer["ok"]
        assert answer["error"]["code"] in {"invalid_request", "unknown_source"}
    assert len(client.named("stream_error")) == len(wrong)


def test_a_handler_that_fails_is_answered_and_logged_once(
    app: tuple[str, Server],
    ran: Ran,
    client: RecordingClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        assert threading.current_thread().name == REACTOR
        raise OSError("scripted")

    monkeypatch.setattr(app[1].hub, "start", fail)
    answer = client.call("start_stream", {"text": "a"})
    assert answer["error"]["code"] == "internal_error"
    assert client.wait_for_event("stream_error").data["code"] == "internal_error"
    [line] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert line.getMessage().startswith("start_stream failed: Traceback: ")
    assert client.call("describe_stream", {"id": "x"})["error"]["code"] == "unknown_stream"
