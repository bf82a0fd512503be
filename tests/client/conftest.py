from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.client.asking import ASKS, Ask
from tests.client.sources_for_tests import SETTING
from tests.conftest import StartServer
from tests.support.running_server import ROOT, RunningServer
from textstream.client import StreamClient


@pytest.fixture(scope="session")
def text_server(start_server: StartServer) -> RunningServer:
    """A server that also has the sources of these tests."""
    return start_server("--sources", SETTING, env={"PYTHONPATH": _path()})


@pytest.fixture
def client(text_server: RunningServer) -> Iterator[StreamClient]:
    with StreamClient(text_server.url) as client:
        yield client


@pytest.fixture(params=ASKS, ids=["stream", "sources"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """One way to ask a server for something, after the other."""
    found: Ask = request.param
    return found


def _path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
