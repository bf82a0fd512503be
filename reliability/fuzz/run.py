"""One run: a fresh server, healthy clients, the attack, and what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reliability.fuzz.attack import Attack, Tally
from reliability.fuzz.bystanders import Bystanders
from reliability.fuzz.inputs import End, Input, Layer, Start
from reliability.fuzz.player import Player
from reliability.fuzz.report import Report
from reliability.fuzz.target import Attacked
from tests.support.leaks import LeakGuard

WARM_UP = 40
"""Inputs of each layer before anything is measured: imports, first allocations, lasting threads."""

WARM_UP_SEED = -1

QUIET_SECONDS = 12.0
"""Threads of a pool end when they were idle for 10 s."""


def shares(count: int, layers: Sequence[Layer]) -> dict[Layer, range]:
    """Return the numbers of the inputs of each layer, `count` in all."""
    each, more = divmod(count, len(layers))
    return {layer: range(each + (place < more)) for place, layer in enumerate(layers)}


def run(
    server: str,
    seed: int,
    inputs: Mapping[Layer, Sequence[int]],
    *,
    leak_guard: LeakGuard | None = None,
    patient: bool = True,
    progress: Callable[[str], None] = print,
) -> Report:
    """Attack a fresh server with these inputs, and report.

    Args:
        server: one of `reliability.fuzz.target.SERVERS`.
        seed: of the inputs.
        inputs: their numbers, for each layer.
        leak_guard: of the test that runs it.
        patient: whether to wait for idle threads to end before the threads are counted. Else
            what a pool keeps of the warm-up may hide a few that are stuck; not their sockets.
        progress: told now and then how far it is.

    """
    with Attacked(server, leak_guard or LeakGuard()) as attacked:
        # One connection: the sockets that last are there then.
        asyncio.run(_first_connection(attacked.port))
        cold = attacked.rest(1.0)
        warm_up = Attack(attacked.port, WARM_UP_SEED, attacked.log_text, progress)
        warmed = asyncio.run(_all(warm_up, shares(WARM_UP * len(inputs), list(inputs))))
        warm = attacked.rest(QUIET_SECONDS) if patient else attacked.footprint()
        before = replace(cold, memory=warm.memory, threads=warm.threads)
        progress(f"{server}: {before}")
        attacked.forget_peak()
        attack = Attack(attacked.port, seed, attacked.log_text, progress)
        with Bystanders(attacked.url, seed) as bystanders:
            tallies = asyncio.run(_all(attack, inputs))
        peak = attacked.peak()
        after = attacked.back_to(before)
        for tally, earlier in zip(tallies, warmed, strict=True):
            tally.failures += [f"warming up: {failure}" for failure in earlier.failures]
        running = attacked.running
        exit_code = attacked.stop()
        return Report(
            command=f"{server}, seed {seed}",
            tallies=tallies,
            before=before,
            after=after,
            peak=peak,
            log=attacked.log_text(),
            running=running,
            exit_code=exit_code,
            bystanders=bystanders.all,
        )


async def _first_connection(port: int) -> None:
    player = Player(port)
    await player.play(Input(Layer.SOCKETIO, 0, "hello", Start.CONNECTED, (), End.BARRIER))
    player.close()


async def _all(attack: Attack, inputs: Mapping[Layer, Sequence[int]]) -> list[Tally]:
    return [await attack.run(layer, numbers) for layer, numbers in inputs.items()]
