"""The run: clients read, servers die, and what has come is compared with what was sent."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

from reliability.cluster.clients import PATIENCE, Crowd, Tally
from reliability.cluster.cluster import Cluster
from reliability.cluster.stores import Kind, SharedStore, running
from tests.support.leaks import LeakGuard
from textstream.chaos import ByteRange, ChaosProxy, RandomPlan


@dataclass(frozen=True)
class Options:
    """What is done.

    Attributes:
        seconds: for how long texts are started.
        clients: how many at a time.
        kill_every: seconds between two kills; 0: none.
        signal: "kill", or "term": going down in order.
        cut_every: bytes of a connection after which it is cut, at least and at most.
        rate: units per second, at least and at most.
        lease: seconds.
        store: which kind; of one that has a reserve, that takes over in the middle.
        seed: of all that is random.

    """

    seconds: float = 600.0
    clients: int = 50
    kill_every: float = 5.0
    signal: str = "kill"
    cut_every: tuple[int, int] = (2_000, 60_000)
    rate: tuple[int, int] = (300, 600)
    lease: float = 2.0
    store: Kind = "one"
    seed: int = 1


@dataclass
class Report:
    """What came of it."""

    tally: Tally
    kills: int
    cuts: int
    hanging: int
    takeovers: int
    logged: list[str]
    commands: dict[str, int]

    @property
    def wrong(self) -> list[str]:
        """Everything that must not be."""
        hanging = [f"{self.hanging} clients hang"] if self.hanging else []
        return [*self.tally.wrong, *hanging, *self.logged]


def run(options: Options, folder: Path, leak_guard: LeakGuard) -> Report:
    """Do it."""
    with running(options.store, folder) as store:
        return _run(options, folder, leak_guard, store)


def _run(options: Options, folder: Path, leak_guard: LeakGuard, store: SharedStore) -> Report:
    chance = random.Random(options.seed)
    env = {"TEXTSTREAM_LEASE": str(options.lease), "TEXTSTREAM_DRAIN": "1"}
    cluster = Cluster(folder, leak_guard, store.env, **env)
    plan = RandomPlan(options.seed, cut_every=ByteRange(*options.cut_every))
    tally, kills = Tally(), 0
    try:
        with ChaosProxy(("127.0.0.1", cluster.nginx.port), plan=plan) as proxy:
            crowd = Crowd(proxy.url, tally, seed=options.seed, rate=options.rate)
            until = time.monotonic() + options.seconds
            fail_over, middle = store.fail_over, until - options.seconds / 2
            crowd.begin(options.clients, options.seconds)
            while time.monotonic() < until:
                wait = options.kill_every or options.seconds
                time.sleep(max(0.0, min(wait, until - time.monotonic())))
                if fail_over and time.monotonic() >= middle:
                    fail_over()
                    fail_over = None
                if options.kill_every and time.monotonic() < until:
                    number = chance.randrange(3)
                    if options.signal == "kill":
                        cluster.kill(number)
                    cluster.restart(number)
                    kills += 1
            hanging = crowd.join(PATIENCE)
            cuts = proxy.totals.cuts
        commands = store.commands()
    finally:
        cluster.stop()
    log = cluster.logs()
    (folder / "servers.log").write_text(log, encoding="utf-8")
    logged = [line for line in log.splitlines() if " ERROR " in line or "Traceback" in line]
    return Report(tally, kills, cuts, hanging, log.count("is taken over"), logged, commands)
