"""What things are called in the store. No I/O.

Every key of a stream has the hash tag of its partition (Redis Cluster specification, "Hash tags"),
so that what belongs together lies in one slot; its id begins with the number of the partition.
"""

from __future__ import annotations

import hashlib
import itertools
import random

from textstream.ids import new_stream_id
from textstream.store.slots import SLOTS, slot_of

PARTITIONS = 64
"""Of all streams. A cluster has as many shards at most; the number is part of every id."""

_DIGITS = 2
_ID_LENGTH = _DIGITS + len(new_stream_id())


def _tag(partition: int) -> str:
    """Return a hash tag in the partition's part of the slots.

    Plain numbers would not be spread evenly: several partitions on one shard, none on another.
    """
    width = SLOTS // PARTITIONS
    for number in itertools.count():
        tag = f"{partition:02x}.{number}"
        if slot_of(tag) // width == partition:
            return tag
    raise AssertionError


_TAGS = tuple(map(_tag, range(PARTITIONS)))


def new_shared_id(request: str | None) -> str:
    """Return the id of a new stream; of one that a request has a name for, in its partition."""
    chance = random.randrange(PARTITIONS)  # noqa: S311 (the rest is hard to guess)
    partition = chance if request is None else partition_of_request(request)
    return f"{partition:02x}{new_stream_id()}"


def partition_of_request(request: str) -> int:
    """Return where a request that has a name is known, and the stream that it starts."""
    return hashlib.sha256(request.encode()).digest()[0] % PARTITIONS


def partition_of(stream_id: str) -> int | None:
    """Return the partition of a stream; None: no stream is called that."""
    if len(stream_id) != _ID_LENGTH:
        return None
    try:
        partition = int(stream_id[:_DIGITS], 16)
    except ValueError:
        return None
    return partition if partition < PARTITIONS else None


class Keys:
    """All names, with the prefix of a deployment."""

    def __init__(self, prefix: str) -> None:
        """Begin each with `prefix`."""
        self._prefix = prefix
        self.processes = f"{prefix}:procs"
        """A sorted set: which processes live, until when (server's clock, ms)."""
        self.free = f"{prefix}:own:"
        """A set: streams that nobody owns, for their owner is going down."""

    def _of(self, kind: str, stream_id: str) -> str:
        return f"{self._prefix}:{{{_TAGS[int(stream_id[:_DIGITS], 16)]}}}:{kind}:{stream_id}"

    def log(self, stream_id: str) -> str:
        """Return a stream: the text."""
        return self._of("s", stream_id)

    def record(self, stream_id: str) -> str:
        """Return a hash: see `textstream.store.record`."""
        return self._of("m", stream_id)

    def channel(self, stream_id: str) -> str:
        """Return a channel: what is new in the text."""
        return self._of("c", stream_id)

    def stream_of(self, channel: str) -> str:
        """Return whose channel it is."""
        return channel.rpartition(":")[2]

    def request(self, request: str) -> str:
        """Return a string: which stream a request has started. It tells nothing of the client."""
        tag = _TAGS[partition_of_request(request)]
        return f"{self._prefix}:{{{tag}}}:q:{hashlib.sha256(request.encode()).hexdigest()[:40]}"

    def owned(self, process: str) -> str:
        """Return a set: the streams that a process owns and that have not ended."""
        return f"{self._prefix}:own:{process}"

    def control(self, process: str) -> str:
        """Return a channel: what other processes ask of this one."""
        return f"{self._prefix}:ctl:{process}"
