"""The store's primary dies and a replica takes its place: what is read goes on, exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Connect, StartServer
from tests.store.conftest import GRANT_SECRET, LEASE
from tests.support.doubles import sha256
from tests.support.store_sentinel import running_sentinels

pytestmark = pytest.mark.live

TEXT = "".join(f"{number} " for number in range(400))


def test_a_replica_takes_the_place_of_its_primary(
    tmp_path: Path, start_server: StartServer, sio: Connect
) -> None:
    with running_sentinels(tmp_path) as store:
        env = {
            "TEXTSTREAM_STORE": store.url,
            "TEXTSTREAM_LEASE": LEASE,
            "TEXTSTREAM_GRANT_SECRET": GRANT_SECRET,
        }
        first, second = (start_server(env=env) for _ in range(2))
        author, reader = sio(first), sio(second)
        answer = author.call("start_stream", {"source": "text", "text": TEXT, "rate": 400})
        assert reader.call("resume_stream", {"id": answer["stream"]["id"], "offset": 0})["ok"]
        reader.wait_for(lambda _: len(reader.text) > 100)
        store.fail_over()
        for client in (author, reader):
            end = client.wait_for_event("stream_end").data
            assert client.text == TEXT
            assert end["text_sha256"] == sha256(TEXT)
        again = author.call("start_stream", {"source": "text", "text": "again", "rate": 0})
        assert again["ok"], again
        for server in (first, second):
            assert server.stop() == 0
            assert "Traceback" not in server.log_text()
