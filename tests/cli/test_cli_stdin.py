"""Standard input: what is read, what is not, and that nobody waits without a word."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from tests.cli.conftest import COMMAND, PATIENCE, Run, environment
from tests.cli.terminal import Terminal
from tests.support.running_server import ROOT, RunningServer
from textstream.cli import input as cli_input
from textstream.cli.input import read_stdin


@contextmanager
def standard_input(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with os.fdopen(descriptor) as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        yield


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_input, "PATIENCE", 0.02)
    monkeypatch.setattr(cli_input, "LIMIT", 0.1)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The writing end of standard input; closed after the test if it still is open."""
    reading, writing = os.pipe()
    with standard_input(reading, monkeypatch):
        yield writing
        try:
            os.close(writing)
        except OSError:
            return


def test_what_is_piped_is_read_to_its_end(pipe: int, capsys: pytest.CaptureFixture[str]) -> None:
    os.write(pipe, "é\n".encode())
    os.close(pipe)
    assert read_stdin("Explain") == "é\n"
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("quick")
def test_a_silent_pipe_is_named_and_a_prompt_goes_on_without(
    pipe: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_stdin("Explain") is None
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("textstream: Waiting for the end of standard input, which joins the")
    for cure in ("--no-stdin", "</dev/null", "--stdin", "0.1 s"):
        assert cure in first
    assert second == "textstream: Nothing came from standard input: going on without it."
    assert pipe


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("prompt", "patient"), [("Explain", True), (None, False), ("-", False)], ids=str
)
def test_what_has_to_be_waited_for_is_waited_for(
    pipe: int, monkeypatch: pytest.MonkeyPatch, prompt: str | None, patient: bool
) -> None:
    said = []

    def late(message: str) -> None:
        said.append(message)
        os.write(pipe, b"late")
        os.close(pipe)

    monkeypatch.setattr(cli_input, "complain", late)
    assert read_stdin(prompt, patient=patient) == "late"
    assert len(said) == 1
    assert "goes on" not in said[0]


@pytest.mark.usefixtures("quick")
def test_slow_data_is_read_to_its_end(pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once something came, more is to come: it is waited for, and that is said."""
    said = []

    def late(message: str) -> None:
        said.append(message)
        os.write(pipe, b"second")
        os.close(pipe)

    os.write(pipe, b"first ")
    monkeypatch.setattr(cli_input, "complain", late)
    assert read_stdin("Explain") == "first second"
    assert len(said) == 1
    assert "goes on" not in said[0]


def test_a_socket_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b"over a socket")
        ours.shutdown(socket.SHUT_WR)
        with standard_input(theirs.detach(), monkeypatch):
            assert read_stdin("Explain") == "over a socket"


def test_what_has_no_prompt_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # closed, as by <&-
    assert read_stdin("x") is None
    with standard_input(os.open(os.devnull, os.O_RDONLY), monkeypatch):
        assert read_stdin("x") is None
        assert read_stdin("-") is None


def test_what_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (
        standard_input(os.open(tmp_path / "new", os.O_WRONLY | os.O_CREAT), monkeypatch),
        pytest.raises(click.UsageError, match="Standard input cannot be read: Bad file"),
    ):
        read_stdin("x")


@pytest.mark.live
def test_it_is_said_within_a_second(text_server: RunningServer) -> None:
    """As a program that starts it with a pipe and thinks no more of that sees it."""
    with subprocess.Popen(
        [*COMMAND, "--source", "text", "--rate", "0", "hello"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(text_server),
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert b"Waiting for the end of standard input" in process.stderr.readline()
        process.stdin.close()
        assert process.stdout.read() == b"hello"
        assert process.wait(PATIENCE) == 0


@pytest.mark.live
def test_standard_input_can_be_left_alone(run_cli: Run) -> None:
    text = ("--source", "text", "--rate", "0")
    assert run_cli(*text, "--no-stdin", "hello", piped=b"more").stdout == b"hello"
    assert run_cli(*text, "--stdin", "hello", piped=b"more").stdout == b"hello\n\nmore"
    assert run_cli(*text, "-", piped=b"more").stdout == b"more"
    sample = run_cli(*text, "--no-stdin", piped=b"more")
    assert "这是一段要逐步返回的文字" in sample.stdout.decode()
    without = run_cli("--source", "limited", "--no-stdin", piped=b"more")
    assert without.returncode == 2
    assert b"needs a prompt" in without.stderr
    both = run_cli("--no-stdin", "-")
    assert both.returncode == 2
    assert b"--no-stdin leaves it alone" in both.stderr


@pytest.mark.live
def test_a_terminal_is_read_when_asked_for(text_server: RunningServer) -> None:
    with Terminal(text_server, "--source", "limited", "-") as terminal:
        terminal.press(b"typed\n\x04")
        assert terminal.finish() == 0
        assert terminal.text.endswith("typed\r\n")
        assert "Waiting" not in terminal.text
