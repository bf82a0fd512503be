"""Flags that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from benchmarks.servers import OURS, Server, find
from benchmarks.trees import Tree, parse

Decorator = Callable[[Any], Any]


def servers_option(default: Iterable[Server]) -> Decorator:
    """Return ``--servers``: a list of `Server`."""
    return click.option(
        "--servers",
        default=",".join(server.name for server in default),
        show_default=True,
        callback=_servers,
        help="Which ones, comma separated.",
    )


def _servers(_context: object, _parameter: object, value: str) -> list[Server]:
    try:
        return [find(name) for name in value.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _trees(_context: object, _parameter: object, values: tuple[str, ...]) -> list[Tree]:
    try:
        trees = [parse(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if len({tree.label for tree in trees}) < len(trees):
        raise click.BadParameter("two have the same label; give others: LABEL=PATH")
    return trees


tree_option: Decorator = click.option(
    "--tree",
    "trees",
    multiple=True,
    metavar="[LABEL=]PATH",
    callback=_trees,
    help="Another checkout: its servers are measured in turn with ours. May be repeated.",
)
"""``--tree``: a list of `Tree`."""


def beside(servers: Sequence[Server], trees: Sequence[Tree]) -> list[Server]:
    """Return the servers, and behind each of ours the same one of each tree.

    Raises:
        click.UsageError: there are trees, and none of ours to compare with.

    """
    if trees and not any(server.name in OURS for server in servers):
        raise click.UsageError(f"--tree needs {' or '.join(OURS)} among the --servers.")
    return [
        one
        for server in servers
        for one in (server, *(tree.server(server) for tree in trees if server.name in OURS))
    ]
