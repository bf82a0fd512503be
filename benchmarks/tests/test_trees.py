"""Another checkout beside this one: its servers, and how they are compared with ours."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import __main__ as benchmark
from benchmarks import report
from benchmarks.options import beside
from benchmarks.process import ServerProcess
from benchmarks.result import Result
from benchmarks.servers import ROOT, find, title
from benchmarks.trees import Tree, parse


def checkout(path: Path) -> Path:
    path.mkdir()
    (path / "stream_server.py").write_text(
        "import os\nprint(f'http://127.0.0.1:1 {os.getcwd()}')\n"
    )
    return path


def test_a_tree_has_a_label_and_a_server(tmp_path: Path) -> None:
    path = checkout(tmp_path / "old")
    assert parse(f"before={path}") == Tree("before", path)
    assert parse(str(path)) == Tree("old", path)
    assert parse(f"a=b={path}").label == "a=b"
    with pytest.raises(ValueError, match="no label"):
        parse(f"={path}")
    for nothing in (tmp_path, tmp_path / "none"):
        with pytest.raises(ValueError, match=r"no stream_server\.py"):
            parse(f"before={nothing}")


def test_a_tree_runs_in_its_folder_with_its_own_interpreter(tmp_path: Path) -> None:
    tree = parse(str(checkout(tmp_path / "old")))
    assert tree.python == sys.executable
    with ServerProcess(tree.server(find("ours"))) as process:
        assert process.port == 1
        assert process.log_tail().endswith(str(tree.path))
    own = tree.path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    assert tree.server(find("ours")).command[0] == str(own)


def test_trees_stand_behind_each_of_ours() -> None:
    trees = [Tree("before", ROOT), Tree("other", ROOT)]
    servers = beside([find("ours"), find("node"), find("ours-gunicorn")], trees)
    assert [server.name for server in servers] == [
        *("ours", "ours@before", "ours@other", "node"),
        *("ours-gunicorn", "ours-gunicorn@before", "ours-gunicorn@other"),
    ]
    assert [server.title for server in servers] == [title(server.name) for server in servers]
    with pytest.raises(click.UsageError, match="--tree needs ours"):
        beside([find("node")], trees)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--tree", f"a={ROOT}", "--tree", f"a={ROOT}"], "same label"),
        (["--tree", "nowhere"], "no stream_server.py in nowhere"),
        (["--tree", str(ROOT), "--publish"], "--publish is for this tree alone"),
    ],
)
def test_a_wrong_flag_is_named(arguments: list[str], problem: str) -> None:
    answer = CliRunner().invoke(benchmark.main, arguments)
    assert answer.exit_code == 2
    assert problem in answer.output


def test_the_table_compares_ours_with_the_tree() -> None:
    ours = Result(
        "ours",
        "paced-4",
        4,
        connected=4,
        characters_per_cpu_second=300.0,
        bytes_per_connection=3000.0,
    )
    before = dataclasses.replace(
        ours, server="ours@before", characters_per_cpu_second=200.0, bytes_per_connection=4000.0
    )
    node = dataclasses.replace(ours, server="node", characters_per_cpu_second=100.0)
    lines = report.table([ours, before, node], "paced-4").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][3] == "× Node"
    assert cells[0][-2:] == ["× before", "kB × before"]
    assert [(row[0], row[3], row[-2], row[-1]) for row in cells[2:]] == [
        ("textstream", "3.00", "1.50", "0.75"),
        ("textstream (before)", "2.00", "1.00", "1.00"),
        ("Node socket.io", "1.00", "–", "–"),
    ]
