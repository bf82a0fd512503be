"""The command line and what lies between it and the server."""

from __future__ import annotations

import threading

import pytest

from tests.cli.conftest import Run
from tests.support.reverse_proxy import ReverseProxy
from tests.support.running_server import RunningServer
from textstream.chaos import ChaosProxy, ScriptedPlan

pytestmark = pytest.mark.live

TEXT = "Hello 这是一段要逐步返回的文字 👨‍👩‍👧‍👦"


def test_behind_a_proxy_with_a_path_and_without_websockets(
    run_cli: Run, text_server: RunningServer
) -> None:
    with ReverseProxy(text_server.address, prefix="/stream", upgrade=400) as proxy:
        there = ("--url", proxy.url, "--rate", "0", "--source", "text")
        result = run_cli(*there, TEXT)
        assert (result.returncode, result.stdout, result.stderr) == (0, TEXT.encode(), b"")
        assert run_cli(*there, "--transport", "polling", TEXT).stdout == TEXT.encode()
        alone = run_cli(*there, "--transport", "websocket", TEXT)
        assert (alone.returncode, alone.stdout) == (3, b"")
        assert b"HTTP status 400" in alone.stderr
        assert b"text" in run_cli("sources", "--url", f"{proxy.url}/app/").stdout
        assert proxy.outside == []


def test_under_a_path_a_cut_loses_nothing(run_cli: Run, text_server: RunningServer) -> None:
    text = TEXT * 20
    cuts = ScriptedPlan([2000] * 5)
    with (
        ChaosProxy(text_server.address, plan=cuts) as network,
        ReverseProxy(network.address, prefix="/stream") as proxy,
    ):
        there = ("--url", proxy.url, "--transport", "websocket", "--rate", "0")
        result = run_cli(*there, "--source", "text", text)
        assert (result.returncode, result.stdout) == (0, text.encode())
        assert proxy.seen.count("GET /stream/socket.io/") > 1, "it was cut"
        assert proxy.outside == []


def test_a_server_that_restarts_is_waited_for(run_cli: Run, text_server: RunningServer) -> None:
    for arguments in (("--source", "text", "--rate", "0", "x"), ("sources",)):
        with ChaosProxy(text_server.address) as network:
            network.hold()
            back = threading.Timer(0.2, network.release)
            back.start()
            result = run_cli(*arguments, "--url", network.url, "--wait", "30")
            back.join()
            assert (result.returncode, result.stderr) == (0, b"")
