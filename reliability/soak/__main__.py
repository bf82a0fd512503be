"""The command: ``python -m reliability.soak --minutes 20 --seed 1``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from reliability.soak.run import CROWD, Options, Report, soak
from reliability.soak.target import ServerName
from reliability.soak.verdict import MEGABYTE, table
from tests.support.leaks import LeakGuard

WARM_UP_SHARE = 0.4


def lines_of(report: Report) -> list[str]:
    """Return what the command prints at the end."""
    options, before, after = report.options, report.before, report.after
    worked = report.samples[-1]
    what = (
        f"{options.server}, {options.seconds / 60:g} minutes, {options.warm_up / 60:g} of them "
        f"warm-up, {options.clients} clients ({CROWD * options.clients} in the warm-up), "
        f"seed {options.seed}"
    )
    faults = report.faults
    return [
        "",
        what,
        ", ".join(f"{number:,} {name}" for name, number in report.counts.items()),
        f"{faults.connections:,} connections, {faults.cuts:,} cuts, {faults.stalls:,} stalls",
        f"{(worked.cpu - before.cpu) / (worked.at - before.at):.0%} of a core",
        "",
        *table(report.verdicts),
        "",
        "| at rest | before | after |",
        "|---|---:|---:|",
        *(
            f"| {name} | {getattr(before, name):,} | {getattr(after, name):,} |"
            for name in ("threads", "descriptors", "streams", "blocks")
        ),
        f"| resident, MB | {before.resident / MEGABYTE:.1f} | {after.resident / MEGABYTE:.1f} |",
        f"| anonymous, MB | {before.anonymous / MEGABYTE:.1f} | {after.anonymous / MEGABYTE:.1f} |",
        "",
        "More objects than before: "
        + (", ".join(f"{n} {name}" for name, n in report.grown.items()) or "none"),
        "",
        *(f"WRONG: {line}" for line in report.wrong),
        *(f"RISES: {name}" for name in report.rising),
        "Something is wrong." if report.wrong or report.rising else "Nothing is wrong.",
    ]


def write_json(report: Report, path: Path) -> None:
    """Write samples and result."""
    verdicts = [
        {"figure": v.series.name, "bound_an_hour": v.series.bound, "verdict": v.word}
        | asdict(v.trend)
        for v in report.verdicts
    ]
    fields = {name: value for name, value in vars(report).items() if name != "verdicts"}
    plain = {**fields, "verdicts": verdicts}
    path.write_text(json.dumps(plain, default=asdict, indent=1) + "\n", encoding="utf-8")


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=20.0,
    show_default=True,
    help="How long clients come and go.",
)
@click.option(
    "--warm-up",
    type=click.FloatRange(min=0),
    metavar="MINUTES",
    help="How many of these are not judged.  [default: four tenths]",
)
@click.option("--seed", default=1, show_default=True, help="Decides what is done, and the faults.")
@click.option(
    "--clients",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Workers at a time; twice as many in the warm-up.",
)
@click.option(
    "--server",
    type=click.Choice(get_args(ServerName)),
    default="front",
    show_default=True,
    help="What serves.",
)
@click.option("--no-model", is_flag=True, help="Leave the local model alone.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write samples and result to this file.",
)
def main(*, minutes: float, warm_up: float | None, json_file: Path | None, **others: Any) -> None:
    """Connect, stream, cut, resume and stop, and see whether the server grows.

    The exit code is 1 when something is wrong: a text, a traceback, something left, or a figure
    that rises.
    """
    warm_up = minutes * WARM_UP_SHARE if warm_up is None else warm_up
    if warm_up >= minutes:
        raise click.UsageError("--warm-up: it must end before the run does")
    model = not others.pop("no_model")
    options = Options(minutes * 60, warm_up * 60, model=model, **others)
    report = soak(options, click.echo, LeakGuard())
    for line in lines_of(report):
        click.echo(line)
    if json_file:
        write_json(report, json_file)
    sys.exit(1 if report.wrong or report.rising else 0)


if __name__ == "__main__":
    main()
