"""How to go on, said where that can work, and nowhere else: the advice is followed."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import pytest

from tests.cli.conftest import COMMAND, PATIENCE, Run, environment
from tests.client.sources_for_tests import SETTING
from tests.conftest import StartServer
from tests.support.running_server import ROOT, RunningServer
from textstream import errors
from textstream.chaos import ChaosProxy
from textstream.cli.advice import after_end, after_failure, read_on_with
from textstream.client import StreamClient, StreamResult
from textstream.client.failures import CannotConnect, Cause, refusal
from textstream.protocol import EndReason

ADVICE = re.compile(r" Read on with: textstream (resume .*)$", re.MULTILINE)


@pytest.mark.parametrize(
    "reason", ["completed", "length", "error", "stopped", "replaced", "expired"]
)
def test_an_end_leaves_what_this_reader_has_not_read(reason: EndReason) -> None:
    result = StreamResult(reason, 10, "", verified=False)
    assert after_end(result, 10) is None
    assert after_end(result, 7) == 7


def test_a_shutdown_leaves_nothing() -> None:
    assert after_end(StreamResult("shutdown", 10, "", verified=False), 7) is None


@pytest.mark.parametrize(
    ("error", "offset"),
    [
        (errors.ServerUnreachable("lost"), 7),
        (CannotConnect("http://h", Cause("connection refused")), 7),
        (refusal("http://h", {"message": "Go away."}), None),
        (errors.OffsetGone("trimmed", first=9), 9),
        (errors.UnknownStream("forgotten"), None),
        (errors.SourceFailed("broke"), None),
        (errors.Forbidden("no"), None),
        (errors.StreamFailed("text_mismatch", "no"), None),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_after_a_failure(error: errors.TextStreamError, offset: int | None) -> None:
    assert after_failure(error, 7) == offset


def test_the_advice_is_words_for_a_shell() -> None:
    assert read_on_with("Ab_-1", 7, None) == "Read on with: textstream resume Ab_-1 --offset 7"
    for hostile in ("$(reboot)", "a b; c", "-x", "--url", "'"):
        command = read_on_with(hostile, 7, "http://h/?a&b").partition(": ")[2]
        _, _, *arguments = shlex.split(command)
        before, _, behind = (
            " ".join(arguments).partition(" -- ") if hostile[0] == "-" else ("", "", "")
        )
        assert hostile == (behind or arguments[0])
        assert "http://h/?a&b" in arguments
        assert before or arguments[1:3] == ["--offset", "7"]


@dataclass
class Reading:
    """The command line, at work on a stream."""

    process: subprocess.Popen[bytes]
    out: IO[bytes]
    err: IO[bytes]

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        """Return what it has written to standard error."""
        return self.err.read().decode()


@contextmanager
def reading(server: RunningServer, *arguments: str) -> Iterator[Reading]:
    """Let it read a stream that does not end."""
    process = subprocess.Popen(
        [*COMMAND, "--source", "endless", *arguments, "x"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(server),
    )
    assert process.stdout
    assert process.stderr
    with process, process.stdout, process.stderr:
        yield Reading(process, process.stdout, process.stderr)


@pytest.mark.live
def test_a_stream_that_others_stop_has_no_more_to_read(text_server: RunningServer) -> None:
    with reading(text_server, "--rate", "100", "--json") as it:
        started = json.loads(it.out.readline())
        with StreamClient(text_server.url) as client:
            client.resume(started["id"], key=started["key"]).stop()
        assert it.ended() == 4
        said = it.said()
    assert said == "textstream: The stream was stopped by somebody else.\n"


@pytest.mark.live
def test_a_reader_that_was_behind_can_read_the_rest(
    text_server: RunningServer, run_cli: Run
) -> None:
    with reading(text_server, "--rate", "20", "--json") as it:
        started = json.loads(it.out.readline())
        with StreamClient(text_server.url) as client:
            faster = client.resume(started["id"], rate=0, key=started["key"])
            while faster.offset < 500:
                next(faster)
            faster.stop()
            whole = faster.result
        text = b"".join(
            json.loads(line).get("text", "").encode() for line in it.out if line.strip()
        )
        assert it.ended() == 4
        found = ADVICE.search(it.said())
    assert found
    rest = run_cli(*shlex.split(found[1]), "--rate", "0")
    assert rest.returncode == 4
    assert whole
    assert len(text + rest.stdout) == whole.offset
    assert b"Read on" not in rest.stderr


@pytest.mark.live
def test_a_server_that_goes_down_takes_its_streams_with_it(start_server: StartServer) -> None:
    server = start_server("--sources", SETTING)
    with reading(server, "--rate", "100") as it:
        assert it.out.read(2) == b"0 "
        ended = threading.Thread(target=server.stop)
        ended.start()
        assert it.ended() == 4
        said = it.said()
        ended.join()
    assert said == "textstream: The server was shut down.\n"


@pytest.mark.live
def test_a_lost_connection_exits_3_and_the_rest_can_be_read(
    text_server: RunningServer, run_cli: Run
) -> None:
    with ChaosProxy(text_server.address) as network:
        there = ("--url", network.url, "--no-reconnect", "--rate", "200", "--json")
        with reading(text_server, *there) as it:
            started, first = (json.loads(it.out.readline()) for _ in range(2))
            network.cut_all()
            events = [first, *map(json.loads, it.out)]
            text = "".join(event.get("text", "") for event in events).encode()
            assert it.ended() == 3
            line = it.said()
        found = ADVICE.search(line)
        assert found
        assert f"--url {network.url}" in found[1], "the default one is another"
        assert shlex.split(found[1])[1] == started["id"]
        with StreamClient(text_server.url) as client:
            resumed = client.resume(started["id"], key=started["key"])
            while resumed.offset < len(text) + 100:
                next(resumed)
            resumed.stop()
        rest = run_cli(*shlex.split(found[1]), "--rate", "0")
    assert rest.returncode == 4
    whole = "".join(f"{n} " for n in range(10_000))
    assert whole.startswith((text + rest.stdout).decode())
    assert len(rest.stdout) >= 100
