"""The exit codes of the command line, and the signals that end it."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from textstream import errors

COMPLETED = 0
FAILED = 1
INVALID = 2
UNREACHABLE = 3
ENDED_EARLY = 4

AWAKE_SECONDS = 0.05
"""Within which the main thread comes to a signal, or is waked once more."""

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
    _wake_main_thread_for(caught)


def _wake_main_thread_for(caught: Sequence[int]) -> None:
    """See to it that the handlers of these signals are called at once, whatever main waits for.

    Python calls a handler in the main thread only, when that runs. The kernel gives a signal to
    another thread while the main one has not come to one before (``complete_signal`` in its
    ``kernel/signal.c``), and nothing wakes the main thread then: it may wait for a server.
    """
    heard, said = os.pipe()
    os.set_blocking(said, False)
    signal.set_wakeup_fd(said, warn_on_full_buffer=False)  # whichever thread gets a signal
    awake = threading.Event()
    signal.signal(signal.SIGURG, lambda _number, _frame: awake.set())  # nobody else sends it
    main = threading.main_thread().ident
    assert main  # noqa: S101 (it runs)

    def wake() -> None:
        while True:
            if os.read(heard, 1)[0] in caught:
                awake.clear()
                signal.pthread_kill(main, signal.SIGURG)
                # Again, for it may have come just before the main thread began to wait.
                while not awake.wait(AWAKE_SECONDS):
                    signal.pthread_kill(main, signal.SIGURG)

    threading.Thread(target=wake, name="signals", daemon=True).start()


def code_of(error: errors.TextStreamError) -> int:
    """Return the exit code for `error`."""
    if isinstance(error, (errors.InvalidRequest, errors.UnknownSource)):
        return INVALID
    if isinstance(error, (errors.ServerUnreachable, errors.ShuttingDown)):
        return UNREACHABLE
    return FAILED
