"""A socket for which there is no descriptor to hand it off with."""

from __future__ import annotations

import errno
import json
import logging
import os
from typing import Any, NoReturn

import pytest
import requests

from tests.support.timing import patient
from tests.transport.conftest import LocalServer
from tests.transport.raw import RawWebSocket

pytestmark = pytest.mark.live

TRY_AGAIN_LATER = 1013
TIMEOUT = patient(10.0)


def _no_descriptor(*_: Any) -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def _sid(opened: str) -> str:
    """Return the session's id from Engine.IO's first packet."""
    sid: str = json.loads(opened[1:])["sid"]
    return sid


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, local: LocalServer) -> pytest.MonkeyPatch:
    """A process whose table of descriptors is full when it hands off."""
    assert local.transport.reactor
    monkeypatch.setattr(os, "dup", _no_descriptor)
    return monkeypatch


def test_it_is_closed_and_its_session_ended(
    local: LocalServer, full: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    websocket = RawWebSocket(local.port)
    assert websocket.close_code() == TRY_AGAIN_LATER
    websocket.close()
    assert not local.socketio.server.eio.sockets
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    full.undo()
    websocket = RawWebSocket(local.port)
    assert next(websocket.messages()).startswith("0{")
    websocket.close()


def test_a_session_that_polls_goes_on_polling(
    local: LocalServer, full: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{local.url}/socket.io/?EIO=4&transport=polling"
    sid = _sid(requests.get(url, timeout=TIMEOUT).text)
    websocket = RawWebSocket(local.port, sid=sid)
    assert websocket.close_code() == TRY_AGAIN_LATER
    websocket.close()
    assert requests.post(f"{url}&sid={sid}", data="40", timeout=TIMEOUT).text == "ok"
    assert requests.get(f"{url}&sid={sid}", timeout=TIMEOUT).text.startswith("40{")
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    full.undo()
    websocket = RawWebSocket(local.port, sid=sid)
    websocket.send("2probe")
    assert next(websocket.messages()) == "3probe"
    websocket.close()


def test_nor_is_a_second_one(local: LocalServer, full: pytest.MonkeyPatch) -> None:
    full.undo()
    first = RawWebSocket(local.port)
    sid = _sid(next(first.messages()))
    full.setattr(os, "dup", _no_descriptor)
    second = RawWebSocket(local.port, sid=sid)
    assert second.close_code() == TRY_AGAIN_LATER
    second.close()
    first.send("40")
    assert next(first.messages()).startswith("40{")
    first.close()
