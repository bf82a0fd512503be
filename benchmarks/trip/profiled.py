"""Runs the ``stream_server.py`` of the working directory, with a profiler in all its threads.

Started as a script, by the interpreter of whichever tree is looked at: so it imports nothing of
ours but the server. Its one argument is the port at which `benchmarks.trip.server` listens.
"""

from __future__ import annotations

import _thread
import importlib
import importlib.util
import os
import socket
import sys
import threading
from multiprocessing.connection import Client, Connection
from pathlib import Path
from types import FrameType
from typing import Any

OWN = "textstream"
LIBRARIES = ("socketio", "engineio")

WAITS = {"poll", "select", "control"}
"""The functions of C in which a loop waits for sockets (`select`)."""

NO_SWITCH = 10.0
"""Seconds for which a thread keeps the interpreter, if it does not wait: see the package."""


class Recorder:
    """Records what the threads do while it is on: tuples of thread, kind, file, function."""

    def __init__(self, root: Path) -> None:
        self.on = False
        self.events: list[tuple[tuple[int, str], str, str, str]] = []
        self._folders = [(f"{root / OWN}{os.sep}", "", "")]
        for name in LIBRARIES:
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            self._folders.append((f"{Path(spec.origin).parent}{os.sep}", f"{name}/", "library "))
        self._known: dict[str, tuple[str, str] | None] = {}

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Be called by the interpreter for each call and return."""
        if not self.on:
            return
        if event in {"call", "return"}:
            code = frame.f_code
            if place := self._place(code.co_filename):
                file, owner = place
                self.add(owner + event, file, code.co_qualname)
        elif getattr(argument, "__name__", "") in WAITS:
            self.add("wait" if event == "c_call" else "waited")

    def add(self, kind: str, file: str = "", function: str = "") -> None:
        """Add an event of this thread."""
        thread = threading.current_thread()
        self.events.append(((thread.ident or 0, thread.name), kind, file, function))

    def _place(self, path: str) -> tuple[str, str] | None:
        """Return file and owner of a code object, None if it is none of those counted."""
        if path not in self._known:
            self._known[path] = next(
                (
                    (prefix + Path(path.removeprefix(folder)).as_posix(), owner)
                    for folder, prefix, owner in self._folders
                    if path.startswith(folder)
                ),
                None,
            )
        return self._known[path]


def watch_sockets(recorder: Recorder) -> None:
    """Record what is read from and written to all sockets that are made from now on.

    The profiler sees the calls, but not what they are given.
    """

    class Watched(socket.socket):
        def recv(self, *arguments: Any) -> bytes:
            data = super().recv(*arguments)
            self._saw("received", data)
            return data

        def recv_into(self, buffer: Any, *arguments: Any) -> int:
            count = super().recv_into(buffer, *arguments)
            self._saw("received", memoryview(buffer)[:count])
            return count

        def send(self, data: Any, *arguments: Any) -> int:
            self._saw("wrote", data)
            return super().send(data, *arguments)

        def sendall(self, data: Any, *arguments: Any) -> None:
            self._saw("wrote", data)
            super().sendall(data, *arguments)

        def sendmsg(self, buffers: Any, *arguments: Any) -> int:
            parts = list(buffers)
            self._saw("wrote", b"".join(parts))
            return super().sendmsg(parts, *arguments)

        def _saw(self, kind: str, data: Any) -> None:
            if recorder.on and self.family == socket.AF_INET:
                recorder.add(kind, function=bytes(data).decode("latin-1"))

    socket.socket = Watched  # type: ignore[misc]


def obey(pipe: Connection, recorder: Recorder) -> None:
    """Record when told to; hand over what was recorded when told to stop."""
    while True:
        try:
            recording = pipe.recv()
        except (EOFError, OSError):
            return
        if recording:
            recorder.events = []
        recorder.on = recording
        pipe.send(recorder.events)


def main() -> None:
    """Serve on a free port."""
    root = Path.cwd()
    sys.path[0] = str(root)  # in the place of this script's folder
    pipe = Client(("127.0.0.1", int(sys.argv[1])))
    recorder = Recorder(root)
    watch_sockets(recorder)
    # The server has a shorter one, and sets it when the first client comes.
    sys.setswitchinterval(NO_SWITCH)
    sys.setswitchinterval = lambda _seconds: None
    _thread.start_new_thread(obey, (pipe, recorder))  # not by `threading`: it is not profiled
    threading.setprofile(recorder.profile)
    sys.setprofile(recorder.profile)
    importlib.import_module("stream_server").main(["--port", "0"])


if __name__ == "__main__":
    main()
