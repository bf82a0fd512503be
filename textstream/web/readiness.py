"""Whether the server can take more: what a load balancer asks before it sends somebody here."""

from __future__ import annotations

from typing import Literal

from textstream.web import descriptors
from textstream.web.accepting import FULL
from textstream.web.server import Server

Lack = Literal["draining", "connections", "streams", "bytes", "descriptors"]
"""Why nobody more can be taken: the server goes down; there are as many connections or streams as
may be; as many bytes are kept for streams that cannot be forgotten; descriptors run out."""


def lack_of(server: Server) -> Lack | None:
    """Return why `server` can take nobody more now; None: it can. Any thread."""
    if server.hub.closing:
        return "draining"
    if server.clients.full:
        return "connections"
    return server.hub.lack or ("descriptors" if _few_descriptors() else None)


def _few_descriptors() -> bool:
    try:
        return descriptors.in_use() >= descriptors.for_connections(descriptors.limit())
    except OSError as error:  # none to count them with; or the system does not tell
        return error.errno in FULL
