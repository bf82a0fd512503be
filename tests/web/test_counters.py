"""The line of counters that an operator asks for."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import pytest

from tests.conftest import Connect
from tests.lab.conftest import LabServer
from tests.live.streams import endless, finish, start
from textstream.access.account import Kind
from textstream.log_format import JsonFormatter, TextFormatter
from textstream.web.counters import counters, log_counters


def test_everything_is_in_it(lab: LabServer, sio: Connect) -> None:
    before = counters(lab.parts)
    assert before["streams"] == {}
    reading, ended = sio(lab.url), sio(lab.url, ("polling",))
    endless(reading)
    start(ended, {"text": "abc", "rate": 0})
    finish(ended)
    lab.parts.clients.account.add(Kind.WAITING, 12)

    found = counters(lab.parts)
    assert found["process"]["pid"] == os.getpid()
    assert found["process"]["uptime"] >= before["process"]["uptime"]
    assert found["process"]["rss"] > 1_000_000
    assert found["process"]["threads"]["reactor"] == 1
    descriptors = found["process"]["descriptors"]
    assert before["process"]["descriptors"]["in_use"] < descriptors["in_use"] < descriptors["limit"]
    assert found["sessions"] == {"polling": 1, "websocket": 1}
    assert (found["connections"], found["readers"]) == (2, 1)
    assert sum(found["streams"].values()) == 2
    assert found["streams"]["ended"] == 1
    assert found["dispatcher"]["readers"] + found["dispatcher"]["runs"] == 1
    assert found["producers"]["limit"] == 256
    assert found["workers"]["threads"] >= 1
    assert found["http"]["phases"].keys() >= {"fresh", "idle", "working", "lingering"}
    assert found["http"]["connections"] >= 1
    assert found["http"]["requests"]["limit"] == 16
    account = found["account"]
    assert account["waiting"] >= 12
    assert account["text"] > 0
    assert sum(account[kind.name.lower()] for kind in Kind) == account["total"]
    largest = account["largest"]["127.0.0.1"]
    assert (largest["connections"], largest["running"], largest["kept"]) == (2, 1, 1)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])
def test_it_can_be_parsed_whatever_the_format(
    lab: LabServer, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter
) -> None:
    logging.getLogger("textstream.server").setLevel(logging.ERROR)
    try:
        log_counters(lab.parts)
    finally:
        logging.getLogger("textstream.server").setLevel(logging.NOTSET)
    # Of this logger: on a busy machine the reactor says that a turn took long.
    (record,) = [one for one in caplog.records if one.name == "textstream.server"]
    line = formatter.format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line[line.index("{") :])
    if isinstance(formatter, JsonFormatter):
        found = json.loads(found["message"].removeprefix("counters "))
    assert found["process"]["pid"] == os.getpid()
