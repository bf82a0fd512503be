"""The proxy over real sockets, with both ends in the test's hands."""

from __future__ import annotations

import random
import re
import select
import socket
import struct
from typing import Any

import pytest

from tests.chaos.ends import connect, ends, listening, receive, receive_to_end, sending
from tests.support.clock import ManualClock
from textstream.chaos import FOREVER, ByteRange, ChaosProxy, RandomPlan, ScriptedPlan
from textstream.chaos.pipe import BUFFER
from textstream.chaos.plan import CutKind

DATA = random.Random(1).randbytes(1_000_000)


def test_without_faults_every_byte_passes_both_ways_and_so_do_the_ends() -> None:
    with ends() as both:
        with sending(both.client, DATA, end=True):
            assert receive_to_end(both.server) == (DATA, "fin")
        # The client has ended its side only: the server may still answer.
        with sending(both.server, DATA[::-1], end=True):
            assert receive_to_end(both.client) == (DATA[::-1], "fin")
    totals = both.proxy.totals
    assert (totals.connections, totals.cuts, totals.stalls) == (1, 0, 0)
    assert (totals.bytes_up, totals.bytes_down) == (len(DATA), len(DATA))


@pytest.mark.parametrize("position", [1, 1234, BUFFER, BUFFER + 1, 500_000])
def test_an_orderly_cut_lets_exactly_so_many_bytes_through(position: int) -> None:
    log: list[str] = []
    with (
        ends(plan=ScriptedPlan([position], cut="fin"), log=log.append) as both,
        sending(both.server, DATA),
    ):
        assert receive_to_end(both.client) == (DATA[:position], "fin")
        both.client.close()
    assert log == [f"connection 1, byte {position}: cut with FIN"]
    assert (both.proxy.totals.bytes_down, both.proxy.totals.cuts) == (position, 1)


@pytest.mark.parametrize("position", [1, 1234, 500_000])
def test_a_reset_lets_no_more_bytes_through(position: int) -> None:
    with ends(plan=ScriptedPlan([position])) as both, sending(both.server, DATA):
        got, how = receive_to_end(both.client)
    assert how == "rst"
    assert DATA[:position].startswith(got)
    assert both.proxy.totals.bytes_down == position


@pytest.mark.parametrize("pieces", [1, 7, 100_000])
def test_the_same_seed_gives_the_same_faults_whatever_the_pieces(pieces: int) -> None:
    log: list[str] = []
    plan = RandomPlan(
        11,
        cut_every=ByteRange(5_000, 5_000),
        cut="both",
        stall_every=ByteRange(500, 2_000),
        stall=0.001,
    )
    with ends(plan=plan, log=log.append, trickle=pieces) as both, sending(both.server, DATA):
        receive_to_end(both.client)
        both.client.close()
    assert log == [
        *(f"connection 1, byte {at}: stalls for 0.001 s" for at in (1732, 2806, 3579, 4256)),
        "connection 1, byte 5000: cut with FIN",
    ]


def test_a_plan_may_be_told_to_cut_only_so_often() -> None:
    with (
        listening() as listener,
        ChaosProxy(
            listener.getsockname()[:2],
            plan=RandomPlan(1, cut_every=ByteRange(100, 1000), cut="fin"),
            max_cuts=2,
        ) as proxy,
    ):
        lengths = []
        for _ in range(4):
            with (
                connect(proxy) as client,
                listener.accept()[0] as server,
                sending(server, DATA[:50_000], end=True),
            ):
                lengths.append(len(receive_to_end(client)[0]))
        assert proxy.totals.cuts == 2
    assert [length <= 1000 for length in lengths] == [True, True, False, False]
    assert lengths[2:] == [50_000, 50_000]


def test_a_stall_ends_when_its_time_is_over(clock: ManualClock) -> None:
    with (
        ends(plan=ScriptedPlan([1000], stall=5.0), clock=clock) as both,
        sending(both.server, DATA[:3000], end=True),
    ):
        assert receive(both.client, 1000) == DATA[:1000]
        clock.advance(4.9)
        both.proxy.wake()
        assert both.proxy.totals.bytes_down == 1000
        clock.advance(0.2)
        both.proxy.wake()
        assert receive_to_end(both.client) == (DATA[1000:3000], "fin")
    assert both.proxy.totals.stalls == 1


def test_a_stall_for_ever_carries_nothing_either_way(clock: ManualClock) -> None:
    with (
        ends(plan=ScriptedPlan([1000], stall=FOREVER), clock=clock) as both,
        sending(both.server, DATA[:3000]),
    ):
        assert receive(both.client, 1000) == DATA[:1000]
        both.client.sendall(b"is anybody there?")
        clock.advance(1e6)
        both.proxy.wake()
        assert (both.proxy.totals.bytes_down, both.proxy.totals.bytes_up) == (1000, 0)


def test_a_throttle_keeps_its_rate(clock: ManualClock) -> None:
    began = clock()
    with ends(throttle=1000, clock=clock) as both:
        both.server.sendall(DATA[:1000])
        got = receive(both.client, 100)  # a tenth of a second's worth at once
        while len(got) < 1000:
            clock.advance(0.09)
            both.proxy.wake()
            assert both.proxy.totals.bytes_down <= 100 + 1000 * (clock() - began)
            clock.advance(0.011)
            both.proxy.wake()
            got += receive(both.client, 100)
        assert got == DATA[:1000]


def test_a_throttle_needs_no_push() -> None:
    """With the real clock; how long it takes is the machine's business."""
    with ends(throttle=100_000) as both, sending(both.server, DATA[:20_000], end=True):
        assert receive_to_end(both.client) == (DATA[:20_000], "fin")


@pytest.mark.parametrize("backwards", [False, True], ids=["to the client", "to the server"])
def test_one_who_does_not_read_holds_the_other_back(backwards: bool) -> None:
    with ends() as both:
        reader, writer = both.client, both.server
        if backwards:
            reader, writer = writer, reader
        writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        if backwards:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        writer.setblocking(False)
        offered, sent = DATA * 32, 0
        # Until it has taken nothing for half a second; or all of it, without back-pressure.
        while sent < len(offered) and select.select([], [writer], [], 0.5)[1]:
            sent += writer.send(memoryview(offered)[sent : sent + 65536])
        assert sent < 16_000_000
        (pipe,) = both.proxy._loop._pipes
        assert max(len(pipe.up.waiting), len(pipe.down.waiting)) <= BUFFER
        writer.shutdown(socket.SHUT_WR)
        assert receive_to_end(reader) == (offered[:sent], "fin")


def test_a_reset_by_one_side_reaches_the_other() -> None:
    with ends() as both:
        both.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        both.client.close()
        assert receive_to_end(both.server) == (b"", "rst")


def test_a_server_that_is_not_there_closes_the_client_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()[:2]
    log: list[str] = []
    with ChaosProxy(address, log=log.append) as proxy:
        for _ in range(2):
            with connect(proxy) as client:
                assert receive_to_end(client) == (b"", "fin")
    assert log == [
        f"connection {n}: the server cannot be reached: Connection refused" for n in (1, 2)
    ]


def test_all_addresses_of_a_name_are_tried() -> None:
    with listening() as listener:
        port = listener.getsockname()[1]
        with ChaosProxy(("localhost", port)) as proxy:
            # As where localhost is ::1 first, and the server listens on 127.0.0.1 only.
            refused = (socket.AF_INET, ("127.0.0.2", port))
            proxy._loop._upstream = [refused, *proxy._loop._upstream]
            with connect(proxy) as client, listener.accept()[0] as server:
                client.sendall(b"x")
                assert receive(server, 1) == b"x"


@pytest.mark.parametrize("kind", ["fin", "rst"])
def test_all_are_cut_on_demand(kind: CutKind) -> None:
    with ends() as both:
        both.server.sendall(b"x")
        assert receive(both.client, 1) == b"x"  # it stands
        both.proxy.cut_all(kind)
        assert both.proxy.totals.cuts == 1
        assert receive_to_end(both.client) == (b"", kind)
        assert receive_to_end(both.server) == (b"", kind)


def test_new_connections_are_held_off_on_demand() -> None:
    with (
        listening() as listener,
        ChaosProxy(listener.getsockname()[:2]) as proxy,
        connect(proxy) as first,
        listener.accept()[0] as first_server,
    ):
        proxy.hold()
        with connect(proxy) as other:
            assert receive_to_end(other) == (b"", "fin")
        first.sendall(b"x")  # those that there are go on
        assert receive(first_server, 1) == b"x"
        proxy.release()
        with connect(proxy) as third, listener.accept()[0] as third_server:
            third.sendall(b"y")
            assert receive(third_server, 1) == b"y"
        assert proxy.totals.connections == 3


def test_muted_it_swallows_what_the_server_says_and_nothing_else() -> None:
    with ends() as both:
        both.server.sendall(b"x")
        assert receive(both.client, 1) == b"x"  # it stands
        both.proxy.mute()
        with sending(both.server, DATA):  # more than the buffers hold: it is read, and dropped
            both.client.sendall(b"request")
            assert receive(both.server, 7) == b"request"
        both.proxy.cut_all("fin")
        assert receive_to_end(both.client) == (b"", "fin")
        assert both.proxy.totals.bytes_down == 1


def test_a_new_connection_is_muted_too_until_it_is_over() -> None:
    with listening() as listener, ChaosProxy(listener.getsockname()[:2]) as proxy:
        proxy.mute()
        with connect(proxy) as muted, listener.accept()[0] as server:
            server.sendall(b"lost")
            server.shutdown(socket.SHUT_WR)
            assert receive_to_end(muted) == (b"", "fin")
        proxy.unmute()
        with connect(proxy) as client, listener.accept()[0] as server:
            server.sendall(b"x")
            assert receive(client, 1) == b"x"


def test_closed_it_leaves_nothing_and_refuses() -> None:
    with ends() as both:
        both.server.sendall(b"x")
        assert receive(both.client, 1) == b"x"
        both.proxy.close()
        assert receive_to_end(both.client) == (b"", "fin")
        with pytest.raises(ConnectionRefusedError):
            connect(both.proxy)
        both.proxy.cut_all()  # does nothing, and does not wait for ever
        both.proxy.close()


def test_ipv6() -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6) as listener,
        ChaosProxy(listener.getsockname()[:2], listen_on=("::1", 0)) as proxy,
    ):
        assert re.fullmatch(r"http://\[::1\]:[0-9]+", proxy.url)
        with connect(proxy) as client, listener.accept()[0] as server:
            client.sendall(b"x")
            assert receive(server, 1) == b"x"


@pytest.mark.parametrize("options", [{"throttle": 0}, {"throttle": -1}, {"trickle": 0}])
def test_numbers_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="byte"):
        ChaosProxy(("127.0.0.1", 1), **options)


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
