"""Each server, for real: started, loaded for a second, ended."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.measure import Options, measure
from benchmarks.process import ServerProcess
from benchmarks.servers import SERVERS, Server, find
from benchmarks.workloads import parse

SHORT = Options(seconds=1.0)


def children() -> list[str]:
    """Return the processes that were left behind; multiprocessing keeps one of its own."""
    lines = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    return [line for line in lines if "resource_tracker" not in line]


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: str(server.name))
def test_every_server_does_the_work(server: Server) -> None:
    if missing := server.missing():
        pytest.skip(missing)
    (result,) = measure(server, parse("paced-4"), SHORT)
    assert result.failed is None
    assert result.exact
    assert result.connected == 4
    assert result.delivered == pytest.approx(1, abs=0.3)
    assert result.characters_per_cpu_second
    assert result.first_p99 is not None
    assert children() == []


@pytest.mark.parametrize("name", ["ours", "flask-loop", "uvicorn", "node", "bun"])
def test_one_stream_reaches_all_viewers(name: str) -> None:
    server = find(name)
    if missing := server.missing():
        pytest.skip(missing)
    (result,) = measure(server, parse("fanout-4"), SHORT)
    assert result.failed is None
    assert result.exact
    assert result.delivered == pytest.approx(1, abs=0.3)


def test_two_generators_share_the_readers() -> None:
    (result,) = measure(find("floor"), parse("unpaced-3"), Options(seconds=1.0, generators=2))
    assert (result.connected, result.failed) == (3, None)
    assert result.characters_per_second


def test_idle_connections_are_counted() -> None:
    (result,) = measure(find("floor"), parse("idle-4"), SHORT)
    assert (result.connected, result.threads, result.failed) == (4, 1, None)
    assert result.characters_per_second is None


def test_a_server_that_does_not_start_is_a_failed_result() -> None:
    broken = dataclasses.replace(find("floor"), command=(sys.executable, "-c", "exit('no luck')"))
    (result,) = measure(broken, parse("paced-4"), SHORT)
    assert result.failed == "floor did not start: no luck"


def test_a_server_that_answers_nobody_is_a_failed_result(tmp_path: Path) -> None:
    script = tmp_path / "deaf.py"
    script.write_text(
        "import socket, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(f'http://127.0.0.1:{s.getsockname()[1]}', flush=True)\n"
        "time.sleep(600)\n"
    )
    deaf = dataclasses.replace(find("floor"), command=(sys.executable, str(script)))
    (result,) = measure(deaf, parse("paced-4"), SHORT)
    assert result.failed == "0 of 4 connected"
    assert children() == []


def test_the_cpu_of_ended_threads_counts() -> None:
    burn = (
        "import threading, time\n"
        "t = threading.Thread(target=lambda: sum(range(3 * 10**6)))\n"
        "t.start(); t.join()\n"
        "print('http://127.0.0.1:1', flush=True)\n"
        "time.sleep(600)\n"
    )
    server = dataclasses.replace(find("floor"), command=(sys.executable, "-c", burn))
    with ServerProcess(server) as process:
        usage = process.usage()
    assert usage.threads == 1
    assert usage.cpu > 0.02
