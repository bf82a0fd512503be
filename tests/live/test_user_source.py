"""A source of one's own, and one that fails half-way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import Connect, StartServer
from tests.live.streams import finish, sha256, start
from tests.support.running_server import ROOT
from tests.support.sio_client import Event
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live


def test_the_readmes_source_works_as_printed(
    start_server: StartServer, sio: Connect, tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text()
    code = re.search(r"```python\n# my_module\.py\n(.*?)```", readme, re.DOTALL)
    setting = re.search(r'TEXTSTREAM_SOURCES="([^"]+)"', readme)
    assert code
    assert setting
    (tmp_path / "my_module.py").write_text(code[1])
    server = start_server(
        env={"TEXTSTREAM_SOURCES": setting[1], "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    client = sio(server)
    start(client, {"source": "shout", "prompt": "good morning"})
    assert finish(client)["reason"] == "completed"
    assert client.text == "GOOD! MORNING! "


def test_what_came_before_a_failure_is_kept(start_server: StartServer, sio: Connect) -> None:
    server = start_server("--sources", "broken=tests.client.sources_for_tests:broken")
    client = sio(server)
    stream = start(client, {"source": "broken", "prompt": "go"})
    end = finish(client)
    assert end["reason"] == "error"
    error = client.named("stream_error")[0].data
    assert error["id"] == stream["id"]
    assert error["code"] == "source_failed"
    names = [event.name for event in client.events]
    assert names[-2:] == ["stream_error", "stream_end"]
    assert client.text
    replay = sio(server)
    assert replay.call("resume_stream", {"id": stream["id"], "offset": 0, "rate": 0})["ok"]
    assert finish(replay) == end
    assert replay.text == client.text


RESTING = """
SAID = "Let me look that up."

def resting(request):
    yield SAID
    request.cancel.wait(3600)  # for ever: what it says does not wait for what it says next
"""


def test_what_a_source_said_is_there_while_it_rests(
    start_server: StartServer, sio: Connect, tmp_path: Path
) -> None:
    (tmp_path / "resting.py").write_text(RESTING)
    server = start_server(
        "--sources", "resting=resting:resting", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    )
    said = "Let me look that up."
    for unit, units in (("char", 20), ("word", 5)):
        for transport in ("websocket", "polling"):
            client, late = sio(server, (transport,)), sio(server)
            stream = start(client, {"source": "resting", "unit": unit, "format": "chunk"})

            def complete(events: Sequence[Event]) -> bool:
                return "".join(e.data["text"] for e in events if e.name == "stream_chunk") == said

            client.wait_for(complete)
            assert late.call("resume_stream", {"id": stream["id"], "offset": 0})["ok"]
            late.wait_for_event("new_char", count=units)
            assert late.text == said
            assert client.call("stop_stream", {"id": stream["id"]})["offset"] == units
            assert finish(client)["text_sha256"] == finish(late)["text_sha256"] == sha256(said)


LEAKING = r"""
def leaking(request):
    yield "a"
    raise ValueError(request.prompt)
"""

FORGED = "my prompt\n2026-01-01 INFO forged line\r\x1b[31mred\u2028end"


@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize("level", ["info", "debug"])
def test_what_a_source_says_of_a_prompt_is_told_to_who_debugs_and_forges_no_line(
    start_server: StartServer, sio: Connect, tmp_path: Path, level: str, format_: str
) -> None:
    (tmp_path / "leaking_source.py").write_text(LEAKING)
    server = start_server(
        "--log-level", level, "--log-format", format_,
        env={
            "TEXTSTREAM_SOURCES": "leaking=leaking_source:leaking",
            "PYTHONPATH": f"{tmp_path}:{ROOT}",
        },
    )  # fmt: skip
    client = sio(server)
    stream = start(client, {"source": "leaking", "prompt": FORGED, "rate": 0})
    assert finish(client)["reason"] == "error"
    server.wait_for_log(lambda log: "stream ended" in log)
    log = server.log_text()
    assert "leaking_source.py:4 leaking > ValueError" in log
    assert ("my prompt" in log) == (level == "debug")
    assert not [line for line in log.splitlines() if line.startswith("2026-01-01 INFO forged")]
    assert log.replace("\n", "").isprintable()
    assert stream["id"] not in log
    assert fingerprint(stream["id"]) in log
