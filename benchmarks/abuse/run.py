"""One attack on one server, from its start to its end."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.abuse import attacks, churn, stalled
from benchmarks.abuse.attacks import Run
from benchmarks.abuse.child import Child
from benchmarks.abuse.good import GoodReaders, Served
from benchmarks.abuse.outcome import MEGABYTE, Outcome
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import close_frame
from benchmarks.limits import raise_open_files
from benchmarks.process import ServerProcess
from benchmarks.servers import Server

MOST_MEMORY = 30.0
"""Megabytes by which the server may grow."""

MOST_THREADS = 60
MOST_GAP = 80.0
"""Milliseconds: p99 between two characters of the good readers, which are due every 50."""

SAMPLE_SECONDS = 0.05
ATTACK_SECONDS = 110.0
WARM_UP = 56
"""Connections that come and go before anything is measured: imports and first allocations."""

SHORT_TIMES = {
    "TEXTSTREAM_PING_INTERVAL": "3",
    "TEXTSTREAM_PING_TIMEOUT": "3",
    "TEXTSTREAM_GRACE": "1",
    "TEXTSTREAM_RETENTION": "1",
}
"""For attacks after which something must vanish by itself."""

ENDLESS = {"TEXTSTREAM_SOURCES": "endless=benchmarks.abuse.endless:endless"}


@dataclass(frozen=True)
class Attack:
    """An attack.

    Attributes:
        name: as on the command line.
        run: makes it.
        env: settings of the server.
        bounded_gap: whether the good readers' gaps are judged.

    """

    name: str
    run: Run
    env: Mapping[str, str] = field(default_factory=dict)
    bounded_gap: bool = True


def all_attacks(count: int) -> tuple[Attack, ...]:
    """Return all of them; `count` connections come and go in the last."""
    return (
        Attack("fragments", attacks.fragments),
        Attack("deflate-bomb", attacks.deflate_bomb),
        Attack("handshakes", attacks.handshakes, SHORT_TIMES),
        Attack("events", attacks.events),
        Attack("silent", attacks.silent),
        Attack("non-readers", stalled.non_readers, ENDLESS),
        Attack("hoarders", stalled.hoarders),
        Attack("upgrades", stalled.upgrades),
        Attack("churn", functools.partial(churn.churn, count=count), SHORT_TIMES, False),
    )


@dataclass(frozen=True)
class Verdict:
    """What an attack did to a server. `growth` is in megabytes."""

    attack: str
    growth: float = 0.0
    threads: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    served: Served | None = None
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def run(server: Server, attack: Attack) -> Verdict:
    """Run it; never hangs, never raises for what a server does."""
    raise_open_files(attacks.HANDSHAKES)
    server = dataclasses.replace(server, env={**server.env, **attack.env})
    try:
        with ServerProcess(server) as process, GoodReaders(process.port) as good:
            target = Target(process.port, process.usage().pids)
            return _attack(attack, target, good)
    except (RuntimeError, OSError) as error:
        return Verdict(attack.name, failures=(str(error) or type(error).__name__,))


def _attack(attack: Attack, target: Target, good: GoodReaders) -> Verdict:
    with Child(_main, target) as child:
        child.ask(_warm_up, ATTACK_SECONDS)
        time.sleep(1.0)  # for the server to see that they have gone
        target.forget_peak()
        memory = target.memory()
        good.begin()
        time.sleep(0.5)
        threads, outcome = _watched(child, attack, target)
        time.sleep(0.5)
        served = good.end()
        growth = (target.peak_memory() - memory) / MEGABYTE
    verdict = Verdict(attack.name, growth, threads, outcome.endings, served, tuple(outcome.notes))
    return dataclasses.replace(verdict, failures=(*outcome.failures, *_failures(verdict, attack)))


def _watched(child: Child, attack: Attack, target: Target) -> tuple[int, Outcome]:
    """Let the attack begin; return the most threads there were, and what it saw."""
    child.tell(attack.run)
    threads, deadline = target.threads(), time.monotonic() + ATTACK_SECONDS
    while not child.answered(SAMPLE_SECONDS):
        threads = max(threads, target.threads())
        if time.monotonic() > deadline:
            raise RuntimeError(f"the attack took more than {ATTACK_SECONDS:g} s")
    outcome: Outcome = child.answer()
    return threads, outcome


def _failures(verdict: Verdict, attack: Attack) -> list[str]:
    failures = []
    if verdict.growth >= MOST_MEMORY:
        failures.append(f"memory grew by {verdict.growth:.0f} MB")
    if verdict.threads >= MOST_THREADS:
        failures.append(f"{verdict.threads} threads")
    if verdict.served and (failure := verdict.served.failure):
        failures.append(failure)
    if attack.bounded_gap and verdict.served and verdict.served.gap_p99 >= MOST_GAP:
        failures.append(f"gap p99 of the good readers {verdict.served.gap_p99:.0f} ms")
    return failures


async def _warm_up(target: Target) -> Outcome:
    visitors = churn.Visitors(target)
    for number in range(WARM_UP):
        await churn.WAYS[number % len(churn.WAYS)](visitors)
    async with attacks.opened(target.port, 8) as clients:
        for client in clients:
            await client.send(close_frame())
    return Outcome()


def _main(pipe: Connection, target: Target) -> None:
    """Run attacks, in a process of their own, until the pipe is closed."""
    while True:
        try:
            attack: Run = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(asyncio.run(attack(target)))  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 (the parent raises it)
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
