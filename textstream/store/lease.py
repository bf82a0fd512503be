"""Who lives: each process renews a lease, and those that have none are dead to the others.

By the store's own clock, and by nobody else's. After an outage all leases look expired at once:
nobody takes over anything before its own connection has stood for the time of a lease.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

import hiredis

from textstream.loggable import fingerprint
from textstream.store import scripts
from textstream.store.keys import Keys
from textstream.store.link import Link, Replies
from textstream.store.wire import Command

logger = logging.getLogger("textstream.store")

RENEW_SECONDS = 1.0
"""Between two renewals, at most; a fifth of the lease where that is shorter."""

AT_ONCE = 32
"""Streams taken over in one go: the other processes are to have their share."""


class Lease:
    """Renews this process's lease, and takes over what dead ones owned. The store's thread only.

    Attributes:
        process: this one.
        processes: how many are known to the store.
        takeovers: streams taken over.

    """

    def __init__(
        self,
        link: Link,
        keys: Keys,
        *,
        seconds: float,
        clock: Callable[[], float],
        taken: Callable[[str, int], object],
        doubt: Callable[[], object],
    ) -> None:
        """Hold none yet.

        Args:
            link: to the store.
            keys: of what is in it.
            seconds: of the lease.
            clock: monotonic, in seconds.
            taken: called with a stream that was taken over, and its epoch.
            doubt: called when this process was taken for dead, or may have been.

        """
        self._link = link
        self._keys = keys
        self.process = ""
        self._seconds = seconds
        self._clock = clock
        self._taken = taken
        self._doubt = doubt
        self._every = min(RENEW_SECONDS, seconds / 5)
        self._renewed = 0.0
        self._reaping: set[str] = set()
        self._closed = False
        self.processes = 0
        self.takeovers = 0

    @property
    def valid(self) -> bool:
        """Whether no other process can have taken this one for dead."""
        return self._clock() - self._renewed < self._seconds

    def begin(self) -> None:
        """Renew from now on, for as long as it is not closed."""
        self._renew()
        if not self._closed:
            self._link.call_at(self._clock() + self._every, self.begin)

    def renew_now(self) -> None:
        """Renew on a new connection."""
        self._reaping.clear()
        self._renew()

    def close(self) -> None:
        """Take over nothing more."""
        self._closed = True

    def end(self) -> Command:
        """Return the command that gives the lease up."""
        return ("ZREM", self._keys.processes, self.process)

    def _renew(self) -> None:
        if not self._link.up:
            return
        asked = self._clock()
        ms = round(self._seconds * 1000)
        renew = ("EVAL", scripts.RENEW, 1, self._keys.processes, self.process, ms)
        self._link.send([renew], lambda replies: self._answered(asked, replies))

    def _answered(self, asked: float, replies: Replies | None) -> None:
        if replies is None:
            return
        if isinstance(replies[0], hiredis.ReplyError):
            logger.error("the store does not let us renew the lease: %s", replies[0])
            return
        had, self.processes, dead = replies[0]
        first = self._renewed == 0.0
        self._renewed = asked
        if not had and not first:
            self._doubt()
        if self._closed:
            return
        waits = self._clock() - self._link.up_since < self._seconds
        # What was given away needs no wait.
        for process in ["", *([] if waits else map(bytes.decode, dead))]:
            if process != self.process and process not in self._reaping:
                self._reap(process)

    def _reap(self, process: str) -> None:
        self._reaping.add(process)
        owned = ("SMEMBERS", self._keys.owned(process))
        self._link.send([owned], lambda replies: self._found(process, replies))

    def _found(self, process: str, replies: Replies | None) -> None:
        self._reaping.discard(process)
        if replies is None or isinstance(replies[0], hiredis.ReplyError):
            return
        ids = [one.decode() for one in replies[0]]
        if not ids:
            if process:
                self._link.send([("ZREM", self._keys.processes, process)])
            return
        if process:
            logger.warning("process %s is dead; it owned %d streams", process, len(ids))
        random.shuffle(ids)
        self._claim(process, ids)

    def _claim(self, process: str, ids: list[str]) -> None:
        """Claim some, and the rest a moment later."""
        if self._closed:
            return
        self._reaping.add(process)
        now, rest = ids[:AT_ONCE], ids[AT_ONCE:]
        commands = [self.claim(stream_id, process) for stream_id in now]
        self._link.send(commands, lambda replies: self._claimed(process, now, rest, replies))

    def claim(self, stream_id: str, process: str) -> Command:
        """Return the command that takes a stream over from a process."""
        record = self._keys.record(stream_id)
        return ("EVAL", scripts.CLAIM, 1, record, process, self.process)

    def _claimed(
        self, process: str, ids: list[str], rest: list[str], replies: Replies | None
    ) -> None:
        self._reaping.discard(process)
        if replies is None:
            return
        for stream_id, epoch in zip(ids, replies, strict=True):
            if isinstance(epoch, int) and epoch > 0:
                self.took(stream_id, process, epoch)
            elif isinstance(epoch, int):
                # Another process has it, or it is gone.
                self._link.send([("SREM", self._keys.owned(process), stream_id)])
        if rest:
            self._claim(process, rest)

    def took(self, stream_id: str, process: str, epoch: Any) -> None:
        """Note that a stream is this process's, and go on with it."""
        self.takeovers += 1
        logger.info("stream %s is taken over", fingerprint(stream_id))
        commands: list[Command] = [("SADD", self._keys.owned(self.process), stream_id)]
        if process != self.process:
            commands.append(("SREM", self._keys.owned(process), stream_id))
        self._link.send(commands)
        self._taken(stream_id, int(epoch))
