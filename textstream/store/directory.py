"""The streams of all processes: makes them known, finds them, ends them. Any thread; may wait."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from textstream.access.principal import Principal
from textstream.errors import Unavailable
from textstream.hub.directory import Name
from textstream.hub.keeper import Keeper
from textstream.loggable import fingerprint, log_exception
from textstream.protocol import EndReason, StreamDescription
from textstream.store.keys import new_shared_id, partition_of
from textstream.store.node import Node
from textstream.store.record import new_record, read_record
from textstream.store.shared import SharedStream
from textstream.stream.start import Start
from textstream.stream.stream import Stream

logger = logging.getLogger("textstream.store")

STOP_SECONDS = 5.0
"""For so long another process is asked to stop a stream."""

SETTLE_SECONDS = 0.3
"""For so long those that follow a stream may say how far they have sent it, before it is sealed."""

DESCRIBE_SECONDS = 1.0

TAKEOVER_SECONDS = 3.0
"""Beyond a lease: until a stream that is taken over has come to where it was."""

LOOK_SECONDS = 0.02
"""Between two looks at what another thread is at."""

STOPPING = "The server that generates this stream does not answer. Try again in a moment."


class StoreDirectory:
    """A `Directory` of the streams in a store."""

    def __init__(self, node: Node, *, wait: float) -> None:
        """Ask the store by way of `node`, and wait for it up to `wait` seconds."""
        self._node = node
        self._wait = wait
        self._lock = threading.Lock()  # guards _making
        self._making: dict[str, threading.Event] = {}  # by id, and by request

    def serve(self, keeper: Keeper, *, on_access: Callable[[Stream], object]) -> None:
        """Know who keeps the streams of this process."""
        self._node.tail.on_access = on_access
        self._keeper = keeper
        keeper.elsewhere = self.find
        self._node.serve(keeper, self.stop)

    # Starting.

    def create(self, start: Start, key: str | None, principal: Principal) -> Name | Stream:
        """Return what a new stream is called; or the one that the same request has started."""
        request = key if principal.known else None
        if request is None:
            return self._create(start, request, principal)
        with self._lock:
            mine = threading.Event()
            other = self._making.setdefault(request, mine)
        if other is not mine:
            other.wait(self._wait)
        try:
            return self._create(start, request, principal)
        finally:
            with self._lock:
                if self._making.get(request) is mine:
                    del self._making[request]
            mine.set()

    def _create(self, start: Start, request: str | None, principal: Principal) -> Name | Stream:
        node = self._node
        name = Name(new_shared_id(request), new_shared_id(None))
        record = new_record(
            name.id,
            start,
            owner=node.process,
            key=name.key,
            principal=principal,
            request=request,
        )
        with self._lock:
            self._making[name.id] = threading.Event()
        try:
            known = node.link.ask(node.writer.create(record), self._wait)[1]
        except Unavailable:
            self.created(name, None)
            raise
        if known is None:
            node.records[name.id] = record
            return name
        self.created(name, None)
        return self._keeper.find(known.decode())

    def make(self, stream_id: str, start: Start, owner: str, **options: Any) -> Stream:
        """Return a new stream of a name from `create`."""
        stream = SharedStream(stream_id, start, owner, **options)
        stream.share_by(self._node, self._node.records[stream_id], is_owner=True)
        return stream

    def created(self, name: Name, stream: Stream | None) -> None:
        """Know that the stream of a name was made, and runs; None: it was not."""
        node = self._node
        record = node.records.pop(name.id, None)
        if isinstance(stream, SharedStream):
            node.link.soon(lambda: node.writer.add(stream))
        else:
            node.give_up(name.id, record.request if record else "")
        with self._lock:
            event = self._making.pop(name.id, None)
        if event:
            event.set()

    # Finding.

    def find(self, stream_id: str) -> Stream | None:
        """Return a stream that is not kept here; None: there is none."""
        if partition_of(stream_id) is None:
            return None
        making = self._making.get(stream_id)
        if making:
            making.wait(self._wait)
            if entry := self._keeper.kept(stream_id):
                return entry
        node = self._node
        reply = node.link.ask([("HGETALL", node.keys.record(stream_id))], self._wait)[0]
        if not reply:
            return None
        try:
            record = read_record(stream_id, reply)
        except (ValueError, KeyError) as error:
            said = "stream %s: a record of another kind"
            log_exception(logger, said, fingerprint(stream_id), error=error)
            return None
        stream = node.follow(record)
        if not stream.filled.wait(self._wait):
            raise Unavailable("The text of this stream cannot be read now. Try again in a moment.")
        return stream

    def ready(self, stream: Stream, offset: int) -> Stream:
        """Return the stream, when it has come to `offset`, or will not soon."""
        shared = cast(SharedStream, stream)
        deadline = time.monotonic() + self._node.lease_seconds + TAKEOVER_SECONDS
        while not shared.stay():
            shared = cast(SharedStream, self._keeper.find(shared.id))
        asked = 0.0
        while offset > shared.log.next and shared.ending is None:
            now = time.monotonic()
            if now - asked >= DESCRIBE_SECONDS:
                asked = now
                if not self._may_come_to(shared, offset):
                    break
            if now >= deadline:
                break
            time.sleep(LOOK_SECONDS)
        return shared

    def _may_come_to(self, stream: SharedStream, offset: int) -> bool:
        """Return whether a stream may come to an offset in a moment.

        Whoever was ahead of the store read from a server that has died: the text is made again, or
        the stream ends. All others ask for what there never was, and are told so at once: a thread
        waits for each.
        """
        if stream.is_owner:
            return self._node.owns_since(stream) < TAKEOVER_SECONDS
        question = self._node.control.ask(stream.record.owner, "describe", id=stream.id)
        answer = question.wait(DESCRIBE_SECONDS)
        self._node.control.forget(question)
        return not answer or offset <= int(answer.get("next", offset))

    def describe(self, stream: Stream, described: StreamDescription) -> StreamDescription:
        """Return how a stream is, as its owner knows it."""
        shared = cast(SharedStream, stream)
        if shared.is_owner or shared.ending or not shared.record.owner:
            return described
        control = self._node.control
        question = control.ask(shared.record.owner, "describe", id=shared.id)
        answer = question.wait(DESCRIBE_SECONDS)
        control.forget(question)
        if not answer or "state" not in answer:
            return described
        told = {name: answer[name] for name in ("state", "furthest", "readers", "next")}
        return described.model_copy(update=told)

    def shared(self, stream: Stream) -> None:
        """Know that who may read a stream has changed, and that grants may have ended."""
        self._node.answers.tell_access(cast(SharedStream, stream))

    # Ending.

    def stop(self, stream: SharedStream, reason: EndReason) -> int:
        """End a stream for everyone, wherever they read; return the number of its units."""
        if stream.ending:
            if reason == "shutdown":  # it is read on elsewhere
                stream.part_readers()
                return stream.ending.offset
            return stream.stop_here(reason)  # what is still read of it here
        if stream.is_owner:
            # One that expires does so in the dispatcher's thread: nothing here waits.
            stop = self._expire if reason == "expired" else self._stop_own
            return stop(stream, reason)
        if reason in {"expired", "shutdown"}:
            return self._let_go(stream)
        if reason == "replaced":  # nobody reads it here; its owner knows whether elsewhere
            self._node.control.tell(stream.record.owner, "replaced", id=stream.id)
            return 0
        return self._stop_elsewhere(stream, reason)

    def release(self) -> None:
        """Let others have what can go on elsewhere: this process goes down."""
        self._node.release()

    @staticmethod
    def _expire(stream: SharedStream, reason: EndReason) -> int:
        return stream.stop_here(reason)

    def _let_go(self, stream: SharedStream) -> int:
        """Follow a stream of another process no longer."""
        stream.leave_here()
        self._node.link.soon(lambda: self._node.tail.unfollow(stream))
        return 0

    def _stop_own(self, stream: SharedStream, reason: EndReason) -> int:
        """Ask all that follow it how far they have sent it, then seal it there."""
        control = self._node.control
        with stream.lock:
            processes = list(stream.relays)
        asked = [control.ask(one, "freeze", id=stream.id) for one in processes]
        deadline = time.monotonic() + SETTLE_SECONDS
        for question in asked:
            answer = question.wait(deadline - time.monotonic())
            control.forget(question)
            if answer:
                with stream.lock:
                    furthest = min(int(answer["furthest"]), stream.log.next)
                    stream.furthest = max(stream.furthest, furthest)
                    if stream.life.outcome:
                        # Who was sent everything has been told that it is complete.
                        stream.end_if_all_read(furthest)
        return stream.stop_here(reason)

    def _stop_elsewhere(self, stream: SharedStream, reason: EndReason) -> int:
        """Have its owner stop it; become that, where it is dead."""
        control = self._node.control
        deadline = time.monotonic() + STOP_SECONDS
        while (left := deadline - time.monotonic()) > 0 and not stream.ending:
            if stream.is_owner:
                return self._stop_own(stream, reason)
            question = control.ask(stream.record.owner, "stop", id=stream.id, reason=reason)
            answer = question.wait(min(1.0, left))
            control.forget(question)
            if answer and "offset" in answer:
                while not stream.ending and time.monotonic() < deadline:
                    time.sleep(LOOK_SECONDS)
                return int(answer["offset"])
            if question.refused:
                self._node.owning.claim(stream)
            time.sleep(LOOK_SECONDS)
        if stream.ending:
            return stream.ending.offset
        raise Unavailable(STOPPING)
