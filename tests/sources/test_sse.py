"""The decoder of server-sent events: the rules of the WHATWG, at any cut of the bytes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textstream.sources.sse import Event, EventTooLong, SseDecoder


def decode(*pieces: bytes, end: bool = True) -> list[Event]:
    decoder = SseDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *(decoder.close() if end else ())]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data:a\n\n", [Event("a")]),
        (b"data:  a\n\n", [Event(" a")]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [Event("a"), Event("b"), Event("c")]),
        (b"data: a\ndata\ndata:b\n\n", [Event("a\n\nb")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: \xef\xbb\xbfa\n\n", [Event("\ufeffa")]),
        (b": data: a\n\n:\n\n", []),
        (b"event: ping\n\ndata: a\n\n", [Event("a")]),
        (b"event: error\ndata: a\nevent: late\n\ndata: b\n\n", [Event("a", "late"), Event("b")]),
        (b"id: 1\nretry: 5\nother: x\nDATA: y\n data: z\ndata x: z\n\n", []),
        (b"data\n\n", [Event("")]),
        (b"data: a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e\n\n", [Event("a\x0bb\x0cc\x85d\u2028e")]),
        (b"data: \xff\xfe\n\n", [Event("��")]),
        (b"", []),
    ],
)
def test_the_rules(stream: bytes, events: list[Event]) -> None:
    assert decode(stream, end=False) == events
    assert decode(*(bytes([byte]) for byte in stream), end=False) == events


@pytest.mark.parametrize("tail", [b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\r\n"])
def test_an_end_closes_the_last_event(tail: bytes) -> None:
    assert decode(b"data: a\n\n" + tail, end=False) == [Event("a")]
    assert decode(b"data: a\n\n" + tail) == [Event("a"), Event("[DONE]")]


LINES = st.lists(
    st.sampled_from(
        [b"data: a", b"data:", b"data: " + "ü🌍".encode(), b"event: error", b": x", b"", b"", b"id"]
    ).flatmap(lambda line: st.sampled_from([line + end for end in (b"\n", b"\r", b"\r\n")])),
    max_size=30,
).map(b"".join)


@given(st.sampled_from([b"", b"\xef\xbb\xbf"]), LINES | st.binary(max_size=60), st.data())
def test_any_cut_gives_the_same_events(bom: bytes, stream: bytes, data: st.DataObject) -> None:
    stream = bom + stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*pieces) == decode(stream)


@pytest.mark.parametrize("piece", [b"x" * 999, b"data: " + b"x" * 999, b"data: xxxx\n", b"data\n"])
def test_what_has_no_end_is_not_kept(piece: bytes) -> None:
    decoder = SseDecoder(max_event_bytes=10_000)

    def feed_for_ever() -> None:
        while True:
            assert list(decoder.feed(piece)) == []

    tracemalloc.start()
    try:
        with pytest.raises(EventTooLong):
            feed_for_ever()
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_events_without_end_are_no_burden() -> None:
    decoder = SseDecoder(max_event_bytes=100)
    for _ in range(10_000):
        assert list(decoder.feed(b"id: 1\nevent: x\n: y\ndata: a\n\n")) == [Event("a", "x")]
