"""What is read in the log of a server that is attacked: its records, and its counters."""

from __future__ import annotations

import logging

import pytest

from benchmarks.abuse.records import records_wrong
from benchmarks.abuse.target import counters_in
from textstream.log_format import JsonFormatter, TextFormatter


@pytest.mark.parametrize(
    "line",
    [
        "12:00:00 INFO stream ended units=3",
        "[2026-01-01 12:00:00 +0000] [123] [INFO] Booting worker",
        '{"time": "12:00", "message": "a\\nb"}',
        "textstream is listening on http://127.0.0.1:5002",
        "",
    ],
)
def test_a_line_that_is_a_record(line: str) -> None:
    assert records_wrong(f"{line}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "12:00:00 INFO a\x1b[31mb",
        "12:00:00 INFO a\u2028b",
        "12:00:00 INFO a\rb",
        "12:00:00 INFO a\u202eb",
        "Traceback (most recent call last):",
        "2026-01-01 INFO forged",
        '{"half": ',
    ],
)
def test_a_line_that_is_none(line: str) -> None:
    assert len(records_wrong(f"12:00:00 INFO good\n{line}\n")) == 1


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
def test_counters_are_read_from_any_log(formatter: type[JsonFormatter | TextFormatter]) -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "msg": 'counters {"account":{"total":7}}'})
    line = formatter().format(record) + "\n"
    assert counters_in(line[:-1]) is None  # half of it
    assert counters_in(f"{line}more\n") == {"account": {"total": 7}}
