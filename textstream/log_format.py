"""Log lines: text for people, or one JSON object each. Never the text of a stream."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

HANDLERS = ("flask_socketio", "textstream.web.events")
"""Modules whose frame in a traceback says that a handler was reached."""


NO_NEWS = ("Invalid session", "'Session is disconnected'", "'Session not found'")
"""How Engine.IO's lines begin that say that a client has polled for a session that is over."""


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the record carries beyond the message: ``extra=`` of the logging call."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class TextFormatter(logging.Formatter):
    """``10:31:05 INFO stream ended source=text units=12 …``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base's name)
        """Add the extras as key=value."""
        pairs = "".join(f" {key}={value}" for key, value in extras(record).items())
        return super().formatMessage(record) + pairs


class JsonFormatter(logging.Formatter):
    """One object per line: time, level, logger, message, the extras, and the traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class ClientMistakes(logging.Filter):
    """Turns the traceback of a malformed packet into one line, and drops what is no news.

    Engine.IO and python-socketio log whatever a decoder raises as an exception. Where no frame
    of a handler is in the traceback, the cause is what the client sent. A poll for a session that
    has ended is the normal end of a polling client. And a refused origin is in the log already,
    with the cure.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the records that a client caused; drop those that say nothing."""
        message = record.getMessage()
        if message.startswith(NO_NEWS) or " is not an accepted origin." in message:
            return False
        if record.exc_info and record.exc_info[1] and not _through_handler(record.exc_info[2]):
            error = record.exc_info[1]
            record.msg = f"malformed input: {type(error).__name__}"
            record.args = ()
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def _through_handler(traceback: TracebackType | None) -> bool:
    while traceback:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        if name.startswith(HANDLERS):
            return True
        traceback = traceback.tb_next
    return False


def configure(level: str, format_: str) -> None:
    """Log to stderr at `level`. For the entry point; an embedding application has its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if format_ == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level != "debug":
        # A line per request or per packet says nothing that a stream's line does not.
        for noisy in ("werkzeug", "httpx", "httpx2", "httpcore", "openai"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
