"""Any frames, cut anywhere: what our assembler makes of them, and what wsproto's parser does.

``python -m tests.transport.frame_fuzz 200000`` tries as many streams as one likes; a second number
is the first one's seed. The two may differ in what is wrong in the first two bytes of a frame: we
tell it at once, wsproto when the rest of the head is there, and of a fragment that is out of order
when a byte of its payload is.
"""

from __future__ import annotations

import struct
import sys
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from reliability.fuzz.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from textstream.transport.assembler import Assembler, Broken, Closed, Incoming, Ping
from textstream.transport.bounds import Bounds
from textstream.transport.frames import NORMAL, PROTOCOL_ERROR
from textstream.transport.large import Large, Oversized

BOUNDS = (Bounds(), Bounds(max_message=100, max_dropped=300))

REST_OF_HEAD = bytes(13)
"""With it at the latest, wsproto tells what is wrong in the first two bytes."""


class Protocol(FrameProtocol):
    """wsproto's, and 1014, which it leaves out: IANA has registered it."""

    def _process_close(self, frame: Frame) -> Frame:
        payload = bytes(frame.payload)  # type: ignore[arg-type]
        if payload[:2] != b"\x03\xf6":
            return super()._process_close(frame)
        super()._process_close(frame._replace(payload=b"\x03\xf5" + payload[2:]))
        return frame._replace(payload=(1014, ""))


class Oracle:
    """Does what an `Assembler` does, without any haste."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._protocol = Protocol(client=False, extensions=[])
        self._message = b""
        self._deaf = self._over = False

    def discard(self) -> None:
        self._deaf = True

    def feed(self, data: bytes) -> Iterator[Incoming]:
        if self._over:
            return
        self._protocol.receive_bytes(data)
        try:
            for part in self._protocol.received_frames():
                yield from self._take(part)
        except ParseFailed as error:
            self._over = True
            yield Broken(int(error.code), "")

    def _take(self, part: Frame) -> Iterator[Incoming]:
        payload: Any = part.payload
        if part.opcode is Opcode.CLOSE:
            self._over = True
            yield Closed(NORMAL if payload[0] is CloseReason.NO_STATUS_RCVD else int(payload[0]))
        elif part.opcode is Opcode.PING:
            yield Ping(payload)
        elif part.opcode is not Opcode.PONG and not self._deaf:
            is_text = part.opcode is Opcode.TEXT
            self._message += payload.encode() if is_text else payload
            self._look(is_text)
            if part.frame_finished and part.message_finished:
                whole, self._message = self._message, b""
                if len(whole) > self._bounds.max_message:
                    yield Oversized(whole.decode(), len(whole))
                else:
                    yield whole.decode() if is_text else whole

    def _look(self, is_text: bool) -> None:
        decoder = self._protocol._message_decoder.decoder
        size = len(self._message) + (len(decoder.getstate()[0]) if decoder else 0)
        if size > (self._bounds.max_dropped if is_text else self._bounds.max_message):
            raise ParseFailed("too big", CloseReason.MESSAGE_TOO_BIG)


# What is sent


def stream(chance: Random) -> list[bytes]:
    """Return the frames that a client may send: mostly right, often almost."""
    sent: list[bytes] = []
    for _ in range(chance.randint(1, 6)):
        sent += chance.choices((message, control, wrong), (12, 4, 1))[0](chance)
    if chance.random() < 0.1:
        sent += [goodbye(chance), *message(chance)]
    if chance.random() < 0.3:
        at = chance.randrange(len(sent))
        sent[at] = mutated(chance, sent[at])
    return sent


def message(chance: Random) -> list[bytes]:
    """Return a message, in one frame or in fragments with control frames between."""
    whole, kind = payload(chance), chance.choice((TEXT, TEXT, BINARY))
    if chance.random() < 0.6:
        return [masked(chance, whole, kind)]
    cuts = sorted(chance.randrange(len(whole) + 1) for _ in range(chance.randint(1, 5)))
    sent: list[bytes] = []
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(whole)], strict=True)):
        is_last = number == len(cuts) and chance.random() < 0.9
        kind = CONTINUATION if number else kind
        sent.append(masked(chance, whole[start:end], kind, fin=is_last))
        if chance.random() < 0.3:
            sent += control(chance)
    return sent


def payload(chance: Random) -> bytes:
    """Return UTF-8, almost UTF-8, or anything."""
    size = chance.choice((0, 1, 5, 5, 57, 57, 57, 99, 100, 101, 125, 126, 299, 301, 700))
    if chance.random() < 0.003:
        size = chance.choice((4096, 65_535, 65_536, 70_000))
    kind = chance.random()
    if kind < 0.4:
        return bytes(chance.choices(b'42["start_stream",{}]', k=size))
    if kind < 0.95:
        said = "".join(chance.choices("aé字😀\ud7ff\U0010ffff\0", k=size)).encode()[:size]
        return said if chance.random() < 0.1 else said.decode("utf-8", "ignore").encode()
    wrong = chance.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"))
    return b"x" * (size // 2) + wrong + b"y" * (size // 2)


def control(chance: Random) -> list[bytes]:
    data = chance.randbytes(chance.choice((0, 1, 7, 125)))
    return [masked(chance, data, chance.choice((PING, PONG)))]


def goodbye(chance: Random) -> bytes:
    code = struct.pack("!H", chance.choice((1000, 1001, 1005, 1012, 1014, 1015, 2999, 3000, 4999)))
    reason = chance.choice((b"", b"why", "größer".encode(), b"\xff", b"x" * 123))
    return masked(chance, chance.choice((b"", b"\x03", code + reason, code + reason)), CLOSE)


def wrong(chance: Random) -> list[bytes]:
    """Return a frame of which nothing need be right."""
    made = frame(
        chance.randbytes(chance.randrange(4)),
        chance.randrange(16),
        fin=chance.random() < 0.5,
        reserved=chance.choice((0, 0, 0, 1, 4)),
        mask=chance.choice((None, bytes(4), chance.randbytes(4))),
        length=chance.choice((None, 0, 125, 126, 65_536, 1 << 63)),
        width=chance.choice((None, 1, 2, 8)),
    )
    return [made]


def masked(chance: Random, data: bytes, opcode: int, *, fin: bool = True) -> bytes:
    return frame(data, opcode, fin=fin, mask=chance.randbytes(4))


def mutated(chance: Random, sent: bytes) -> bytes:
    """Return what was sent with a few bytes changed, taken away, added, or come twice."""
    at, size = chance.randrange(len(sent)), chance.randint(1, 6)
    kind = chance.randrange(5)
    if kind == 0:
        return sent[:at] + bytes((sent[at] ^ 1 << chance.randrange(8),)) + sent[at + 1 :]
    if kind == 1:
        return sent[:at] + sent[at + size :]
    if kind == 2:
        return sent[:at] + chance.randbytes(size) + sent[at:]
    if kind == 3:
        return sent[: at + size] + sent[at:]
    return sent[:at]


def cut(chance: Random, frames: list[bytes]) -> list[bytes]:
    """Return them in the pieces in which they are read."""
    if chance.random() < 0.3:
        return frames
    sent = b"".join(frames)
    size = max(chance.choice((1, 2, 5, 30, 100, 8192, 8192)), len(sent) // 300)
    return [sent[at : at + size] for at in range(0, len(sent), size)]


# What becomes of it


def plain(found: Incoming) -> Incoming:
    """Return what can be compared."""
    if isinstance(found, Broken):
        return Broken(found.code, "")
    if isinstance(found, Oversized):
        return Oversized(found.head[:25], found.size)  # it is the beginning of what was kept
    return found.take() if isinstance(found, Large) else found


def compare(seed: int) -> list[Incoming]:
    """Send one stream to both; return what both made of it.

    Raises:
        AssertionError: they differ, or we told something later.

    """
    chance = Random(seed)
    bounds, pieces = chance.choice(BOUNDS), cut(chance, stream(chance))
    deaf_from = chance.randrange(len(pieces) + 1) if chance.random() < 0.1 else None
    ours, oracle = Assembler(bounds), Oracle(bounds)
    found: list[Incoming] = []
    due: list[Incoming] = []
    for number, piece in enumerate(pieces):
        if number == deaf_from:
            ours.discard()
            oracle.discard()
        found += map(plain, ours.feed(piece))
        while ours.pending:
            found += map(plain, ours.feed(b""))
        told = len(due)
        due += map(plain, oracle.feed(piece))
        assert found[told : len(due)] == due[told:], f"seed {seed}: {found} instead of {due}"
    if found != due:
        due += oracle.feed(REST_OF_HEAD)
        assert found[-1:] == [Broken(PROTOCOL_ERROR, "")], f"seed {seed}"
    assert found == due, f"seed {seed}: {found} instead of {due}"
    return found


def outcomes(seeds: range) -> Counter[str]:
    """Compare many; return how many there were of each kind of end, and of messages."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        for one in compare(seed):
            code = f" {one.code}" if isinstance(one, Broken | Closed) else ""
            counts[type(one).__name__ + code] += 1
    return counts


if __name__ == "__main__":
    many, first = (*map(int, sys.argv[1:]), 0)[:2]
    for name, number in sorted(outcomes(range(first, first + many)).items()):
        print(f"{number:9,} {name}")
