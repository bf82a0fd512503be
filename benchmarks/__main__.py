"""Run the benchmarks: ``python -m benchmarks``; ``--help`` lists the flags."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from benchmarks.chart import draw
from benchmarks.limits import raise_open_files
from benchmarks.measure import MAX_SATURATING, Options, measure
from benchmarks.options import beside, servers_option, tree_option
from benchmarks.report import document, table, workload_names, write_between_markers
from benchmarks.result import Result
from benchmarks.servers import SERVERS, Server
from benchmarks.storage import describe_setup, load, save
from benchmarks.trees import Tree
from benchmarks.workloads import STANDARD, Workload, parse

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
    help="Workloads, comma separated: unpaced-N, paced-N, idle-N, fanout-N, overload.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=10.0,
    show_default=True,
    help="Window for each server and workload.",
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
        options = Options(seconds, generators)
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
        seen = len(results)
        for server in servers:
            if workload.kind == "broadcast" and not server.broadcasts:
                continue
            click.echo(f"{workload.name}: {server.name} …", err=True)
            results += measure(server, workload, options)
            if json_path:  # after each, so that an interrupted run is not lost
                save(json_path, results, setup)
        for name in workload_names(results[seen:]):
            click.echo(f"\n{name}\n{table(results, name)}\n")
    return results


if __name__ == "__main__":
    sys.exit(main())
