"""The exit codes of the command line, and the signals that end it."""

from __future__ import annotations

import itertools
import os
import signal
from types import FrameType
from typing import NoReturn

from textstream import errors
from textstream.main_thread import wake_main_thread_for_signals

COMPLETED = 0
FAILED = 1
INVALID = 2
UNREACHABLE = 3
ENDED_EARLY = 4

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

HELP = """\
\b
Exit codes:
  0    the text is complete (also when whoever reads the output has left)
  1    the stream failed
  2    wrong use, or a request that the server finds invalid
  3    no server answers, or the connection was lost for good
  4    the stream was ended early by others: stopped, expired, shut down
  130  interrupted by Ctrl-C (143: terminated)
"""


class Interrupted(BaseException):
    """A signal asks the process to end. ``code`` is the exit code: 128 + the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def catch_signals() -> None:
    """Make the first SIGINT, SIGTERM or SIGHUP raise `Interrupted`, and the next exit at once.

    One that is ignored stays ignored: nohup, or a shell's background job, has seen to that.
    """
    caught = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]

    came = itertools.count()

    def handle(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
        # Counted in one step: with other handlers for the second, it could come between them.
        if next(came):
            # Not sys.exit: whatever hangs now would be waited for.
            os._exit(128 + number)
        raise Interrupted(number)

    for each in caught:
        signal.signal(each, handle)
    wake_main_thread_for_signals()


def code_of(error: errors.TextStreamError) -> int:
    """Return the exit code for `error`."""
    if isinstance(error, (errors.InvalidRequest, errors.UnknownSource)):
        return INVALID
    if isinstance(error, (errors.ServerUnreachable, errors.ShuttingDown)):
        return UNREACHABLE
    return FAILED
