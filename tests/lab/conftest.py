"""A whole server in this process, for tests that set the lab's times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.conftest import Connect
from tests.lab.responding import TRANSPORTS
from tests.support.sio_client import RecordingClient
from textstream.lab import LabLimits
from textstream.settings import LabMode, Settings
from textstream.web.app import create_app
from textstream.web.request_handler import RequestHandler
from textstream.web.server import Server

NEVER = 3600.0
"""Seconds: a timer that does not come while a test runs."""


@dataclass
class LabServer:
    """A server and its parts."""

    url: str
    parts: Server


StartLab = Callable[..., LabServer]


@pytest.fixture
def start_lab() -> Iterator[StartLab]:
    """Start servers with these `LabLimits`; they are closed after the test."""
    closers: list[Callable[[], None]] = []

    def start(mode: LabMode = "auto", **limits: Any) -> LabServer:
        limits = {"interval": NEVER, "work": 0.05, **limits}
        app = create_app(Settings(lab=mode), lab_limits=LabLimits(**limits))
        httpd = make_server("127.0.0.1", 0, app, threaded=True, request_handler=RequestHandler)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        parts: Server = app.extensions["textstream"]

        def close() -> None:
            parts.close()
            httpd.shutdown()
            thread.join()
            httpd.server_close()

        closers.append(close)
        return LabServer(f"http://127.0.0.1:{httpd.server_port}", parts)

    yield start
    for close in closers:
        close()


@pytest.fixture
def lab(start_lab: StartLab) -> LabServer:
    """A server whose counter does not count."""
    return start_lab()


@pytest.fixture(params=TRANSPORTS, ids="+".join)
def test_client(request: pytest.FixtureRequest, lab: LabServer, sio: Connect) -> RecordingClient:
    """A client of ``/test``."""
    return sio(lab.url, request.param, "/test")
