"""Run the benchmarks: ``python -m benchmarks``; ``--help`` lists the flags."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.chart import draw
from benchmarks.limits import raise_open_files
from benchmarks.measure import MAX_SATURATING, Options, can, measure
from benchmarks.options import beside, servers_option, tree_option
from benchmarks.report import document, table, workload_names, write_between_markers
from benchmarks.result import Result
from benchmarks.servers import SERVERS, Server
from benchmarks.storage import describe_setup, load, save
from benchmarks.trees import Tree
from benchmarks.turns import median_of, order
from benchmarks.workloads import NAMES, STANDARD, Workload, parse

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def _work(_context: object, _parameter: object, value: str) -> list[Workload]:
    try:
        return [parse(name) for name in value.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(context_settings={"max_content_width": 100})
@servers_option(SERVERS)
@tree_option
@click.option(
    "--work",
    default=",".join(workload.name for workload in STANDARD),
    show_default=True,
    callback=_work,
    help=f"Workloads, comma separated: {NAMES}.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=10.0,
    show_default=True,
    help="Window for each server and workload.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Turns of each server under each workload; the median counts.",
)
@click.option(
    "--generators",
    type=click.IntRange(1, 8),
    default=1 if (os.cpu_count() or 1) < 4 else 2,
    show_default=True,
    help="Processes that make the load.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the results there."
)
@click.option(
    "--publish", is_flag=True, help="Write results.json, the chart and the README's tables."
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Do not measure: show, or publish, the results in this file.",
)
def main(
    *,
    servers: list[Server],
    trees: list[Tree],
    work: list[Workload],
    seconds: float,
    rounds: int,
    generators: int,
    json_path: Path | None,
    publish: bool,
    source: Path | None,
) -> None:
    """Put the same work on several servers in turn, and compare."""
    if publish and trees:
        raise click.UsageError("--publish is for this tree alone, without --tree.")
    if source is not None:
        results, setup = load(source)
        for name in workload_names(results):
            click.echo(f"\n{name}\n{table(results, name)}")
    else:
        options = Options(seconds, generators, rounds)
        setup = describe_setup(options)
        keep = json_path or (RESULTS if publish else None)
        results = _measure_all(_present(beside(servers, trees)), work, options, keep, setup)
    if publish:
        save(RESULTS, results, setup)
        draw(results, HERE / "results.svg")
        write_between_markers(HERE / "README.md", document(results, setup))


def _present(servers: list[Server]) -> list[Server]:
    """Return those that can be run; say what the others lack."""
    present = []
    for server in servers:
        if missing := server.missing():
            click.echo(f"{server.name} is left out: {missing}.", err=True)
        else:
            present.append(server)
    return present


def _measure_all(
    servers: list[Server],
    work: list[Workload],
    options: Options,
    json_path: Path | None,
    setup: dict[str, str],
) -> list[Result]:
    try:
        raise_open_files(
            max(2 * MAX_SATURATING if w.kind == "overload" else w.readers for w in work)
        )
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
    results: list[Result] = []
    for workload in work:
        able = [server for server in servers if can(server, workload)]
        medians: list[Result] = []
        for found in _turns(able, workload, options):
            medians = found
            if json_path:  # after each, so that an interrupted run is not lost
                save(json_path, [*results, *medians], setup)
        results += medians
        for name in workload_names(medians):
            click.echo(f"\n{name}\n{table(results, name)}\n")
    return results


def _turns(servers: list[Server], workload: Workload, options: Options) -> Iterator[list[Result]]:
    """Measure the servers in turn; after each, yield the medians so far."""
    turns: dict[tuple[str, str], list[Result]] = {}
    names = [server.name for server in servers]
    for number in range(options.rounds):
        for server in order(servers, number):
            click.echo(f"{workload.name} {number + 1}/{options.rounds}: {server.name} …", err=True)
            for result in measure(server, workload, options):
                turns.setdefault((result.workload, result.server), []).append(result)
            done = sorted(turns.items(), key=lambda item: names.index(item[0][1]))
            yield [median_of(of_one) for _, of_one in done]


if __name__ == "__main__":
    sys.exit(main())
