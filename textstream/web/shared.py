"""Streams that several processes share: made where a store is set, and nowhere else imported."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textstream.hub.directory import Directory
from textstream.hub.hub import Limits
from textstream.reading.dispatcher import Dispatcher
from textstream.settings import Settings
from textstream.sources import SourceRegistry
from textstream.stream.log import NewLog
from textstream.stream.pools import Pools

if TYPE_CHECKING:
    from textstream.store.node import Node

logger = logging.getLogger("textstream.store")

LINKS_ARE_LOCAL = (
    "TEXTSTREAM_GRANT_SECRET is not set: a link that one server makes opens nothing on the others. "
    "Set the same for all."
)


@dataclass
class SharedStreams:
    """What a server has to share its streams by.

    Attributes:
        directory: for its hub.
        node: what speaks with the store.
        new_log: makes logs of the kind that are needed.

    """

    directory: Directory
    node: Node
    new_log: NewLog


def share_streams(
    settings: Settings,
    *,
    registry: SourceRegistry,
    pools: Pools,
    dispatcher: Dispatcher,
    limits: Limits,
) -> SharedStreams | None:
    """Return what streams are shared by; None: no store is set.

    Raises:
        SourceUnavailable: what it takes is not installed, or the address is none.

    """
    if settings.store is None:
        return None
    # Here, so that who runs one process needs none of it.
    from textstream.store.connect import Connector  # noqa: PLC0415

    connector = Connector(settings.store.get_secret_value())

    from functools import partial  # noqa: PLC0415

    from textstream.store.directory import StoreDirectory  # noqa: PLC0415
    from textstream.store.keys import Keys  # noqa: PLC0415
    from textstream.store.link import Link  # noqa: PLC0415
    from textstream.store.log import SharedLog  # noqa: PLC0415
    from textstream.store.node import Node  # noqa: PLC0415

    if settings.grant_secret is None:
        logger.warning(LINKS_ARE_LOCAL)
    node = Node(
        Link(connector),
        Keys(settings.store_prefix),
        registry=registry,
        pools=pools,
        limits=limits,
        max_bytes=settings.max_stream_bytes,
        lease=settings.lease,
        clock=time.monotonic,
        call_at=dispatcher.call_at,
    )
    return SharedStreams(
        StoreDirectory(node, wait=settings.store_wait),
        node,
        partial(SharedLog, max_bytes=settings.max_stream_bytes),
    )
