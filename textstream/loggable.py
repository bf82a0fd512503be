"""What may stand in a log line: nothing that is a secret, and nothing that ends the line.

Used where a line is written, not only where it is formatted: under another program's logging its
formatter is not ours.
"""

from __future__ import annotations

import hashlib
import logging
import re
import traceback
from collections import deque
from pathlib import PurePath

from textstream.errors import TextStreamError

FINGERPRINT = 8
"""Hex digits of a fingerprint: enough to find a stream's lines, and no help to whoever reads it."""

FRAMES = 20
"""Frames of a traceback that are shown, the innermost."""

CHAIN = 4
"""Exceptions of a chain of causes that are shown, the last raised first."""

MESSAGE = 1_000
"""Characters of an exception's message that are shown, where it is shown."""

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""C0, DEL, C1, separators of lines, what turns the direction of text, and halves of pairs.

Sources: Unicode 15.1, general categories Cc, Zl, Zp and Cs, and UAX #9, 2 (the explicit directional
characters), with the invisible format characters beside them.
"""


_SECRET = re.compile(r"([?&](?:sid|token|access_token|key|grant)=)([^&#\s]+)")
"""What must not be told of an address: ids, and what nobody should have put there."""


def fingerprint(id_: str) -> str:
    """Return what stands for an id in the log: whoever knows a stream's or a session's has it."""
    return hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()[:FINGERPRINT]


def without_ids(request: str) -> str:
    """Return a request line, or an address, with a fingerprint for the id of the session in it."""
    return _SECRET.sub(lambda found: found[1] + fingerprint(found[2]), request)


def one_line(text: str) -> str:
    """Return `text` with each control character as the escape that Python writes for it."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def describe_exception(error: BaseException, *, message: bool = False) -> str:
    """Return an exception in one line: frames and type, and those of its causes.

    The message only where it is asked for, and that of a `TextStreamError` which our own code
    has raised: a source's exception says what it failed at, and that may be the prompt.

    Args:
        error: it.
        message: whether to tell the messages of all.

    """
    told: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(told) < CHAIN:
        seen.add(id(one))
        told.append(_describe(one, message=message))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return one_line("Traceback: " + "; from ".join(told))


def log_exception(
    logger: logging.Logger,
    said: str,
    *arguments: object,
    error: BaseException,
    level: int = logging.ERROR,
) -> None:
    """Log what failed in one line, with `describe_exception`; the messages at level debug only.

    Args:
        logger: to log to.
        said: what failed, with places for the `arguments`.
        arguments: as those of ``logger.log``.
        error: the exception.
        level: of the line.

    """
    if logger.isEnabledFor(level):
        told = describe_exception(error, message=logger.isEnabledFor(logging.DEBUG))
        logger.log(level, f"{said}: %s", *arguments, told, stacklevel=2)


def _describe(error: BaseException, *, message: bool) -> str:
    # The frames' own names: `traceback.extract_tb` reads the source files.
    frames = deque(traceback.walk_tb(error.__traceback__), maxlen=FRAMES)
    codes = ((frame.f_code, line) for frame, line in frames)
    where = " > ".join(f"{_short(code.co_filename)}:{line} {code.co_name}" for code, line in codes)
    what = type(error).__name__
    if message or (isinstance(error, TextStreamError) and _is_ours(error)):
        what += f": {_message(error)}"
    return f"{where} > {what}" if where else what


def _is_ours(error: BaseException) -> bool:
    """Whether our own code has raised it."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    name = last.tb_frame.f_globals.get("__name__", "") if last else __name__
    return str(name).partition(".")[0] == __name__.partition(".")[0]


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MESSAGE]
    except Exception as broken:  # noqa: BLE001 (a user's class; a log line must not fail)
        return f"<its message raised {type(broken).__name__}>"


def _short(filename: str) -> str:
    """Return the end of a path: the file, and the folder that it is in."""
    return "/".join(PurePath(filename).parts[-2:])
