"""Where a WSGI server keeps its socket, and where another process may have the session."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest
from flask import Flask
from flask_socketio import SocketIO

from textstream.transport import Transport, install
from textstream.transport.foreign import RUN_ONE_WORKER
from textstream.transport.sockets import NO_WEBSOCKET, gives_socket

UPGRADE = {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"}


class _Reader:
    """What gevent's server gives as ``wsgi.input``."""

    rfile = io.BufferedReader(io.BytesIO())  # it has a `raw`


@pytest.mark.parametrize(
    ("environ", "gives"),
    [
        ({}, False),
        ({"wsgi.input": io.BytesIO()}, False),
        ({"werkzeug.socket": None}, False),
        ({"werkzeug.socket": socket.socket}, True),
        ({"gunicorn.socket": socket.socket}, True),
        ({"eventlet.input": object()}, True),
        ({"SERVER_SOFTWARE": "gevent/26 Python/3.11", "wsgi.input": _Reader()}, True),
        ({"SERVER_SOFTWARE": "gevent/26 Python/3.11", "wsgi.input": io.BytesIO()}, False),
        ({"SERVER_SOFTWARE": "waitress", "wsgi.input": _Reader()}, False),
    ],
)
def test_who_gives_its_socket(environ: dict[str, Any], *, gives: bool) -> None:
    assert gives_socket(environ) is gives


@pytest.fixture
def http() -> Any:
    """Requests to an app with our transport, from a WSGI server that is none."""
    app = Flask("app")
    made = SocketIO(app, async_mode="threading", monitor_clients=False)
    transport = install(made)
    assert isinstance(transport, Transport)
    yield app.test_client()
    transport.close()


def test_a_websocket_is_not_offered_and_refused_with_one_line(
    http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        opened = http.get("/socket.io/?EIO=4&transport=polling")
        assert '"upgrades":[]' in opened.text
        sid = opened.text.partition('"sid":"')[2].partition('"')[0]
        for query in ("EIO=4&transport=websocket", f"EIO=4&transport=websocket&sid={sid}"):
            for headers in ({}, UPGRADE):
                refused = http.get(f"/socket.io/?{query}", headers=headers)
                assert (refused.status_code, refused.json) == (501, NO_WEBSOCKET)
    assert len([record for record in caplog.records if "socket" in record.getMessage()]) == 1


@pytest.mark.parametrize("several", [True, False])
def test_a_session_that_is_not_here(http: Any, *, several: bool) -> None:
    environ = {"wsgi.multiprocess": several}
    for method in ("GET", "POST"):
        answer = http.open(
            "/socket.io/?EIO=4&transport=polling&sid=x", method=method, environ_overrides=environ
        )
        assert answer.status_code == 400
        assert answer.json["code"] == 1
        said = answer.json["message"]
        assert said.startswith("Session ID unknown")
        assert said.endswith(RUN_ONE_WORKER) is several
