"""What a server has and keeps, in numbers: one line of JSON in the log when its operator asks."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from textstream.access.caller import NOBODY
from textstream.web import descriptors
from textstream.web.server import Server

logger = logging.getLogger("textstream.server")

_NAME = re.compile(r"Thread-\d+ \((?P<target>\w+)\)|(?P<name>.*?)[-_ \d]*")
"""A thread's name: the stock one has its function's in it; pools number theirs."""


def counters(server: Server) -> dict[str, Any]:
    """Return what `server` and its process have and keep now, by name. Any thread.

    It takes the locks of the tables that it looks at, one after the other, each for a moment.
    """
    return {
        "process": _process(server),
        "sessions": sessions(server),
        **server.hub.counts(),
        "dispatcher": server.dispatcher.counts(),
        **server.hub.pools.counts(),
        "http": server.front.counts() if server.front else {},
        "workers": server.transport.pool.counts() if server.transport else {},
        "account": _account(server),
    }


def log_counters(server: Server) -> None:
    """Write the counters of `server` to the log, whatever its level: somebody has asked."""
    server.watch.admin("counters", NOBODY)
    line = json.dumps(counters(server), separators=(",", ":"))
    logger.handle(
        logger.makeRecord(
            logger.name, logging.INFO, __file__, 0, "counters %s", (line,), None, "log_counters"
        )
    )


def _process(server: Server) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "uptime": round(time.monotonic() - server.started, 1),
        "rss": _resident(),
        "threads": threads(),
        "descriptors": {"in_use": _descriptors(), "limit": descriptors.limit()},
    }


def threads() -> dict[str, int]:
    """Return how many threads the process has, by name, without their numbers."""
    return dict(Counter(_prefix(thread.name) for thread in threading.enumerate()))


def _prefix(name: str) -> str:
    found = _NAME.fullmatch(name)
    return (found["target"] or found["name"] if found else "") or name


def _resident() -> int | None:
    """Return the bytes in memory; None where the system does not say so (proc(5))."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _descriptors() -> int | None:
    try:
        return descriptors.in_use()
    except OSError:
        return None


def sessions(server: Server) -> dict[str, int]:
    """Return how many Engine.IO sessions are on which transport."""
    there = list(server.socketio.server.eio.sockets.values())
    websockets = sum(bool(session.upgraded) for session in there)
    return {"polling": len(there) - websockets, "websocket": websockets}


def _account(server: Server) -> dict[str, Any]:
    """Return the bytes kept for all clients, by kind, and the addresses that have most of them."""
    clients = server.clients.counters()
    return {
        "total": server.clients.account.total,
        **clients["bytes"],
        "addresses": clients["addresses"],
        "users": clients["users"],
        "largest": clients["largest"],
    }
