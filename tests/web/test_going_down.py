"""What fails while the server goes down keeps nothing else from being done."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest
from engineio.exceptions import SocketIsClosedError

from tests.conftest import Connect
from tests.lab.conftest import LabServer
from textstream.web.signals import GoingDown


def failing(error: Exception) -> Any:
    """Return what raises `error`, whatever it is called with."""

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [SocketIsClosedError(), RuntimeError("a bug")], ids=repr)
def test_a_client_that_cannot_be_told(
    lab: LabServer, sio: Connect, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    clients = [sio(lab.url) for _ in range(3)]
    server = lab.parts.socketio.server
    gone = server.eio.sockets[server.manager.eio_sid_from_sid(clients[0].sid, "/")]
    monkeypatch.setattr(gone, "send", failing(error))
    lab.parts.drain(0)
    for client in clients[1:]:
        client.wait_for_event("server_draining")
    assert clients[0].named("server_draining") == []
    monkeypatch.undo()


@pytest.mark.parametrize("step", ["hub.close", "_flush", "dispatcher.close", "registry.close"])
def test_a_step_that_fails(
    lab: LabServer,
    sio: Connect,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    client, told = sio(lab.url), threading.Event()
    *path, name = step.split(".")
    part = getattr(lab.parts, path[0]) if path else lab.parts
    monkeypatch.setattr(part, name, failing(RuntimeError("a bug")))
    lab.parts.close(told=told.set)
    assert told.is_set()
    client.wait_for_event("disconnect")
    # Not what a busy machine has the reactor say.
    said = [one.getMessage() for one in caplog.records if one.name == "textstream.server"]
    assert ["RuntimeError" in words for words in said] == [True]
    monkeypatch.undo()


@pytest.mark.parametrize("method", ["drain", "close"])
def test_a_signal_goes_all_the_way(
    lab: LabServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    called, finished = list[str](), threading.Event()
    for name in ("drain", "close"):
        monkeypatch.setattr(lab.parts, name, lambda *_, name=name, **__: called.append(name))
    monkeypatch.setattr(lab.parts, method, failing(RuntimeError("a bug")))
    GoingDown(lab.parts, 0, finish=finished.set)(signal.SIGTERM, None)
    assert finished.wait(10)
    assert called == [name for name in ("drain", "close") if name != method]
    monkeypatch.undo()
