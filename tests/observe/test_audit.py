"""The audit log: what is in a line, what never is, and how few lines a flood makes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from tests.support.clock import ManualTimer
from tests.support.own_log import own_log
from textstream.access.caller import Caller
from textstream.loggable import fingerprint
from textstream.observe.audit import LOGGER, AuditLog

MALLORY = Caller("203.0.113.7", "aaaaaaaaaaaaaaaaaaaa")


@pytest.fixture(autouse=True)
def _level_as_it_was() -> Iterator[None]:
    level = logging.getLogger(LOGGER).level
    yield
    logging.getLogger(LOGGER).setLevel(level)


@pytest.fixture
def timer() -> ManualTimer:
    return ManualTimer()


def audit_log(timer: ManualTimer) -> AuditLog:
    return AuditLog(call_at=timer.call_at, clock=timer)


def test_a_line_is_written_whatever_the_level_of_the_log(timer: ManualTimer) -> None:
    with own_log("text", "error") as written:
        audit_log(timer).tell("started", MALLORY, "id-of-the-stream", source="text")
        timer.advance(1)
        line = written.getvalue()
        assert line.count("\n") == 1
        assert line.endswith(
            f"INFO audit: started stream={fingerprint('id-of-the-stream')} address=203.0.113.7 "
            f"connection={fingerprint(MALLORY.connection)} source=text\n"
        )


def test_in_json_each_fact_is_a_member(timer: ManualTimer) -> None:
    with own_log("json", "error") as written:
        audit_log(timer).tell("connected", MALLORY, transport="polling", origin=None)
        timer.advance(1)
        told = json.loads(written.getvalue())
        assert told.pop("time")
        assert told == {
            "level": "info",
            "logger": "textstream.audit",
            "message": "audit: connected",
            "address": "203.0.113.7",
            "connection": fingerprint(MALLORY.connection),
            "transport": "polling",
        }


def test_no_id_is_in_the_log(timer: ManualTimer) -> None:
    with own_log("text", "error") as written:
        audit = audit_log(timer)
        audit.tell("stopped", MALLORY, "id-of-the-stream")
        audit.refuse("refused", MALLORY, "unknown_stream")
        timer.advance(1)
        assert written.getvalue().count("\n") == 2
        assert "id-of-the-stream" not in written.getvalue()
        assert MALLORY.connection not in written.getvalue()


def test_of_a_flood_there_is_a_line_a_minute_for_each_address_and_code(timer: ManualTimer) -> None:
    with own_log("text", "error") as written:
        audit = audit_log(timer)
        for number in range(10_000):
            caller = Caller(f"203.0.113.{number % 2}", f"connection {number}")
            audit.refuse("refused", caller, "unknown_stream")
            audit.refuse("quota hit", caller, "rate_limited", scope="address")
        timer.advance(59)
        audit.refuse("refused", Caller("203.0.113.0"), "unknown_stream")
        timer.advance(0.5)
        assert written.getvalue().count("\n") == 4
        timer.advance(1)
        audit.refuse("refused", Caller("203.0.113.0"), "unknown_stream")
        timer.advance(1)
        assert written.getvalue().count("\n") == 5


def test_what_it_remembers_of_a_flood_of_addresses_is_forgotten(timer: ManualTimer) -> None:
    with own_log("text", "error"):
        audit = audit_log(timer)
        for number in range(5_000):
            audit.refuse("refused", Caller(f"2001:db8::{number:x}/64"), "unknown_stream")
            timer.advance(0.1)
        assert audit._told.remembered < 2_000


def test_lines_are_written_together_and_soon(timer: ManualTimer) -> None:
    with own_log("text", "error") as written:
        audit = audit_log(timer)
        for number in range(100):
            audit.tell("connected", Caller("127.0.0.1", str(number)))
        assert written.getvalue() == ""
        assert len(timer.calls) == 1, "one call for all"
        timer.advance(0.2)
        assert written.getvalue().count("\n") == 100


def test_in_another_program_its_logging_has_the_lines(
    timer: ManualTimer, caplog: pytest.LogCaptureFixture
) -> None:
    audit_log(timer).tell("admin", did="drain")
    timer.advance(0)
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == (LOGGER, "audit: admin")
    assert record.did == "drain"  # type: ignore[attr-defined]  # an extra
