"""A callable for ``TEXTSTREAM_AUTHORIZE``: who has an API key, as an operator may write it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from textstream.access.credentials import Credentials
from textstream.access.principal import Principal

KEYS = {"key-of-alice": "alice", "key-of-bob": "bob"}

POLL = 0.01


def authorize(shown: Credentials) -> Principal | None:
    """Return whose key it is; of a proxy's word, who that says."""
    if threading.current_thread().name != "authorize":
        raise AssertionError("in the wrong thread")
    if shown.token == "boom":
        raise ValueError("the database is away: password=hunter2")
    if shown.token == "wait":
        gone_on = Path(os.environ["GO_ON"])
        pause = threading.Event()
        while not gone_on.exists():
            pause.wait(POLL)
        return Principal("patient")
    if user := shown.headers.get("x-forwarded-user"):
        return Principal(user)
    name = KEYS.get(shown.token or "")
    return Principal(name) if name else None
