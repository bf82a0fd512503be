"""Other checkouts of this project, measured beside this one: before and after in one run."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.servers import Server


@dataclass(frozen=True)
class Tree:
    """A checkout.

    Attributes:
        label: what it is called in tables.
        path: its root.

    """

    label: str
    path: Path

    @property
    def python(self) -> str:
        """Its own interpreter, in ``.venv``; without one, that of this process."""
        own = self.path / ".venv" / "bin" / "python"
        return str(own if own.exists() else sys.executable)

    def server(self, ours: Server) -> Server:
        """Return one of our servers, as it is in this tree."""
        interpreter, *arguments = ours.command
        assert interpreter == sys.executable
        return dataclasses.replace(
            ours,
            name=f"{ours.name}@{self.label}",
            title=f"{ours.title} ({self.label})",
            command=(self.python, *arguments),
            root=self.path,
        )


def parse(value: str) -> Tree:
    """Return the tree of ``LABEL=PATH``, or of ``PATH``, whose label is the folder's name.

    Raises:
        ValueError: there is no server there, or the label is empty.

    """
    label, given, path = value.rpartition("=")
    root = Path(path).resolve()
    if not (root / "stream_server.py").is_file():
        raise ValueError(f"there is no stream_server.py in {path or 'an empty path'}")
    if given and not label:
        raise ValueError(f"no label in {value!r}")
    return Tree(label or root.name, root)


def _trees(_context: object, _parameter: object, values: tuple[str, ...]) -> list[Tree]:
    try:
        trees = [parse(value) for value in values]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if len({tree.label for tree in trees}) < len(trees):
        raise click.BadParameter("two trees have the same label; give others: LABEL=PATH")
    return trees


tree_option: Callable[[Any], Any] = click.option(
    "--tree",
    "trees",
    multiple=True,
    metavar="[LABEL=]PATH",
    callback=_trees,
    help="Another checkout to measure in turn, on its own .venv; may be repeated.",
)
"""The flag that all commands have for it."""
