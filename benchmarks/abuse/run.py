"""One attack on one server, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.abuse import attacks, churn
from benchmarks.abuse.attacks import Run
from benchmarks.abuse.child import Child
from benchmarks.abuse.good import GoodReaders, Served
from benchmarks.abuse.newcomers import Newcomers, Welcomed
from benchmarks.abuse.outcome import MEGABYTE, Outcome
from benchmarks.abuse.target import Target
from benchmarks.abuse.wire import Client, close_frame
from benchmarks.limits import raise_open_files
from benchmarks.process import ServerProcess
from benchmarks.servers import Server

MOST_MEMORY = 30.0
"""Megabytes by which the server may grow."""

MOST_THREADS = 60
MOST_GAP = 80.0
"""Milliseconds: p99 between two characters of the good readers, which are due every 10."""

MOST_STILL = 500.0
"""Milliseconds: the longest gap. A p99 does not see that a stream stood still only once."""

CALM_SECONDS = 2.0
LEAST_SECONDS = 3.0
"""That the good readers are watched: of fewer gaps a p99 says nothing."""

SAMPLE_SECONDS = 0.05
ATTACK_SECONDS = 110.0
AFTERWARDS_SECONDS = 2.0
"""From the end of an attack until what the server has kept of it is looked at."""

GONE = ("outgoing", "inbox", "unfinished")
MOST_LEFT = 100_000
"""Bytes of the kinds that end with a connection: what the good readers may have just then."""

HELD_BACK_LEFT = 65_536
"""And of each that is held back: what it has sent is read later, and its end behind that."""

WARM_UP = 56
"""Connections that come and go before anything is measured: imports and first allocations."""


@dataclass(frozen=True)
class Attack:
    """An attack.

    Attributes:
        name: as on the command line.
        run: makes it.
        what: it does, in a few words.
        env: settings of the server.
        bounded_gap: whether the good readers' gaps are judged.
        newcomers: whether those who come meanwhile are judged.
        threads: the server has fewer.
        memory: megabytes by which it may grow.
        files: the server's limits of open files, soft and hard; None: as they are.
        scene: what stands around the server; yields settings for it.
        missing: says what is not installed that it needs; None: all is there.

    """

    name: str
    run: Run
    what: str
    env: Mapping[str, str] = field(default_factory=dict)
    bounded_gap: bool = True
    newcomers: bool = True
    threads: int = MOST_THREADS
    memory: float = MOST_MEMORY
    files: tuple[int, int] | None = None
    scene: Callable[[], AbstractContextManager[Mapping[str, str]]] = contextlib.nullcontext  # type: ignore[assignment]
    missing: Callable[[], str | None] = lambda: None


@dataclass(frozen=True)
class Verdict:
    """What an attack did to a server.

    Attributes:
        attack: its name.
        growth: of resident memory, at the peak, in megabytes.
        threads: the most there were.
        endings: how the offenders ended, or were answered.
        served: how the good readers fared.
        notes: figures of the attack.
        failures: what was wrong.
        calm: how the good readers fared before the attack.
        welcomed: how those fared who came meanwhile.
        kept: what of the growth was left afterwards, in megabytes.
        cpu: seconds of the server's CPU.
        sent: megabytes that the attackers sent.

    """

    attack: str
    growth: float = 0.0
    threads: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    served: Served | None = None
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    calm: Served | None = None
    welcomed: Welcomed | None = None
    kept: float = 0.0
    cpu: float = 0.0
    sent: float = 0.0


def run(server: Server, attack: Attack) -> Verdict:
    """Run it; never hangs, never raises for what a server does."""
    if missing := attack.missing():
        return Verdict(attack.name, notes=(f"not tried: {missing}",))
    raise_open_files(attacks.HANDSHAKES)
    try:
        with attack.scene() as more:
            server = _prepared(server, attack, more or {})
            with ServerProcess(server) as process, GoodReaders(process.port) as good:
                return _attack(attack, process, good)
    except (RuntimeError, OSError) as error:
        return Verdict(attack.name, failures=(str(error) or type(error).__name__,))


def _prepared(server: Server, attack: Attack, more: Mapping[str, str]) -> Server:
    command = server.command
    if attack.files:
        soft, hard = attack.files
        limited = f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"'
        command = ("sh", "-c", limited, "sh", *command)
    return dataclasses.replace(server, command=command, env={**server.env, **attack.env, **more})


def _attack(attack: Attack, process: ServerProcess, good: GoodReaders) -> Verdict:
    target = Target(process.port, process.usage().pids)
    with Child(_main, target) as child:
        child.ask(_warm_up, ATTACK_SECONDS)
        time.sleep(1.0)  # for the server to see that they have gone
        good.begin()
        time.sleep(CALM_SECONDS)
        calm = good.end()
        target.forget_peak()
        memory, cpu = target.memory(), process.usage().cpu
        good.begin()
        began = time.monotonic()
        with Newcomers(target.port) as newcomers:
            threads, outcome = _watched(child, attack, target)
            time.sleep(max(0.0, began + LEAST_SECONDS - time.monotonic()))
        served, used = good.end(), process.usage().cpu - cpu
        peak = target.peak_memory()
        time.sleep(AFTERWARDS_SECONDS)
        left = asyncio.run(target.counters())
    _judge_left(left, outcome)
    verdict = Verdict(
        attack.name,
        (peak - memory) / MEGABYTE,
        threads,
        outcome.endings,
        served,
        tuple(outcome.notes),
        calm=calm,
        welcomed=newcomers.welcomed,
        kept=(target.memory() - memory) / MEGABYTE,
        cpu=used,
        sent=outcome.sent / MEGABYTE,
    )
    return dataclasses.replace(verdict, failures=(*outcome.failures, *_failures(verdict, attack)))


def _judge_left(counters: dict[str, Any] | None, outcome: Outcome) -> None:
    """Note what the server says that it keeps; fail if what has gone is still counted."""
    if not counters or "account" not in counters:
        return
    account = {kind: n for kind, n in counters["account"].items() if isinstance(n, int)}
    shown = ", ".join(f"{kind} {count:,}" for kind, count in account.items() if count)
    most = MOST_LEFT + HELD_BACK_LEFT * outcome.endings["held back"]
    outcome.notes.append(f"bytes counted afterwards: {shown or 'none'}")
    for kind, count in account.items():
        if count < 0 or (kind in GONE and count > most):
            outcome.failures.append(f"{count:,} bytes of {kind} are counted afterwards")


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
    if verdict.growth >= attack.memory:
        failures.append(f"memory grew by {verdict.growth:.0f} MB")
    if verdict.threads >= attack.threads:
        failures.append(f"{verdict.threads} threads")
    if long := sorted(ending for ending in verdict.endings if ending.endswith("characters")):
        failures.append("errors that are too long: " + ", ".join(long))
    served, welcomed = verdict.served, verdict.welcomed
    if served and (failure := served.failure):
        failures.append(failure)
    if attack.bounded_gap and served:
        if served.gap_p99 >= MOST_GAP:
            failures.append(f"gap p99 of the good readers {served.gap_p99:.0f} ms")
        if served.gap_max >= MOST_STILL:
            failures.append(f"a good reader's stream stood still for {served.gap_max:.0f} ms")
    if attack.newcomers and welcomed and welcomed.failure:
        failures.append(welcomed.failure)
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
        Client.sent = 0
        try:
            outcome: Outcome = asyncio.run(attack(target))  # type: ignore[arg-type]
            outcome.sent = Client.sent
            pipe.send(outcome)
        except Exception as error:  # noqa: BLE001 (the parent raises it)
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))
