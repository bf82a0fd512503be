"""Which server of a cluster has what: its slots (Redis and Valkey, "Cluster specification")."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any

SLOTS = 16_384
"""Of every cluster."""

Address = tuple[str, int]


def slot_of(name: str) -> int:
    """Return the slot of a key, or of a sharded channel: of its hash tag, where it has one."""
    begin = name.find("{")
    end = name.find("}", begin + 1)
    tag = name[begin + 1 : end] if 0 <= begin < end - 1 else name
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


class Slots:
    """Who serves each slot.

    Attributes:
        primaries: the servers that write, each once.

    """

    def __init__(self, reply: Sequence[Any], asked: str) -> None:
        """Read the reply to ``CLUSTER SLOTS``.

        Args:
            reply: rows of first slot, last slot, primary, replicas.
            asked: the host that has replied: it need not know its own address.

        Raises:
            ValueError: some slot is served by nobody.

        """
        self.primaries: list[Address] = []
        self._servers: list[int | None] = [None] * SLOTS
        for first, last, primary, *_ in reply:
            host, port = primary[0], int(primary[1])
            host = host.decode() if isinstance(host, bytes) else host
            address = (host if host and host != "?" else asked, port)
            if address not in self.primaries:
                self.primaries.append(address)
            index = self.primaries.index(address)
            self._servers[first : last + 1] = [index] * (last + 1 - first)
        if None in self._servers:
            raise ValueError(f"nobody serves slot {self._servers.index(None)} of the cluster")

    def shard_of(self, name: str) -> int:
        """Return the index among the `primaries` of whoever has a key, or a channel."""
        server = self._servers[slot_of(name)]
        assert server is not None  # noqa: S101 (looked at before)
        return server
