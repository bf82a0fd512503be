"""The command line on a terminal."""

from __future__ import annotations

import re

import pytest

from tests.cli.terminal import Terminal
from tests.support.running_server import RunningServer
from textstream.loggable import fingerprint

pytestmark = pytest.mark.live


def test_a_line_end_is_added_where_the_text_lacks_it(text_server: RunningServer) -> None:
    with Terminal(text_server, "--source", "text", "--rate", "0", "hello 字") as terminal:
        assert terminal.finish() == 0
        assert terminal.text == "hello 字\r\n"
    with Terminal(text_server, "--source", "text", "--rate", "0", "hello\n") as terminal:
        assert terminal.finish() == 0
        assert terminal.text == "hello\r\n"


def test_no_prompt_on_a_terminal_is_wrong_use_but_for_text(text_server: RunningServer) -> None:
    with Terminal(text_server, "--source", "limited") as terminal:
        assert terminal.finish() == 2
        assert "needs a prompt" in terminal.text
    with Terminal(text_server, "--source", "text", "--rate", "0") as terminal:
        assert terminal.finish() == 0
        assert "这是一段要逐步返回的文字" in terminal.text


def test_ctrl_c_stops_the_stream_on_the_server(text_server: RunningServer) -> None:
    before = text_server.log_text().count("reason=stopped")
    with Terminal(text_server, "--source", "endless", "--rate", "100", "x") as terminal:
        terminal.wait_for("0 1 2 ")
        terminal.press(b"\x03")
        assert terminal.finish() == 130
        assert "Traceback" not in terminal.text
        assert terminal.text.endswith("\r\n")
    text_server.wait_for_log(lambda log: log.count("reason=stopped") > before)


def test_ctrl_c_leaves_a_resumed_stream_running(text_server: RunningServer) -> None:
    with Terminal(text_server, "--source", "endless", "--rate", "100", "--json", "x") as first:
        first.wait_for(r'"id": "([^"]+)"')
        found = re.search(r'"id": "([^"]+)"', first.text)
        assert found
        with Terminal(text_server, "resume", found[1]) as second:
            second.wait_for("0 1 2 ")
            second.press(b"\x03")
            assert second.finish() == 130
        assert f"stream={fingerprint(found[1])}" not in text_server.log_text()
        first.press(b"\x03")
        assert first.finish() == 130


def test_a_terminal_that_lacks_the_characters_gets_replacements(
    text_server: RunningServer,
) -> None:
    arguments = ("--source", "text", "--rate", "0", "a字b")
    with Terminal(text_server, *arguments, PYTHONIOENCODING="ascii") as terminal:
        assert terminal.finish() == 0
        assert terminal.text == "a?b\r\n"
