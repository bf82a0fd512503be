"""The HTTP session of the client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.running_server import RunningServer
from textstream.client.address import parse_address
from textstream.client.http_session import HttpSession


@pytest.mark.live
def test_a_session_that_is_closed_has_closed_what_was_kept_alive(server: RunningServer) -> None:
    session = HttpSession(parse_address(server.url))
    assert session.get(f"{server.url}/healthz").ok
    adapter: Any = session.get_adapter(server.url)
    pools = adapter.poolmanager.pools
    (pool,) = [pools.get(key) for key in pools.keys()]  # noqa: SIM118  # held, as by a traceback
    (connection,) = [one for one in pool.pool.queue if one]
    assert connection.sock is not None
    session.close()
    assert connection.sock is None
