"""Whether each line of a server's log is one record, whatever clients have put into it."""

from __future__ import annotations

import json
import re

CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, what some take for a line's end, and what turns text around."""

LINE = re.compile(
    r"\d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR|CRITICAL) \S"
    r"|\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] \S"
    r"|textstream is listening on http"
)
"""How a line begins: of ours, of gunicorn's; and what is said to a person at the start."""

SHOWN, MOST = 150, 5


def records_wrong(log: str) -> list[str]:
    """Return what is wrong with the lines of a log, the first few. In text, or in JSON."""
    wrong = []
    for line in log.split("\n"):
        if CONTROLS.search(line):
            wrong.append(f"control characters in the log: {line[:SHOWN]!r}")
        elif line and not (_is_json(line) if line.startswith("{") else LINE.match(line)):
            wrong.append(f"part of a record on a line of its own: {line[:SHOWN]!r}")
        if len(wrong) >= MOST:
            break
    return wrong


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
