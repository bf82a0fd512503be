"""Log lines: text for people, or one JSON object each. Never the text of a stream.

One record is one line, whatever a client has put into it; an exception too, see
`textstream.loggable.describe_exception`.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from abc import abstractmethod
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from textstream.log_lines import Line, LinesHandler
from textstream.loggable import describe_exception, fingerprint, log_exception, one_line

logger = logging.getLogger("textstream.log")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

HANDLERS = ("flask_socketio", "textstream.web.events")
"""Modules whose frame in a traceback says that a handler was reached."""


NO_NEWS = ("Invalid session", "'Session is disconnected'", "'Session not found'")
"""How Engine.IO's lines begin that say that a client has polled for a session that is over."""

_PLAIN = re.compile(r'[^\s="\\]+')
"""A value that needs no quotes in a line of ``key=value``."""

_SESSION = re.compile(r"(?<![\w-])[\w-]{20}(?![\w-])", re.ASCII)
"""An id of Engine.IO's or python-socketio's: 15 random bytes in base64. Whoever has it polls."""


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the record carries beyond the message: ``extra=`` of the logging call."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class _OneLine(logging.Formatter):
    """What both formats have in common: what was said, and what was raised."""

    def __init__(self, *, messages: bool = False) -> None:
        """Make a formatter.

        Args:
            messages: whether to tell the messages of exceptions. They may hold a prompt.

        """
        super().__init__()
        self._messages = messages

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = Line(record.created, record.name, self.said(record), lambda: extras(record))
        return self.line(line, record.levelname, self.raised(record))

    @abstractmethod
    def line(self, line: Line, level: str = "INFO", raised: str = "") -> str:
        """Return a line as the log has it; `raised` is an exception in words."""

    def said(self, record: logging.LogRecord) -> str:
        """Return the message; of a call whose arguments do not fit, the words without them."""
        try:
            return record.getMessage()
        except Exception:  # noqa: BLE001 (else the handler prints it, arguments and all)
            return str(record.msg)

    def raised(self, record: logging.LogRecord) -> str:
        """Return the exception in one line, "" where there is none."""
        error = record.exc_info[1] if record.exc_info else None
        return describe_exception(error, message=self._messages) if error else ""


class TextFormatter(_OneLine):
    """``10:31:05 INFO stream ended source=text units=12 …``."""

    _told = (-1, "")  # a second, and how it is written: many lines have the same

    def line(self, line: Line, level: str = "INFO", raised: str = "") -> str:
        """Return the line, with the extras as key=value."""
        second, shown = self._told
        if second != int(line.created):
            shown = time.strftime("%H:%M:%S", self.converter(line.created))
            self._told = int(line.created), shown
        told = f"{shown} {level} {line.message}"
        for key, value in line.extras().items():  # no generator: a tenth of a line's cost
            plain = type(value) is str and value.isalnum()  # most are: no call for those
            told += f" {key}={value if plain else _quoted(value)}"
        return one_line(f"{told} {raised}" if raised else told)


class JsonFormatter(_OneLine):
    """One object per line: time, level, logger, message, the extras, and the traceback, if any."""

    def line(self, line: Line, level: str = "INFO", raised: str = "") -> str:
        """Return the line."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(line.created, UTC).isoformat(timespec="milliseconds"),
            "level": level.lower(),
            "logger": line.logger,
            "message": line.message,
        }
        if raised:
            told["traceback"] = raised
        # DEL is the one control character that JSON leaves as it is.
        more = {key: value for key, value in line.extras().items() if key not in told}
        return json.dumps({**told, **more}, default=str).replace("\x7f", "\\u007f")


class OneLineExceptions(logging.Filter):
    """Turns an exception in a record into words, for whatever formatter comes after."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say what was raised in the message."""
        error = record.exc_info[1] if record.exc_info else None
        if error:
            debug = logging.getLogger(record.name).isEnabledFor(logging.DEBUG)
            told = describe_exception(error, message=debug)
            record.msg, record.args = f"{one_line(record.getMessage())}: {told}", ()
            record.exc_info = record.exc_text = None
        return True


class ClientMistakes(OneLineExceptions):
    """Turns the traceback of a malformed packet into one line, and drops what is no news.

    Engine.IO and python-socketio log whatever a decoder raises as an exception. Where no frame
    of a handler is in the traceback, the cause is what the client sent. A poll for a session that
    has ended is the normal end of a polling client. And a refused origin is in the log already,
    with the cure. The ids of sessions are shown as fingerprints.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the records that a client caused; drop those that say nothing."""
        message = record.getMessage()
        if message.startswith(NO_NEWS) or " is not an accepted origin." in message:
            return False
        if record.exc_info and record.exc_info[1] and not _through_handler(record.exc_info[2]):
            message = f"malformed input: {type(record.exc_info[1]).__name__}"
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        shown = _SESSION.sub(lambda found: fingerprint(found[0]), one_line(message))
        record.msg, record.args = shown, ()
        return super().filter(record)


def _quoted(value: object) -> str:
    """Return a value as ``key=value`` may have it: in quotes, unless nothing could end it."""
    if type(value) is int or type(value) is float:
        return repr(value)
    text = str(value)
    if text.isalnum() or _PLAIN.fullmatch(text):  # a search costs three times as much
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    if args.exc_value and not isinstance(args.exc_value, SystemExit):  # which ends it in peace
        name = args.thread.name if args.thread else "?"
        log_exception(logger, "the thread %s failed", name, error=args.exc_value)


def _not_raised(args: sys.UnraisableHookArgs) -> None:
    error = args.exc_value or args.exc_type()
    kind = type(args.object).__name__
    log_exception(logger, "an exception was ignored in a %s", kind, error=error)


def _through_handler(traceback: TracebackType | None) -> bool:
    while traceback:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        if name.startswith(HANDLERS):
            return True
        traceback = traceback.tb_next
    return False


def configure(level: str, format_: str) -> None:
    """Log to stderr at `level`. For the entry point; an embedding application has its own.

    What Python itself would print there goes to the log too: what ends a thread, of a source's say,
    and what nobody could catch.
    """
    threading.excepthook = _thread_failed
    sys.unraisablehook = _not_raised
    make = JsonFormatter if format_ == "json" else TextFormatter
    handler = LinesHandler(sys.stderr, make(messages=level == "debug"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level != "debug":
        # A line per request or per packet says nothing that a stream's line does not.
        for noisy in ("werkzeug", "httpx", "httpx2", "httpcore", "openai"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
