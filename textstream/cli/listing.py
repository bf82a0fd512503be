"""The sources of a server as a table. No I/O."""

from __future__ import annotations

from typing import Any, TextIO

from textstream.cli.terminal import visible_in_line


def table(described: dict[str, Any], out: TextIO) -> str:
    """Return the lines for what ``GET /api/sources`` says, as `out` is to get them."""
    entries = [source for source in described["sources"] if isinstance(source, dict)]

    def cell(value: object) -> str:
        return visible_in_line(str(value)) if out.isatty() else str(value)

    names = [cell(source.get("name")) for source in entries]
    width = max(map(len, names), default=0)
    margin = f"  {'':<{width}}    "
    lines = []
    for source, name in zip(entries, names, strict=True):
        mark = "*" if source.get("name") == described.get("preferred") else " "
        lines.append(f"{mark} {name:<{width}}  {cell(source.get('description', ''))}".rstrip())
        if source.get("available") is False:
            lines.append(f"{margin}not available: {cell(source.get('error', ''))}")
        schema = source.get("params")
        keys = schema.get("properties") if isinstance(schema, dict) else None
        if isinstance(keys, dict):
            lines.extend(f"{margin}--param {cell(key)}=…" for key in keys)
    return "\n".join([*lines, ""])
