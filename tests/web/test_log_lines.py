"""What is logged of a request, in a program whose logging is its own."""

from __future__ import annotations

import pytest
import requests

from tests.conftest import Connect
from tests.lab.conftest import LabServer

pytestmark = pytest.mark.live

PROMPT = "my prompt\n2026-01-01 INFO forged line\x1b[31m"


def test_a_view_that_fails(lab: LabServer, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise ValueError(PROMPT)

    lab.parts.app.add_url_rule("/broken<path:rest>", view_func=lambda rest: broken())
    assert requests.get(f"{lab.url}/broken%0aforged%1b", timeout=10).status_code == 500
    (told,) = caplog.messages
    assert r"Exception on /broken\nforged\x1b [GET]: Traceback: " in told
    assert told.endswith(" broken > ValueError")
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("event", ["start_stream", "describe_stream"])
def test_a_handler_that_fails(
    lab: LabServer,
    sio: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise ValueError(PROMPT)

    monkeypatch.setattr(lab.parts.hub, event.removesuffix("_stream"), broken)
    payload = {"text": "a"} if event == "start_stream" else {"id": "a"}
    answer = sio(lab.url).call(event, payload)
    assert answer["error"]["code"] == "internal_error"
    (told,) = caplog.messages
    assert told.startswith(f"{event} failed: Traceback: ")
    assert told.endswith(" broken > ValueError")
