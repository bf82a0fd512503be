"""``textstream chaos``: as a process where it runs, in this one where it ends before that."""

from __future__ import annotations

import signal
import socket

import pytest

from tests.chaos.command import PATIENCE, chaos
from tests.chaos.ends import listening, receive, receive_to_end, sending
from textstream import cli

DATA = bytes(range(256)) * 20


def to(listener: socket.socket) -> tuple[str, str]:
    return "--to", f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_carries_cuts_says_so_and_sums_up(number: int) -> None:
    arguments = ("--cut-every", "1000-3000", "--cut", "fin", "--max-cuts", "1", "--seed", "7")
    with listening() as listener, chaos(*to(listener), *arguments) as running:
        lengths = []
        for _ in range(2):
            with (
                socket.create_connection((running.host, running.port), PATIENCE) as client,
                listener.accept()[0] as server,
                sending(server, DATA, end=True),
            ):
                got, how = receive_to_end(client)
                assert DATA.startswith(got)
                assert how == "fin"
                lengths.append(len(got))
        lines = running.end(number)
    assert running.seed == 7
    assert 1000 <= lengths[0] <= 3000
    assert lengths[1] == len(DATA)
    assert lines == [
        f"connection 1, byte {lengths[0]}: cut with FIN",
        f"2 connections, {sum(lengths)} bytes to clients, 0 bytes to the server, 1 cuts, 0 stalls",
    ]


def test_the_seed_that_it_prints_repeats_the_run() -> None:
    seen = []
    seed: tuple[str, ...] = ()
    for _ in range(2):
        arguments = ("--cut-every", "1-5000", "--cut", "both", *seed)
        with listening() as listener, chaos(*to(listener), *arguments) as running:
            for _ in range(3):
                with (
                    socket.create_connection((running.host, running.port), PATIENCE) as client,
                    listener.accept()[0] as server,
                    sending(server, DATA, end=True),
                ):
                    receive_to_end(client)
            seed = ("--seed", str(running.seed))
            seen.append([line for line in running.end() if line.startswith("connection")])
    assert len(seen[0]) == 3
    assert seen[0] == seen[1]


def test_it_stalls_throttles_and_trickles() -> None:
    arguments = (
        "--stall",
        "0.01",
        "--stall-every",
        "500",
        "--throttle",
        "100000",
        "--trickle",
        "9",
    )
    with listening() as listener, chaos(*to(listener), *arguments) as running:
        with (
            socket.create_connection((running.host, running.port), PATIENCE) as client,
            listener.accept()[0] as server,
            sending(server, DATA, end=True),
        ):
            assert receive_to_end(client) == (DATA, "fin")
        lines = running.end()
    stalls = [f"connection 1, byte {at}: stalls for 0.01 s" for at in range(500, len(DATA), 500)]
    assert lines[:-1] == stalls


def test_a_stall_for_ever_does_not_keep_it_from_ending() -> None:
    arguments = ("--stall", "forever", "--stall-every", "1000")
    with (
        listening() as listener,
        chaos(*to(listener), *arguments) as running,
        socket.create_connection((running.host, running.port), PATIENCE) as client,
        listener.accept()[0] as server,
        sending(server, DATA),
    ):
        assert receive(client, 1000) == DATA[:1000]
        lines = running.end()
    assert lines[0] == "connection 1, byte 1000: stalls for ever"
    assert lines[1].endswith("1 stalls")


def test_a_port_in_use_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with listening() as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert cli._run(["chaos", "--listen", address]) == 3
    assert capsys.readouterr() == (
        "",
        (
            f"textstream: Cannot listen on {address}: Address already in use. "
            "Choose another with --listen (port 0 picks a free one).\n"
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--listen", "5003"], "looks like 127.0.0.1:5002"),
        (["--to", "http://127.0.0.1:5002"], "looks like 127.0.0.1:5002"),
        (["--to", "127.0.0.1:0"], "port 0"),
        (["--cut-every", "0"], "no number of bytes"),
        (["--cut-every", "5-4"], "no number of bytes"),
        (["--cut-every", "99999999999999"], "no number of bytes"),
        (["--stall", "0"], "no number of seconds"),
        (["--stall", "nan"], "no number of seconds"),
        (["--throttle", "0"], "range"),
        (["--trickle", "-1"], "range"),
        (["--max-cuts", "-1", "--cut-every", "5"], "range"),
        (["--cut", "rst"], "--cut-every"),
        (["--max-cuts", "1"], "--cut-every"),
        (["--stall-every", "1"], "--stall"),
        (["--cut", "gently"], "gently"),
        (["--seed", "x"], "integer"),
        (["more"], "unexpected"),
    ],
)
def test_wrong_use_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._run(["chaos", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) <= 4


def test_a_name_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--listen", "127.0.0.1:0", "--to", "nowhere.invalid:1"]
    assert cli._run(["chaos", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert "nowhere.invalid:1" in error
