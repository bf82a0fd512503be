"""What a start costs: ``python -m benchmarks.starts``; ``--help`` lists the flags.

A turn is: connections are opened and start a stream each, which does not count; then all of them
start a stream of two characters, wait for its end, and start the next, until all starts are made.
The figure is the CPU time that the server took for it, from the CPU-time clock of its process,
divided by the starts. The servers take turns, so that what else the machine does is shared by all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from benchmarks.abuse.wire import PATIENCE, Client, Ended, event
from benchmarks.markdown import markdown_table
from benchmarks.options import beside, servers_option, tree_option
from benchmarks.process import ServerProcess
from benchmarks.servers import Server, find
from benchmarks.trees import Tree

TEXT = "ab"
NEW_CHAR, STREAM_END, STREAM_ERROR = b'42["new_char"', b'42["stream_end"', b'42["stream_error"'

REST = 0.3
"""Seconds until a server has done what is left of connecting, or of clients that have gone."""

AFTER = 0.05
"""Seconds that a server gets for what it does after the last ``stream_end``."""

MICROSECONDS = 1e6


@dataclass(frozen=True)
class Turn:
    """How a turn is made.

    Attributes:
        starts: in all; at least one of each connection.
        connections: that start at the same time.
        rate: characters per second; 0 is as fast as it goes.

    """

    starts: int = 1000
    connections: int = 50
    rate: float = 50.0


@click.command(context_settings={"max_content_width": 100})
@servers_option([find("ours")])
@tree_option
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=7,
    show_default=True,
    help="Turns of each server.",
)
@click.option(
    "--starts", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="In a turn."
)
@click.option(
    "--connections",
    type=click.IntRange(1, 400),
    default=50,
    show_default=True,
    help="That start at the same time.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 1000),
    default=50.0,
    show_default=True,
    help="Characters per second; 0 is as fast as it goes.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there."
)
def main(
    *,
    servers: list[Server],
    trees: list[Tree],
    rounds: int,
    starts: int,
    connections: int,
    rate: float,
    json_path: Path | None,
) -> None:
    """Measure the CPU time of starting a short stream on an open connection.

    In microseconds of the server's CPU for each start: the median of its turns, and the extremes.
    """
    chosen = beside(servers, trees)
    turn = Turn(max(starts, connections), connections, rate)
    try:
        costs = asyncio.run(measure(chosen, turn, rounds))
    except (RuntimeError, Ended, TimeoutError) as error:
        raise click.ClickException(f"{type(error).__name__}: {error}") from None
    click.echo(table(chosen, costs))
    if json_path:
        json_path.write_text(json.dumps(costs, indent=1) + "\n")


async def measure(servers: Sequence[Server], turn: Turn, rounds: int) -> dict[str, list[float]]:
    """Return, for each server, the microseconds of CPU per start in each of its turns.

    Raises:
        RuntimeError: a server did not start, has ended, refused a stream, or sent another text.
        Ended: a server closed a connection.
        TimeoutError: a stream did not end.

    """
    costs: dict[str, list[float]] = {server.name: [] for server in servers}
    with ExitStack() as stack:
        processes = [stack.enter_context(ServerProcess(server)) for server in servers]
        for process in processes:
            await _cost(process, turn)  # imports and first allocations count for nobody
        for number in range(rounds):
            click.echo(f"round {number + 1} of {rounds} …", err=True)
            for server, process in zip(servers, processes, strict=True):
                costs[server.name].append(await _cost(process, turn))
    return costs


async def _cost(process: ServerProcess, turn: Turn) -> float:
    """Take a turn; return the microseconds of CPU per start."""
    each = turn.starts // turn.connections
    with ExitStack() as stack:
        clients = []
        for _ in range(turn.connections):
            clients.append(await Client.open(process.port))
            stack.callback(clients[-1].close)
        await _start(clients, 1, turn.rate)
        await asyncio.sleep(REST)
        before = process.usage().cpu
        await _start(clients, each, turn.rate)
        await asyncio.sleep(AFTER)
        taken = process.usage().cpu - before
    await asyncio.sleep(REST)
    return taken / (each * turn.connections) * MICROSECONDS


async def _start(clients: Sequence[Client], times: int, rate: float) -> None:
    """Start a stream on each connection, wait until all have ended, and again."""
    message = event("start_stream", {"text": TEXT, "rate": rate})

    async def one(client: Client) -> None:
        await client.send(message)
        text = ""
        while not (payload := await client.receive()).startswith(STREAM_END):
            if payload.startswith(STREAM_ERROR):
                raise RuntimeError(payload.decode())
            if payload.startswith(NEW_CHAR):
                text += json.loads(payload[2:])[1]
        if text != TEXT:
            raise RuntimeError(f"{text!r} was received, not {TEXT!r}")

    for _ in range(times):
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*map(one, clients))


def table(servers: Sequence[Server], costs: dict[str, list[float]]) -> str:
    """Return the figures as a Markdown table; ratios are to the first of the servers."""
    first = median(costs[servers[0].name])
    rows = [
        [
            server.title,
            f"{median(found):,.0f}",
            f"{min(found):,.0f}",
            f"{max(found):,.0f}",
            f"{median(found) / first:.2f}",
        ]
        for server in servers
        if (found := costs[server.name])
    ]
    return markdown_table([["server", "µs/start", "least", "most", f"× {servers[0].name}"], *rows])


if __name__ == "__main__":
    sys.exit(main())
