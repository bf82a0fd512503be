"""The server's log as it is written: no id that anybody could use, at any level."""

from __future__ import annotations

import os
import signal

import pytest

from tests.conftest import Connect, StartServer
from tests.lab.responding import TRANSPORTS
from tests.live.streams import finish, start
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live


@pytest.mark.parametrize("format_", ["text", "json"])
def test_ids_are_fingerprints_and_texts_are_not_there(
    start_server: StartServer, sio: Connect, format_: str
) -> None:
    server = start_server("--log-level", "debug", "--log-format", format_)
    for transports in TRANSPORTS:
        client = sio(server, transports)
        stream = start(client, {"text": "the secret text", "rate": 0})
        finish(client)
        shown = fingerprint(stream["id"])
        shown = f"stream={shown} " if format_ == "text" else f'"stream": "{shown}"'
        server.wait_for_log(lambda log, shown=shown: shown in log)  # type: ignore[misc]
        log = server.log_text()
        assert "secret" not in log
        if transports == ("polling",):
            assert fingerprint(client.client.eio.sid) in log, "in the address of each poll"
        for id_ in (stream["id"], client.sid, client.client.eio.sid):
            assert id_ not in log


def test_an_end_is_told_before_the_counters_that_follow_it(
    start_server: StartServer, sio: Connect
) -> None:
    server = start_server()
    client = sio(server)
    stream = start(client, {"text": "ab", "rate": 0})
    finish(client)
    os.kill(server.pid, signal.SIGUSR1)
    log = server.wait_for_log(lambda log: "counters {" in log)
    assert log.index(f"stream={fingerprint(stream['id'])}") < log.index("counters {")
    stream = start(client, {"text": "ab", "rate": 0})
    client.wait_for_event("stream_end", 2)
    server.terminate()
    assert server.stop() == 0
    log = server.log_text()
    assert log.index(f"stream={fingerprint(stream['id'])}") < log.index("going down")
