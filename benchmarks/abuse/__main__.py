"""Attack a server and print how it fared; ``--help`` lists the flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from benchmarks.abuse.run import Attack, Verdict, all_attacks, run
from benchmarks.servers import OURS, find

CONNECTIONS = 10_000
NAMES = [attack.name for attack in all_attacks(CONNECTIONS)]

TITLES = ("attack", "growth MB", "threads", "offenders", "gap p50 / p99 / max ms", "verdict")


def _chosen(_context: object, _parameter: object, value: str) -> list[str]:
    names = value.split(",")
    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"no attack {name!r}; there are " + ", ".join(NAMES))
    return names


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--server",
    "server_name",
    type=click.Choice(OURS),
    default="ours",
    show_default=True,
    help="Which one.",
)
@click.option(
    "--attack",
    "names",
    default=",".join(NAMES),
    show_default=True,
    callback=_chosen,
    help="Which ones, comma separated.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=CONNECTIONS,
    show_default=True,
    help="Connections that come and go in churn.",
)
def main(*, server_name: str, names: list[str], count: int) -> None:
    """Attack a fresh server process with each, while 20 good readers stream.

    Exit code 1: a limit was passed.
    """
    chosen: list[Attack] = [attack for attack in all_attacks(count) if attack.name in names]
    verdicts = []
    for attack in chosen:
        click.echo(f"{attack.name} …", err=True)
        verdicts.append(run(find(server_name), attack))
    click.echo(table(verdicts))
    sys.exit(any(verdict.failures for verdict in verdicts))


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the Markdown table, with what failed and what else was seen below it."""
    rows = [TITLES, *map(_cells, verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    lines.append("")
    for verdict in verdicts:
        lines += [f"- {verdict.attack}: {note}" for note in ("; ".join(verdict.notes),) if note]
        lines += [f"- ✗ {verdict.attack}: {failure}" for failure in verdict.failures]
    return "\n".join(lines)


def _cells(verdict: Verdict) -> tuple[str, ...]:
    served = verdict.served
    return (
        verdict.attack,
        f"{verdict.growth:.1f}",
        str(verdict.threads),
        ", ".join(f"{ending}: {count:,}" for ending, count in verdict.endings.most_common()),
        f"{served.gap_p50:.0f} / {served.gap_p99:.0f} / {served.gap_max:.0f}" if served else "–",
        "✗" if verdict.failures else "passed",
    )


if __name__ == "__main__":
    main()
