"""The official JavaScript client, in Node, over each transport."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.node import run_script
from tests.support.running_server import RunningServer
from textstream.sources.text import SAMPLE_TEXT

pytestmark = pytest.mark.live

MODES = ("websocket", "polling", "upgrade")
FINAL_TRANSPORT = {"websocket": "websocket", "polling": "polling", "upgrade": "websocket"}

Seen = dict[str, Any]


def run(script: str, server: RunningServer, mode: str) -> Seen:
    """Run a script to its end; return the line of JSON that it printed."""
    return run_script(script, server.url, mode)


@pytest.fixture(scope="module")
def bare(server: RunningServer) -> dict[str, Seen]:
    """What the smallest client saw in each mode. All at once: each takes as long as the text."""
    with ThreadPoolExecutor(len(MODES)) as threads:
        return dict(
            zip(MODES, threads.map(lambda mode: run("bare.mjs", server, mode), MODES), strict=True)
        )


@pytest.mark.parametrize("mode", MODES)
def test_bare_client_gets_the_built_in_text(bare: dict[str, Seen], mode: str) -> None:
    seen = bare[mode]
    assert seen["text"] == SAMPLE_TEXT
    assert seen["sha256"] == seen["end"]["text_sha256"]
    assert seen["sha256"] == hashlib.sha256(SAMPLE_TEXT.encode()).hexdigest()
    assert seen["end"]["reason"] == "completed"
    assert seen["transport"] == FINAL_TRANSPORT[mode]


@pytest.mark.parametrize("mode", MODES)
def test_every_event_is_one_character(bare: dict[str, Seen], mode: str) -> None:
    seen = bare[mode]
    assert seen["events"] == seen["segments"]  # by Intl.Segmenter: another implementation
    assert seen["end"]["offset"] == len(seen["events"])


@pytest.mark.parametrize("mode", MODES)
def test_bare_client_gets_thirty_characters_a_second(bare: dict[str, Seen], mode: str) -> None:
    seen = bare[mode]
    rate = (len(seen["events"]) - 1) / seen["seconds"]
    assert rate == pytest.approx(30, rel=0.02)


@pytest.mark.parametrize("mode", MODES)
def test_a_string_is_the_text(server: RunningServer, mode: str) -> None:
    seen = run("string.mjs", server, mode)
    assert seen["chinese"]["events"] == list("这是一段要逐步返回的文字")
    assert seen["chinese"]["end"]["offset"] == 12
    family, flag, conjunct, jamo, accent, line = seen["clusters"]["events"]
    assert family == "👨\u200d👩\u200d👧\u200d👦"
    assert flag == "🇨🇭"
    assert conjunct == "क्षि"
    assert (jamo, accent, line) == ("\u1100\u1161\u11a8", "e\u0301", "\r\n")
    assert seen["chinese"]["exact"]
    assert seen["clusters"]["exact"]


@pytest.mark.parametrize("mode", MODES)
def test_speed_pause_and_stop(server: RunningServer, mode: str) -> None:
    seen = run("controls.mjs", server, mode)
    assert seen["stream"]["source"] == "text"
    assert seen["stream"]["format"] == "char"
    assert seen["faster"]["ok"]
    # 500 characters: 100 s at the first speed, 1 s at the second.
    assert seen["seconds"] < 10
    assert seen["paused"]["ok"]
    assert seen["whilePaused"] == 0
    assert seen["continued"]["ok"]
    assert seen["stopped"] == {"ok": True, "offset": seen["end"]["offset"]}
    assert seen["end"]["reason"] == "stopped"
    assert seen["received"] == seen["end"]["offset"]
    assert seen["exact"]
    assert seen["refused"]["error"]["code"] == "unknown_stream"


@pytest.mark.parametrize("mode", MODES)
def test_two_streams_on_one_connection(server: RunningServer, mode: str) -> None:
    seen = run("chunks.mjs", server, mode)
    assert seen["interleaved"]
    for stream in seen["streams"]:
        assert stream["same"]
        assert stream["exact"]
        assert stream["gaps"] == 0
        assert stream["next"] == stream["end"]["offset"]
        assert stream["end"]["reason"] == "completed"


@pytest.mark.parametrize("mode", MODES)
def test_resumes_at_the_exact_character(server: RunningServer, mode: str) -> None:
    seen = run("resume.mjs", server, mode)
    assert len(seen["resumes"]) == 3
    for resume in seen["resumes"]:
        assert resume == {
            "ok": True,
            "recovered": True,
            "offset": resume["offset"],
            "at": resume["offset"],
            "id": True,
        }
    assert seen["same"]
    assert seen["exact"]
    assert seen["units"] == seen["end"]["offset"]
    assert seen["replayed"]
