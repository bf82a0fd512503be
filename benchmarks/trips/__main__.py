"""Count the calls of a trip: ``python -m benchmarks.trips``; ``--help`` lists the flags."""

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
from benchmarks.trips.client import TRIPS, ask_for_all
from benchmarks.trips.figures import Event, Spread, figures, spreads
from benchmarks.trips.server import ProfiledServer
from benchmarks.trips.tree import draw

WARM_UP = 2
"""Rounds that do not count: what is imported or made at first use is no part of a trip."""

BOUNDS: Mapping[str, Mapping[str, int]] = {
    "start": {"calls": 150, "re_entries": 45},
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
