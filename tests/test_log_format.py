"""Log lines: for people, as JSON, and what a client cannot put into them."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.own_log import log_restored
from textstream.log_format import (
    ClientMistakes,
    JsonFormatter,
    OneLineExceptions,
    TextFormatter,
    configure,
    extras,
)
from textstream.loggable import fingerprint


def record(message: str = "stream ended", **extra: Any) -> logging.LogRecord:
    return logging.getLogger("textstream.test").makeRecord(
        "textstream.test", logging.INFO, __file__, 1, message, (), None, extra=extra
    )


def raised_in(module: str, message: str = "what the client sent") -> Any:
    """Return what ``sys.exc_info`` is for an error that passed through a module of that name."""
    try:
        exec(f"raise ValueError({message!r})", {"__name__": module})
    except ValueError:
        return sys.exc_info()


def test_extras_are_what_the_caller_added() -> None:
    assert extras(record(stream="a", units=3)) == {"stream": "a", "units": 3}


def test_a_line_for_people() -> None:
    line = TextFormatter().format(record(stream="a", units=3))
    assert line.endswith(" INFO stream ended stream=a units=3")
    assert "\n" not in line


def test_a_line_of_json() -> None:
    line = JsonFormatter().format(record("line\nbreak", stream="字", path=sys))
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == (
        "info", "textstream.test", "line\nbreak",
    )  # fmt: skip
    assert told["stream"] == "字"
    assert told["path"] == str(sys), "what JSON cannot hold is shown"
    assert datetime.fromisoformat(told["time"]).tzinfo
    assert "traceback" not in told


def test_a_traceback_stays_on_its_line() -> None:
    broken = record()
    broken.exc_info = raised_in("textstream.hub.hub")
    line = JsonFormatter().format(broken)
    assert "\n" not in line
    told = json.loads(line)["traceback"]
    assert told.startswith("Traceback: ")
    assert told.endswith(" <module> > ValueError"), "the frames and the type, not what it said"
    assert json.loads(JsonFormatter(messages=True).format(broken))["traceback"] == (
        f"{told}: what the client sent"
    )


FORGED = "x\n2026-01-01 INFO forged line\r\x1b[31m\x85\u2028\u202e\x7f\ud800"
SHOWN = r"x\n2026-01-01 INFO forged line\r\x1b[31m\x85\u2028\u202e\x7f\ud800"


@pytest.mark.parametrize("make", [TextFormatter, JsonFormatter])
def test_a_record_is_one_line_whatever_a_client_has_put_into_it(
    make: type[logging.Formatter],
) -> None:
    broken = record(f"said {FORGED}", value=FORGED)
    broken.exc_info = raised_in("textstream.hub.hub", FORGED)
    for formatter in (make(), make(messages=True)):  # type: ignore[call-arg]
        line = formatter.format(broken)
        assert line.encode().isascii()
        assert line.isprintable()
        assert len(line.splitlines()) == 1


def test_what_was_escaped_can_be_read() -> None:
    assert TextFormatter().format(record(FORGED)).endswith(f" INFO {SHOWN}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a-b_c.d:e/f,字", "a-b_c.d:e/f,字"),
        (0.5, "0.5"),
        ("", '""'),
        ("a stream=b", '"a stream=b"'),
        ('a" b', r'"a\" b"'),
        ("a\\nb", r'"a\\nb"'),
        ("a\nb", r'"a\nb"'),
    ],
)
def test_a_value_ends_where_it_ends(value: object, shown: str) -> None:
    line = TextFormatter().format(record("m", one=value, two=2))
    assert line.endswith(f" INFO m one={shown} two=2")


@pytest.mark.parametrize("make", [TextFormatter, JsonFormatter])
def test_a_call_whose_arguments_do_not_fit_is_still_a_line(make: type[logging.Formatter]) -> None:
    broken = record("100 % of %d")
    broken.args = ("what the client sent",)
    assert "100 % of %d" in make().format(broken)
    assert "client" not in make().format(broken)


def test_another_s_formatter_gets_what_flask_raised_in_words() -> None:
    ours = record("Exception on /\n [GET]")
    ours.exc_info = raised_in("textstream.web.routes")
    assert OneLineExceptions().filter(ours)
    line = logging.Formatter().format(ours)
    assert line.startswith(r"Exception on /\n [GET]: Traceback: ")
    assert line.endswith("> ValueError")


def test_the_ids_of_sessions_are_fingerprints() -> None:
    id_ = "AbCdEfGhIjKlMn_-AAAB"
    known = record("%s: Unexpected error")
    known.args = (id_,)
    assert ClientMistakes().filter(known)
    assert known.getMessage() == f"{fingerprint(id_)}: Unexpected error"


def test_what_a_client_caused_is_one_line_without_what_it_sent() -> None:
    malformed = record("message handler error")
    malformed.exc_info = raised_in("socketio.packet")
    assert ClientMistakes().filter(malformed)
    assert malformed.getMessage() == "malformed input: ValueError"
    assert malformed.exc_info is None
    assert malformed.levelname == "WARNING"


@pytest.mark.parametrize("module", ["flask_socketio", "textstream.web.events"])
def test_an_error_of_a_handler_keeps_its_frames(module: str) -> None:
    ours = record("handler failed")
    ours.exc_info = raised_in(module)
    assert ClientMistakes().filter(ours)
    assert ours.levelname == "INFO"
    assert ours.getMessage().startswith("handler failed: Traceback: ")
    assert ours.getMessage().endswith("> ValueError")


def test_the_end_of_a_polling_session_is_no_news() -> None:
    assert not ClientMistakes().filter(record("Invalid session abc"))


def test_records_without_an_error_pass() -> None:
    plain = record("hello")
    assert ClientMistakes().filter(plain)
    assert plain.getMessage() == "hello"


@pytest.fixture
def _logging_restored() -> Iterator[None]:
    with log_restored():
        yield


@pytest.mark.usefixtures("_logging_restored")
def test_configured_for_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    logging.getLogger("textstream.test").info("hello", extra={"n": 1})
    logging.getLogger("textstream.test").debug("too much")
    logging.getLogger("werkzeug").info("a request")
    logging.getLogger("httpx2").info("an address, with its query")
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert json.loads(line)["n"] == 1
    assert captured.out == ""


@pytest.mark.usefixtures("_logging_restored")
def test_configured_for_people_who_debug(capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", "text")
    logging.getLogger("textstream.test").debug("hello")
    assert "DEBUG hello" in capsys.readouterr().err


@pytest.mark.usefixtures("_logging_restored")
def test_what_python_would_print_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "text")

    def fail() -> None:
        raise ValueError(FORGED)

    class Fragile:
        def __del__(self) -> None:
            fail()

    def leave() -> None:
        raise SystemExit

    for work in (fail, leave):
        thread = threading.Thread(target=work, name="work")
        thread.start()
        thread.join()
    Fragile()
    thread_line, object_line = capsys.readouterr().err.splitlines()
    assert "ERROR the thread work failed: Traceback: " in thread_line
    assert "ERROR an exception was ignored in a function: Traceback: " in object_line
    assert thread_line.endswith("> ValueError")
    assert object_line.endswith("> ValueError")
