"""Frames: what we write is read by wsproto, what wsproto writes is assembled by us."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from textstream.transport.assembler import Assembler, Broken, Closed, Ping
from textstream.transport.bounds import Bounds
from textstream.transport.frames import MAX_CACHED_UNITS, EventFrames, close_frame, message_frame
from textstream.transport.large import Oversized
from textstream.transport.measure import HEAD

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def read(data: bytes) -> list[tuple[Opcode, object]]:
    """Return what a client understands of `data`."""
    client = FrameProtocol(client=True, extensions=[])
    client.receive_bytes(data)
    return [(frame.opcode, frame.payload) for frame in client.received_frames()]


def fragments(text: str, cuts: list[int]) -> bytes:
    """Return a masked text message as a client sends it, in several frames."""
    client = FrameProtocol(client=True, extensions=[])
    data = text.encode()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    # wsproto sends a first piece of type str as a text message; the rest follows as bytes.
    pieces = [data[a:b] for a, b in pairwise(edges)]
    sent = b""
    for number, piece in enumerate(pieces):
        client._outbound_opcode = Opcode.TEXT if number else None
        opcode = Opcode.CONTINUATION if number else Opcode.TEXT
        sent += client._serialize_frame(opcode, piece, fin=number == len(pieces) - 1)
    return bytes(sent)


@given(st.one_of(TEXT, st.binary(max_size=300)))
def test_what_we_write_is_understood(message: str | bytes) -> None:
    opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
    assert read(message_frame(message)) == [(opcode, message)]


@pytest.mark.parametrize("size", [0, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_form_of_length(size: int) -> None:
    data = message_frame("x" * size)
    client = FrameProtocol(client=True, extensions=[])
    client.receive_bytes(data)
    assert "".join(str(f.payload) for f in client.received_frames()) == "x" * size


@given(st.lists(TEXT, max_size=20))
def test_event_frames_are_socket_io_events(units: list[str]) -> None:
    frames = EventFrames("new_char")
    messages = [payload for _, payload in read(b"".join(frames.all(units)))]
    assert [json.loads(str(m)[2:]) for m in messages] == [["new_char", unit] for unit in units]


def test_equal_units_share_a_frame() -> None:
    frames = EventFrames("new_char")
    assert frames.get("字") is frames.get("字")


def test_rare_units_are_forgotten_and_do_not_keep_out_what_is_used() -> None:
    frames = EventFrames("new_char")
    common = frames.get("字")
    tracemalloc.start()
    try:
        for number in range(5 * MAX_CACHED_UNITS):
            frames.get(f"w{number}")
            if number % 1000 == 0:
                assert frames.get("字") is common
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < 2 * MAX_CACHED_UNITS * 300
    assert frames.get(f"w{number}") is frames.get(f"w{number}")


@given(TEXT, st.lists(st.integers(0, 2000), max_size=5), st.integers(1, 50))
def test_any_fragments_in_any_pieces_make_the_message(
    text: str, cuts: list[int], step: int
) -> None:
    assembler = Assembler(Bounds(10_000, 80_000))
    data = fragments(text, cuts)
    messages = [
        message
        for start in range(0, len(data), step)
        for message in assembler.feed(data[start : start + step])
    ]
    assert messages == [text]


def test_a_message_over_the_limit_is_reported_at_its_end() -> None:
    assembler = Assembler(Bounds(100, 5000))
    data = fragments("y" * 3000, [10, 2000])
    (message,) = assembler.feed(data)
    assert message == Oversized("y" * HEAD, 3000)
    assert assembler.feed(fragments("next", [])) == ["next"]


@given(st.integers(101, 300))
def test_the_limit_counts_bytes(size: int) -> None:
    assembler = Assembler(Bounds(300, 5000))
    (message,) = assembler.feed(fragments("字" * size, []))
    assert message == Oversized("字" * size, 3 * size)


def test_far_over_the_limit_is_the_end() -> None:
    assembler = Assembler(Bounds(100, 800))
    assert assembler.feed(fragments("z" * 801, [])) == [Broken(1009, "Message is too big")]
    assert assembler.over
    assert assembler.feed(fragments("next", [])) == []


def test_what_came_whole_before_a_mistake_is_not_lost() -> None:
    """However TCP cut the bytes."""
    client = FrameProtocol(client=True, extensions=[])
    data = fragments("whole", []) + bytes(client.ping(b"now")) + b"\x83\x80\0\0\0\0"
    messages = Assembler(Bounds(100, 800)).feed(data)
    assert messages == ["whole", Ping(b"now"), Broken(1002, "Invalid opcode 0x3")]


def test_control_frames_between_fragments() -> None:
    client = FrameProtocol(client=True, extensions=[])
    first, second = fragments("ab", [1])[:7], fragments("ab", [1])[7:]
    data = first + bytes(client.ping(b"now")) + second
    assert Assembler(Bounds(100, 800)).feed(data) == [Ping(b"now"), "ab"]


@pytest.mark.parametrize("reason", ["a" * 124, "é" * 62, "a" + "字" * 41, "\ud800"])
def test_a_reason_is_cut_between_characters(reason: str) -> None:
    data = close_frame(1008, reason)
    assert len(data) <= 2 + 125
    ((_, payload),) = read(data)
    code, kept = cast("tuple[int, str]", payload)
    assert code == 1008
    assert reason.encode("utf-8", "replace").startswith(kept.encode())
    assert len(kept) > len(reason) - 3


@pytest.mark.parametrize(
    ("code", "answer"), [(1000, 1000), (1014, 1014), (4000, 4000), (None, 1000)]
)
def test_close_frames(code: int | None, answer: int) -> None:
    client = FrameProtocol(client=True, extensions=[])
    assert Assembler(Bounds(100, 800)).feed(bytes(client.close(code))) == [Closed(answer)]
    (frame,) = read(close_frame(1009, "too big"))
    assert frame == (Opcode.CLOSE, (1009, "too big"))
