"""What an operator sees of a server in its own process: its audit log, its figures' address."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from typing import Any

import pytest
import requests

from tests.conftest import Connect, StartServer
from tests.live.conftest import StartGunicorn
from tests.live.streams import endless, finish, start
from tests.support.figures import TIMEOUT, Figures
from tests.support.ports import free_ports
from tests.support.running_server import RunningServer
from tests.support.timing import patient
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live

BEGAN = "process_start_time_seconds"

SECRET = "the prompt that is nobody's business"


def audited(log: str) -> list[dict[str, Any]]:
    """Return the lines of the audit log, in order."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "textstream.audit"]


def figures_url(server: RunningServer) -> str:
    """Return where a server says that its figures are."""
    found = re.search(r"figures are on (http://[^\s\"]+)/metrics", server.log_text())
    assert found, server.log_text()
    return found[1]


def test_the_audit_log_tells_who_did_what(start_server: StartServer, sio: Connect) -> None:
    env = {"TEXTSTREAM_AUDIT": "true", "TEXTSTREAM_LOG_FORMAT": "json"}
    server = start_server("--log-level", "error", env=env)
    owner, viewer = (
        sio(server),
        sio(server, ("polling",), headers={"Origin": "http://localhost:5173"}),
    )
    answer = owner.call("start_stream", {"text": SECRET * 1000, "rate": 20})
    stream, key = answer["stream"], answer["key"]
    assert viewer.call("resume_stream", {"id": stream["id"], "offset": 0})["ok"]
    for _ in range(50):
        viewer.call("describe_stream", {"id": "x" * 22})
    assert not viewer.call("stop_stream", {"id": stream["id"]})["ok"]
    assert viewer.call("stop_stream", {"id": stream["id"], "key": key})["ok"]
    finish(owner)
    start(owner, {"text": SECRET, "rate": 1})
    assert owner.call("stop_stream")["ok"]
    names = {fingerprint(owner.sid): "owner", fingerprint(viewer.sid): "viewer"}
    viewer.close()
    server.wait_for_log(lambda log: "audit: disconnected" in log)
    server.terminate()
    assert server.stop() == 0

    log = server.log_text()
    lines = audited(log)
    told = [
        (line["message"].removeprefix("audit: "), names.get(line.get("connection", ""), ""))
        for line in lines
    ]
    assert told[:9] == [
        ("connected", "owner"),
        ("connected", "viewer"),
        ("started", "owner"),
        ("read by another", "viewer"),
        ("refused", "viewer"),
        ("refused", "viewer"),
        ("stopped", "viewer"),
        ("started", "owner"),
        ("stopped", "owner"),
    ]
    assert told.count(("disconnected", "viewer")) == 1
    assert ("admin", "") in told
    first = fingerprint(stream["id"])
    about = [line.get("stream") == first for line in lines[2:7]]
    assert about == [True, True, False, False, True]
    assert lines[1]["transport"] == "polling"
    assert lines[1]["origin"] == "http://localhost:5173"
    assert (lines[2]["source"], lines[3]["offset"]) == ("text", 0)
    assert (lines[4]["code"], lines[4]["asked"]) == ("unknown_stream", "describe_stream")
    assert (lines[5]["code"], lines[5]["asked"]) == ("forbidden", "stop_stream")
    assert {line["address"] for line in lines[:9]} == {"127.0.0.1"}
    for secret in (SECRET, key, owner.sid, viewer.sid, stream["id"]):
        assert secret not in log


def test_without_it_nothing_of_it_is_in_the_log(server: RunningServer, sio: Connect) -> None:
    client = sio(server)
    start(client, {"text": "abc", "rate": 0})
    finish(client)
    assert "textstream.audit" not in server.log_text()


def test_a_quota_that_is_hit_is_told_once(start_server: StartServer, sio: Connect) -> None:
    env = {"TEXTSTREAM_AUDIT": "on", "TEXTSTREAM_LOG_FORMAT": "json"}
    server = start_server("--max-streams-per-client", "1", env=env)
    client = sio(server)
    start(client, {"text": "x" * 1000, "rate": 1, "format": "chunk"})
    for _ in range(20):
        answer = client.call("start_stream", {"text": "y", "rate": 1, "format": "chunk"})
        assert answer["error"]["code"] == "too_many_streams"
    found = Figures.of(server.url)
    refused = found.sum("textstream_refusals_total", event="start_stream", code="too_many_streams")
    assert refused == 20
    assert server.stop() == 0
    (line,) = [one for one in audited(server.log_text()) if "quota" in one["message"]]
    assert (line["scope"], line["asked"]) == ("connection", "start_stream")


def test_figures_have_the_address_that_is_asked_for(
    start_server: StartServer, sio: Connect
) -> None:
    server = start_server("--metrics", "127.0.0.1:0")
    endless(sio(server))
    found = Figures.of(figures_url(server))
    assert found.sum("textstream_streams_running") == 1
    assert requests.get(f"{server.url}/metrics", timeout=TIMEOUT).status_code == 403
    assert server.stop() == 0


def test_one_that_is_taken_is_said_at_the_start(
    start_server: StartServer, server: RunningServer
) -> None:
    with pytest.raises(RuntimeError, match=r"Cannot listen on .*Choose another with --metrics"):
        start_server("--metrics", server.url.removeprefix("http://"))


def test_each_gunicorn_worker_has_its_own(start_gunicorn: StartGunicorn, sio: Connect) -> None:
    first = free_ports(2)
    server = start_gunicorn(0, "-w", "2", TEXTSTREAM_METRICS=f"127.0.0.1:{first}")
    urls = [f"http://127.0.0.1:{port}" for port in (first, first + 1)]
    client = sio(server.url)
    start(client, {"text": "abc", "rate": 0})
    finish(client)
    found = [eventually(url) for url in urls]
    assert sorted(one.sum("textstream_units_sent_total") for one in found) == [0, 3]
    answer = requests.get(f"{server.url}/metrics", timeout=TIMEOUT)
    assert answer.status_code == 403
    assert server.stop() == 0


def test_after_a_restart_the_next_worker_has_the_address(start_gunicorn: StartGunicorn) -> None:
    port = free_ports()
    url = f"http://127.0.0.1:{port}"
    server = start_gunicorn(0, TEXTSTREAM_METRICS=f"127.0.0.1:{port}")
    before = eventually(url).sum(BEGAN)
    server.reload()
    assert eventually(url, besides=before).sum(BEGAN) > before
    assert server.stop() == 0


def eventually(url: str, *, besides: float = 0.0) -> Figures:
    """Return the figures of a process that is about to serve them; not of that which began then."""
    deadline = time.monotonic() + patient(30)
    while True:
        with suppress(requests.ConnectionError):
            found = Figures.of(url)
            if found.sum(BEGAN) != besides:
                return found
        assert time.monotonic() < deadline
        time.sleep(0.02)  # nobody tells that another process listens
