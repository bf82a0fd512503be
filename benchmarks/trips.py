"""How far a request travels: calls of our own code, and files it comes back to, on a live server.

``python -m benchmarks.trips``; ``--help`` lists the flags.

A **trip** begins with bytes on the server's socket and ends with the write that a person waits for:

======  ===================================  ============================
trip    the client sends, on a WebSocket     the write that ends it
======  ===================================  ============================
start   ``start_stream``, on a connection    the first ``new_char``
        on which a stream was stopped before
resume  ``resume_stream``, on a new          the first ``new_char``
        connection, after the old one broke
stop    ``stop_stream`` with the stream's    ``stream_end``
        id, right after a character
======  ===================================  ============================

The source is ``text``, the unit ``char``, the pace 50/s; every event asks for its answer. The
server runs in a process of its own, with a profiler (`sys.setprofile`) in all its threads. The
client is in another, so that it is not counted. What is counted:

- **calls**: of functions in ``textstream/``. Whatever the profiler sees with a code object in one
  of our files is one: functions, methods, properties, lambdas, comprehensions (not from Python 3.12
  on, which has no call for them), and each time that a generator or a generator expression is
  resumed. Functions of C (pydantic's, ``json``'s) and other people's are none.
- **library calls**: the same in python-socketio and python-engineio.
- **files**: of ours, in which a function was called.
- **moves**: in each thread the calls make a sequence; a move is a call in another file than the
  thread's call before. Coming back by returning is none.
- **re-entries**: moves into a file in which this thread has been already on this trip: what makes
  a reader of the code go back to a page that he had turned.

Which calls belong to a trip: in the thread that reads the bytes, those since it last waited for
sockets; in the others, those from the reading on; in the thread that writes, those up to the write;
in the others also those after it until they have come out of what they were in, such as the worker
that answers the event. So the count does not hang on which thread is first: it is the same each
time, but for timers and the like that come in between. Hence the median of several trips; the
interpreter's switch interval is long, so that a thread goes on until it waits.

A character that is due while a trip is under way would be counted with it; the trips leave no time
for one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.abuse.wire import Ended
from benchmarks.markdown import markdown_table
from benchmarks.options import beside, tree_option
from benchmarks.servers import Server, find
from benchmarks.trees import Tree
from benchmarks.trip.client import TRIPS, ask_for_all
from benchmarks.trip.figures import Event, Spread, figures, spreads
from benchmarks.trip.server import ProfiledServer
from benchmarks.trip.tree import draw

WARM_UP = 2
"""Rounds that do not count: what is imported or made at first use is no part of a trip."""

BOUNDS: Mapping[str, Mapping[str, int]] = {
    "start": {"calls": 150, "re_entries": 55},
    "resume": {"calls": 125},
    "stop": {"calls": 100},
}
"""What this tree's medians may be at most (``--bounds``)."""

TITLES = {
    "calls": "calls",
    "library_calls": "library calls",
    "files": "files",
    "moves": "moves",
    "re_entries": "re-entries",
}

Rounds = list[dict[str, list[Event]]]
Counted = dict[str, dict[str, Spread]]
"""For each trip its figures."""


@click.command(context_settings={"max_content_width": 100})
@tree_option
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=9,
    show_default=True,
    help="Times that each trip is made.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures there."
)
@click.option("--bounds", is_flag=True, help="Exit code 1 if this tree is over a bound.")
@click.option("--trace", type=click.Choice(TRIPS), help="Print the calls of this trip as a tree.")
def main(
    *, trees: list[Tree], rounds: int, json_path: Path | None, bounds: bool, trace: str | None
) -> None:
    """Count calls, moves between files and re-entries of files, per trip through a live server.

    Printed is the median, and the extremes where trips differ.
    """
    ours = find("ours")
    counted: dict[str, Counted] = {}
    for server in beside([ours], trees):
        try:
            made = asyncio.run(_made(server, rounds))
        except (RuntimeError, Ended, TimeoutError) as error:
            problem = f"{server.name}: {type(error).__name__}: {error}"
            raise click.ClickException(problem) from None
        counted[server.name] = {
            trip: spreads([figures(one[trip]) for one in made]) for trip in TRIPS
        }
        click.echo(f"{server.title}\n{table(counted[server.name])}\n")
        if trace:
            click.echo(draw(_typical(made, trace, counted[server.name])) + "\n")
    if json_path:
        json_path.write_text(json.dumps(_plain(counted), indent=1) + "\n")
    over = list(exceeded(counted[ours.name])) if bounds else []
    for line in over:
        click.echo(f"✗ {line}", err=True)
    sys.exit(bool(over))


async def _made(server: Server, rounds: int) -> Rounds:
    with ProfiledServer(server) as profiled:
        made = [await ask_for_all(profiled) for _ in range(WARM_UP + rounds)]
    return made[WARM_UP:]


def _typical(made: Rounds, trip: str, counted: Counted) -> list[Event]:
    """Return the events of the first of the trips with as many calls as the median."""
    calls = counted[trip]["calls"].median
    return next(one[trip] for one in made if figures(one[trip]).calls == calls)


def _plain(counted: dict[str, Counted]) -> dict[str, dict[str, dict[str, dict[str, int]]]]:
    return {
        server: {
            trip: {name: asdict(spread) for name, spread in of_trip.items()}
            for trip, of_trip in of_server.items()
        }
        for server, of_server in counted.items()
    }


def exceeded(counted: Counted) -> Iterator[str]:
    """Yield a line for each median that is over its bound."""
    for trip, most in BOUNDS.items():
        for name, bound in most.items():
            median = counted[trip][name].median
            if median > bound:
                yield f"{trip}: {median} {TITLES[name]}, more than {bound}"


def table(counted: Counted) -> str:
    """Return the figures as a Markdown table."""
    rows = [[trip, *(_cell(of_trip[name]) for name in TITLES)] for trip, of_trip in counted.items()]
    return markdown_table([["trip", *TITLES.values()], *rows])


def _cell(spread: Spread) -> str:
    if spread.least == spread.most:
        return str(spread.median)
    return f"{spread.median} ({spread.least}–{spread.most})"


if __name__ == "__main__":
    main()
