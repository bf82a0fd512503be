"""A python-socketio client that writes down every event, in order, with its time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import engineio
import requests
import socketio

from tests.support.timing import patient
from textstream.client.http_session import ClosingAdapter

TIMEOUT = patient(10.0)
"""Seconds to wait for what must come; long, since a busy machine is no failure."""


@dataclass(frozen=True)
class Event:
    """An event: its name, its first argument (None if it has none), its arrival, all arguments.

    `at` is ``time.perf_counter``, in seconds.
    """

    name: str
    data: Any
    at: float
    arguments: tuple[Any, ...] = ()


class _InOrderEngine(engineio.Client):
    # The stock client starts a thread for every message, which loses their order.
    def _trigger_event(self, event: str, *args: Any, **kwargs: Any) -> Any:
        return super()._trigger_event(event, *args, **{**kwargs, "run_async": False})


class _InOrderClient(socketio.Client):
    told: Any = None

    def _handle_connect(self, namespace: str, data: Any) -> None:
        self.told = data
        super()._handle_connect(namespace, data)

    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrderEngine


class RecordingClient:
    """Connected once made. Close it, or leave that to the fixture ``sio``."""

    def __init__(
        self,
        url: str,
        transports: Sequence[str] = ("websocket",),
        namespace: str = "/",
        headers: Mapping[str, str] | None = None,
        auth: Mapping[str, Any] | None = None,
    ) -> None:
        self.namespace = namespace
        # Its own, the library forgets when the server disconnects it, and leaves open.
        self._http = requests.Session()
        self._http.mount("http://", ClosingAdapter())
        # Its own 5 s for an answer are too few for a POST of 2,000 packets on a busy machine: it
        # would go, in the middle of them.
        self.client = _InOrderClient(
            reconnection=False,
            handle_sigint=False,
            http_session=self._http,
            request_timeout=int(patient(60)),
        )
        self._changed = threading.Condition()  # guards _events and _counts
        self._events: list[Event] = []
        self._counts = Counter[str]()  # by name: to look at all events at each would take long
        self.client.on("*", self._record, namespace=namespace)
        self.client.on(
            "disconnect", lambda *reason: self._record("disconnect", *reason), namespace=namespace
        )
        self.client.connect(
            url,
            headers=dict(headers or {}),
            auth=auth and dict(auth),
            transports=list(transports),
            namespaces=[namespace],
            wait_timeout=TIMEOUT,
        )

    @property
    def sid(self) -> str:
        """The connection's Socket.IO id."""
        return str(self.client.get_sid(self.namespace))

    @property
    def told(self) -> dict[str, Any]:
        """What the answer to its CONNECT said."""
        return dict(self.client.told)

    @property
    def events(self) -> list[Event]:
        """All events so far."""
        with self._changed:
            return list(self._events)

    def named(self, name: str) -> list[Event]:
        """Return the events of one name."""
        return [event for event in self.events if event.name == name]

    @property
    def text(self) -> str:
        """All that came as ``new_char``, joined."""
        return "".join(event.data for event in self.named("new_char"))

    def emit(self, event: str, *args: Any) -> None:
        """Send an event and ask for no answer."""
        self.client.emit(event, args or None, namespace=self.namespace)

    def call(self, event: str, data: Any = None, timeout: float = TIMEOUT) -> Any:
        """Send an event; return the server's answer to it."""
        return self.client.call(event, data, namespace=self.namespace, timeout=timeout)

    def wait_for(
        self, predicate: Callable[[list[Event]], object], timeout: float = TIMEOUT
    ) -> list[Event]:
        """Wait until `predicate` is true of the events; return them.

        Raises:
            TimeoutError: it did not become true in `timeout` seconds.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(self._events), timeout):
                names = [event.name for event in self._events]
                raise TimeoutError(f"not in {timeout} s; the last events: {names[-20:]}")
            return list(self._events)

    def wait_for_event(self, name: str, count: int = 1, timeout: float = TIMEOUT) -> Event:
        """Wait for the `count`-th event of a name; return it."""
        self.wait_for(lambda _events: self._counts[name] >= count, timeout)
        return self.named(name)[count - 1]

    def close(self) -> None:
        """Disconnect, and wait for the client's threads."""
        tasks = [self.client.eio.read_loop_task, self.client.eio.write_loop_task]
        # A writer that is at a request when the client disconnects ends without the close packet,
        # and the reader waits for its poll to end, for 25 s.
        queue = self.client.eio.queue
        if queue and self.client.eio.state == "connected":
            with queue.all_tasks_done:
                queue.all_tasks_done.wait_for(lambda: not queue.unfinished_tasks, TIMEOUT)
        self.client.disconnect()
        # When the server has closed a polling connection, the library's writer waits for 30 s
        # for something to write.
        self.client.eio.queue.put(None)
        for task in tasks:
            if task:
                task.join(TIMEOUT)
        # Nor does it close its own side then. What urllib3 has pooled is closed when nothing refers
        # to the pool any more, and the traceback of an error in the log does.
        for adapter in self._http.adapters.values():
            pools = adapter.poolmanager.pools  # type: ignore[attr-defined]  # of HTTPAdapter
            for key in pools.keys():  # noqa: SIM118 (it cannot be iterated otherwise)
                pools[key].close()
        self._http.close()
        if self.client.eio.ws:
            self.client.eio.ws.shutdown()

    def _record(self, name: str, *args: Any) -> None:
        at = time.perf_counter()
        with self._changed:
            self._events.append(Event(name, args[0] if args else None, at, args))
            self._counts[name] += 1
            self._changed.notify_all()
