"""A TCP proxy that cuts its connections after a number of bytes, or stalls them."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Pipe:
    """One connection: the two sockets, and the bytes it may still carry to the client."""

    client: socket.socket
    server: socket.socket
    left: int | None
    sockets: tuple[socket.socket, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.sockets = (self.client, self.server)


class Proxy:
    """Forwards to a server on this machine.

    Args:
        port: the server's.
        cuts: for each connection in turn, how many bytes to carry to the client before it is
            cut; None, and when they run out: all.
        stall: say nothing more instead of cutting, as a machine does that has lost its network.

    """

    def __init__(self, port: int, cuts: Iterable[int | None] = (), *, stall: bool = False) -> None:
        self.connections = 0
        self._held = threading.Event()
        self._upstream = ("127.0.0.1", port)
        self._cuts = iter(cuts)
        self._stall = stall
        self._pipes: set[_Pipe] = set()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._waker, self._wakened = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wakened, selectors.EVENT_READ)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="proxy")
        self._thread.start()

    def cut(self) -> None:
        """Cut the connections that there are."""
        self._waker.send(b"x")

    def hold(self) -> None:
        """Refuse new connections until `release`."""
        self._held.set()

    def release(self) -> None:
        """Take connections again."""
        self._held.clear()

    def close(self) -> None:
        """Cut everything and end the thread."""
        self._waker.close()
        self._thread.join()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._wakened:
                    if not self._wakened.recv(1):
                        self._finish()
                        return
                    self._cut_all()
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._pipes:
                    self._forward(key.data, key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.connections += 1
        if self._held.is_set():
            client.close()
            return
        pipe = _Pipe(client, socket.create_connection(self._upstream), next(self._cuts, None))
        self._pipes.add(pipe)
        for each in pipe.sockets:
            self._selector.register(each, selectors.EVENT_READ, pipe)

    def _forward(self, pipe: _Pipe, source: socket.socket) -> None:
        downstream = source is pipe.server
        try:
            data = source.recv(4096)
            if downstream and pipe.left is not None:
                data, whole = data[: pipe.left], data
                pipe.left -= len(data)
                cut = len(data) < len(whole) or pipe.left == 0
            else:
                cut = False
            (pipe.client if downstream else pipe.server).sendall(data)
        except OSError:
            data, cut = b"", False
        if cut and self._stall:
            for each in pipe.sockets:
                self._selector.unregister(each)
        elif cut:
            self._cut(pipe)
        elif not data:
            # One side has closed. A reset would take from the other what it has not read yet.
            self._cut(pipe, reset=False)

    def _cut(self, pipe: _Pipe, *, reset: bool = True) -> None:
        self._pipes.discard(pipe)
        for each in pipe.sockets:
            if each in self._selector.get_map():
                self._selector.unregister(each)
            if reset:  # as when a network goes: nothing is said, what is in flight is lost
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()

    def _cut_all(self) -> None:
        for pipe in list(self._pipes):
            self._cut(pipe)

    def _finish(self) -> None:
        self._cut_all()
        self._selector.close()
        self._listener.close()
        self._wakened.close()


@contextmanager
def proxy(port: int, cuts: Iterable[int | None] = (), *, stall: bool = False) -> Iterator[Proxy]:
    """Run a proxy for the length of a ``with`` block."""
    running = Proxy(port, cuts, stall=stall)
    try:
        yield running
    finally:
        running.close()
