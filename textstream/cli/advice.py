"""How a stream that broke off can be read on; said only where that can work. No I/O.

What the server keeps decides (``docs/architecture.md``, the life of a stream). An ended stream
stays readable for its time of retention, up to the unit where it was sealed, so that there is
more to read only for a reader that had not come that far.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from textstream.cli.token import ADVICE

if TYPE_CHECKING:  # They bring pydantic and Socket.IO, which take half a second to load.
    from textstream.client import StreamResult
    from textstream.errors import TextStreamError


def after_end(result: StreamResult, offset: int) -> int | None:
    """Return the unit from which there is more to read, or None.

    Args:
        result: how the stream ended.
        offset: the unit after the last one that was read.

    """
    if result.reason == "shutdown":
        return None  # with its server, which had it in memory
    return offset if result.offset > offset else None


def after_failure(error: TextStreamError, offset: int) -> int | None:
    """Return the unit from which the stream may be read on after `error`, or None."""
    from textstream import errors  # noqa: PLC0415
    from textstream.client.failures import CannotConnect  # noqa: PLC0415

    if isinstance(error, errors.OffsetGone):
        return error.first
    if isinstance(error, CannotConnect) and error.cause.refused:
        return None  # the server is there, and would say no again
    # It goes on without its reader, and is kept: whoever was cut off can come back.
    return offset if isinstance(error, errors.ServerUnreachable) else None


def about_token(error: TextStreamError) -> str:
    """Return where to give a token, after an error that another one cures; "" else."""
    from textstream import errors  # noqa: PLC0415

    return ADVICE if isinstance(error, errors.Unauthorized) else ""


def read_on_with(
    stream_id: str, offset: int, url: str | None = None, grant: str | None = None
) -> str:
    """Return the sentence that says how.

    Args:
        stream_id: which stream.
        offset: from where on.
        url: the server's, if it is not the default one.
        grant: with which it is read, if there is one.

    """
    # The id is what a server says: in a shell it must be a word.
    arguments = [shlex.quote(stream_id), "--offset", str(offset)]
    if url is not None:
        arguments += ["--url", shlex.quote(url)]
    if grant is not None:
        arguments += ["--grant", shlex.quote(grant)]
    if stream_id.startswith("-"):
        arguments = [*arguments[1:], "--", arguments[0]]
    return f"Read on with: textstream resume {' '.join(arguments)}"
