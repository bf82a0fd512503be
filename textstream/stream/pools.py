"""The threads that run sources: many for those that may block, few for those that never do."""

from __future__ import annotations

from textstream.access.address import is_loopback
from textstream.access.caller import Caller
from textstream.access.rota import RotaShares
from textstream.threads import Job, ThreadPool

READY_THREADS = 4
"""For sources that never block. They compute, one at a time: more threads do no more."""

CURE = "New streams wait. If your sources only wait, raise TEXTSTREAM_PRODUCERS."
READY_CURE = "The machine is too busy, or a source blocks that is said not to."


class Pools:
    """Runs the jobs of producers; no client's keep those of the others waiting for ever.

    A source that blocks has its thread for as long as it likes. So a connection gets a quarter of
    the threads at most, and a user (an address, of who is nobody) that, too; on loopback three
    quarters. And those that never
    block have threads of their own.
    """

    def __init__(self, limit: int) -> None:
        """Make empty pools: of `limit` threads for those that may block, and of a few."""
        self._blocking = ThreadPool(limit, "producer", cure=CURE, shares=_shares(limit))
        ready = min(limit, READY_THREADS)
        self._ready = ThreadPool(ready, "ready producer", cure=READY_CURE, shares=_shares(ready))

    def submit(self, job: Job, caller: Caller, *, blocking: bool) -> None:
        """Run `job` soon; see `ThreadPool.submit`."""
        (self._blocking if blocking else self._ready).submit(job, caller)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return what `ThreadPool.counts` says of each."""
        return {"producers": self._blocking.counts(), "ready_producers": self._ready.counts()}

    def close(self, deadline: float) -> None:
        """Take no more jobs, wait for the running ones until `deadline` (``time.monotonic``)."""
        self._ready.close(deadline)
        self._blocking.close(deadline)


def _shares(limit: int) -> RotaShares:
    """Return how many of `limit` threads a user or address, and a connection of it, may have."""
    quarter, most = max(1, limit // 4), max(1, limit * 3 // 4)
    return lambda caller: (most if is_loopback(caller.address) else quarter, quarter)
