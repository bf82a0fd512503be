"""The command line, its output piped: in this process, or where that matters as one of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, PATIENCE, Run, environment
from tests.client.sources_for_tests import SETTING
from tests.conftest import StartServer
from tests.support.running_server import ROOT, RunningServer
from textstream import __version__
from textstream.client import StreamClient

pytestmark = pytest.mark.live

TEXT = "Hello 这是一段要逐步返回的文字 👨‍👩‍👧‍👦 e\u0301\r\nend"


def spawn(server: RunningServer, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(server),
    )


def stopped(server: RunningServer, count: int = 1) -> Callable[[str], bool]:
    before = len(re.findall("reason=stopped", server.log_text()))
    return lambda log: len(re.findall("reason=stopped", log)) >= before + count


@pytest.mark.parametrize("piped", [b"text\n", b"text", b"a\n\nb\r\n\n", TEXT.encode()])
def test_what_is_piped_into_source_text_is_printed_exactly(run_cli: Run, piped: bytes) -> None:
    result = run_cli("--source", "text", "--rate", "500", piped=piped)
    assert (result.returncode, result.stdout, result.stderr) == (0, piped, b"")


def test_what_comes_through_a_pipe_is_printed_exactly(run_process: Run) -> None:
    result = run_process("--source", "text", "--rate", "500", piped=TEXT.encode())
    assert (result.returncode, result.stdout, result.stderr) == (0, TEXT.encode(), b"")


def test_standard_input_joins_the_argument(run_cli: Run) -> None:
    result = run_cli("--source", "limited", "--rate", "0", "Say:", piped=b"this\n")
    assert (result.returncode, result.stdout) == (0, b"Say:\n\nthis")


def test_without_a_prompt_text_streams_its_sample(run_cli: Run) -> None:
    result = run_cli("--source", "text", "--rate", "0")
    assert result.returncode == 0
    assert "这是一段要逐步返回的文字" in result.stdout.decode()


def test_without_a_prompt_others_say_how_to_give_one(run_cli: Run) -> None:
    result = run_cli("--source", "limited")
    assert result.returncode == 2
    assert b"needs a prompt" in result.stderr
    assert b"Usage:" in result.stderr


def test_a_prompt_may_be_the_name_of_a_command(run_cli: Run) -> None:
    result = run_cli("--source", "text", "--rate", "0", "--", "sources")
    assert (result.returncode, result.stdout) == (0, b"sources")
    misplaced = run_cli("--rate", "0", "sources")
    assert misplaced.returncode == 2
    assert b"Put sources first" in misplaced.stderr


def test_json_lines(run_cli: Run) -> None:
    result = run_cli("--source", "text", "--rate", "200", "--json", TEXT)
    start, *chunks, end = [json.loads(line) for line in result.stdout.splitlines()]
    assert (start["event"], start["source"], start["rate"]) == ("start", "text", 200)
    assert {chunk["event"] for chunk in chunks} == {"chunk"}
    assert "".join(chunk["text"] for chunk in chunks) == TEXT
    positions = [(chunk["offset"], chunk["next"]) for chunk in chunks]
    assert [first for first, _ in positions] == [0, *[behind for _, behind in positions[:-1]]]
    assert end == {
        "event": "end",
        "id": start["id"],
        "reason": "completed",
        "offset": positions[-1][1],
        "text_sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "verified": True,
    }


def test_a_failing_source_keeps_its_text_and_exits_1(run_cli: Run) -> None:
    result = run_cli("--source", "broken", "--rate", "0", "kept")
    assert (result.returncode, result.stdout) == (1, b"kept")
    assert result.stderr.startswith(b"textstream: ")
    assert result.stderr.count(b"\n") == 1
    as_json = run_cli("--source", "broken", "--rate", "0", "--json", "kept")
    events = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [events[0]["event"], events[-2]["event"]] == ["start", "end"]
    assert "".join(event.get("text", "") for event in events) == "kept"
    assert events[-1]["event"] == "error"
    assert events[-1]["code"] == "source_failed"


def test_no_stream_prints_it_all(run_cli: Run) -> None:
    result = run_cli("--source", "text", "--no-stream", piped=b"x" * 20_000)
    assert (result.returncode, result.stdout) == (0, b"x" * 20_000)


def test_stats_go_to_standard_error(run_cli: Run) -> None:
    result = run_cli("--source", "text", "--rate", "200", "--stats", "x" * 50)
    assert result.stdout == b"x" * 50
    line = result.stderr.decode()
    assert re.fullmatch(
        r"first character \d+\.\d{3} s · [\d.]+ characters/s · gap p50 [\d.]+ ms, "
        r"p99 [\d.]+ ms · 50 characters in [\d.]+ s\n",
        line,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--source", "none such", "x"), 2, "no such source"),
        (("--source", "text", "--param", "no=1", "x"), 2, "no"),
        (("--rate", "nan", "x"), 2, "--rate"),
        (("--unit", "page", "x"), 2, "--unit"),
        (("--url", "nowhere", "x"), 2, "address"),
        (("--no-such-flag",), 2, "--no-such-flag"),
        (("two", "prompts"), 2, "unexpected"),
        (("resume", "no-such-stream"), 1, "No stream"),
        (("resume", "x", "--offset", "-1"), 2, "--offset"),
        (("resume",), 2, "ID"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_short(
    run_cli: Run, arguments: tuple[str, ...], code: int, says: str
) -> None:
    result = run_cli(*arguments)
    assert result.returncode == code
    assert result.stdout == b""
    assert says in result.stderr.decode()
    assert b"Traceback" not in result.stderr


def test_standard_input_that_is_not_utf_8_is_refused(run_cli: Run) -> None:
    result = run_cli("--source", "text", piped=b"caf\xe9")
    assert result.returncode == 2
    assert b"byte 3 is 0xe9" in result.stderr


def test_no_server_is_one_line_with_the_cure(run_cli: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for arguments in (("x",), ("--source", "text", "x"), ("resume", "x"), ("sources",)):
        url = {"TEXTSTREAM_URL": f"http://127.0.0.1:{port}"}
        result = run_cli(*arguments, "--wait", "0", env=url)
        assert result.returncode == 3
        assert b"connection refused" in result.stderr
        assert result.stderr.count(b"\n") == 1
        assert b"`make run` or `textstream serve`" in result.stderr


def test_the_text_is_utf_8_whatever_the_locale(run_process: Run) -> None:
    for env in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "C"}):
        result = run_process("--source", "text", "--rate", "0", TEXT, env=env)
        assert (result.returncode, result.stdout) == (0, TEXT.encode())


def test_resume_prints_the_rest(run_cli: Run, text_server: RunningServer) -> None:
    with StreamClient(text_server.url) as client:
        stream = client.stream(text="0123456789", rate=0)
        "".join(stream)
    result = run_cli("resume", stream.id, "--offset", "4", "--rate", "0")
    assert (result.returncode, result.stdout) == (0, b"456789")


def test_sources_are_listed(run_cli: Run) -> None:
    table = run_cli("sources")
    assert table.returncode == 0
    assert re.search(rb"^[* ] text\b", table.stdout, re.MULTILINE)
    described = json.loads(run_cli("sources", "--json").stdout)
    assert "text" in {source["name"] for source in described["sources"]}


def test_help_and_version(run_cli: Run) -> None:
    shown = run_cli("--help").stdout.decode()
    for word in ("Examples:", "Exit codes:", "130", "textstream serve", "TEXTSTREAM_URL"):
        assert word in shown
    assert __version__ in run_cli("--version").stdout.decode()


def test_it_starts_a_server(run_process: Run) -> None:
    assert b"--host" in run_process("serve", "--help").stdout


def test_it_ends_with_the_code_and_in_short(run_process: Run) -> None:
    result = run_process("--source", "none such", "x")
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"no such source" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_reader_that_leaves_stops_the_stream_quietly(text_server: RunningServer) -> None:
    is_stopped = stopped(text_server)
    process = spawn(text_server, "--source", "endless", "--rate", "500", "x")
    assert process.stdout
    assert process.stderr
    with process, process.stderr:
        assert process.stdout.read(20) == b"0 1 2 3 4 5 6 7 8 9 "
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0
    text_server.wait_for_log(is_stopped)


def test_a_full_disk_is_an_error(text_server: RunningServer) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*COMMAND, "--source", "text", "x"],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environment(text_server),
            timeout=PATIENCE,
            check=False,
        )
    assert result.returncode == 1
    assert result.stderr == b"textstream: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_stream_on_the_server(
    text_server: RunningServer, number: signal.Signals, code: int
) -> None:
    is_stopped = stopped(text_server)
    process = spawn(text_server, "--source", "endless", "--rate", "100", "x")
    assert process.stdout
    assert process.stderr
    with process, process.stdout, process.stderr:
        assert process.stdout.read(2) == b"0 "
        process.send_signal(number)
        assert process.wait(PATIENCE) == code
        assert process.stderr.read() == b""
    text_server.wait_for_log(is_stopped)


def test_a_second_signal_exits_at_once(start_server: StartServer) -> None:
    server = start_server("--sources", SETTING)
    process = spawn(server, "--source", "endless", "--rate", "100", "x")
    assert process.stdout
    assert process.stderr
    with process, process.stdout, process.stderr:
        assert process.stdout.read(2) == b"0 "
        os.kill(server.pid, signal.SIGSTOP)  # Or else it would confirm the stop too soon.
        try:
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 143, "the code of the second, not 130"
        finally:
            os.kill(server.pid, signal.SIGCONT)
    server.stop()


FOR_ANOTHER_THREAD = """
import signal, sys, threading
from textstream.cli.exit_codes import Interrupted, catch_signals

main, interrupted = threading.main_thread().ident, threading.Event()

def send():
    signal.pthread_kill(main, signal.SIGINT)
    interrupted.wait()
    while sys._current_frames()[main].f_code.co_name != "wait":
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)  # and nothing wakes the other
    threading.Event().wait()

catch_signals()
try:
    threading.Thread(target=send, daemon=True).start()
    threading.Event().wait()
except Interrupted:
    interrupted.set()
    threading.Event().wait()  # for a server, say
"""


def test_a_second_signal_that_another_thread_gets_exits_at_once() -> None:
    """The kernel chooses which, on a busy machine."""
    command = [sys.executable, "-W", "error", "-c", FOR_ANOTHER_THREAD]
    result = subprocess.run(command, timeout=PATIENCE, capture_output=True, check=False, cwd=ROOT)
    assert (result.returncode, result.stdout, result.stderr) == (143, b"", b"")


TWO_AT_ONCE = """
import signal, sys
from textstream.cli import exit_codes

def trace(frame, event, _):
    if frame.f_code.co_filename != exit_codes.__file__:
        return None
    if event == "line":
        lines.append(frame.f_lineno)
    if len(lines) == 2:  # the first is being handled
        sys.settrace(None)
        frame.f_trace = None
        signal.raise_signal(signal.SIGTERM)
    return trace

exit_codes.catch_signals()
lines = []
sys.settrace(trace)
try:
    signal.raise_signal(signal.SIGINT)
except exit_codes.Interrupted:
    print("hangs now")
"""


def test_a_second_signal_exits_at_once_while_the_first_is_handled() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_AT_ONCE], capture_output=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, b"", b"")
