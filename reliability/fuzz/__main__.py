"""Throw malformed input at a server and print how it fared; ``--help`` lists the flags."""

from __future__ import annotations

import sys

import click

from reliability.fuzz.inputs import Layer
from reliability.fuzz.run import run, shares
from reliability.fuzz.target import SERVERS


def _numbers(_context: object, _parameter: object, value: str) -> list[int]:
    try:
        return [int(part) for part in value.split(",") if part]
    except ValueError:
        raise click.BadParameter("numbers, comma separated") from None


@click.command(context_settings={"max_content_width": 100})
@click.option(
    "--count",
    type=click.IntRange(1, 10_000_000),
    default=100_000,
    show_default=True,
    help="Inputs in all.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed, the same inputs."
)
@click.option("--layer", type=click.Choice(list(Layer)), help="Only this layer; default: all four.")
@click.option(
    "--only",
    callback=_numbers,
    default="",
    help="Only the inputs of these numbers, comma separated; with --layer.",
)
@click.option(
    "--server", type=click.Choice(SERVERS), default=SERVERS[0], show_default=True, help="Which one."
)
def main(*, count: int, seed: int, layer: str | None, only: list[int], server: str) -> None:
    """Attack a fresh server process with malformed input, while healthy clients stream.

    Exit code 1: something was wrong.
    """
    layers = [Layer(layer)] if layer else list(Layer)
    if only and not layer:
        raise click.UsageError("--only needs --layer: each layer has numbers of its own")
    inputs = {layers[0]: only} if only else shares(count, layers)
    report = run(server, seed, inputs, progress=lambda line: click.echo(line, err=True))
    click.echo(str(report))
    sys.exit(bool(report.failures))


if __name__ == "__main__":
    main()
