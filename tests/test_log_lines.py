"""Lines that wait: in the order of the log, with their own time, in few writes, and never lost."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_log import own_log
from textstream.log_lines import Line, LinesHandler, holder_of

ROOT = Path(__file__).resolve().parents[1]
FORMATS = ("text", "json")

logger = logging.getLogger("textstream.test")


def hold(created: float = 0.0, **extras: Any) -> bool:
    holder = holder_of(logger)
    assert holder
    return holder.hold(Line(created, logger.name, "it ended", lambda: extras))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_line_reads_as_a_record_would(format_: str) -> None:
    told = {"stream": "a b", "units": 3, "seconds": 0.5, "sha256": "字"}
    record = logger.makeRecord(
        logger.name, logging.INFO, __file__, 1, "it ended", (), None, extra=told
    )
    with own_log(format_) as written:
        hold(record.created, **told)
        logger.handle(record)
        first, second = written.getvalue().splitlines()
    assert first == second


@pytest.mark.parametrize("format_", FORMATS)
def test_any_other_line_comes_after_those_that_wait(format_: str) -> None:
    with own_log(format_) as written:
        assert hold(units=1)
        assert not hold(units=2)
        assert written.getvalue() == ""
        logger.warning("a warning")
        hold(units=3)
        logging.getLogger("elsewhere").info("something else")
        lines = written.getvalue().splitlines()
    assert [line.count("it ended") for line in lines] == [1, 1, 0, 1, 0]


def test_they_share_a_write_and_keep_their_times() -> None:
    with own_log("json") as written:
        for n in range(100):
            hold(1_700_000_000.0 + n, n=n)
        holder = holder_of(logger)
        assert holder
        holder.flush()
        assert written.writes == 1
        holder.flush()
        assert written.writes == 1
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["n"] for line in lines] == list(range(100))
    assert lines[0]["time"] == "2023-11-14T22:13:20.000+00:00"
    assert lines[99]["time"] == "2023-11-14T22:14:59.000+00:00"


def test_none_is_lost_nor_comes_twice_while_others_write() -> None:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            logger.info("another")

    with own_log("json") as written:
        writer = threading.Thread(target=write)
        writer.start()
        for n in range(5000):
            hold(n=n)
        done.set()
        writer.join()
        logger.info("the last")
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["n"] for line in lines if "n" in line] == list(range(5000))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_record_that_cannot_be_written_takes_none_with_it(
    format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("scripted")

    monkeypatch.setattr(logging, "raiseExceptions", False)
    with own_log(format_) as written:
        hold(units=1)
        logger.info("broken", extra={"what": Broken()})
        logger.info("whole")
        lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert "it ended" in lines[0]
    assert "whole" in lines[1]


def test_where_others_read_along_none_waits() -> None:
    with own_log("text"):
        assert holder_of(logger)
        for target in (logger, logger.parent, logging.root):
            assert target
            handler = logging.NullHandler()
            target.addHandler(handler)
            assert holder_of(logger) is None
            target.removeHandler(handler)
        logger.addFilter(bool)
        assert holder_of(logger) is None
        logger.removeFilter(bool)
        assert isinstance(holder_of(logger), LinesHandler)
    assert holder_of(logger) is None, "the test runner's handlers hold nothing"


def test_what_waits_at_the_end_of_the_process_is_written() -> None:
    code = """
import logging
from textstream.log_format import configure
from textstream.log_lines import Line, holder_of
configure("info", "text")
holder_of(logging.getLogger("a")).hold(Line(0.0, "a", "it ended", dict))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert ran.stderr.endswith(" INFO it ended\n")
