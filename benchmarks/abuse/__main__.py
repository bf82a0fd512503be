"""Attack a server and print how it fared; ``--help`` lists the flags."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from benchmarks.abuse.catalogue import SECONDS, all_attacks
from benchmarks.abuse.run import run
from benchmarks.abuse.show import publish, remarks, table
from benchmarks.servers import OURS, find

CONNECTIONS = 10_000
NAMES = [attack.name for attack in all_attacks(CONNECTIONS)]


def _chosen(_context: object, _parameter: object, value: str) -> list[str]:
    names = value.split(",") if value else NAMES
    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"no attack {name!r}; --list lists them")
    return names


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--server",
    "server_name",
    type=click.Choice([name for name in OURS if not find(name).secret]),
    default="ours",
    show_default=True,
    help="Which one.",
)
@click.option(
    "--only", "names", default="", callback=_chosen, help="Only these attacks, comma separated."
)
@click.option("--list", "listed", is_flag=True, help="List the attacks, and make none.")
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    default=CONNECTIONS,
    show_default=True,
    help="Connections that come and go in churn.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(5.0, 90.0),
    default=SECONDS,
    show_default=True,
    help="How long the longest goes on; floods, a tenth of that.",
)
@click.option(
    "--publish", "published", is_flag=True, help="Write their rows into docs/reliability.md."
)
def main(
    *,
    server_name: str,
    names: list[str],
    listed: bool,
    count: int,
    seconds: float,
    published: bool,
) -> None:
    """Attack a fresh server process with each, while good readers stream and others come.

    Exit code 1: a limit was passed.
    """
    attacks = all_attacks(count, seconds)
    chosen = [attack for attack in attacks if attack.name in names]
    if listed:
        for attack in chosen:
            click.echo(f"{attack.name:<24}{attack.what}")
        return
    verdicts = []
    for attack in chosen:
        click.echo(f"{attack.name} …", err=True)
        verdicts.append(run(find(server_name), attack))
        click.echo("\n".join(remarks(verdicts[-1])), err=True)
    click.echo(table(verdicts))
    if published:
        day = datetime.now(UTC).date().isoformat()
        publish(verdicts, {attack.name: attack.what for attack in attacks}, day)
    sys.exit(any(verdict.failures for verdict in verdicts))


if __name__ == "__main__":
    main()
