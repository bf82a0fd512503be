"""What other processes ask of this one, about streams that it owns or follows."""

from __future__ import annotations

from collections.abc import Callable

from textstream.hub.keeper import Keeper
from textstream.protocol import EndReason
from textstream.store.control import Control, Message
from textstream.store.keys import Keys
from textstream.store.link import Link
from textstream.store.shared import SharedStream
from textstream.store.tail import Tail
from textstream.store.writer import Writer
from textstream.threads import ThreadPool

WORKERS = 4
"""Threads for what takes longer than the store's may."""

FROZEN_SECONDS = 2.0
"""For so long a follower sends nothing of a stream that is about to be sealed."""


class Answers:
    """Answers. The store's thread only.

    Attributes:
        keeper: keeps the streams of this process.
        stop: ends a stream for everyone; it may wait.

    """

    keeper: Keeper
    stop: Callable[[SharedStream, EndReason], int]

    def __init__(
        self,
        link: Link,
        keys: Keys,
        control: Control,
        writer: Writer,
        tail: Tail,
        *,
        clock: Callable[[], float],
    ) -> None:
        """Answer what comes by `control`."""
        self._link = link
        self._keys = keys
        self._control = control
        self._writer = writer
        self._tail = tail
        self._clock = clock
        self._workers = ThreadPool(WORKERS, "store worker", cure="The store is too slow.")
        control.on("follow", self._follow)
        control.on("report", self._report)
        control.on("freeze", self._freeze)
        control.on("describe", self._describe)
        control.on("stop", self._stop)
        control.on("replaced", self._replaced)
        control.on("access", self._access)

    def close(self, deadline: float) -> None:
        """End the threads."""
        self._workers.close(deadline)

    def tell_access(self, stream: SharedStream) -> None:
        """Have every process know who may read a stream. Any thread."""
        private, share = str(int(stream.is_private)), str(stream.share)
        self._link.send([
            ("HSET", self._keys.record(stream.id), "private", private, "share", share),
            ("PUBLISH", self._keys.channel(stream.id), f"{stream.log.next}|0||"),
        ])  # fmt: skip
        if not stream.is_owner:
            told = {"private": stream.is_private, "share": stream.share}
            self._control.tell(stream.record.owner, "access", id=stream.id, **told)

    def _owned(self, message: Message) -> SharedStream | None:
        return self._writer.streams.get(message["id"])

    def _follow(self, message: Message) -> None:
        stream = self._owned(message)
        if stream is not None:
            stream.followed = True
            # What was sent before is not published.
            where = f"{stream.sent}|0||"
            self._link.send([("PUBLISH", self._keys.channel(stream.id), where)])

    def _report(self, message: Message) -> None:
        now = self._clock()
        for stream_id, furthest, readers, paused in message["rows"]:
            stream = self._writer.streams.get(stream_id)
            if stream is not None:
                stream.report(message["from"], furthest, readers, paused=paused, now=now)

    def _freeze(self, message: Message) -> Message:
        return {"furthest": self._tail.freeze(message["id"], FROZEN_SECONDS)}

    def _describe(self, message: Message) -> Message:
        stream = self._owned(message)
        if stream is None:
            return {}
        with stream.lock:
            return {
                "state": stream.life.state,
                "furthest": max(stream.furthest, stream.log.first),
                "readers": stream.reader_count,
                "next": stream.log.next,
            }

    def _stop(self, message: Message) -> None:
        stream = self.keeper.kept(message["id"])
        if not isinstance(stream, SharedStream) or not (stream.is_owner or stream.ending):
            self._control.answer(message, {})
            return

        def stop() -> None:
            self._control.answer(message, {"offset": self.stop(stream, message["reason"])})

        self._workers.submit(stop)

    def _replaced(self, message: Message) -> None:
        stream = self._owned(message)
        if stream is None or stream.reader_count:
            return

        def stop() -> None:
            self.stop(stream, "replaced")

        self._workers.submit(stop)

    def _access(self, message: Message) -> None:
        stream = self._owned(message)
        if stream is not None:
            stream.is_private, stream.share = message["private"], message["share"]
            self._tail.on_access(stream)
