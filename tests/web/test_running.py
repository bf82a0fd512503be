"""What runs once somebody has connected, and in which thread."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import Connect
from tests.lab.conftest import LabServer, StartLab


def threads(name: str) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == name]


def test_readers_are_served_in_the_reactors_thread(lab: LabServer, sio: Connect) -> None:
    client = sio(lab.url)
    (reactor,) = threads("reactor")
    served_in = set()
    step = lab.parts.dispatcher.step

    def watched(now: float) -> float | None:
        served_in.add(threading.current_thread())
        return step(now)

    lab.parts.dispatcher.step = watched  # type: ignore[method-assign]
    client.emit("start_stream", "abc")
    assert client.wait_for_event("stream_end").data["reason"] == "completed"
    assert served_in == {reactor}
    assert threads("dispatcher") == []


def test_the_dispatcher_may_have_a_thread_of_its_own(lab: LabServer, sio: Connect) -> None:
    lab.parts.one_thread = False
    client = sio(lab.url)
    [dispatcher] = threads("dispatcher")
    lab.parts.ensure_running()
    assert threads("dispatcher") == [dispatcher]
    client.emit("start_stream", "abc")
    assert client.wait_for_event("stream_end").data["reason"] == "completed"


@pytest.mark.parametrize("one_thread", [True, False])
def test_going_down_ends_either(start_lab: StartLab, sio: Connect, one_thread: bool) -> None:
    server = start_lab()
    server.parts.one_thread = one_thread
    sio(server.url)
    server.parts.close()
    assert threads("dispatcher") == threads("reactor") == []
