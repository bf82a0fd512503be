"""What a process does with the store, in numbers. Read when somebody asks, in any thread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from textstream.store.node import Node


class Figure(NamedTuple):
    """A number: of what is now, or counted since the start."""

    kind: Literal["gauge", "counter"]
    name: str
    help: str
    value: float


def figures_of(node: Node) -> Iterator[Figure]:
    """Yield the figures of a process."""
    link, writer, tail, lease = node.link, node.writer, node.tail, node.lease
    own = list(writer.streams.values())
    waiting = sum(max(0, stream.written - stream.stored) for stream in own)
    written = writer.counts
    yield Figure("gauge", "store_up", "Whether the store answers: 1 or 0.", link.up)
    yield Figure("gauge", "store_backlog_bytes", "What waits to be sent to it.", link.backlog)
    yield Figure("gauge", "store_waiting_units", "Units that it has not acknowledged.", waiting)
    yield Figure("gauge", "streams_owned", "Streams that are generated here.", len(own))
    yield Figure(
        "gauge", "streams_followed", "Other servers' streams read here.", len(tail.follows)
    )
    yield Figure("gauge", "store_servers", "Servers that share it.", lease.processes)
    yield Figure(
        "counter", "store_reconnects", "Connections to it after the first.", max(0, link.reconnects)
    )
    yield Figure("counter", "store_entries", "Entries written.", written.entries)
    yield Figure("counter", "store_units", "Units written.", written.units)
    yield Figure("counter", "store_published", "Messages to followers.", written.published)
    yield Figure("counter", "store_refused", "Entries that it did not take.", written.refused)
    yield Figure(
        "counter", "store_rewritten_units", "Units that it had lost again.", written.rewritten
    )
    yield Figure("counter", "store_messages", "Messages from owners.", tail.messages)
    yield Figure("counter", "store_reads", "Reads of logs.", tail.fills)
    yield Figure("counter", "store_holes", "Holes found in logs: a fault.", tail.holes)
    yield Figure("counter", "takeovers", "Streams of dead servers taken over.", lease.takeovers)
