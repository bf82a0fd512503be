"""Descriptors: how many a process may have, how many it has, and a word before they run out.

Each connection takes one, or two while it is handed off. When there are none, nothing that needs
one works: no connection, no file, no request to a model's API.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger("textstream.server")

MOST = 2**20
"""What the soft limit is raised to at most. Where the hard limit is infinite, or of the thousand
millions that containers have, tables of that size help nobody."""

FALLBACK = 10_240
"""What macOS allows where it says that there is no limit: ``OPEN_MAX`` in ``sys/syslimits.h``."""

TELL_AT, TELL_AGAIN_BELOW = 0.8, 0.6
"""Parts of the limit: from the first on there is a line in the log, and not again before the
descriptors in use were fewer than the second."""

RECOUNT_SECONDS, RECOUNT_PART = 0.02, 0.05
"""Seconds between two times at which they are counted, at least, and the part of all time that it
may take: 20 µs for 15,000 of them on a new Linux, 50 ms elsewhere."""

STALE_SECONDS = 1.0
"""Seconds after which they are counted in any case: not only connections have some."""

EACH = 2
"""Descriptors that one connection may take for long: it is handed off with another."""

SPARE_PART, SPARE_LEAST, SPARE_MOST = 8, 16, 128
"""Of the limit, one in so many is not for connections, within these bounds: what is there already
needs some for files, for APIs, for the handing off of a socket, for a moment in each request."""

_OPEN = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")

CURE = "Raise the hard limit: ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of a container."


def raise_limit() -> None:
    """Raise the soft limit to the hard one: the usual 1,024 is of the time of ``select``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = hard == resource.RLIM_INFINITY
    for most in (MOST, FALLBACK):
        wanted = most if endless else min(hard, most)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            logger.debug("the limit of descriptors stays %d: %s", soft, error)
        else:
            logger.debug("descriptors: up to %d, before %d", wanted, soft)
            return


def limit() -> int:
    """Return how many descriptors this process may have now: the soft limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def in_use() -> int:
    """Return how many descriptors this process has. See `RECOUNT_SECONDS` for what it takes.

    Raises:
        OSError: there is none left to list them with, or no such folder.

    """
    # The size of the folder, since Linux 6.2 (proc(5)).
    return _OPEN.stat().st_size or len(os.listdir(_OPEN)) - 1  # noqa: PTH208 (names are all)


class Recent:
    """A figure that is read again once a second at most: a system call for each is a waste."""

    def __init__(
        self, read: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read what `read` returns; `clock` is in seconds."""
        self._read = read
        self._clock = clock
        self._value = 0
        self._until = float("-inf")

    def __call__(self) -> int:
        """Return it, as it was within the last second."""
        now = self._clock()
        if now >= self._until:
            self._value, self._until = self._read(), now + STALE_SECONDS
        return self._value


def for_connections(most: int) -> int:
    """Return how many of `most` descriptors may be used up when a connection comes."""
    return most - min(max(most // SPARE_PART, SPARE_LEAST), SPARE_MOST)


class Usage:
    """How many descriptors are in use, counted now and then, and a warning when they run out.

    The number of a new one alone does not tell: the kernel gives the lowest that is free (POSIX,
    open(2)), so at least as many are in use. But a connection that is handed off leaves a low
    number to the next, and goes on with a high one.

    One thread.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        limit: Callable[[], int] = limit,
        in_use: Callable[[], int] = in_use,
    ) -> None:
        """Count for the first time.

        Args:
            clock: seconds, monotonic.
            limit: how many there may be.
            in_use: how many there are.

        """
        self._clock = clock
        self._limit = limit
        self._in_use = in_use
        self._told = False
        self._counted = self._since = 0
        self._next = self._stale = 0.0  # when to count again, where they may be many, and anyhow
        self._count()

    def opened(self, number: int) -> int:
        """Count one that a connection has got, of this number; return how many are in use, about.

        It is exact where they are many, but for the last `RECOUNT_SECONDS`.
        """
        self._since += 1
        most = self._limit()
        may_be_many = self._counted + EACH * self._since >= TELL_AGAIN_BELOW * most
        if self._clock() >= (self._next if may_be_many else self._stale):
            self._count()
        used = max(number + 1, self._counted + self._since)
        if not self._told and used >= TELL_AT * most:
            self._told = True
            logger.warning("descriptors run out: %d of %d are in use. %s", used, most, CURE)
        elif used < TELL_AGAIN_BELOW * most:
            self._told = False
        return used

    def closed(self, count: int) -> None:
        """Count some that are closed, or are about to be."""
        self._since -= count

    def _count(self) -> None:
        began = self._clock()
        try:
            self._counted = self._in_use()
        except OSError:  # none left to count them with
            self._counted = self._limit()
        self._since = 0
        least = (self._clock() - began) / RECOUNT_PART
        self._next = began + max(RECOUNT_SECONDS, least)
        self._stale = began + max(STALE_SECONDS, least)
