"""A store that speaks TLS, to a user who may touch the server's own prefix and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Connect, StartServer
from tests.store.conftest import GRANT_SECRET, LEASE
from tests.support.store_tls import PREFIX, redis_server, running_tls

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not redis_server(), reason="redis-server is not installed"),
]

TEXT = "The quick brown fox. " * 30


def test_a_stream_is_read_by_way_of_it(
    tmp_path: Path, start_server: StartServer, sio: Connect
) -> None:
    with running_tls(tmp_path) as url:
        env = {
            "TEXTSTREAM_STORE": url,
            "TEXTSTREAM_STORE_PREFIX": PREFIX,
            "TEXTSTREAM_LEASE": LEASE,
            "TEXTSTREAM_GRANT_SECRET": GRANT_SECRET,
        }
        first, second = (start_server(env=env) for _ in range(2))
        author, reader = sio(first), sio(second)
        answer = author.call("start_stream", {"source": "text", "text": TEXT, "rate": 1000})
        stream_id, key = answer["stream"]["id"], answer["key"]
        assert reader.call("resume_stream", {"id": stream_id, "offset": 0, "key": key})["ok"]
        for client in (author, reader):
            client.wait_for_event("stream_end")
            assert client.text == TEXT
        running = author.call("start_stream", {"source": "text", "text": TEXT, "rate": 20})
        stopped = {"id": running["stream"]["id"], "key": running["key"]}
        assert sio(second).call("stop_stream", stopped)["ok"]
        first.terminate()
        for server in (first, second):
            assert server.stop() == 0
            log = server.log_text()
            assert "Traceback" not in log
            assert "NOPERM" not in log, log
            assert " ERROR " not in log, log


def test_a_wrong_password_is_told_with_the_reason(
    tmp_path: Path, start_server: StartServer, sio: Connect
) -> None:
    with running_tls(tmp_path) as url:
        wrong = url.replace(":a-secret", ":another-secret")
        server = start_server(env={"TEXTSTREAM_STORE": wrong, "TEXTSTREAM_STORE_WAIT": "0.5"})
        log = server.wait_for_log(lambda text: "the store cannot be reached" in text)
        assert "invalid username-password" in log
        assert "another-secret" not in log
        answer = sio(server).call("start_stream", {"source": "text", "text": "hi"})
        assert answer["error"]["code"] == "unavailable"
        assert server.stop() == 0
