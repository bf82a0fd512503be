"""A whole server in this process, for tests that set the lab's times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Connect
from tests.lab.responding import TRANSPORTS
from tests.support.local_app import local_app
from tests.support.sio_client import RecordingClient
from textstream.lab import LabLimits
from textstream.settings import LabMode, Settings
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
    with ExitStack() as running:

        def start(mode: LabMode = "auto", **limits: Any) -> LabServer:
            limits = {"interval": NEVER, "work": 0.05, **limits}
            app = local_app(Settings(lab=mode), lab_limits=LabLimits(**limits))
            return LabServer(*running.enter_context(app))

        yield start


@pytest.fixture
def lab(start_lab: StartLab) -> LabServer:
    """A server whose counter does not count."""
    return start_lab()


@pytest.fixture(params=TRANSPORTS, ids="+".join)
def test_client(request: pytest.FixtureRequest, lab: LabServer, sio: Connect) -> RecordingClient:
    """A client of ``/test``."""
    return sio(lab.url, request.param, "/test")
