"""What runs once somebody has connected."""

from __future__ import annotations

import threading

from tests.conftest import Connect
from tests.lab.conftest import LabServer


def test_the_dispatcher_runs_from_the_first_connection_on(lab: LabServer, sio: Connect) -> None:
    assert "dispatcher" not in {thread.name for thread in threading.enumerate()}
    sio(lab.url)
    [dispatcher] = [one for one in threading.enumerate() if one.name == "dispatcher"]
    lab.parts.ensure_running()
    assert [one for one in threading.enumerate() if one.name == "dispatcher"] == [dispatcher]
