"""Streams that servers share in a cluster: each lies in one shard, and any server reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Connect, StartServer
from tests.store.conftest import GRANT_SECRET, LEASE
from tests.support.running_server import RunningServer
from tests.support.store import Store
from tests.support.store_cluster import cluster_url, running_cluster

pytestmark = pytest.mark.live

TEXT = "The quick brown fox jumps over the lazy dog. " * 20

STREAMS = 12
"""That none of three shards has any of them happens once in a hundred runs, and is no fault."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Store]]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as stores:
        yield stores


@pytest.fixture(scope="module")
def pair(cluster: list[Store], start_server: StartServer) -> Iterator[list[RunningServer]]:
    """Two servers that share a cluster."""
    env = {
        "TEXTSTREAM_STORE": cluster_url(cluster),
        "TEXTSTREAM_LEASE": LEASE,
        "TEXTSTREAM_GRANT_SECRET": GRANT_SECRET,
    }
    servers = [start_server(env=env) for _ in range(2)]
    yield servers
    for server in servers:
        code = server.stop()
        log = server.log_text()
        assert code == 0, log
        assert "Traceback" not in log, log
        assert " ERROR " not in log, log


def test_what_one_server_starts_another_reads(
    cluster: list[Store], pair: list[RunningServer], sio: Connect
) -> None:
    first, second = pair
    started = []
    for _ in range(STREAMS):
        client = sio(first)
        answer = client.call("start_stream", {"source": "text", "text": TEXT, "rate": 2000})
        assert answer["ok"], answer
        started.append(answer["stream"]["id"])
    for stream_id in started:
        reader = sio(second)
        assert reader.call("resume_stream", {"id": stream_id, "offset": 0, "rate": 0})["ok"]
        end = reader.wait_for_event("stream_end").data
        assert reader.text == TEXT
        assert end["reason"] == "completed"
    logs = [store.ask("DBSIZE") for store in cluster]
    assert sum(logs) >= 2 * STREAMS
    assert len([count for count in logs if count]) > 1, "all lies in one shard"


def test_a_stream_is_stopped_from_the_other_server(pair: list[RunningServer], sio: Connect) -> None:
    first, second = pair
    author, reader = sio(first), sio(second)
    answer = author.call("start_stream", {"source": "text", "text": TEXT, "rate": 50})
    stream_id, key = answer["stream"]["id"], answer["key"]
    assert reader.call("resume_stream", {"id": stream_id, "offset": 0, "key": key})["ok"]
    stopped = reader.call("stop_stream", {"id": stream_id, "key": key})
    assert stopped["ok"], stopped
    ends = [client.wait_for_event("stream_end").data for client in (author, reader)]
    assert ends[0]["offset"] == ends[1]["offset"] == stopped["offset"]
    assert ends[0]["text_sha256"] == ends[1]["text_sha256"]
