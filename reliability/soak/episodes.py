"""What the library's client does: each function is one episode, from connecting to leaving."""

from __future__ import annotations

import time

from reliability.soak.tally import Wrong
from reliability.soak.target import GRACE, HEARTBEAT, RETENTION
from reliability.soak.visit import RATES, Visit, persist
from textstream.client import StreamResult, TextStream
from textstream.errors import UnknownStream

FORGOTTEN_AFTER = GRACE + RETENTION + 3 * HEARTBEAT
"""Seconds after which a stream that is over must be gone, whatever became of its readers."""

PATIENCE = 30.0
"""Seconds for a stop to be confirmed, over however many connections."""


def whole(visit: Visit) -> None:
    """Read a text to its end, some of them with a pause or another pace in between; replay it."""
    text = visit.text()
    unit = visit.choose.choice(("char", "word", "token"))
    with visit.client() as client:
        stream = visit.start(client, text=text, unit=unit, rate=visit.choose.choice(RATES))
        got = _read_with_changes(visit, stream)
        result = _result(stream)
        _expect(stream, result.reason == "completed" and result.verified, result)
        visit.tally.exact(stream.id, got, text, result.text_sha256)
        if visit.choose.random() < 0.3:
            visit.replay(client, stream.id, time.monotonic())
    visit.finished(stream.id)


def several(visit: Visit) -> None:
    """Read three texts over one connection at a time."""
    texts = [visit.text() for _ in range(3)]
    with visit.client() as client:
        since = time.monotonic()
        streams = [visit.start(client, text=text, rate=1000) for text in texts]
        for stream, text in zip(streams, texts, strict=True):
            try:
                got = "".join(stream)
            except UnknownStream:  # it ended while its client was away
                visit.forgotten(stream.id, since)
                continue
            visit.tally.exact(stream.id, got, text, _result(stream).text_sha256)
    for stream in streams:
        visit.finished(stream.id)


def stopped(visit: Visit) -> None:
    """Stop a stream in the middle; what was sealed is what was read, and stays readable."""
    text = visit.text((100, 300))
    with visit.client() as client:
        stream = visit.start(client, text=text, rate=visit.choose.choice((300, 1000)))
        got = next(stream)
        for _ in range(visit.choose.randint(0, 40)):
            got += next(stream, "")
        since = time.monotonic()
        _expect(stream, stream.stop(PATIENCE), "the stop was not confirmed")
        got += "".join(stream)
        sealed = visit.replay(client, stream.id, since)
        # What was lost in a cut just before the stop is in the replay only.
        if sealed is not None and not (sealed.startswith(got) and text.startswith(sealed)):
            raise Wrong(f"stream {stream.id}: what was sealed is not what was sent")
    visit.tally.count("stops")
    visit.finished(stream.id)


def viewers(visit: Visit) -> None:
    """Read one stream three times at once: its owner, another client, and one that comes late."""
    text = visit.text((60, 200))
    with visit.client() as owner, visit.client() as other:
        stream = visit.start(owner, text=text, rate=800)
        second = persist(lambda: other.resume(stream.id, 0, 0))
        before, late = "", None
        chunks = stream.chunks()
        for chunk in chunks:
            before += chunk.text
            if chunk.next >= 20:
                late = chunk.next
                break
        with visit.client() as third:
            if late is not None:
                offset = late
                rest = "".join(persist(lambda: third.resume(stream.id, offset, 2000)))
                _expect(stream, before + rest == text, "the late viewer has another text")
        got = before + "".join(chunk.text for chunk in chunks)
        visit.tally.exact(stream.id, got, text, _result(stream).text_sha256)
        visit.tally.exact(stream.id, "".join(second), text, _result(second).text_sha256)
    visit.tally.count("viewers", 2)
    visit.finished(stream.id)


def answer(visit: Visit) -> None:
    """Read an answer of the local model, and read it again; or stop it."""
    with visit.client() as client:
        stream = visit.start(
            client,
            prompt=f"Tell me a story about the number {visit.choose.randint(1, 10**6)}.",
            source="llm",
            params={"max_tokens": 24, "temperature": 0.8},
        )
        got, since = next(stream, ""), time.monotonic()
        if visit.choose.random() < 0.3:
            _expect(stream, stream.stop(PATIENCE), "the stop was not confirmed")
        else:
            got += "".join(stream)
            since = time.monotonic()
            result = _result(stream)
            _expect(stream, result.verified, result)
            visit.tally.exact(stream.id, got, got, result.text_sha256)
        again = visit.replay(client, stream.id, since)
        _expect(stream, again is None or again.startswith(got), "the replay is another text")
    visit.tally.count("answers of the model")
    visit.finished(stream.id)


def forgotten(visit: Visit) -> None:
    """Ask for a stream that must have been forgotten by now."""
    if not visit.ended or visit.ended[0][1] > time.monotonic() - FORGOTTEN_AFTER:
        whole(visit)
        return
    stream = visit.ended.popleft()[0]
    with visit.client() as client:
        try:
            persist(lambda: client.resume(stream))
        except UnknownStream:
            visit.tally.count("forgotten streams")
        else:
            raise Wrong(f"stream {stream}: not forgotten in {FORGOTTEN_AFTER:g} s")


def _read_with_changes(visit: Visit, stream: TextStream) -> str:
    """Read it; by chance, somewhere near its beginning, pause and go on, or change the pace."""
    change, at = visit.choose.choice(("", "", "pause", "pace")), visit.choose.randint(0, 200)
    got, changed = "", False
    for chunk in stream.chunks():
        got += chunk.text
        if changed or not change or chunk.next < at:
            continue
        changed = True
        if change == "pause":
            stream.pause()
            stream.continue_()
            visit.tally.count("pauses")
        else:
            stream.set_rate(visit.choose.choice((0, 700, 5000)))
            visit.tally.count("changes of pace")
    return got


def _result(stream: TextStream) -> StreamResult:
    if stream.result is None:
        raise Wrong(f"stream {stream.id}: it is over, and has no result")
    return stream.result


def _expect(stream: TextStream, holds: bool, otherwise: object) -> None:
    if not holds:
        raise Wrong(f"stream {stream.id}: {otherwise}")
