"""Other checkouts of this project, measured beside this one: before and after in one run."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import OF_TREE, Server, title


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
        name = f"{ours.name}{OF_TREE}{self.label}"
        return dataclasses.replace(
            ours,
            name=name,
            title=title(name),
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
